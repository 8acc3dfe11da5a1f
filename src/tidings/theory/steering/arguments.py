"""Checks of numbers that users pass, with one-line errors."""

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any


def check_number(where: str, name: str, value: Any, allowed: str, is_allowed: Callable[[float], bool]) -> float:
    """Return the value as a float if it is a finite real number (no bool) that is allowed.

    Raises:
        ValueError: otherwise, in one line naming the place, the value and what is allowed.
    """
    is_real = isinstance(value, Real) and not isinstance(value, bool)
    if not is_real or not math.isfinite(value) or not is_allowed(float(value)):
        raise ValueError(f"{where}: {name}={value!r}; allowed is {allowed}")
    return float(value)


def check_count(where: str, name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return the value as an int if it is an integer (no bool) from least to most.

    Raises:
        ValueError: otherwise, in one line naming the place, the value and what is allowed.
    """
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_integer or int(value) < least or (most is not None and int(value) > most):
        allowed = f"an integer >= {least}" if most is None else f"an integer from {least} to {most}"
        raise ValueError(f"{where}: {name}={value!r}; allowed is {allowed}")
    return int(value)
