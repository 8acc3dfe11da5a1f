"""Transcripts of the rollouts in which an answer failed, for people to read: one Markdown file a suite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tidings.benchmarks.asymmetry.report import SetReport
from tidings.core import Event
from tidings.log.reader import read_rollouts
from tidings.runner.folder import RunFolder, write_atomically

__all__ = ["FAILURES_FILE", "write_failures"]

FAILURES_FILE = "failures.md"
_MOST = 20
_MAX_CHARS = 1_000


def write_failures(sets: Sequence[SetReport], folder: Path) -> int:
    """Writes the transcripts of failing rollouts, at most 20 a play, and returns how many rollouts failed.

    All text of models stands in code blocks, so that nothing they said is read as Markdown. Without a failure an
    earlier file is removed.
    """
    parts: list[str] = []
    n_failed = 0
    for part in sets:
        for play in part.plays:
            rows = [row.played for row in part.rows if row.played is not None and row.played.played.name == play.name]
            failed = sorted({rollout for row in rows for rollout in row.failed_rollouts})
            n_failed += len(failed)
            if not failed:
                continue
            shown = failed[:_MOST]
            left = f"; the first {_MOST} are here, `tidings report` shows all" if len(failed) > _MOST else ""
            parts.append(f"## {part.plan.name}, {play.name}: {len(failed)} rollouts{left}")
            parts.append(f"Run folder: `{play.folder.name}`")
            items = part.plan.items
            for rollout, events in _events(play.folder, set(shown)):
                item = items[rollout % len(items)]
                parts.append(f"### Rollout {rollout}: question {item['id']}, play {rollout // len(items)} of it")
                parts.append(_fenced(_lines(events)))
    path = folder / FAILURES_FILE
    if parts:
        write_atomically(path, "\n\n".join(["# Rollouts in which an answer failed", *parts]) + "\n")
    else:
        path.unlink(missing_ok=True)
    return n_failed


def _events(folder: Path, rollouts: set[int]) -> Iterable[tuple[int, list[Event]]]:
    for rollout, lines in read_rollouts(RunFolder.open(folder).events):
        if rollout in rollouts:
            yield rollout, [line.event() for line in lines]


def _lines(events: Iterable[Event]) -> Iterable[str]:
    for event in events:
        if event.kind == "fact_declared":
            continue
        who = ", ".join(event.audience) or "nobody"
        words = json.dumps(event.data, ensure_ascii=False)
        if len(words) > _MAX_CHARS:
            words = f"{words[:_MAX_CHARS]}... ({len(words) - _MAX_CHARS} more characters in the log)"
        yield f"step {event.step:>3}  {event.kind:<10} {event.seat or '-':<8} to {who}: {words}"


def _fenced(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
