"""Transcripts with anchors, chosen and cut by a stated rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from tidings.analysis.report.markup import Markup, Part, cut, el
from tidings.analysis.words import plural
from tidings.log.codec import LogLine
from tidings.log.store import ENDED

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["MAX_BYTES", "MAX_CHARS", "MAX_EVENTS", "MAX_FAILED", "MAX_LISTED", "transcripts"]

MAX_BYTES = 1_200_000
"""No further rollout is begun once the transcripts have this many characters of HTML."""
MAX_EVENTS = 400
"""Events shown of one rollout, from its first."""
MAX_CHARS = 2_000
"""Characters shown of one event."""
MAX_FAILED = 10
"""Failed rollouts that are shown before any other."""
MAX_LISTED = 2_000
"""Rollouts listed by number."""

_PRIVATE = frozenset({"reply", "thought"})


class _Entry(NamedTuple):
    rollout: int
    n_events: int
    state: str


def transcripts(run: Run) -> Markup:
    """Returns the transcripts of some rollouts, the rule by which they were chosen, and a list of all."""
    if run.is_summary:
        words = "This run logged one row a rollout, so there are no transcripts: run it with rollouts.log: full."
        return el("section", el("h2", "Transcripts"), el("p", words), id="transcripts")
    entries = {rollout: _entry(rollout, lines) for rollout, lines in run.rollout_lines()}
    failed = [e.rollout for e in entries.values() if e.state == "failed"][:MAX_FAILED]
    shown = _bodies(run, failed, 0)
    others = [rollout for rollout in entries if rollout not in shown]
    shown |= _bodies(run, others, sum(map(len, shown.values())))
    bodies = [shown[rollout] for rollout in entries if rollout in shown]
    return el(
        "section",
        el("h2", "Transcripts"),
        _rule(entries, len(shown)),
        _index(entries, shown) if entries else None,
        bodies,
        el("p", "Transcripts are left out in print.", class_="note print-only"),
        id="transcripts",
    )


def _entry(rollout: int, lines: list[LogLine]) -> _Entry:
    is_ended = lines[-1].kind == ENDED
    return _Entry(rollout, len(lines), lines[-1].data["status"] if is_ended else "unfinished")


def _bodies(run: Run, wanted: list[int], size: int) -> dict[int, Markup]:
    """Returns the transcripts of the wanted rollouts, in order, until they are too large together."""
    left, bodies = set(wanted), dict[int, Markup]()
    for rollout, lines in run.rollout_lines() if left else ():
        if size >= MAX_BYTES or not left:
            break
        if rollout in left:
            left.discard(rollout)
            bodies[rollout] = _transcript(rollout, lines)
            size += len(bodies[rollout])
    return bodies


def _rule(entries: dict[int, _Entry], n_shown: int) -> Markup:
    n = len(entries)
    if not n:
        return el("p", "No rollout has begun.")
    words = f"All {n:,} rollouts are here." if n > 1 else "The one rollout is here."
    if n_shown < n:
        words = (
            f"{n_shown:,} of {n:,} rollouts are here: up to {MAX_FAILED} that failed, then the others from the first "
            f"on, until {MAX_BYTES / 1e6:.1f} MB are full. The rest is in the run folder."
        )
    longest = max(e.n_events for e in entries.values())
    if longest > MAX_EVENTS:
        words += f" Of each rollout the first {MAX_EVENTS} events are shown; the longest has {longest:,}."
    return el("p", f"{words} Of each event the first {MAX_CHARS:,} characters are shown.", class_="note")


def _index(entries: dict[int, _Entry], shown: dict[int, Markup]) -> Markup:
    listed = list(entries.values())[:MAX_LISTED]
    marks = {"failed": " ✕", "unfinished": " …"}
    words = [
        el(
            "a" if e.rollout in shown else "span",
            f"{e.rollout}{marks.get(e.state, '')}",
            href=f"#rollout-{e.rollout}" if e.rollout in shown else None,
            class_=e.state,
        )
        for e in listed
    ]
    rest = len(entries) - len(listed)
    more = el("span", f"and {rest:,} more") if rest else None
    legend = el("p", "✕ failed, … not ended, underlined: shown below.", class_="note")
    return el("nav", legend, el("div", words, more, class_="rollouts"), aria_label="All rollouts")


def _transcript(rollout: int, lines: list[LogLine]) -> Markup:
    entry = _entry(rollout, lines)
    state = {"ok": "", "failed": ", failed", "unfinished": ", not ended"}.get(entry.state, "")
    rest = len(lines) - MAX_EVENTS
    where = f"rollout {rollout} in the run folder's events/, from index {MAX_EVENTS}"
    more = el("p", f"{rest:,} more events: {where}.", class_="note") if rest > 0 else None
    summary = el("summary", f"rollout {rollout}: {plural(len(lines), 'event')}{state}")
    events = [_event(line) for line in lines[:MAX_EVENTS]]
    start = el(
        "span", id=f"rollout-{rollout}"
    )  # inside: a link to what is inside opens the details, one to them does not
    return el("details", summary, start, events, more, class_=f"transcript {entry.state}")


def _event(line: LogLine) -> Markup:
    kind = "private" if line.kind in _PRIVATE else "failure" if line.kind == "failure" else "hidden"
    kind = kind if kind != "hidden" or not line.audience else "open"
    where = f"rollout {line.rollout}, index {line.index} in events/"
    head = el(
        "div",
        el("a", f"{line.step}", href=f"#r{line.rollout}e{line.index}", title=f"event {line.index}"),
        el("b", line.seat) if line.seat else None,
        el("i", line.kind),
        el("small", _audience(line)),
    )
    return el("div", head, _data(line.data, where), id=f"r{line.rollout}e{line.index}", class_=f"event {kind}")


def _audience(line: LogLine) -> str:
    if not line.audience:
        return "only the analyst knows"
    if line.audience == (line.seat,):
        return "only itself knows"
    words = ["all agents" if name == "*" else name for name in line.audience if name != line.seat]
    return "to " + ", ".join(words[:6]) + (f" and {len(words) - 6:,} more" if len(words) > 6 else "")


def _data(data: dict, where: str) -> list[Part]:
    """Returns a text as a paragraph of its own, and the other fields as `name: value`."""
    parts: list[Part] = []
    fields = {key: value for key, value in data.items() if not (key == "text" and isinstance(value, str))}
    if isinstance(data.get("text"), str):
        parts.append(el("p", cut(data["text"], MAX_CHARS, where), dir="auto"))
    if fields:
        words = " · ".join(f"{key}: {_value(value)}" for key, value in fields.items())
        parts.append(el("p", cut(words, MAX_CHARS, where), dir="auto"))
    return parts


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
