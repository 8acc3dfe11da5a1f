"""Mutual information and transfer entropy of jointly Gaussian variables, in bits.

Source: Cover & Thomas 2006, section 8.6; Barnett, Barrett, Seth 2009 for the autoregressive case.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.information.laws import check_index, check_positive, read_numbers

__all__ = ["gaussian_conditional_mutual_information", "gaussian_mutual_information", "transfer_entropy_var1"]

_SINGULAR = 1e-13
"""Correlation matrices with a smaller eigenvalue count as singular: rounding alone makes zeros of this size."""


def gaussian_mutual_information(rho: float) -> float:
    """Returns -1/2 log2(1 - rho^2), the information between two Gaussians of correlation `rho`, in bits.

    Args:
        rho: Correlation in [-1, 1].

    Returns:
        A value >= 0; +inf at |rho| = 1.

    Raises:
        ValueError: `rho` outside [-1, 1].
    """
    if not -1.0 <= rho <= 1.0:
        raise ValueError(f"rho: {rho!r}; allowed are correlations in [-1, 1]")
    return math.inf if abs(rho) == 1.0 else -0.5 * math.log1p(-rho * rho) / math.log(2.0) + 0.0


def gaussian_conditional_mutual_information(
    cov: ArrayLike, a: Sequence[int], b: Sequence[int], c: Sequence[int]
) -> float:
    """Returns I(A;B|C) of groups of jointly Gaussian variables, in bits.

    1/2 log2( |S_ac| |S_bc| / (|S_abc| |S_c|) ), where S_g holds the rows and columns of group g and |S_empty| = 1.

    Args:
        cov: Covariance matrix `[n, n]`.
        a: Indices of A.
        b: Indices of B.
        c: Indices of C, may be empty.

    Returns:
        A value >= 0 up to rounding; +inf if only the joint law of A, B and C is degenerate.

    Raises:
        ValueError: `cov` is not symmetric and positive semidefinite, or an index does not exist.

    Undefined: NaN if (A,C) or (B,C) is degenerate already, for instance a constant variable.
    """
    matrix = _read_covariance(cov)
    groups = [[check_index(i, len(matrix), name) for i in chosen] for name, chosen in (("a", a), ("b", b), ("c", c))]
    a_, b_, c_ = groups
    with_c = _log2_determinant(matrix, a_ + c_) + _log2_determinant(matrix, b_ + c_)
    return 0.5 * (with_c - _log2_determinant(matrix, a_ + b_ + c_) - _log2_determinant(matrix, c_))


def transfer_entropy_var1(ax: float, by: float, cxy: float, k: int, l: int) -> float:  # noqa: E741
    """Returns the exact transfer entropy X -> Y of a coupled linear process, in bits.

    X' = ax X + e and Y' = by Y + cxy X + e', with independent e, e' ~ N(0, 1), in its stationary state;
    TE = I(Y_t+1; X_t..X_t-l+1 | Y_t..Y_t-k+1).

    Args:
        ax: Memory of the source.
        by: Memory of the target.
        cxy: Coupling of the target to the source.
        k: Length of the target's history; 0 does not condition on it.
        l: Length of the source's history, at least 1.

    Raises:
        ValueError: A history length out of range or a coefficient that is no finite number.

    Undefined: NaN if |ax| >= 1 or |by| >= 1: there is no stationary state.
    """
    k, l = check_positive(k, "k", 0), check_positive(l, "l")  # noqa: E741
    if not all(math.isfinite(value) for value in (ax, by, cxy)):
        raise ValueError(f"ax, by, cxy: {(ax, by, cxy)!r}; allowed are finite numbers")
    if abs(ax) >= 1.0 or abs(by) >= 1.0:
        return math.nan
    n_lags = max(k, l)
    autocovariances = _autocovariances(ax, by, cxy, n_lags)
    variables = [(1, 0), *((1, lag) for lag in range(1, k + 1)), *((0, lag) for lag in range(1, l + 1))]
    cov = [[_lagged(autocovariances, one, other) for other in variables] for one in variables]
    target, source = list(range(1, k + 1)), list(range(k + 1, k + l + 1))
    return gaussian_conditional_mutual_information(cov, [0], source, target)


def _read_covariance(cov: ArrayLike) -> NDArray[np.float64]:
    """Returns the covariance scaled to unit variances: information does not depend on units, rounding does."""
    matrix = read_numbers(cov, "cov", 2)
    if matrix.shape[0] != matrix.shape[1] or not np.all(np.isfinite(matrix)):
        raise ValueError(f"cov: shape {matrix.shape!r} or entries that are not finite; allowed is a square covariance")
    variances = np.diagonal(matrix)
    scale = np.sqrt(np.where(variances > 0.0, variances, 1.0))
    scaled = matrix / np.outer(scale, scale)
    if variances.size and (variances.min() < 0.0 or np.abs(scaled - scaled.T).max() > 1e-9):
        raise ValueError("cov: a negative variance or an asymmetric matrix; allowed is a covariance matrix")
    scaled = (scaled + scaled.T) / 2.0
    if variances.size and float(np.linalg.eigvalsh(scaled)[0]) < -1e-9:
        raise ValueError(f"cov: eigenvalue {float(np.linalg.eigvalsh(scaled)[0])!r}; allowed are none below 0")
    return scaled


def _log2_determinant(matrix: NDArray[np.float64], chosen: list[int]) -> float:
    if not chosen:
        return 0.0
    eigenvalues = np.linalg.eigvalsh(matrix[np.ix_(chosen, chosen)])
    return -math.inf if eigenvalues[0] < _SINGULAR else float(np.log2(eigenvalues).sum())


def _autocovariances(ax: float, by: float, cxy: float, n_lags: int) -> list[NDArray[np.float64]]:
    """Returns G(h) = Cov(Z_t, Z_t-h), h = 0..n_lags, of Z = (X, Y); the Lyapunov equation solved by hand."""
    xx = 1.0 / (1.0 - ax * ax)
    xy = ax * cxy * xx / (1.0 - ax * by)
    yy = (1.0 + 2.0 * by * cxy * xy + cxy * cxy * xx) / (1.0 - by * by)
    step = np.array([[ax, 0.0], [cxy, by]])
    result = [np.array([[xx, xy], [xy, yy]])]
    for _ in range(n_lags):
        result.append(step @ result[-1])
    return result


def _lagged(autocovariances: list[NDArray[np.float64]], one: tuple[int, int], other: tuple[int, int]) -> float:
    (i, lag_i), (j, lag_j) = one, other
    if lag_i <= lag_j:
        return float(autocovariances[lag_j - lag_i][i, j])
    return float(autocovariances[lag_i - lag_j][j, i])
