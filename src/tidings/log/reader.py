"""Reading the event log of a run, finished or not, without changing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tidings.log.codec import LogLine
from tidings.log.store import ENDED, read_lines, segments

__all__ = ["RolloutCount", "count_rollouts", "failed_rollouts", "groups", "read_events", "read_rollouts"]


@dataclass(frozen=True)
class RolloutCount:
    """How far a log is.

    Attributes:
        n_ended: Rollouts with an end.
        n_failed: Of these, how many failed.
        n_open: Rollouts that began and have no end.
    """

    n_ended: int
    n_failed: int
    n_open: int


def read_events(folder: Path) -> Iterator[LogLine]:
    """Yields every committed event, rollout by rollout in order; rollouts in flight come where they belong.

    Args:
        folder: The `events` folder of a run.

    Raises:
        DataError: If the log is damaged beyond its unfinished end.
    """
    last = -1
    for path in segments(folder):
        for line in read_lines(path):
            last = max(last, line.rollout)
            yield line
    for path in sorted((folder / "active").glob("[0-9]*.jsonl")):
        if int(path.stem) > last:
            yield from read_lines(path)


def read_rollouts(folder: Path) -> Iterator[tuple[int, list[LogLine]]]:
    """Yields (rollout, its lines), one rollout in memory at a time."""
    return groups(read_events(folder))


def groups(lines: Iterable[LogLine]) -> Iterator[tuple[int, list[LogLine]]]:
    """Yields (rollout, its lines) from lines in order, one rollout in memory at a time."""
    for rollout, part in groupby(lines, key=lambda line: line.rollout):
        yield rollout, list(part)


def count_rollouts(folder: Path) -> RolloutCount:
    """Returns how many rollouts of a log ended, failed, or are open."""
    ended = failed = begun = 0
    for line in read_events(folder):
        begun += line.index == 0
        if line.kind == ENDED:
            ended += 1
            failed += line.data["status"] == "failed"
    return RolloutCount(ended, failed, begun - ended)


def failed_rollouts(folder: Path) -> list[int]:
    """Returns the numbers of the rollouts that ended as failed."""
    return [e.rollout for e in read_events(folder) if e.kind == ENDED and e.data["status"] == "failed"]
