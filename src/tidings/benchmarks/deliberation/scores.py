"""The scores of one method: accuracy with its interval, errors apart, calls, tokens, and the paired tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tidings.benchmarks.statistics import Interval, bootstrap_mean, holm, mcnemar_exact, score_interval, sign_flip_test
from tidings.log.calls import CallStore
from tidings.log.reader import read_rollouts
from tidings.log.store import ENDED
from tidings.metrics.deliberation import DELIBERATION_COLUMNS, deliberation_row
from tidings.runner.folder import RunFolder

__all__ = ["MethodScore", "Test", "compare_methods", "read_rows", "score_method"]


@dataclass(frozen=True)
class MethodScore:
    """What one method reached.

    Attributes:
        name: Of the method.
        rows: One row a rollout that ended well (`DELIBERATION_COLUMNS` and `rollout`).
        n_rollouts: Rollouts asked for.
        n_failed: Rollouts that did not end well.
        accuracy: Share of graded questions answered rightly, averaged over seeds; no answer is not right. None if
            nothing was graded.
        outcomes: How often each outcome happened.
        unparsable: Unreadable answers among all that stand; NaN without answers.
        n_failed_answers: Answers and plans that failed.
        calls: Mean answers asked for per question; this and what follows over rollouts that ended well, NaN without.
        model_calls: Calls of models per question, repairs and the planner's own included.
        tokens: Tokens per question, prompts and answers.
        depth: Mean critical path.
    """

    name: str
    rows: pl.DataFrame
    n_rollouts: int
    n_failed: int
    accuracy: Interval | None
    outcomes: dict[str, int]
    unparsable: float
    n_failed_answers: int
    calls: float
    model_calls: float
    tokens: float
    depth: float


@dataclass(frozen=True)
class Test:
    """A method against call-matched self-consistency, over the rollouts that both have.

    Attributes:
        name: Of the method.
        difference: Mean difference of accuracy with its interval.
        p: Two-sided paired sign-flip test over questions (seeds averaged).
        p_holm: Adjusted for all tests of the table.
        p_mcnemar: Exact McNemar test, for one seed only; None for several.
    """

    __test__ = False

    name: str
    difference: Interval
    p: float
    p_holm: float
    p_mcnemar: float | None


def read_rows(folder: Path) -> pl.DataFrame:
    """Returns one row for each rollout that ended well."""
    rows = [
        {"rollout": rollout, **deliberation_row(line.event() for line in lines)}
        for rollout, lines in read_rollouts(RunFolder.open(folder).events)
        if lines[-1].kind == ENDED and lines[-1].data["status"] == "ok"
    ]
    return pl.DataFrame(rows, schema={"rollout": pl.Int64, **DELIBERATION_COLUMNS})


def score_method(name: str, folder: Path, n_items: int, n_rollouts: int) -> MethodScore:
    """Returns the scores of a run folder.

    Args:
        name: Of the method.
        folder: Its run folder.
        n_items: Questions; rollout r played question r modulo their number.
        n_rollouts: Rollouts asked for.
    """
    rows = read_rows(folder)
    # What was spent on rollouts without an outcome would look like the cost of the others.
    calls = CallStore.frame(RunFolder.open(folder).calls).join(rows, on="rollout", how="semi")
    graded = rows.drop_nulls("right")
    accuracy = None if graded.is_empty() else score_interval(_by_question(graded, n_items)["right"].to_numpy())
    n_answers, n = int(rows["n_answers"].sum()), len(rows) or math.nan
    outcomes = dict(sorted(rows["outcome"].value_counts().iter_rows()))
    tokens = int((calls["tokens_in"] + calls["tokens_out"]).sum())
    return MethodScore(
        name,
        rows,
        n_rollouts,
        n_rollouts - len(rows),
        accuracy,
        outcomes,
        int(rows["n_unparsable"].sum()) / n_answers if n_answers else float("nan"),
        int(rows["n_failed"].sum()),
        float(rows["calls"].sum()) / n,
        len(calls) / n,
        tokens / n,
        float(rows["depth"].sum()) / n,
    )


def compare_methods(scores: list[MethodScore], control: str, n_items: int) -> list[Test]:
    """Returns every method tested against the control, question by question; none if the control is not there.

    Raises:
        RequestError: Never: methods without a common graded rollout are left out.
    """
    known = {score.name: score for score in scores}
    if control not in known:
        return []
    found: list[tuple[str, Interval, float, float | None]] = []
    base = known[control].rows.drop_nulls("right").select("rollout", pl.col("right").alias("other"))
    for score in scores:
        both = score.rows.drop_nulls("right").join(base, on="rollout")
        if score.name == control or both.is_empty():
            continue
        means = _by_question(both, n_items)
        a, b = means["right"].to_numpy(), means["other"].to_numpy()
        has_one_seed = len(both) == len(means)
        exact = mcnemar_exact(both["right"].to_list(), both["other"].to_list()) if has_one_seed else None
        found.append((score.name, bootstrap_mean(np.asarray(a) - np.asarray(b)), sign_flip_test(a, b), exact))
    adjusted = holm([p for _, _, p, _ in found])
    return [Test(name, gap, p, p_holm, exact) for (name, gap, p, exact), p_holm in zip(found, adjusted, strict=True)]


def _by_question(rows: pl.DataFrame, n_items: int) -> pl.DataFrame:
    """Returns the mean over seeds for each question, in the order of the questions."""
    wanted = [pl.col(name).cast(pl.Float64).mean() for name in ("right", "other") if name in rows.columns]
    return rows.group_by((pl.col("rollout") % n_items).alias("item")).agg(wanted).sort("item")
