"""Cosines of raw vectors, with the conventions of the self-organisation method: no normalisation, zero vector -> 0.

A sum of vectors counts as zero when its length is at most `ZERO_SUM` of the summed lengths: what is left then is
rounding noise, which has a direction but no meaning.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["ZERO_SUM", "check_embeddings", "check_values", "cosines_to", "cosines_to_sum", "pairwise_cosines"]

Array = NDArray[np.float64]

ZERO_SUM = 1e-13


def check_embeddings(where: str, embeddings: ArrayLike) -> Array:
    """Returns the embeddings as a float array `[n_agents, dim]`.

    Raises:
        ValueError: If they are no matrix, have no row or column, or hold NaN or infinity.
    """
    matrix = np.asarray(embeddings)
    if matrix.ndim != 2 or 0 in matrix.shape or matrix.dtype.kind not in "iuf":
        raise ValueError(
            f"{where}.embeddings: found shape {matrix.shape!r} of {matrix.dtype!s}; "
            "need real numbers [n_agents, dim], one row or more; leave agents without an answer out"
        )
    matrix = matrix.astype(np.float64)
    if not np.isfinite(matrix).all():
        row = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise ValueError(f"{where}.embeddings[{row}]: found NaN or infinity; need finite numbers; leave that agent out")
    return matrix


def check_values(where: str, values: ArrayLike, n: int) -> Array:
    """Returns one finite number per agent as an array `[n]`.

    Raises:
        ValueError: If the length differs from `n` or a value is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (n,) or not np.isfinite(array).all():
        raise ValueError(f"{where}: found {values!r}; need {n} finite numbers, one per agent")
    return array


def scale_exactly(matrix: Array, *, by_row: bool) -> Array:
    """Returns the matrix (or each row) times a power of two, largest entry in [0.5, 1): no rounding, no overflow."""
    largest = np.abs(matrix).max(axis=1, keepdims=True) if by_row else np.abs(matrix).max(keepdims=True)
    return np.ldexp(matrix, -np.frexp(largest)[1])


def _safe_ratio(numerator: Array, denominator: Array) -> Array:
    ratio = np.zeros_like(numerator)
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return np.clip(ratio, -1.0, 1.0)


def cosines_to(embeddings: Array, vector: Array) -> Array:
    """Returns the cosine of every row with `vector` `[n_agents]`, in [-1, 1]; 0 where either is zero."""
    rows = scale_exactly(embeddings, by_row=True)
    target = scale_exactly(vector[None, :], by_row=False)[0]
    return _safe_ratio(rows @ target, np.linalg.norm(rows, axis=1) * np.linalg.norm(target))


def cosines_to_sum(embeddings: Array, weights: Array | None = None) -> Array:
    """Returns the cosine of every row with the (weighted) sum of all rows `[n_agents]`; all 0 when the sum is zero."""
    rows = scale_exactly(embeddings, by_row=False)
    weighted = rows if weights is None else rows * weights[:, None]
    total = weighted.sum(axis=0)
    if np.linalg.norm(total) <= ZERO_SUM * np.linalg.norm(weighted, axis=1).sum():
        return np.zeros(len(rows))
    return cosines_to(embeddings, total)


def pairwise_cosines(embeddings: Array) -> Array:
    """Returns the cosines of all pairs `[n_agents, n_agents]`, in [-1, 1], with zeros on the diagonal."""
    rows = scale_exactly(embeddings, by_row=True)
    norms = np.linalg.norm(rows, axis=1)
    cosines = _safe_ratio(rows @ rows.T, np.outer(norms, norms))
    np.fill_diagonal(cosines, 0.0)
    return cosines
