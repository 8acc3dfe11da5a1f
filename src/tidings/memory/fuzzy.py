"""Fuzzy memory: embedding search over summaries of the sessions one seat heard.

A summary is made of the lines one seat holds, so every seat has its own, even of a session that it shared: who came
late must not find what was said before. Summaries are brought up to date when their seat searches, or all at once by
`refresh`; the vectors a scan runs over belong to one seat only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tidings.core.errors import ReplyError, RequestError
from tidings.memory.embeddings import Embedder
from tidings.memory.records import FuzzyHit, Line
from tidings.memory.sessions import Summariser, extract_summary
from tidings.memory.store import LineStore
from tidings.memory.vectors import VectorBlock, exact_scores

__all__ = ["FuzzyIndex"]

_BATCH = 256
"""Summaries embedded and kept at a time, so that a failed call loses little of what was paid for."""

_PART_LINES = """
SELECT v.line
FROM parts p JOIN views v ON v.seat = p.seat AND v.session = p.session AND v.line BETWEEN p.first AND p.last
WHERE p.no = ? AND p.seat = ? ORDER BY v.line
"""


class FuzzyIndex:
    """Summaries of session parts, their vectors, and the search over them, seat by seat."""

    def __init__(self, store: LineStore, embedder: Embedder, summarise: Summariser | None) -> None:
        """Stands on an index of lines.

        Args:
            store: The index.
            embedder: Turns summaries and queries into vectors.
            summarise: Makes the summaries; None: `extract_summary`.
        """
        self._store, self._db, self._embedder, self._summarise = store, store.db, embedder, summarise
        self._blocks: dict[int, VectorBlock] = {}
        store.on_drop = self._drop

    def _drop(self, seat: int, part: int) -> None:
        if seat in self._blocks:
            self._blocks[seat].drop(part)

    async def refresh(self, seat: int) -> int:
        """Sums up and embeds what changed for a seat since the last time; returns how many session parts that were.

        Raises:
            ModelError: If a summary or a vector could not be had. What was done before stays done.
            ReplyError: If a summary is blank or no text.
        """
        query = "SELECT no, first, last FROM parts WHERE seat = ? AND is_stale ORDER BY no"
        stale = [_Stale(*row) for row in self._db.execute(query, (seat,))]
        for start in range(0, len(stale), _BATCH):
            batch = stale[start : start + _BATCH]
            summaries = [await self._sum_up(seat, part.no) for part in batch]
            texts = list(dict.fromkeys(filter(None, summaries)))
            vectors = dict(zip(texts, await self._embed(texts), strict=True))
            self._keep(seat, [(part, text, vectors[text]) for part, text in zip(batch, summaries, strict=True) if text])
        return len(stale)

    async def search(self, seat: int, query: str, top_k: int) -> tuple[FuzzyHit, ...]:
        """Returns the session parts whose summaries are nearest to the query, best first; ties: the older first.

        Exact: the same parts as a scan of all the seat's vectors in full precision.

        Args:
            seat: Number of the seat that asks.
            query: What to look for, in words.
            top_k: Parts returned, at most.

        Raises:
            RequestError: If the query is blank or `top_k` below 1.
            ModelError: If a summary or a vector could not be had.
            ReplyError: If a summary is blank or no text.
        """
        if not isinstance(query, str) or not query.strip():
            raise RequestError("fuzzy.query", f"found {query!r}", "text that is not blank", "say what to look for")
        if isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1:
            raise RequestError("fuzzy.top_k", f"found {top_k!r}", "an integer of at least 1")
        vector = (await self._embed([query]))[0]
        await self.refresh(seat)
        # From here on nothing waits, so no line can come or go between the scan and the answer.
        found = self._read(seat, self._block(seat).candidates(vector, top_k))
        scores = exact_scores(np.array([part.vector for part in found]).reshape(-1, len(vector)), vector).tolist()
        best = sorted(zip(scores, found, strict=True), key=lambda pair: (-pair[0], pair[1].first))[:top_k]
        return tuple(self._hit(seat, part, score) for score, part in best)

    async def _sum_up(self, seat: int, part: int) -> str | None:
        lines = self._part_lines(seat, part)
        if not lines:
            return None
        if self._summarise is None:
            return extract_summary(lines)
        summary = await self._summarise(tuple(lines))
        if not isinstance(summary, str) or not summary.strip():
            raise ReplyError("blank_summary", f"the summary of session {lines[0].session!r} is {summary!r}")
        return summary

    async def _embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = await self._embedder.embed(texts)
        shape = len(texts), self._embedder.dim
        if vectors.shape != shape or vectors.dtype != np.float32:
            raise RequestError(
                f"embedder {self._embedder.name!r}", f"found {vectors.dtype} {vectors.shape}", f"float32 {shape}"
            )
        if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3):
            raise RequestError(f"embedder {self._embedder.name!r}", "found a vector whose length is not 1", "length 1")
        return vectors

    def _part_lines(self, seat: int, part: int) -> list[Line]:
        return self._store.lines(seat, [line for (line,) in self._db.execute(_PART_LINES, (part, seat))])

    def _keep(self, seat: int, done: Sequence[tuple[_Stale, str, npt.NDArray[np.float32]]]) -> None:
        kept: list[tuple[int, npt.NDArray[np.float32]]] = []
        with self._store.transaction():
            for part, text, vector in done:
                # A part that changed while its summary was being made stays stale.
                query = "UPDATE parts SET is_stale = 0 WHERE no = ? AND first = ? AND last = ? AND seat = ?"
                if self._db.execute(query, (*part, seat)).rowcount:
                    row = part.no, text, vector.astype("<f4").tobytes()
                    self._db.execute("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?)", row)
                    kept.append((part.no, vector))
        if kept and seat in self._blocks:
            self._blocks[seat].put([no for no, _ in kept], np.stack([vector for _, vector in kept]))

    def _block(self, seat: int) -> VectorBlock:
        if seat not in self._blocks:
            block = VectorBlock(self._embedder.dim)
            rows = self._db.execute(
                "SELECT p.no, s.vector FROM parts p JOIN summaries s ON s.part = p.no WHERE p.seat = ?", (seat,)
            )
            while batch := rows.fetchmany(4096):
                block.put([no for no, _ in batch], np.stack([_vector(data) for _, data in batch]))
            self._blocks[seat] = block
        return self._blocks[seat]

    def _read(self, seat: int, parts: Sequence[int]) -> list[_Found]:
        found: list[_Found] = []
        for start in range(0, len(parts), 500):
            batch = parts[start : start + 500]
            rows = self._db.execute(
                "SELECT p.no, p.first, p.part, p.ends, s.text, s.vector FROM parts p JOIN summaries s ON s.part = p.no"
                # The sign keeps the planner from walking through all parts of the seat.
                f" WHERE +p.seat = ? AND p.no IN ({','.join('?' * len(batch))})",
                (seat, *batch),
            )
            found += [_Found(no, first, part, ends, text, _vector(data)) for no, first, part, ends, text, data in rows]
        return found

    def _hit(self, seat: int, found: _Found, score: float) -> FuzzyHit:
        lines = self._part_lines(seat, found.no)
        ids = tuple(line.id for line in lines)
        return FuzzyHit(lines[0].session, found.part, lines[0].time, found.ends, ids, found.summary, score)


class _Stale(NamedTuple):
    """A part of a session whose summary is not up to date; `first` and `last` are its line numbers."""

    no: int
    first: int
    last: int


class _Found(NamedTuple):
    """A part of a session that may be among the best."""

    no: int
    first: int
    part: int
    ends: float
    summary: str
    vector: npt.NDArray[np.float32]


def _vector(data: bytes) -> npt.NDArray[np.float32]:
    return np.frombuffer(data, "<f4").astype(np.float32, copy=False)
