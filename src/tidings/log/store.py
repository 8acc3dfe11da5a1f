"""The append-only event log of a run: segments of whole rollouts, and one file for each rollout in flight.

The lowest unfinished rollout is written straight to the segment; later ones wait in `active/` and are appended when
their turn comes. So the bytes do not depend on the order of completion, and the number of files stays bounded by the
window of rollouts in flight.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tidings.core.errors import DataError
from tidings.core.events import Event
from tidings.log.codec import LogLine, decode_line, encode_step
from tidings.log.gaps import is_watching, watch

__all__ = ["ENDED", "SEGMENT_BYTES", "EventStore", "is_ended", "read_lines", "segments"]

ENDED = "ended"
"""Kind of the last event of a rollout."""

SEGMENT_BYTES = 64 * 1024 * 1024


def segments(folder: Path) -> list[Path]:
    """Returns the segment files in order."""
    return sorted(path for path in folder.glob("*.jsonl") if path.stem.isdigit())


def read_lines(path: Path) -> Iterator[LogLine]:
    """Yields the committed lines of one file; an unfinished last step is left out.

    Raises:
        DataError: If a line that is not part of the unfinished end cannot be read.
    """
    pending: list[LogLine] = []
    watched = is_watching()
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = decode_line(raw)
            except ValueError as error:
                if file.read(1):
                    fix = "the file was changed or the disk failed; restore it from a copy"
                    raise DataError(f"{path}:{number}", f"unreadable line ({error})", "one event a line", fix) from None
                return
            if not raw.endswith(b"\n"):
                return
            if watched:
                watch(line, f"{path}:{number}")
            pending.append(line)
            if line.commit:
                yield from pending
                pending.clear()


def is_ended(lines: list[LogLine]) -> bool:
    """Returns whether these lines of one rollout hold its end."""
    return bool(lines) and lines[-1].kind == ENDED


class _Appender:
    """One file that only grows; each step is one write."""

    def __init__(self, path: Path, keep_bytes: int | None = None) -> None:
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if keep_bytes is not None:
            os.ftruncate(self._fd, keep_bytes)
        self.size = os.fstat(self._fd).st_size

    def append(self, data: bytes) -> None:
        """Writes all of `data`, or nothing: a write that fails half way is taken back.

        Raises:
            OSError: If the disk is full or gone.
        """
        written = 0
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:] if written else data)
        except OSError:
            os.ftruncate(self._fd, self.size)
            raise
        self.size += written

    def close(self, *, sync: bool) -> None:
        if sync:
            os.fsync(self._fd)
        os.close(self._fd)


class EventStore:
    """Writes the events of all rollouts of a run.

    Attributes:
        next_rollout: The lowest rollout that has not ended; all below it are in the segments.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Opens the log, dropping unfinished steps at its ends.

        Args:
            folder: The `events` folder of a run; made if missing.
            segment_bytes: A new segment begins once the last one is larger.

        Raises:
            DataError: If the log is damaged beyond its unfinished end.
        """
        self._folder, self._segment_bytes = folder, segment_bytes
        self._active = folder / "active"
        self._active.mkdir(parents=True, exist_ok=True)
        self._files: dict[int, _Appender] = {}
        self._ended: set[int] = set()
        self._retried: set[int] = set()
        self.unfinished: dict[int, list[Event]] = {}
        self.next_rollout = 0
        self._segment: _Appender | None = None
        self._begun, self._begun_at = -1, 0  # the rollout at the end of the segment, and where its lines begin
        self._recover()

    def append(self, rollout: int, events: Iterable[Event]) -> None:
        """Commits one step of a rollout.

        Raises:
            OSError: If the disk is full or gone; the log then ends with the step before.
        """
        self.append_lines(rollout, encode_step(rollout, events))

    def append_lines(self, rollout: int, lines: bytes) -> None:
        """Commits whole steps of a rollout that were put into lines elsewhere (see `encode_step`), in one write.

        Raises:
            OSError: If the disk is full or gone; the log then ends with the step before.
        """
        file = self._file_of(rollout)
        if file is self._segment and self._begun != rollout:
            self._begun, self._begun_at = rollout, file.size
        file.append(lines)

    def logged_lines(self, rollout: int) -> bytes:
        """Returns the committed lines of a rollout that has not ended; empty if nothing of it was committed."""
        if rollout in self._retried:
            return self._retry_path(rollout).read_bytes()
        if (path := self._path(rollout)).exists():
            return path.read_bytes()
        if self._segment is None or self._begun != rollout:
            return b""
        with self._segment.path.open("rb") as file:
            file.seek(self._begun_at)
            return file.read()

    def finish(self, rollout: int) -> None:
        """Marks a rollout whose `ended` event was appended, and moves what is now in order into the segments."""
        self.unfinished.pop(rollout, None)
        if rollout in self._retried:
            self._exchange(rollout)
            return
        self._ended.add(rollout)
        while self.next_rollout in self._ended:
            self._settle(self.next_rollout)
            self.next_rollout += 1

    def is_finished(self, rollout: int) -> bool:
        """Returns whether the log holds the whole rollout, and it is not being tried again."""
        return (rollout < self.next_rollout or rollout in self._ended) and rollout not in self._retried

    def reopen(self, rollout: int) -> None:
        """Takes an ended rollout up again, without its last step: the one in which it failed.

        Until it ends again the segments keep the old end; then its lines are exchanged in one move. One that still
        waits in `active/` for an earlier rollout is cut back there.

        Raises:
            DataError: If the log holds no such rollout.
        """
        if rollout in self._retried:
            return
        if is_waiting := rollout in self._ended and rollout >= self.next_rollout:
            path = self._path(rollout)
        elif rollout < self.next_rollout:
            path = self._segment_of(rollout)
        else:
            raise DataError(str(self._folder), f"rollout {rollout} has not ended", "an ended rollout")
        events = [line.event() for line in read_lines(path) if line.rollout == rollout]
        kept = [event for event in events if event.step < events[-1].step]
        text = b"".join(encode_step(rollout, step) for step in _steps(kept))
        if is_waiting:  # its lines are not in a segment yet
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(text)
            os.replace(temporary, path)
            self._ended.discard(rollout)
        else:
            self._retry_path(rollout).write_bytes(text)
            self._retried.add(rollout)
        self.unfinished[rollout] = kept

    def close(self) -> None:
        """Closes all files and flushes them to the disk."""
        for file in [*self._files.values(), *([self._segment] if self._segment else [])]:
            file.close(sync=True)
        self._files.clear()
        self._segment = None

    def _file_of(self, rollout: int) -> _Appender:
        file = self._files.get(rollout)
        if file is None:
            if rollout in self._retried:
                file = self._files[rollout] = _Appender(self._retry_path(rollout))
            elif rollout == self.next_rollout and not self._path(rollout).exists():
                file = self._open_segment()
            else:
                file = _Appender(self._path(rollout))
                self._files[rollout] = file
        return file

    def _path(self, rollout: int) -> Path:
        return self._active / f"{rollout:08d}.jsonl"

    def _retry_path(self, rollout: int) -> Path:
        return self._active / f"retry-{rollout:08d}.jsonl"

    def _segment_of(self, rollout: int) -> Path:
        return [path for path in segments(self._folder) if int(path.stem) <= rollout][-1]

    def _exchange(self, rollout: int) -> None:
        """Puts the new lines of a rollout in the place of its old ones."""
        if (file := self._files.pop(rollout, None)) is not None:
            file.close(sync=True)
        path = self._segment_of(rollout)
        if self._segment is not None and self._segment.path == path:
            self._segment.close(sync=True)
            self._segment = None
        new = self._retry_path(rollout).read_bytes()
        temporary = path.with_suffix(".tmp")
        with path.open("rb") as old, temporary.open("wb") as out:
            for raw in old:
                if decode_line(raw).rollout != rollout:
                    out.write(raw)
                elif new:
                    out.write(new)
                    new = b""
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
        self._retry_path(rollout).unlink()
        self._retried.discard(rollout)
        if path == segments(self._folder)[-1] and path.stat().st_size < self._segment_bytes:
            self._segment = _Appender(path)

    def _open_segment(self) -> _Appender:
        """Returns the segment to which the lowest unfinished rollout may be written."""
        if self._segment is None:
            self._segment = _Appender(self._folder / f"{self.next_rollout:08d}.jsonl")
        return self._segment

    def _settle(self, rollout: int) -> None:
        """Sees that an ended rollout is in the segments, and begins a new segment if the last one is full."""
        path = self._path(rollout)
        if path.exists():
            if (file := self._files.pop(rollout, None)) is not None:
                file.close(sync=False)
            self._open_segment().append(path.read_bytes())
            path.unlink()
        if self._segment is not None and self._segment.size >= self._segment_bytes:
            self._segment.close(sync=True)
            self._segment = None

    def _recover(self) -> None:
        """Finds out what the log holds, cutting unfinished steps off."""
        paths = segments(self._folder)
        if paths:
            self._recover_segment(paths[-1])
        for path in sorted(self._active.glob("*.jsonl")):
            is_retry = path.stem.startswith("retry-")
            rollout = int(path.stem.removeprefix("retry-"))
            if is_retry:
                self._retried.add(rollout)
            elif rollout < self.next_rollout:
                path.unlink()
                continue
            lines = list(read_lines(path))
            _cut(path, lines)
            if is_ended(lines):
                self._exchange(rollout) if is_retry else self._ended.add(rollout)
            elif lines or is_retry:
                self.unfinished[rollout] = [line.event() for line in lines]
            else:
                path.unlink()
        if self.next_rollout in self._ended:
            self.finish(self.next_rollout)

    def _recover_segment(self, path: Path) -> None:
        """Reads the last segment: its last rollout may be unfinished, or half moved there from `active/`."""
        last: list[LogLine] = []
        before = 0
        offset = 0
        for line, end in _with_offsets(path):
            if last and line.rollout != last[-1].rollout:
                last.clear()
                before = offset
            last.append(line)
            offset = end
        self.next_rollout = last[-1].rollout + 1 if last else int(path.stem)
        if last and not is_ended(last):
            self.next_rollout = last[-1].rollout
            if self._path(self.next_rollout).exists():
                offset = before
            else:
                self.unfinished[self.next_rollout] = [line.event() for line in last]
                self._begun, self._begun_at = self.next_rollout, before
        if offset == 0:
            path.unlink()
        elif offset < self._segment_bytes or not is_ended(last):
            self._segment = _Appender(path, keep_bytes=offset)


def _with_offsets(path: Path) -> Iterator[tuple[LogLine, int]]:
    """Yields the committed lines with the file offset behind each step (the offset grows only at commits)."""
    offset = end = 0
    lines = read_lines(path)
    with path.open("rb") as file:
        for line, raw in zip(lines, file, strict=False):
            end += len(raw)
            if line.commit:
                offset = end
            yield line, offset


def _cut(path: Path, lines: list[LogLine]) -> None:
    """Cuts a file down to its committed lines."""
    end = 0
    with path.open("rb") as file:
        for _, raw in zip(lines, file, strict=False):
            end += len(raw)
    os.truncate(path, end)


def _steps(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Yields the events of each step."""
    for _, group in groupby(events, key=lambda event: event.step):
        yield list(group)
