"""Long frames, built column by column."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import polars as pl

__all__ = ["Builder"]

_ROWS = 200_000


class Builder:
    """Rows gathered column by column, and made into a frame part by part, so that few are held as objects."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Starts without rows.

        Args:
            schema: Column -> polars type. Values of list columns are tuples.
        """
        self._schema = schema
        self._columns: list[list[Any]] = [[] for _ in schema]
        self._parts: list[pl.DataFrame] = []

    def add(self, *row: Any) -> None:
        """Adds one row, given as its values."""
        for values, value in zip(self._columns, row, strict=True):
            values.append(value)
        if len(self._columns[0]) >= _ROWS:
            self._flush()

    def extend(self, *columns: Sequence[Any]) -> None:
        """Adds rows, given as columns of equal length."""
        for values, more in zip(self._columns, columns, strict=True):
            values.extend(more)
        if len(self._columns[0]) >= _ROWS:
            self._flush()

    def frame(self) -> pl.DataFrame:
        """Returns all rows."""
        self._flush()
        return pl.concat(self._parts)

    def _flush(self) -> None:
        pairs = zip(self._schema.items(), self._columns, strict=True)
        self._parts.append(pl.DataFrame([_series(name, values, type_) for (name, type_), values in pairs]))
        for values in self._columns:
            values.clear()


def _series(name: str, values: Sequence[Any], type_: Any) -> pl.Series:
    """Returns a column. Equal lists are made once and then referred to: polars is slow at reading them."""
    if not isinstance(type_, pl.List):
        return pl.Series(name, values, type_)
    places: dict[Hashable, int] = {}
    rows = [places.setdefault(value, len(places)) for value in values]
    return pl.Series(name, list(places), type_).gather(rows)
