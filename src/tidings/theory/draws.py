"""Seed paths over whole arrays: the same draws as `tidings.core.seeds`, one per element."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidings.core.seeds import GOLDEN, SeedPath, part_key

__all__ = ["child_keys", "uniforms"]

_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_GOLDEN = np.uint64(GOLDEN)


def _mix64(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)


def child_keys(keys: NDArray[np.uint64] | SeedPath, *parts: int | str | NDArray[np.integer]) -> NDArray[np.uint64]:
    """Returns the keys of the paths `keys / parts`, element by element.

    Args:
        keys: Keys `[n]`, or one path for all.
        *parts: A text or integer for all elements, or an integer array `[n]`.

    Returns:
        Keys `[n]`, equal to `SeedPath(key).child(*parts).key` for each element.
    """
    result = np.atleast_1d(np.uint64(keys.key)) if isinstance(keys, SeedPath) else keys
    for part in parts:
        part_keys = part.astype(np.uint64) if isinstance(part, np.ndarray) else np.atleast_1d(np.uint64(part_key(part)))
        result = _mix64((_mix64(part_keys + _GOLDEN) ^ result) + _GOLDEN)
    return result


def uniforms(keys: NDArray[np.uint64], *parts: int | str | NDArray[np.integer]) -> NDArray[np.float64]:
    """Returns the uniform draws in [0, 1) of the paths `keys / parts`, equal to `SeedPath(key).uniform(*parts)`."""
    return (child_keys(keys, *parts) >> _S11).astype(np.float64) * 2.0**-53
