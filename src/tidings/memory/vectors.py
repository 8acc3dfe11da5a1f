"""Exact nearest neighbours: the heads of all vectors say what can be among the best, full vectors decide."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["VectorBlock", "exact_scores"]

Rows = npt.NDArray[np.float32]

_HEAD = 64
"""Coordinates of a head. Most of the length of a text's vector lies in so few directions, whatever the embedder."""
_FEW = 4096
"""Below so many vectors all are read in full: that takes no longer. As many are looked at to find the directions."""


class VectorBlock:
    """Vectors, and beside each its head, which bounds its product with a query from both sides.

    With orthonormal directions U `[dim, 64]`, those in which the vectors are longest, the head of x is `x U` and
    its tail `sqrt(|x|^2 - |x U|^2)`. For a query q, `|q.x - (q U).(x U)|` is at most the product of the tails
    (Cauchy-Schwarz) plus rounding. All float32 products here are off by at most `2 (dim + 16) 2^-24 |q| |x|`.

    Not for use by several threads at once.
    """

    def __init__(self, dim: int) -> None:
        """Starts empty.

        Args:
            dim: Length of the vectors.
        """
        self.dim = dim
        self._vectors = np.empty((0, dim), np.float32)
        self._heads = np.empty((0, _HEAD), np.float32)
        self._tails = np.empty(0, np.float32)
        self._directions: npt.NDArray[np.float64] | None = None
        self._n_fitted = 0
        self._keys: list[int] = []
        self._slots: dict[int, int] = {}
        self._longest = 0.0

    def __len__(self) -> int:
        return len(self._keys)

    def put(self, keys: Sequence[int], vectors: Rows) -> None:
        """Adds vectors `[n, dim]`, or replaces those whose key is known. Each key once."""
        new = [key for key in keys if key not in self._slots]
        self._slots.update(zip(new, range(len(self._keys), len(self._keys) + len(new)), strict=True))
        self._keys += new
        if len(self._keys) > len(self._vectors):
            room = max(len(self._keys), 2 * len(self._vectors))
            self._vectors = _with_room(self._vectors, room)
            self._heads, self._tails = _with_room(self._heads, room), _with_room(self._tails, room)
        slots = [self._slots[key] for key in keys]
        self._vectors[slots] = vectors
        if self._directions is not None:
            self._heads[slots], self._tails[slots] = _split(vectors, self._directions)
        self._longest = max(self._longest, float(np.linalg.norm(vectors.astype(np.float64), axis=1).max(initial=0.0)))

    def of(self, keys: Sequence[int]) -> Rows:
        """Returns the vectors of known keys, float32 `[n, dim]`."""
        return self._vectors[[self._slots[key] for key in keys]]

    def copy(self) -> VectorBlock:
        """Returns an independent copy."""
        return deepcopy(self)

    def drop(self, key: int) -> None:
        """Forgets a vector, if there is one of this key."""
        slot = self._slots.pop(key, None)
        if slot is None:
            return
        last = self._keys.pop()
        if last != key:
            end = len(self._keys)
            self._keys[slot], self._slots[last] = last, slot
            for column in (self._vectors, self._heads, self._tails):
                column[slot] = column[end]

    def candidates(self, query: Rows, n_best: int) -> list[int]:
        """Returns keys that hold, for certain, the `n_best` vectors of greatest product with the query, ties included.

        If `n_best` float32 products reach t, as many true ones reach t - e, with the error e of the class. So what is
        below t - e by its upper bound, or below t - 2 e by its own float32 product, is not among the best.

        Args:
            query: `[dim]`.
            n_best: At least 1.
        """
        n = len(self._keys)
        if n <= n_best:
            return list(self._keys)
        error = (self.dim + 16) * 2.0**-23 * float(np.linalg.norm(query.astype(np.float64))) * self._longest
        slots = self._within_reach(query, n_best, error) if n >= _FEW and self.dim > _HEAD else None
        products = (self._vectors[:n] if slots is None else self._vectors[slots]) @ query
        is_near = products >= _nth_largest(products, n_best) - 2 * error
        near = np.flatnonzero(is_near) if slots is None else slots[is_near]
        return [self._keys[slot] for slot in near.tolist()]

    def _within_reach(self, query: Rows, n_best: int, error: float) -> npt.NDArray[np.int64] | None:
        """Returns the slots whose heads leave it open whether they are among the best; None if those are too many."""
        n = len(self._keys)
        if self._directions is None or n >= 2 * self._n_fitted:
            self._fit(n)
        assert self._directions is not None
        head, tail = _split(query[None], self._directions)
        upper = self._heads[:n] @ head[0]
        # As good as any first guess: a few with the greatest products of heads, read in full.
        n_guessed = min(4 * n_best, n)
        guessed = np.argpartition(upper, n - n_guessed)[n - n_guessed :]
        least = _nth_largest(self._vectors[guessed] @ query, n_best) - error
        upper += self._tails[:n] * tail[0]
        slots = np.flatnonzero(upper >= least - error)
        return slots if len(slots) <= n // 8 else None

    def _fit(self, n: int) -> None:
        some = self._vectors[: n : max(n // _FEW, 1)]
        _, directions = np.linalg.eigh((some.T @ some).astype(np.float64))
        self._directions, self._n_fitted = directions[:, -_HEAD:], n
        for start in range(0, n, _FEW):
            part = slice(start, min(start + _FEW, n))
            self._heads[part], self._tails[part] = _split(self._vectors[part], self._directions)


def _with_room(rows: npt.NDArray[Any], room: int) -> npt.NDArray[Any]:
    larger = np.empty((room, *rows.shape[1:]), rows.dtype)
    larger[: len(rows)] = rows
    return larger


def _split(vectors: Rows, directions: npt.NDArray[np.float64]) -> tuple[Rows, Rows]:
    """Returns heads `[n, n_directions]` and tails `[n]`; the tails never too small."""
    exact = vectors.astype(np.float64)
    heads = exact @ directions
    squares = (exact**2).sum(axis=1)
    tails = np.sqrt(np.maximum(squares - (heads**2).sum(axis=1), 0.0) + 1e-12 * squares)
    return heads.astype(np.float32), tails.astype(np.float32)


def _nth_largest(values: Rows, n: int) -> float:
    return float(np.partition(values, len(values) - n)[len(values) - n])


def exact_scores(vectors: Rows, query: Rows) -> npt.NDArray[np.float64]:
    """Returns the products of each vector `[n, dim]` with the query `[dim]`, in float64 `[n]`.

    Every row is summed in the same order, whatever the others are, so equal vectors have equal scores.
    """
    return (vectors.astype(np.float64) * query.astype(np.float64)).sum(axis=1)
