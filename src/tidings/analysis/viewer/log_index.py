"""Where each event of a run stands in its files: byte offsets, never whole events.

The index is built once and then only reads what was appended. A million events cost it eight megabytes.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tidings.core import DataError
from tidings.log.codec import LogLine, decode_line
from tidings.log.store import ENDED, segments

__all__ = ["LogIndex", "Place"]


@dataclass
class Place:
    """Where the committed events of one rollout stand.

    Attributes:
        path: The file.
        offsets: Byte offset of each event; one longer than the number of events, the last is the end.
        n_steps: Steps committed.
        n_failures: Failure events.
        status: `ok` or `failed` as its last event says; `open` before it.
    """

    path: Path
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    n_steps: int = 0
    n_failures: int = 0
    status: str = "open"

    @property
    def n_events(self) -> int:
        """Committed events."""
        return max(len(self.offsets) - 1, 0)


class _Head(msgspec.Struct):
    rollout: int
    kind: str
    commit: bool = False


_head = msgspec.json.Decoder(_Head)


class _FileIndex:
    """One file of the log. It only grows; a file that was exchanged is read anew."""

    def __init__(self, path: Path) -> None:
        self.path, self.places = path, dict[int, Place]()
        self.problem = ""
        self._inode, self._end = -1, 0

    def refresh(self) -> None:
        """Reads the steps that were committed since the last call."""
        with self.path.open("rb") as file:
            stat = os.fstat(file.fileno())
            if stat.st_ino != self._inode or stat.st_size < self._end:
                self.places, self.problem = {}, ""
                self._inode, self._end = stat.st_ino, 0
            if stat.st_size == self._end or self.problem:
                return
            file.seek(self._end)
            self._read(file.read())

    def _read(self, data: bytes) -> None:
        """Takes whole steps out of `data`, which begins where the last whole step ended."""
        pending: list[tuple[_Head, int, bytes]] = []
        place = start = 0
        while (end := data.find(b"\n", place) + 1) > 0:
            raw = data[place:end]
            try:
                head = _head.decode(raw)
            except msgspec.MsgspecError as error:
                if end < len(data):
                    self.problem = f"{self.path.name}: unreadable line at byte {self._end + place} ({error})"
                break
            pending.append((head, place, raw))
            place = end
            if head.commit:
                self._commit(pending, self._end, place)
                pending.clear()
                start = place
        self._end += start

    def _commit(self, step: list[tuple[_Head, int, bytes]], base: int, end: int) -> None:
        place = self.places.get(step[0][0].rollout)
        if place is None:
            place = self.places[step[0][0].rollout] = Place(self.path)
        if place.offsets:
            place.offsets.pop()
        for head, offset, raw in step:
            place.offsets.append(base + offset)
            if head.kind == "failure":
                place.n_failures += 1
            elif head.kind == ENDED:
                place.status = str(decode_line(raw).data["status"])
        place.offsets.append(base + end)
        place.n_steps += 1


class LogIndex:
    """The events of one run by rollout and number."""

    def __init__(self, folder: Path) -> None:
        """Prepares the index of an `events` folder; nothing is read before `refresh`."""
        self._folder = folder
        self._files: dict[Path, _FileIndex] = {}
        self.rollouts: dict[int, Place] = {}
        self.problems: list[str] = []

    def refresh(self) -> None:
        """Takes in what was committed since the last call; the rollouts come in order."""
        kept = segments(self._folder)
        rollouts: dict[int, Place] = {}
        for path in kept:
            rollouts |= self._places(path)
        last = max(rollouts, default=-1)
        active = [p for p in sorted((self._folder / "active").glob("[0-9]*.jsonl")) if int(p.stem) > last]
        for path in active:
            rollouts |= self._places(path)
        self._files = {path: self._files[path] for path in (*kept, *active) if path in self._files}
        self.rollouts = dict(sorted(rollouts.items()))
        self.problems = [index.problem for index in self._files.values() if index.problem]

    def read(self, rollout: int, first: int = 0, last: int | None = None) -> Iterator[LogLine]:
        """Yields events `first` to `last` (exclusive) of a rollout.

        Raises:
            DataError: If there is no such rollout, or its file changed under the index.
        """
        place = self.rollouts.get(rollout)
        if place is None:
            raise DataError(f"rollout {rollout}", "not in the log")
        n = place.n_events
        last = n if last is None else min(last, n)
        if first >= last:
            return
        with place.path.open("rb") as file:
            file.seek(place.offsets[first])
            data = file.read(place.offsets[last] - place.offsets[first])
        base = place.offsets[first]
        for i in range(first, last):
            try:
                line = decode_line(data[place.offsets[i] - base : place.offsets[i + 1] - base])
            except ValueError:
                line = None
            if line is None or (line.rollout, line.index) != (rollout, i):
                raise DataError(str(place.path), "the log changed while it was read", fix="reload the page")
            yield line

    def _places(self, path: Path) -> dict[int, Place]:
        index = self._files.get(path)
        if index is None:
            index = self._files[path] = _FileIndex(path)
        try:
            index.refresh()
        except FileNotFoundError:  # an ended rollout moved into its segment
            return {}
        return index.places
