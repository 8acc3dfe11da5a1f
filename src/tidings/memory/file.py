"""The file of a memory: the lines that somebody holds, who holds them where, and the summaries that were made.

Nothing is searched in it: it is read when it is opened, and written with every change, one transaction each.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from tidings.core.errors import DataError, RequestError
from tidings.memory.records import Line, known_line

__all__ = ["IndexFile", "KeptSummary", "Place"]

FORMAT = 2

_TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- `places`: for each seat of the audience, what `Place` says.
CREATE TABLE lines (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time NOT NULL, session TEXT NOT NULL,
    speaker TEXT NOT NULL, hearers TEXT NOT NULL, text TEXT NOT NULL, places TEXT NOT NULL);
CREATE TABLE summaries (seat TEXT NOT NULL, session TEXT NOT NULL, part INTEGER NOT NULL, first TEXT NOT NULL,
    last TEXT NOT NULL, text TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (seat, session, part)) WITHOUT ROWID;
"""


class Place(NamedTuple):
    """Where a line stands among those one seat heard.

    Attributes:
        n_received: Lines the seat had received when it heard this one, itself included.
        part: Number of the part of the session to which it belongs for this seat.
        n_before: Lines this part had before it.
    """

    n_received: int
    part: int
    n_before: int


class KeptSummary(NamedTuple):
    """A summary and the part of a session it was made of, by the ids of its first and last line.

    Attributes:
        seat: Whose it is.
        session: Id of the session.
        part: Number of the part.
        first: Id of its first line.
        last: Id of its last line.
        text: The summary.
        vector: Its vector, float32 `[dim]`.
    """

    seat: str
    session: str
    part: int
    first: str
    last: str
    text: str
    vector: npt.NDArray[np.float32]


class IndexFile:
    """A SQLite file with one memory in it. It outlives a killed process, not necessarily a power cut."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Use `create` or `open`."""
        self._db = db

    @classmethod
    def create(cls, path: Path, settings: dict[str, Any]) -> Self:
        """Returns a new file without lines.

        Raises:
            RequestError: If there is a file of this name.
            DataError: If it cannot be written.
        """
        if path.exists():
            fix = "use SharedMemory.open, or delete it"
            raise RequestError("memory.path", f"found the file {str(path)!r}", "a new file", fix)
        try:
            db = sqlite3.connect(str(path), isolation_level=None)
            # With a write-ahead log a line is added without making and deleting a journal file.
            db.execute("PRAGMA journal_mode = WAL")
            _relax(db)
            db.executescript(_TABLES)
        except sqlite3.OperationalError as error:
            allowed = f"a place that can be written ({error})"
            raise DataError("memory.path", f"found {str(path)!r}", allowed) from None
        file = cls(db)
        for name, value in {"format": FORMAT, **settings}.items():
            file.write_setting(name, value)
        return file

    @classmethod
    def open(cls, path: Path) -> Self:
        """Returns a file made earlier.

        Raises:
            DataError: If there is none, or it is not of this format.
        """
        if not path.is_file():
            raise DataError("memory.path", f"found no file {str(path)!r}", "a file made by SharedMemory(path=...)")
        db = sqlite3.connect(str(path), isolation_level=None)
        file = cls(db)
        try:
            _relax(db)
            found = file.settings().get("format")
        except sqlite3.DatabaseError:
            found = None
        if found != FORMAT:
            db.close()
            raise DataError(
                "memory.path", f"{str(path)!r} is no memory index of format {FORMAT}", "", "index the lines anew"
            )
        return file

    def close(self) -> None:
        """Closes it."""
        self._db.close()

    def settings(self) -> dict[str, Any]:
        """Returns the settings, JSON values."""
        return {name: json.loads(value) for name, value in self._db.execute("SELECT name, value FROM settings")}

    def write_setting(self, name: str, value: Any) -> None:
        """Keeps one setting, a JSON value."""
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def lines(self) -> Iterator[tuple[Line, list[Place]]]:
        """Yields the lines in the order in which they were added, with a place for each seat of the audience."""
        columns = "id, time, session, speaker, hearers, text, places"
        for line_id, time, session, speaker, hearers, text, places in self._db.execute(
            f"SELECT {columns} FROM lines ORDER BY no"
        ):
            line = known_line(line_id, time, session, speaker, tuple(json.loads(hearers)), text)
            yield line, [Place(*place) for place in json.loads(places)]

    def write(
        self,
        added: Iterable[tuple[Line, Sequence[Place]]],
        gone: Iterable[str],
        dropped: Iterable[tuple[str, str, int]],
    ) -> None:
        """Makes one change, whole or not at all.

        Args:
            added: New lines, with a place for each seat of the audience.
            gone: Ids of lines that nobody holds any more.
            dropped: Seat, session and number of parts that were forgotten; their summaries go too.
        """
        columns = "id, time, session, speaker, hearers, text, places"
        rows = (
            (x.id, x.time, x.session, x.speaker, json.dumps(x.hearers), x.text, json.dumps(places))
            for x, places in added
        )
        with self._transaction():
            self._db.executemany(f"INSERT INTO lines ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.executemany("DELETE FROM lines WHERE id = ?", [(line_id,) for line_id in gone])
            self._db.executemany("DELETE FROM summaries WHERE seat = ? AND session = ? AND part = ?", dropped)

    def summaries(self) -> Iterator[KeptSummary]:
        """Yields all summaries."""
        rows = self._db.execute("SELECT * FROM summaries ORDER BY seat, session, part")
        for seat, session, part, first, last, text, data in rows:
            vector = np.frombuffer(data, "<f4").astype(np.float32, copy=False)
            yield KeptSummary(seat, session, part, first, last, text, vector)

    def keep(self, summaries: Iterable[KeptSummary]) -> None:
        """Keeps summaries, in place of those of the same parts."""
        rows = [(*summary[:-1], summary.vector.astype("<f4").tobytes()) for summary in summaries]
        with self._transaction():
            self._db.executemany("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def _transaction(self) -> sqlite3.Connection:
        # As a context the connection commits at the end, or rolls back if it is left by an exception.
        self._db.execute("BEGIN IMMEDIATE")
        return self._db


def _relax(db: sqlite3.Connection) -> None:
    # The memory can always be made anew from the log, so it need not outlive a power cut; a killed process it does.
    db.execute("PRAGMA synchronous = OFF")
