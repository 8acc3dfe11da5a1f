"""Forgetting: a seat with more lines than it may hold loses its oldest ones; a line that nobody holds is deleted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from tidings.memory.words import count_repeats, encode_words, split_words

__all__ = ["evict_oldest"]


def evict_oldest(db: sqlite3.Connection, seats: Mapping[str, int], seat: int, max_lines: int) -> list[int]:
    """Takes from a seat the oldest lines beyond `max_lines`; returns the numbers of the session parts it lost whole.

    A part that lost its first lines only is marked as stale: its summary must no longer quote them.

    Args:
        db: The database, with a transaction open.
        seats: Number of each seat.
        seat: The seat that forgets.
        max_lines: How many lines it keeps.
    """
    n_held, n_words = db.execute("SELECT n_held, n_words FROM seats WHERE no = ?", (seat,)).fetchone()
    if n_held <= max_lines:
        return []
    oldest = db.execute(
        "SELECT line, session, n_words FROM views WHERE seat = ? ORDER BY line LIMIT ?",
        (seat, n_held - max_lines),
    ).fetchall()
    dropped: list[int] = []
    for line, session, _ in oldest:
        db.execute("DELETE FROM views WHERE seat = ? AND line = ?", (seat, line))
        dropped += _shorten_part(db, seat, session, line)
        _release(db, seats, line)
    left = n_words - sum(n for _, _, n in oldest)
    db.execute("UPDATE seats SET n_held = ?, n_words = ? WHERE no = ?", (max_lines, left, seat))
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


def _release(db: sqlite3.Connection, seats: Mapping[str, int], line: int) -> None:
    query = "SELECT n_holders, session, speaker, hearers, text FROM lines WHERE no = ?"
    n_holders, session, speaker, hearers, text = db.execute(query, (line,)).fetchone()
    if n_holders > 1:
        db.execute("UPDATE lines SET n_holders = n_holders - 1 WHERE no = ?", (line,))
        return
    words = split_words(text)
    codes = " ".join(str(seats[seat]) for seat in {speaker, *json.loads(hearers)})
    # An index without a copy of its text can only unlearn what it is told it learned.
    unlearned = line, encode_words(words), codes
    db.execute("INSERT INTO full_text (full_text, rowid, text, seats) VALUES ('delete', ?, ?, ?)", unlearned)
    db.executemany("DELETE FROM repeats WHERE word = ? AND line = ?", [(word, line) for word in count_repeats(words)])
    db.execute("DELETE FROM lines WHERE no = ?", (line,))
    db.execute("UPDATE sessions SET n_lines = n_lines - 1 WHERE no = ?", (session,))
    db.execute("DELETE FROM sessions WHERE no = ? AND n_lines = 0", (session,))
