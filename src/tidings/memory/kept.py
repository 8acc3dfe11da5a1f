"""Keeps vectors on disk, so that a text is embedded once: for embedders that cost money or need a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from threading import local

import numpy as np
import numpy.typing as npt

from tidings.core import Embedder
from tidings.memory.embeddings import refuse_blank

__all__ = ["KeptEmbedder"]

_TABLE = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"
_WAIT_S = 60.0
_MOST_QUESTION_MARKS = 500


class KeptEmbedder:
    """An embedder that asks another one only for texts that nobody asked for before.

    A run that is repeated, resumed or replayed on the same machine gets the same bytes, without a server. Several
    processes may share the file.
    """

    def __init__(self, embedder: Embedder, source: str, file: Path) -> None:
        """Names the file; it is opened when it is needed.

        Args:
            embedder: Who is asked.
            source: Its address: with its name, what decides which vectors are its own.
            file: The SQLite file.
        """
        self._embedder, self._source, self._file, self._open = embedder, source, file, local()

    @property
    def name(self) -> str:
        """That of the embedder behind it."""
        return self._embedder.name

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self._embedder.dim

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Returns one vector of length 1 per text, float32 `[n_texts, dim]`.

        Raises:
            RequestError: If a text is blank.
            ModelError: If the embedder behind it failed.
        """
        refuse_blank(texts)
        keys = [sha256(f"{self._source}\0{self.name}\0{text}".encode()).digest() for text in texts]
        known = self._read(keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            vectors = np.asarray(await self._embedder.embed(list(new.values())), np.float32)
            fresh = {key: vector.tobytes() for key, vector in zip(new, vectors, strict=True)}
            with self._db() as db:
                db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", fresh.items())
            # Another process may have been first: all use what is in the file.
            known |= self._read(list(fresh))
        rows = [np.frombuffer(known[key], np.float32) for key in keys]
        return np.array(rows, np.float32).reshape(len(texts), self.dim)

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for start in range(0, len(keys), _MOST_QUESTION_MARKS):
            part = keys[start : start + _MOST_QUESTION_MARKS]
            marks = ",".join("?" * len(part))
            found |= dict(self._db().execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part))
        return found

    def _db(self) -> sqlite3.Connection:
        if getattr(self._open, "db", None) is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._open.db = sqlite3.connect(self._file, timeout=_WAIT_S)
            self._open.db.execute("PRAGMA journal_mode=WAL")
            self._open.db.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"
            )
        return self._open.db
