"""Forgetting: a seat with more lines than it may hold loses its oldest ones; a line that nobody holds is deleted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from tidings.memory.words import count_repeats, encode_words, split_words

__all__ = ["evict_oldest"]


def evict_oldest(db: sqlite3.Connection, seat_no: Callable[[str], int], seat: int) -> list[int]:
    """Takes from a seat the oldest line it holds; returns the number of the session part that went with it, if one did.

    The count of lines that the seat holds is left to the caller, who writes it anyway.
    A part that lost its first line only is marked as stale: its summary must no longer quote it.

    Args:
        db: The database, with a transaction open.
        seat_no: Number of a seat.
        seat: The seat that forgets.
    """
    query = "SELECT line, session FROM views WHERE seat = ? ORDER BY line LIMIT 1"
    line, session = db.execute(query, (seat,)).fetchone()
    db.execute("DELETE FROM views WHERE seat = ? AND line = ?", (seat, line))
    dropped = _shorten_part(db, seat, session, line)
    _release(db, seat_no, line)
    return dropped


def _shorten_part(db: sqlite3.Connection, seat: int, session: int, line: int) -> list[int]:
    query = "SELECT no, last FROM parts WHERE seat = ? AND session = ? ORDER BY part LIMIT 1"
    no, last = db.execute(query, (seat, session)).fetchone()
    if last > line:
        db.execute("UPDATE parts SET first = ?, is_stale = 1 WHERE no = ?", (line + 1, no))
        return []
    db.execute("DELETE FROM parts WHERE no = ?", (no,))
    db.execute("DELETE FROM summaries WHERE part = ?", (no,))
    return [no]


def _release(db: sqlite3.Connection, seat_no: Callable[[str], int], line: int) -> None:
    if db.execute("UPDATE lines SET n_holders = n_holders - 1 WHERE no = ? AND n_holders > 1", (line,)).rowcount:
        return
    query = "SELECT session, speaker, hearers, text FROM lines WHERE no = ?"
    session, speaker, hearers, text = db.execute(query, (line,)).fetchone()
    words = split_words(text)
    codes = " ".join(str(seat_no(seat)) for seat in sorted({speaker, *json.loads(hearers)}))
    # An index without a copy of its text can only unlearn what it is told it learned.
    unlearned = line, encode_words(words), codes
    db.execute("INSERT INTO full_text (full_text, rowid, text, seats) VALUES ('delete', ?, ?, ?)", unlearned)
    db.executemany("DELETE FROM repeats WHERE word = ? AND line = ?", [(word, line) for word in count_repeats(words)])
    db.execute("DELETE FROM lines WHERE no = ?", (line,))
    db.execute("UPDATE sessions SET n_lines = n_lines - 1 WHERE no = ?", (session,))
    db.execute("DELETE FROM sessions WHERE no = ? AND n_lines = 0", (session,))
