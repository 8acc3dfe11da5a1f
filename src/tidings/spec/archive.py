"""The archive of a scenario: what people said before a rollout begins, one JSON object a line."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

import msgspec

from tidings.core import DataError, suggest
from tidings.core.memory import CITABLE_ID, Archive, ArchiveLine
from tidings.spec.scenario import ComponentSpec

__all__ = ["archive_line_json", "read_archive"]

_FIELDS = "id, time, session, speaker, hearers, text"


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    time: float
    speaker: str
    text: str
    session: str = ""
    hearers: tuple[str, ...] = ()


def read_archive(spec: ComponentSpec, seats: Collection[str]) -> Archive:
    """Returns the archive that a scenario names; an empty one if it names none.

    Raises:
        DataError: If the file is missing or empty, a line is malformed, an id comes twice, time runs backwards, or a
            line names somebody who has no seat.
    """
    if spec.archive is None:
        return Archive()
    path = Path(spec.archive)
    try:
        stat = path.stat()
        return _read(path, stat.st_mtime_ns, stat.st_size, frozenset(seats))
    except OSError as error:
        fix = "check environment.archive"
        raise DataError(str(path), f"cannot read the archive ({error.strerror})", fix=fix) from None


def archive_line_json(line: ArchiveLine) -> str:
    """Returns a line as the archive's file holds it."""
    return msgspec.json.encode(dict(zip(ArchiveLine._fields, line, strict=True))).decode()


@lru_cache(maxsize=4)
def _read(path: Path, mtime_ns: int, size: int, seats: frozenset[str]) -> Archive:
    content, decoder = path.read_bytes(), msgspec.json.Decoder(_Row)
    lines: list[ArchiveLine] = []
    known: set[str] = set()
    for number, raw in enumerate(content.split(b"\n"), 1):
        if raw.strip():
            line = _line(f"{path}:{number}", raw, decoder, seats)
            if line.id in known:
                raise DataError(f"{path}:{number}.id", f"found {line.id!r} again", "each id once")
            if lines and line.time < lines[-1].time:
                raise DataError(f"{path}:{number}.time", f"found {line.time:g} after {lines[-1].time:g}", "time order")
            known.add(line.id)
            lines.append(line)
    if not lines:
        raise DataError(str(path), "no line in it", f"one JSON object a line with {_FIELDS}", "an empty memory is none")
    return Archive(tuple(lines), hashlib.sha256(content).hexdigest())


def _line(where: str, raw: bytes, decoder: msgspec.json.Decoder[_Row], seats: frozenset[str]) -> ArchiveLine:
    try:
        row = decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise DataError(where, str(error), f"one JSON object with {_FIELDS}") from None
    for name in (row.speaker, *row.hearers):
        if name not in seats:
            raise DataError(where, f"found {name!r}", f"one of the {len(seats)} seats", suggest(name, seats))
    for field, text in (("id", row.id), ("text", row.text)):
        if not text.strip():
            raise DataError(f"{where}.{field}", f"found {text!r}", "text that is not blank")
    if not CITABLE_ID.fullmatch(row.id):
        allowed = "an id that can be cited: no spaces, commas, semicolons, brackets or quotes"
        raise DataError(f"{where}.id", f"found {row.id!r}", allowed)
    return ArchiveLine(row.id, row.time, row.session, row.speaker, row.hearers, row.text)
