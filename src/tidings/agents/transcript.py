"""What a seat reads before it decides: what it saw, in words, and its own earlier thoughts, within a stated size."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from tidings.core import Event, Observation

__all__ = ["REASONING", "Transcript", "read_transcript"]

REASONING = "reasoning"
"""`about` of the thoughts that a seat reads again later; all others are for the analyst."""


class Transcript(NamedTuple):
    """Lines for a prompt.

    Attributes:
        lines: In the order in which things happened.
        n_left_out: Lines that did not fit.
    """

    lines: tuple[str, ...]
    n_left_out: int


def read_transcript(
    observation: Observation,
    describe: Callable[[Event], str],
    *,
    max_events: int,
    max_chars: int,
    always_keep: Collection[str] = (),
) -> Transcript:
    """Returns the lines a seat can read, the newest ones if not all fit.

    An event whose data hold `clears`, a list of kinds, takes earlier events of these kinds out: the seat saw them, but
    the environment says that they are not to be repeated.

    Events of the kinds in `always_keep` are fitted in first, then all others from the newest backwards up to the first
    that does not fit. A line is kept whole or left out.

    Args:
        observation: What the seat may see.
        describe: One line of words for an event; empty for none.
        max_events: Most lines.
        max_chars: Most characters of all lines together.
        always_keep: Kinds of events that count more than newer ones.
    """
    lines: list[str] = []
    kept_first: list[int] = []
    for event in _not_cleared(observation.events):
        line = _thought(event, observation.seat) if event.kind == "thought" else describe(event)
        if line:
            if event.kind in always_keep:
                kept_first.append(len(lines))
            lines.append(line)
    if len(lines) <= max_events and sum(map(len, lines)) <= max_chars:
        return Transcript(tuple(lines), 0)
    kept = _fitting(lines, kept_first, max_events, max_chars)
    return Transcript(tuple(lines[i] for i in sorted(kept)), len(lines) - len(kept))


def _not_cleared(events: Sequence[Event]) -> list[Event]:
    """Returns the events that no later one clears."""
    cleared: set[str] = set()
    kept: list[Event] = []
    for event in reversed(events):
        if event.kind not in cleared:
            kept.append(event)
        cleared |= set(event.data.get("clears", ()))
    return kept[::-1]


def _fitting(lines: list[str], kept_first: list[int], max_events: int, max_chars: int) -> set[int]:
    """Returns the positions of the lines that fit."""
    kept: set[int] = set()
    n_chars = 0
    for group in (kept_first, sorted(set(range(len(lines))) - set(kept_first))):
        for i in reversed(group):
            if len(kept) == max_events or n_chars + len(lines[i]) > max_chars:
                break
            kept.add(i)
            n_chars += len(lines[i])
    return kept


def _thought(event: Event, seat: str) -> str:
    is_own = event.seat == seat and event.data.get("about") == REASONING
    return f"You thought: {event.data.get('text', '')}" if is_own else ""
