"""What every environment must satisfy; outsiders run it on their own: `check_environment(environment)`.

A check that fails raises `ConformanceError` naming the promise that was broken and where.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

from tidings.core import Environment, Event, Reply, SeedPath, TidingsError, Turn, draw_action
from tidings.core.events import PLANNER
from tidings.log.codec import encode_step
from tidings.simulation.play import Play

__all__ = ["ConformanceError", "check_barrier", "check_environment"]


class ConformanceError(TidingsError):
    """An environment breaks a promise that the rest of the house relies on."""


def check_environment(environment: Environment, n_seeds: int = 20, max_steps: int = 10_000) -> None:
    """Runs every check on an environment.

    Args:
        environment: A small instance (the checks play it `n_seeds` times and more).
        n_seeds: Rollouts of each check.
        max_steps: A rollout that is longer counts as endless.

    Raises:
        ConformanceError: At the first broken promise.
    """
    for number in range(n_seeds):
        events = _play(environment, number, Random(number), max_steps)
        _check_events(environment, events)
        if encode_step(0, events) != encode_step(0, _play(environment, number, Random(number), max_steps)):
            raise ConformanceError(f"seed {number}: the same seed and the same replies gave different events")
        again = Play(environment, SeedPath.root(number), number)
        again.replay(events)
        if again.status == "running":
            raise ConformanceError(f"seed {number}: the replay of an ended rollout has not ended")
    _check_words(environment)
    check_barrier(environment, max_steps=max_steps)


def check_barrier(environment: Environment, n_seeds: int = 60, max_steps: int = 10_000) -> int:
    """Checks that what is hidden from a seat has no bearing on what it sees.

    All seats answer from a fixed script that does not depend on anything. Then two rollouts in which a seat owns equal
    private facts, and whose public openings are equal, may differ only in what is hidden from that seat; so all it ever
    sees must be equal byte for byte.

    Returns:
        How many pairs of rollouts were compared.

    Raises:
        ConformanceError: If a seat could tell the two apart, or if no pair of rollouts could be compared.
    """
    views: dict[tuple[str, bytes], bytes] = {}
    n_compared = 0
    for number in range(n_seeds):
        events = _play(environment, number, Random(0), max_steps)
        public_opening = encode_step(0, [e for e in events if e.step == 0 and "*" in e.audience])
        for seat in environment.seats:
            seen = [e._replace(index=0) for e in events if _sees(e, seat)]
            owned = [e for e in seen if e.audience == (seat,) and "fact" in e.data]
            key = (seat, public_opening + encode_step(0, owned))
            view = encode_step(0, seen)
            n_compared += key in views
            if views.setdefault(key, view) != view:
                raise ConformanceError(
                    f"seat {seat!r} could tell apart two rollouts that differ only in what is hidden"
                )
    if n_compared == 0:
        raise ConformanceError("barrier: no two rollouts gave a seat equal private facts; use a smaller instance")
    return n_compared


def _sees(event: Event, seat: str) -> bool:
    return seat in event.audience or ("*" in event.audience and seat != PLANNER)


def _play(environment: Environment, number: int, rng: Random, max_steps: int) -> list[Event]:
    """Returns the events of a rollout in which every seat answers at random from `rng`."""
    play = Play(environment, SeedPath.root(number), number)
    events = play.open()
    while turns := play.due():
        _check_turns(environment, turns)
        if play.step > max_steps:
            raise ConformanceError(f"seed {number}: not over after {max_steps} steps")
        before = _frozen(play)
        replies = {turn.seat: Reply(turn.spec.check(draw_action(turn.spec, rng))) for turn in turns}
        if _frozen(play) != before:
            raise ConformanceError(f"seed {number}: asking for turns changed the state")
        events += play.advance(replies)
    return events


def _frozen(play: Play) -> str:
    return repr(play.due())


def _check_turns(environment: Environment, turns: Iterable[Turn]) -> None:
    seats = [turn.seat for turn in turns]
    if len(set(seats)) != len(seats):
        raise ConformanceError(f"turns: a seat is asked twice in one step: {seats}")
    if unknown := [seat for seat in seats if seat not in environment.seats]:
        raise ConformanceError(f"turns: {unknown} not among the seats")


def _check_events(environment: Environment, events: Iterable[Event]) -> None:
    known = {*environment.seats, "*"}
    for event in events:
        if unknown := [seat for seat in event.audience if seat not in known]:
            raise ConformanceError(f"event {event.kind!r}: audience {unknown} not among the seats")
        if not _is_json(event.data):
            raise ConformanceError(f"event {event.kind!r}: data must be JSON values, found {event.data!r}")


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    return value is None or isinstance(value, str | int | bool)


def _check_words(environment: Environment) -> None:
    """Checks that briefs and descriptions are text, for every event a seat can see."""
    events = _play(environment, 0, Random(0), 10_000)
    for seat in environment.seats:
        words = [environment.brief(seat), *(environment.describe(e, seat) for e in events if _sees(e, seat))]
        if not all(isinstance(word, str) for word in words):
            raise ConformanceError(f"seat {seat!r}: brief and describe must return text")
