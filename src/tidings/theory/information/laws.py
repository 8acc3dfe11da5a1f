"""Checks of probability laws, conditional laws and indices; every other file here takes its arguments through them.

Laws are used as given and never renormalised: a silent division would hide a forgotten world.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LAW_TOLERANCE", "check_index", "check_law", "check_positive", "read_channel", "read_law", "read_numbers"]

LAW_TOLERANCE = 1e-6
"""How far a sum of probabilities may be from 1: rounding of typed tables, not a missing outcome."""


def read_numbers(values: ArrayLike, where: str, n_dims: int | None = None) -> NDArray[np.float64]:
    """Returns the values as a float array with the given number of axes.

    Args:
        values: Nested lists or an array.
        where: Name of the argument, for the error line.
        n_dims: Number of axes; None for any.

    Raises:
        ValueError: Ragged or non-numeric values, or another number of axes.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{where}: {type(values).__name__} that is no array of numbers ({error}); allowed are nested lists of "
            "numbers of equal length; fill the gaps"
        ) from None
    if n_dims is not None and array.ndim != n_dims:
        raise ValueError(
            f"{where}: {array.ndim!r} axes of shape {array.shape!r}; allowed are {n_dims} axes; reshape it"
        )
    return array


def read_law(values: ArrayLike, where: str, n_dims: int | None = None) -> NDArray[np.float64]:
    """Returns a probability law as an array, after checking that it is one.

    Args:
        values: Probabilities of any shape.
        where: Name of the argument, for the error line.
        n_dims: Number of axes; None for any.

    Raises:
        ValueError: A negative, infinite or NaN entry, or a sum further than `LAW_TOLERANCE` from 1.
    """
    array = read_numbers(values, where, n_dims)
    check_law(array, where)
    return array


def read_channel(values: ArrayLike, where: str, n_rows: int | None = None) -> NDArray[np.float64]:
    """Returns a conditional law as an array `[n_inputs, n_outputs]`, after checking each row.

    Args:
        values: One law per row.
        where: Name of the argument, for the error line.
        n_rows: Number of rows that the other arguments ask for; None for any.

    Raises:
        ValueError: Not two axes, another number of rows, or a row that is no law.
    """
    array = read_numbers(values, where, 2)
    if n_rows is not None and len(array) != n_rows:
        raise ValueError(
            f"{where}: {len(array)!r} rows; allowed are {n_rows}, one per entry of the law over its inputs"
        )
    for index, row in enumerate(array):
        check_law(row, f"{where}[{index}]")
    return array


def check_law(array: NDArray[np.float64], where: str) -> None:
    """Checks that the entries are probabilities which sum to one.

    Raises:
        ValueError: A negative, infinite or NaN entry, or a sum further than `LAW_TOLERANCE` from 1.
    """
    bad = array[~(array >= 0.0) | np.isinf(array)]
    if bad.size:
        raise ValueError(f"{where}: entry {float(bad[0])!r}; allowed are probabilities in [0, 1]")
    total = float(array.sum())
    if abs(total - 1.0) > LAW_TOLERANCE:
        raise ValueError(
            f"{where}: probabilities that sum to {total!r}; allowed is 1; divide by the sum if that is meant"
        )


def check_index(value: Any, size: int, where: str) -> int:
    """Returns the value as an index below `size`.

    Raises:
        ValueError: Not an integer in [0, size).
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < size:
        raise ValueError(f"{where}: {value!r}; allowed are the indices 0..{size - 1}")
    return int(value)


def check_positive(value: Any, where: str, least: int = 1) -> int:
    """Returns the value as an integer that is not below `least`.

    Raises:
        ValueError: Not an integer, or below `least`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{where}: {value!r}; allowed are integers from {least} up")
    return int(value)
