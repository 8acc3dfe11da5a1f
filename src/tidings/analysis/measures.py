"""Measurements of a finished run that ask models: kept beside the events (`rows/`), never in them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tidings.log.gaps import names_gaps
from tidings.runner.density import measure_density
from tidings.runner.execute import blocking
from tidings.runner.folder import RunFolder
from tidings.runner.influence import measure_influence
from tidings.runner.judge import judge_messages, measure_judge, read_labelled
from tidings.runner.probes import measure_probes
from tidings.runner.scorer import Scorers, write_rows

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["density", "influence", "judge", "probe"]


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


def influence(
    run: Run,
    rollout: int,
    index: int,
    *,
    inputs: Iterable[int] = (),
    lam: float = 1.0,
    scorer: str | None = None,
) -> pl.DataFrame:
    """Measures what moved a seat to one answer, and keeps the rows; see `tidings.runner.influence`.

    Args:
        run: The run.
        rollout: Which rollout.
        index: The message that the answer made.
        inputs: Messages the seat had heard; the latest six by default.
        lam: Bits that an answer may lose and still count as explained by a label.
        scorer: Name of the model of the scenario that scores; the seat's own by default.

    Raises:
        RequestError: If there is no such message, or the seat had heard nothing.
    """
    chosen = list(inputs)
    return _measured(
        run,
        "influence",
        scorer,
        lambda folder, scorers: measure_influence(folder, rollout, index, scorers, chosen, lam),
        ("rollout", "target"),
    )


def probe(
    run: Run,
    fact: str,
    *,
    at: int | None = None,
    seats: Iterable[str] = (),
    about: str | None = None,
    rollouts: Iterable[int] | None = None,
) -> pl.DataFrame:
    """Asks seats what they believe, on calls that are no part of the run, and keeps the rows; see `runner.probes`.

    Args:
        run: The run.
        fact: Whose value is asked for.
        at: Index of the event after whose step seats are asked; the end by default.
        seats: Who is asked; every agent by default.
        about: Somebody else, for second-order probes.
        rollouts: Which rollouts; all that ended well by default.

    Raises:
        RequestError: If there is no such fact, seat or event.
    """
    chosen, asked = _ended(run) if rollouts is None else list(rollouts), list(seats)
    known = run.rows_beside("density")
    known = known if "logp" in known.columns else None

    async def measure(folder: RunFolder, scorers: Scorers) -> pl.DataFrame:
        return await measure_probes(folder, chosen, scorers, fact, at=at, seats=asked, about=about, density=known)

    return _measured(run, "probes", None, measure, ("rollout", "index", "seat", "order", "about", "variable"))


def judge(
    run: Run, model: str, *, rollouts: Iterable[int] | None = None, labelled: str | Path | None = None
) -> pl.DataFrame:
    """Has a model say what each message claims, and keeps the rows; see `tidings.runner.judge`.

    Rows of another judge are replaced: the ledger listens to one.

    Args:
        run: The run.
        model: Name of the model in the scenario.
        rollouts: Which rollouts; all that ended well by default.
        labelled: File of messages whose claims are known. The judge reads them too, and its precision and recall stand
            beside every number that rests on it.

    Raises:
        RequestError: If there is no such model or no fact, or the file cannot be read.
    """
    chosen = _ended(run) if rollouts is None else list(rollouts)
    known = None if labelled is None else read_labelled(Path(labelled))
    rows = _measured(run, "claims", model, lambda folder, scorers: judge_messages(folder, chosen, scorers))
    if known is not None:
        _measured(run, "judges", model, lambda _, scorers: measure_judge(scorers, *known), ("detector",))
    return rows


def _ended(run: Run) -> list[int]:
    return [rollout for rollout, _ in run.ended()]


@names_gaps
def _measured(
    run: Run,
    table: str,
    scorer: str | None,
    measure: Callable[[RunFolder, Scorers], Coroutine[Any, Any, pl.DataFrame]],
    keys: Sequence[str] = (),
) -> pl.DataFrame:
    """Returns the rows of a measurement, and keeps them in the run folder; with `keys`, beside earlier other ones."""
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
        kept = run.rows_beside(table)
        is_kept = bool(keys) and not kept.is_empty()
        write_rows(folder, table, pl.concat([kept.join(rows, keys, "anti"), rows]) if is_kept else rows)
    return rows
