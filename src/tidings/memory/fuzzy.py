"""Fuzzy memory: embedding search over summaries of the sessions one seat heard.

A summary is made of the lines one seat holds, so every seat has its own, even of a session that it shared: who came
late must not find what was said before. Summaries are brought up to date when their seat searches, or all at once by
`refresh`; the vectors a scan runs over belong to one seat only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tidings.core.errors import ReplyError, RequestError
from tidings.memory.embeddings import Embedder
from tidings.memory.file import KeptSummary
from tidings.memory.held import HeldLines
from tidings.memory.records import FuzzyHit, Line
from tidings.memory.sessions import Summariser, extract_summary
from tidings.memory.store import LineStore
from tidings.memory.talks import Part
from tidings.memory.vectors import VectorBlock, exact_scores

__all__ = ["FuzzyIndex"]

_BATCH = 256
"""Summaries embedded and kept at a time, so that a failed call loses little of what was paid for."""


class _Summaries:
    """The summaries of one seat and their vectors, by the key of the part."""

    def __init__(self, dim: int) -> None:
        self.parts: dict[int, Part] = {}
        self.texts: dict[int, str] = {}
        self.vectors = VectorBlock(dim)

    def put(self, done: Sequence[tuple[Part, str, npt.NDArray[np.float32]]]) -> None:
        self.parts.update((part.key, part) for part, _, _ in done)
        self.texts.update((part.key, text) for part, text, _ in done)
        self.vectors.put([part.key for part, _, _ in done], np.stack([vector for _, _, vector in done]))

    def copy(self, parts: Mapping[int, Part]) -> _Summaries:
        copy = _Summaries(self.vectors.dim)
        copy.parts = {key: parts[key] for key in self.parts}
        copy.texts, copy.vectors = self.texts.copy(), self.vectors.copy()
        return copy

    def drop(self, key: int) -> None:
        if self.parts.pop(key, None):
            del self.texts[key]
            self.vectors.drop(key)


class FuzzyIndex:
    """Summaries of session parts, their vectors, and the search over them, seat by seat."""

    def __init__(self, store: LineStore, embedder: Embedder, summarise: Summariser | None) -> None:
        """Stands on lines, and takes over the summaries in their file that are still up to date.

        Args:
            store: The lines of all seats.
            embedder: Turns summaries and queries into vectors.
            summarise: Makes the summaries; None: `extract_summary`.
        """
        self._store, self._embedder, self._summarise = store, embedder, summarise
        self._seats = {name: _Summaries(embedder.dim) for name in store.seats}
        store.on_drop = lambda seat, part: self._seats[seat.name].drop(part.key)
        if store.file is not None:
            self._restore(store.file.summaries())

    def _restore(self, kept: Iterable[KeptSummary]) -> None:
        parts = {
            (name, part.session, part.part): part
            for name, seat in self._store.seats.items()
            for part in seat.stale.values()
        }
        done: dict[str, list[tuple[Part, str, npt.NDArray[np.float32]]]] = {}
        for summary in kept:
            part = parts.get(summary[:3])
            if part is not None and self._ends(part) == (summary.first, summary.last):
                done.setdefault(summary.seat, []).append((part, summary.text, summary.vector))
                del self._store.seats[summary.seat].stale[part.key]
        for name, summaries in done.items():
            self._seats[name].put(summaries)

    def _ends(self, part: Part) -> tuple[str, str]:
        return self._store.lines[part.first].id, self._store.lines[part.last].id

    def copy(self, store: LineStore) -> FuzzyIndex:
        """Returns an independent copy that stands on a copy of the lines."""
        copy = FuzzyIndex(store, self._embedder, self._summarise)
        for name, seat in store.seats.items():
            parts = {part.key: part for talk in seat.talks.values() for part in talk.parts}
            copy._seats[name] = self._seats[name].copy(parts)
        return copy

    async def refresh(self, seat: HeldLines) -> int:
        """Sums up and embeds what changed for a seat since the last time; returns how many session parts that were.

        Raises:
            ModelError: If a summary or a vector could not be had. What was done before stays done.
            ReplyError: If a summary is blank or no text.
        """
        stale = list(seat.stale.values())
        for start in range(0, len(stale), _BATCH):
            batch = [(part, (part.first, part.last)) for part in stale[start : start + _BATCH]]
            summaries = [await self._sum_up(seat, part) for part, _ in batch]
            texts = list(dict.fromkeys(filter(None, summaries)))
            vectors = dict(zip(texts, await self._embed(texts), strict=True))
            # A part that changed while its summary was being made stays stale.
            self._keep(
                seat,
                [
                    (part, text, vectors[text])
                    for (part, ends), text in zip(batch, summaries, strict=True)
                    if text and part.key in seat.stale and ends == (part.first, part.last)
                ],
            )
        return len(stale)

    async def search(self, seat: HeldLines, query: str, top_k: int) -> tuple[FuzzyHit, ...]:
        """Returns the session parts whose summaries are nearest to the query, best first; ties: the older first.

        Exact: the same parts as a scan of all the seat's vectors in full precision.

        Args:
            seat: What the seat that asks holds.
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
        mine = self._seats[seat.name]
        keys = mine.vectors.candidates(vector, top_k)
        scores = exact_scores(mine.vectors.of(keys), vector).tolist()
        found = zip(scores, map(mine.parts.__getitem__, keys), strict=True)
        best = sorted(found, key=lambda pair: (-pair[0], pair[1].first))[:top_k]
        return tuple(self._hit(seat, part, mine.texts[part.key], score) for score, part in best)

    async def _sum_up(self, seat: HeldLines, part: Part) -> str | None:
        if part.key not in seat.stale:
            return None
        lines = self._lines(seat, part)
        if self._summarise is None:
            return extract_summary(lines)
        summary = await self._summarise(tuple(lines))
        if not isinstance(summary, str) or not summary.strip():
            raise ReplyError("blank_summary", f"the summary of session {part.session!r} is {summary!r}")
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

    def _lines(self, seat: HeldLines, part: Part) -> list[Line]:
        return [self._store.lines[number] for number in seat.talks[part.session].lines_of(part)]

    def _keep(self, seat: HeldLines, done: Sequence[tuple[Part, str, npt.NDArray[np.float32]]]) -> None:
        if not done:
            return
        if self._store.file is not None:
            self._store.file.keep(
                KeptSummary(seat.name, part.session, part.part, *self._ends(part), text, vector)
                for part, text, vector in done
            )
        self._seats[seat.name].put(done)
        for part, _, _ in done:
            del seat.stale[part.key]

    def _hit(self, seat: HeldLines, part: Part, summary: str, score: float) -> FuzzyHit:
        lines = self._lines(seat, part)
        ids = tuple(line.id for line in lines)
        return FuzzyHit(part.session, part.part, lines[0].time, part.ends, ids, summary, score)
