"""What a frame is: its columns in words, and how its rows come out of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import polars as pl

from tidings.core import DataError

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["ID_COLUMNS", "Column", "Frame", "Rows"]

Rows: TypeAlias = Iterable[Sequence[Any]]
"""Rows in the order of the columns."""

_BATCH = 50_000


class Column(NamedTuple):
    """One column of a frame.

    Attributes:
        type: Its polars type.
        words: What it holds, with its unit and what a null means; one line.
    """

    type: Any
    words: str


ID_COLUMNS: Mapping[str, Column] = {
    "rollout": Column(pl.Int64, "number of the rollout, from 0"),
    "step": Column(pl.Int64, "step of the rollout; 0 is the opening"),
    "index": Column(pl.Int64, "position of the event in its rollout; also the id of a message"),
    "seat": Column(pl.String, "the seat it comes from or is about"),
}
"""Columns that mean the same in every frame."""


@dataclass(frozen=True)
class Frame:
    """One frame: a name in the table leads to one of these.

    Attributes:
        words: What one row is; one line.
        columns: Name -> type and meaning, in order.
        rows: A run -> its rows as tuples in the order of the columns, or a frame with these columns.
        needs_events: Whether it is made from the event log; a run that logged summaries then says that it has none.
    """

    words: str
    columns: Mapping[str, Column]
    rows: Callable[[Run], Rows | pl.DataFrame]
    needs_events: bool = True

    @property
    def schema(self) -> dict[str, Any]:
        """Column -> polars type."""
        return {name: column.type for name, column in self.columns.items()}

    def read(self, run: Run, name: str = "frame") -> pl.DataFrame:
        """Returns the whole frame.

        Raises:
            DataError: If the run logged no events and the frame needs them.
        """
        self.check(run, name)
        rows = self.rows(run)
        return rows if isinstance(rows, pl.DataFrame) else self._frame(rows)

    def scan(self, run: Run, name: str = "frame") -> pl.LazyFrame:
        """Returns the frame unread: it is read in batches when it is collected, and only as far as needed.

        Raises:
            DataError: If the run logged no events and the frame needs them.
        """
        from polars.io.plugins import register_io_source

        self.check(run, name)

        def read(
            columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch: int | None
        ) -> Iterator[pl.DataFrame]:
            for frame in self._batches(run, batch or _BATCH):
                part = frame if n_rows is None else frame.head(n_rows)
                n_rows = None if n_rows is None else n_rows - len(part)
                part = part if predicate is None else part.filter(predicate)
                yield part if columns is None else part.select(columns)
                if n_rows == 0:
                    return

        return register_io_source(read, schema=self.schema)

    def check(self, run: Run, name: str) -> None:
        """Checks that the run has what this frame is made from.

        Raises:
            DataError: If it logged one row a rollout instead of events.
        """
        if self.needs_events and run.is_summary:
            fix = "run it again with `--set rollouts.log=full` and fewer rollouts; equal seeds give equal rollouts"
            raise DataError(str(run.path), f"no {name}: this run logged one row a rollout", "Run.rollouts()", fix)

    def _frame(self, rows: Rows) -> pl.DataFrame:
        return pl.DataFrame(list(rows), schema=self.schema, orient="row")

    def _batches(self, run: Run, size: int) -> Iterator[pl.DataFrame]:
        rows = self.rows(run)
        if isinstance(rows, pl.DataFrame):
            yield from rows.iter_slices(size)
            return
        for part in _batched(rows, size):
            yield self._frame(part)


def _batched(rows: Rows, size: int) -> Iterator[list[Sequence[Any]]]:
    part: list[Sequence[Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
