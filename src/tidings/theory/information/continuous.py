"""Mutual information of continuous samples by nearest neighbours, in bits."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree
from scipy.special import digamma

from tidings.theory.information.laws import check_positive, read_numbers

__all__ = ["mutual_information_ksg"]


def mutual_information_ksg(x: ArrayLike, y: ArrayLike, k: int = 3) -> float:
    """Returns the nearest-neighbour estimate of I(X;Y), in bits, not clipped: it scatters around 0 at independence.

    psi(k) + psi(n) - mean_i( psi(n_x(i) + 1) + psi(n_y(i) + 1) ), where n_x(i) counts the points closer to i in x than
    its k-th neighbour is in (x, y), maximum norm.

    Args:
        x: Samples `[n]` or `[n, n_x_dims]`.
        y: Samples `[n]` or `[n, n_y_dims]`.
        k: Number of neighbours, at least 1; larger is smoother and more biased.

    Raises:
        ValueError: Values that are not finite, unequal lengths, k < 1, or repeated points (discrete data: use the
            plug-in estimate).

    Undefined: NaN if n <= k.
    Source: Kraskov, Stoegbauer, Grassberger, arXiv cond-mat/0305641, equation 8.
    """
    left, right, k = _read_points(x, "x"), _read_points(y, "y"), check_positive(k, "k")
    n = len(left)
    if len(right) != n:
        raise ValueError(f"y: {len(right)!r} samples; allowed is the number in x, {n}")
    if n <= k:
        return math.nan
    both = np.concatenate([left, right], axis=1)
    radius = np.asarray(KDTree(both).query(both, k=k + 1, p=math.inf)[0])[:, k]
    if np.any(radius == 0.0):
        raise ValueError("x, y: repeated points; allowed are continuous samples; use mutual_information_plugin")
    closer = sum(digamma(_n_closer(points, radius) + 1) for points in (left, right))
    return float(digamma(k) + digamma(n) - np.mean(closer)) / math.log(2.0)


def _read_points(values: ArrayLike, where: str) -> NDArray[np.float64]:
    points = read_numbers(values, where)
    if points.ndim not in (1, 2) or not np.all(np.isfinite(points)):
        raise ValueError(
            f"{where}: {points.ndim!r} axes or values that are not finite; allowed are finite [n] or [n, d]"
        )
    return points.reshape(len(points), -1)


def _n_closer(points: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns how many other points lie strictly closer than the radius, maximum norm."""
    inside = np.nextafter(radius, 0.0)
    counts = KDTree(points).query_ball_point(points, inside, p=math.inf, return_length=True)
    return np.asarray(counts, dtype=np.int64) - 1
