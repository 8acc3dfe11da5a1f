"""The tables of the memory index, and how a database with them is made, opened and copied."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from tidings.core.errors import DataError, MissingPartError, RequestError

__all__ = ["copy_database", "create_database", "open_database", "read_settings", "write_setting"]

FORMAT = 1

_TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE seats (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    n_received INTEGER NOT NULL, n_held INTEGER NOT NULL);
CREATE TABLE sessions (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n_lines INTEGER NOT NULL);
CREATE TABLE lines (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time NOT NULL, session INTEGER NOT NULL,
    speaker TEXT NOT NULL, hearers TEXT NOT NULL, text TEXT NOT NULL, n_holders INTEGER NOT NULL);
-- Words that a line holds more than once; all other counts are 1.
CREATE TABLE repeats (word TEXT NOT NULL, line INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (word, line)) WITHOUT ROWID;
-- The barrier: seat `seat` may retrieve line `line`. No row, no way to the line.
CREATE TABLE views (seat INTEGER NOT NULL, line INTEGER NOT NULL, session INTEGER NOT NULL, n_words INTEGER NOT NULL,
    PRIMARY KEY (seat, line)) WITHOUT ROWID;
CREATE INDEX views_by_session ON views (seat, session, line);
CREATE TABLE parts (no INTEGER PRIMARY KEY, seat INTEGER NOT NULL, session INTEGER NOT NULL, part INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, n_lines INTEGER NOT NULL, ends NOT NULL,
    is_stale INTEGER NOT NULL, UNIQUE (seat, session, part));
CREATE INDEX stale_parts ON parts (seat) WHERE is_stale;
CREATE TABLE summaries (part INTEGER PRIMARY KEY, text TEXT NOT NULL, vector BLOB NOT NULL);
"""

_FULL_TEXT = """
CREATE VIRTUAL TABLE full_text USING fts5 (text, seats, content = '', columnsize = 0, detail = 'column',
    tokenize = "ascii tokenchars '_'")
"""


def create_database(path: Path | None, settings: dict[str, Any]) -> sqlite3.Connection:
    """Returns a connection to a new, empty index, in memory or in a file that must not exist.

    Raises:
        RequestError: If the file exists.
        MissingPartError: If this Python's SQLite has no full-text search.
    """
    if path is not None and path.exists():
        raise RequestError(
            "memory.path", f"found the file {str(path)!r}", "a new file", "use SharedMemory.open, or delete it"
        )
    db = _connect(":memory:" if path is None else str(path))
    try:
        # With a write-ahead log a line is added without making and deleting a journal file.
        db.execute("PRAGMA journal_mode = WAL")
        _relax(db)
        db.executescript(_TABLES)
        db.execute(_FULL_TEXT)
    except sqlite3.OperationalError as error:
        db.close()
        if "fts5" not in str(error):
            raise DataError("memory.path", f"found {str(path)!r}", f"a place that can be written ({error})") from None
        raise MissingPartError(
            "memory", "found an SQLite without full-text search", "SQLite with FTS5", "use another build of Python"
        ) from None
    for name, value in {"format": FORMAT, **settings}.items():
        write_setting(db, name, value)
    return db


def open_database(path: Path) -> sqlite3.Connection:
    """Returns a connection to an index file made earlier.

    Raises:
        DataError: If there is no such file, or it is not an index of this format.
    """
    if not path.is_file():
        raise DataError("memory.path", f"found no file {str(path)!r}", "a file made by SharedMemory(path=...)")
    db = _connect(str(path))
    try:
        found = read_settings(db).get("format")
    except sqlite3.DatabaseError:
        found = None
    if found != FORMAT:
        db.close()
        raise DataError(
            "memory.path", f"{str(path)!r} is no memory index of format {FORMAT}", "", "index the lines anew"
        )
    return db


def copy_database(db: sqlite3.Connection) -> sqlite3.Connection:
    """Returns a connection to an independent copy of the index, in memory."""
    copy = _connect(":memory:")
    db.backup(copy)
    return copy


def read_settings(db: sqlite3.Connection) -> dict[str, Any]:
    """Returns the settings the index was made with, JSON values."""
    return {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM settings")}


def write_setting(db: sqlite3.Connection, name: str, value: Any) -> None:
    """Keeps one setting, a JSON value."""
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))


def _connect(target: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(target, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise DataError("memory.path", f"found {target!r}", f"a place that can be written ({error})") from None


def _relax(db: sqlite3.Connection) -> None:
    # The index can always be made anew from the log, so it need not outlive a power cut; a killed process it does.
    db.execute("PRAGMA synchronous = OFF")
