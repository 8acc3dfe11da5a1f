"""Exact nearest neighbours by a coarse scan: 8-bit codes say what can be among the best, full precision decides."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["VectorBlock", "exact_scores"]

_CHUNK_BYTES = 2**19
"""Size of the rows turned to float32 at a time: they must still be in the second-level cache (often 1 MiB or less) when
they are multiplied. Four times as much takes half as long again."""


class VectorBlock:
    """Vectors as 8-bit codes with a scale each, and a proven bound on what the coding can change in a product.

    A vector x is kept as `s c`, c in -127..127 and `s = max |x_j| / 127`. For a query q, `|q.x - s (q.c)|` is at most
    `|q| |x - s c|` (Cauchy-Schwarz) plus the rounding of the float32 product, to first order at most
    `(d + 2) 2^-24 |q| (|x| + |x - s c|)`; twice that is allowed here. The full vectors are kept beside the codes.

    Not for use by several threads at once.
    """

    def __init__(self, dim: int) -> None:
        """Starts empty.

        Args:
            dim: Length of the vectors.
        """
        self.dim = dim
        self._codes = np.empty((0, dim), np.int8)
        self._scales = np.empty(0, np.float32)
        self._vectors = np.empty((0, dim), np.float32)
        self._keys: list[int] = []
        self._slots: dict[int, int] = {}
        self._error = 0.0

    def __len__(self) -> int:
        return len(self._keys)

    def put(self, keys: Sequence[int], vectors: npt.NDArray[np.float32]) -> None:
        """Adds vectors `[n, dim]`, or replaces those whose key is known. Each key once."""
        codes, scales, error = _encode(vectors)
        self._error = max(self._error, error)
        new = [key for key in keys if key not in self._slots]
        self._slots.update(zip(new, range(len(self._keys), len(self._keys) + len(new)), strict=True))
        self._keys += new
        self._grow(len(self._keys))
        slots = [self._slots[key] for key in keys]
        self._codes[slots], self._scales[slots], self._vectors[slots] = codes, scales, vectors

    def _grow(self, n: int) -> None:
        if n <= len(self._codes):
            return
        room = max(n, 2 * len(self._codes), 16) if len(self._codes) else n
        self._codes = _with_room(self._codes, room)
        self._scales = _with_room(self._scales, room)
        self._vectors = _with_room(self._vectors, room)

    def of(self, keys: Sequence[int]) -> npt.NDArray[np.float32]:
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
            for column in (self._codes, self._scales, self._vectors):
                column[slot] = column[end]

    def candidates(self, query: npt.NDArray[np.float32], n_best: int) -> list[int]:
        """Returns keys that hold, for certain, the `n_best` vectors of greatest product with the query, ties included.

        If at least `n_best` coarse products reach t, the same number of true ones reach t - e, so nothing below
        t - 2 e in the coarse scan can be among the best; e is the bound of the class.

        Args:
            query: `[dim]`.
            n_best: At least 1.
        """
        n = len(self._keys)
        if n <= n_best:
            return list(self._keys)
        coarse = self._scan(query, n)
        threshold = float(np.partition(coarse, n - n_best)[n - n_best])
        bound = 2.0 * self._error * float(np.linalg.norm(query.astype(np.float64)))
        least = np.nextafter(np.float32(threshold - bound), np.float32(-np.inf))
        return [self._keys[slot] for slot in np.flatnonzero(coarse >= least).tolist()]

    def _scan(self, query: npt.NDArray[np.float32], n: int) -> npt.NDArray[np.float32]:
        coarse = np.empty(n, np.float32)
        step = max(_CHUNK_BYTES // (4 * self.dim), 1)
        chunk = np.empty((min(n, step), self.dim), np.float32)
        for start in range(0, n, step):
            codes = self._codes[start : min(start + step, n)]
            floats = chunk[: len(codes)]
            np.copyto(floats, codes)
            np.dot(floats, query, out=coarse[start : start + len(codes)])
        coarse *= self._scales[:n]
        return coarse


def _with_room(rows: npt.NDArray[Any], room: int) -> npt.NDArray[Any]:
    larger = np.empty((room, *rows.shape[1:]), rows.dtype)
    larger[: len(rows)] = rows
    return larger


def _encode(vectors: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32], float]:
    """Returns codes `[n, dim]`, scales `[n]`, and the bound of `VectorBlock` for a query of length 1."""
    scales = (np.abs(vectors).max(axis=1, initial=0.0) / 127).astype(np.float32)
    scales[scales == 0] = 1.0
    codes = np.clip(np.rint(vectors / scales[:, None]), -127, 127).astype(np.int8)
    exact = vectors.astype(np.float64)
    lost = np.linalg.norm(exact - scales[:, None].astype(np.float64) * codes, axis=1)
    rounding = 2 * (vectors.shape[1] + 2) * 2.0**-24 * (np.linalg.norm(exact, axis=1) + lost)
    return codes, scales, float((lost + rounding).max(initial=0.0))


def exact_scores(vectors: npt.NDArray[np.float32], query: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Returns the products of each vector `[n, dim]` with the query `[dim]`, in float64 `[n]`.

    Every row is summed in the same order, whatever the others are, so equal vectors have equal scores.
    """
    return (vectors.astype(np.float64) * query.astype(np.float64)).sum(axis=1)
