"""Measurements of a finished run that ask models: kept beside the events (`rows/`), never in them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

import polars as pl

from tidings.runner.density import measure_density
from tidings.runner.execute import blocking
from tidings.runner.folder import RunFolder
from tidings.runner.scorer import Scorers, write_rows

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["density"]


def density(
    run: Run, fact: str | None = None, *, scorer: str | None = None, rollouts: Iterable[int] | None = None
) -> pl.DataFrame:
    """Measures what each message says about a private fact, and keeps the rows; see `tidings.runner.density`.

    Args:
        run: The run.
        fact: Id of the fact; every declared one by default.
        scorer: Name of the model of the scenario that scores; each seat's own by default.
        rollouts: Which rollouts; all that ended well by default.

    Raises:
        RequestError: If there is no such fact or model, or a recorded prompt does not come out again.
    """
    chosen = _ended(run) if rollouts is None else list(rollouts)
    return _measured(run, "density", scorer, lambda folder, scorers: measure_density(folder, chosen, scorers, fact))


def _ended(run: Run) -> list[int]:
    return [rollout for rollout, _ in run.ended()]


def _measured(
    run: Run, table: str, scorer: str | None, measure: Callable[[RunFolder, Scorers], Coroutine[Any, Any, pl.DataFrame]]
) -> pl.DataFrame:
    """Returns the rows of a measurement, and keeps them in the run folder."""
    folder = RunFolder.open(run.path)
    folder.refuse_fork("measured")

    async def work() -> pl.DataFrame:
        scorers = Scorers(folder, scorer)
        try:
            return await measure(folder, scorers)
        finally:
            await scorers.close()

    with folder.locked():
        rows = blocking(work())
        write_rows(folder, table, rows)
    return rows
