"""Numbers a browser cannot hold exactly."""

from __future__ import annotations

from typing import Any

__all__ = ["EXACT", "has_large", "with_texts"]

EXACT = 2**53
"""Whole numbers beyond this lose their last digits in JavaScript."""


def has_large(value: Any) -> bool:
    """Returns whether a JSON value holds a whole number that a browser would change."""
    if isinstance(value, dict):
        return any(map(has_large, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_large, value))
    return isinstance(value, int) and abs(value) > EXACT


def with_texts(value: Any) -> Any:
    """Returns the value with such numbers as texts, digit for digit."""
    if isinstance(value, dict):
        return {key: with_texts(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_texts(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) > EXACT else value
