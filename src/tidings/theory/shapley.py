"""Who contributed how much to the common answer: Shapley values over answer embeddings, exact, sampled, approximated.

Each agent n gave an answer with embedding r_n. The utility of a coalition is how close its sum points to the sum of
all, v(S) = cos(sum_S r, sum_N r), v(empty) = 0. It measures closeness to the crowd, not correctness. Embeddings are
used as they are (no normalisation; `released_contributions` alone normalises); a zero vector or zero sum has cosine 0.

Source: "Stochastic Self-Organization in Multi-Agent Systems", arXiv 2510.00685 (Shapley value, cosine approximation,
Theorem 1); the utility is that of CGSV, Xu et al. 2021, since the paper's public texts leave v open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.coalitions import (
    MAX_EXACT_AGENTS,
    check_n_exact,
    exact_shapley_game,
    shapley_of_values,
    subset_sums,
)
from tidings.theory.cosine import ZERO_SUM, check_embeddings, cosines_to_sum, scale_exactly

__all__ = [
    "MAX_EXACT_AGENTS",
    "ErrorBound",
    "SampledShapley",
    "additive_shapley",
    "coalition_values",
    "cosine_contributions",
    "error_bound",
    "exact_shapley",
    "exact_shapley_game",
    "released_contributions",
    "sampled_shapley",
    "shapley_of_values",
]

Array = NDArray[np.float64]

_TABLE_BITS = 12
_SAMPLE_CELLS = 2_000_000


@dataclass(frozen=True)
class SampledShapley:
    """Shapley values estimated from random orders.

    Attributes:
        values: Mean marginal contribution `[n_agents]`; their sum is v(all), whatever the orders.
        standard_errors: Standard deviation over orders / sqrt(n_permutations) `[n_agents]`; NaN for one order.
        n_permutations: How many orders were drawn.
    """

    values: Array
    standard_errors: Array
    n_permutations: int


@dataclass(frozen=True)
class ErrorBound:
    """The paper's bound on |psi - phi|, which never binds: by Cauchy-Schwarz it is at least 1.

    Attributes:
        gamma: Mean length of the embeddings (the theorem assumes equal lengths).
        has_equal_norms: Whether all lengths agree to a relative 1e-9, as the theorem assumes.
        inverse_product: 1 / min |<r_n, r_avg>|; infinite when some product is zero.
        bound: inverse_product * gamma**2.
    """

    gamma: float
    has_equal_norms: bool
    inverse_product: float
    bound: float


def cosine_contributions(embeddings: ArrayLike) -> Array:
    """Returns psi_n = cos(r_n, r_avg), the linear-cost approximation of the Shapley value.

    Psi orders agents as phi does, but is not on its scale: phi sums to v(all), so compare psi / sum(psi).

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.

    Returns:
        Values in [-1, 1] `[n_agents]`; 0 for a zero row, all 0 when the mean is zero.

    Raises:
        ValueError: If the embeddings are no finite matrix.

    Source: arXiv 2510.00685, approximation of the contribution.
    """
    return cosines_to_sum(check_embeddings("cosine_contributions", embeddings))


def released_contributions(embeddings: ArrayLike, temperature: float = 0.1) -> Array:
    """Returns the contribution of the released code: softmax(max(0, cos(r_n, centroid)) / temperature).

    Rows are normalised first, so the centroid is that of unit vectors. Equal cosines give 1/n each. The released code
    also mixes in a gold reference when one is present; that leak is left out on purpose.

    Args:
        embeddings: Answers `[n_agents, dim]`.
        temperature: Softmax temperature, above 0.

    Returns:
        Positive values that sum to 1 `[n_agents]`.

    Raises:
        ValueError: If the embeddings are no finite matrix or the temperature is not above 0.
    """
    matrix = check_embeddings("released_contributions", embeddings)
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"released_contributions.temperature: found {temperature!r}; need a finite number above 0")
    rows = scale_exactly(matrix, by_row=True)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    logits = np.maximum(0.0, cosines_to_sum(unit)) / temperature
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def _coordinates(matrix: Array) -> Array:
    """Returns the rows in an orthonormal basis of their span: same sums and cosines, at most n_agents columns."""
    scaled = scale_exactly(matrix, by_row=False)
    if scaled.shape[1] <= scaled.shape[0]:
        return scaled
    return np.asarray(np.linalg.qr(scaled.T, mode="r")).T


def _utilities(sums: Array, lengths: Array, total: Array) -> Array:
    """Returns cos(sum, total) along the last axis; 0 where a sum is only noise beside its members' `lengths`."""
    norms = np.sqrt(np.einsum("...d,...d->...", sums, sums))
    is_direction = norms > ZERO_SUM * lengths
    return np.divide(sums @ total, norms * np.linalg.norm(total), out=np.zeros(norms.shape), where=is_direction)


def coalition_values(embeddings: ArrayLike) -> Array:
    """Returns v(S) = cos(sum_S r, sum_N r) for every coalition S.

    Args:
        embeddings: Answers `[n_agents, dim]`, raw; at most `MAX_EXACT_AGENTS`.

    Returns:
        Values `[2**n_agents]`; bit i of the index says whether agent i is in S. v(empty) = 0; all 0 for a zero total.

    Raises:
        ValueError: If the embeddings are no finite matrix or have too many rows.
    """
    matrix = check_embeddings("coalition_values", embeddings)
    check_n_exact("coalition_values", len(matrix))
    rows = _coordinates(matrix)
    lengths, total = np.linalg.norm(rows, axis=1), rows.sum(axis=0)
    if np.linalg.norm(total) <= ZERO_SUM * lengths.sum():
        return np.zeros(1 << len(rows))
    low_sums, low_lengths = subset_sums(rows[:_TABLE_BITS]), subset_sums(lengths[:_TABLE_BITS])
    high_sums, high_lengths = subset_sums(rows[_TABLE_BITS:]), subset_sums(lengths[_TABLE_BITS:])
    blocks = zip(high_sums, high_lengths, strict=True)
    return np.concatenate([_utilities(low_sums + more, low_lengths + length, total) for more, length in blocks])


def exact_shapley(embeddings: ArrayLike) -> Array:
    """Returns the exact Shapley values phi of the cosine game, by enumeration of all coalitions.

    Args:
        embeddings: Answers `[n_agents, dim]`, raw; at most `MAX_EXACT_AGENTS` (time and memory double per agent).

    Returns:
        Values `[n_agents]`; they sum to v(all) = 1, or are all 0 when the sum of the embeddings is zero.

    Raises:
        ValueError: If the embeddings are no finite matrix or have too many rows.

    Source: arXiv 2510.00685, Shapley contribution.
    """
    return shapley_of_values(coalition_values(check_embeddings("exact_shapley", embeddings)))


def additive_shapley(embeddings: ArrayLike) -> Array:
    """Returns the Shapley values of the additive game v(S) = <sum_S r, sum_N r> / |sum_N r|**2.

    In closed form phi_n = <r_n, sum r> / |sum r|**2, so it is proportional to <r_n, r_avg> and sums to 1.

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.

    Returns:
        Values `[n_agents]`; all 0 when the sum is zero.

    Raises:
        ValueError: If the embeddings are no finite matrix.
    """
    rows = scale_exactly(check_embeddings("additive_shapley", embeddings), by_row=False)
    total = rows.sum(axis=0)
    if np.linalg.norm(total) <= ZERO_SUM * np.linalg.norm(rows, axis=1).sum():
        return np.zeros(len(rows))
    return rows @ total / (total @ total)


def sampled_shapley(embeddings: ArrayLike, n_permutations: int, rng: np.random.Generator) -> SampledShapley:
    """Returns Shapley values of the cosine game estimated from random orders of the agents, with error bars.

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.
        n_permutations: Number of orders, at least 1; the error falls with its square root.
        rng: Source of the orders.

    Raises:
        ValueError: If the embeddings are no finite matrix or `n_permutations` is below 1.

    Undefined:
        Standard errors are NaN for one order.

    Source: Castro, Gomez, Tejada 2009, "Polynomial calculation of the Shapley value based on sampling".
    """
    rows = _coordinates(check_embeddings("sampled_shapley", embeddings))
    if n_permutations < 1:
        raise ValueError(f"sampled_shapley.n_permutations: found {n_permutations!r}; need 1 or more")
    per_chunk = max(1, _SAMPLE_CELLS // rows.size)
    sizes = [min(per_chunk, n_permutations - start) for start in range(0, n_permutations, per_chunk)]
    marginals = np.concatenate([_sample_marginals(rows, size, rng) for size in sizes])
    spread = marginals.std(axis=0, ddof=1) if n_permutations > 1 else np.full(len(rows), np.nan)
    return SampledShapley(marginals.mean(axis=0), spread / math.sqrt(n_permutations), n_permutations)


def _sample_marginals(rows: Array, n_orders: int, rng: np.random.Generator) -> Array:
    """Returns what each agent adds in each of `n_orders` random orders `[n_orders, n_agents]`."""
    lengths, total = np.linalg.norm(rows, axis=1), rows.sum(axis=0)
    if np.linalg.norm(total) <= ZERO_SUM * lengths.sum():
        return np.zeros((n_orders, len(rows)))
    orders = rng.permuted(np.tile(np.arange(len(rows)), (n_orders, 1)), axis=1)
    values = _utilities(rows[orders].cumsum(axis=1), lengths[orders].cumsum(axis=1), total)
    marginals = np.empty_like(values)
    np.put_along_axis(marginals, orders, np.diff(values, axis=1, prepend=0.0), axis=1)
    return marginals


def error_bound(embeddings: ArrayLike) -> ErrorBound:
    """Returns the quantities of the paper's Theorem 1, for the record: the bound is vacuous (never below 1).

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.

    Raises:
        ValueError: If the embeddings are no finite matrix.

    Undefined:
        Infinite, not NaN, when an embedding is orthogonal to the mean.

    Source: arXiv 2510.00685, Theorem 1.
    """
    matrix = check_embeddings("error_bound", embeddings)
    norms, mean = np.linalg.norm(matrix, axis=1), matrix.mean(axis=0)
    gamma, smallest = float(norms.mean()), float(np.abs(matrix @ mean).min())
    inverse = 1.0 / smallest if smallest > ZERO_SUM * gamma**2 else math.inf
    bound = inverse * gamma**2 if gamma else math.inf
    return ErrorBound(gamma, bool(np.ptp(norms) <= 1e-9 * gamma), inverse, bound)
