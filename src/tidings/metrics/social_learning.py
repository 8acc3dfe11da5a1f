"""Figures of social learning over many rollouts, from one row a rollout (`herd_row`)."""

from __future__ import annotations

import math

import polars as pl

from tidings.metrics.result import MetricResult, mean_result, refused, share_result

__all__ = [
    "cascade_time",
    "cascades",
    "last_correct",
    "off_path",
    "p_correct",
    "planner_cost",
    "planner_reward",
    "welfare",
]

_NO_PLANNER = "nobody sits in the planner's seat"
_REWARD, _PAID = "minus payments and errors", "paid per rollout"


def p_correct(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean over rollouts of the share of agents whose action is the state."""
    acted = rows.filter(pl.col("n_agents") > 0)
    return [mean_result("p_correct", (acted["n_correct"] / acted["n_agents"]).to_list(), "share of agents", (0.0, 1.0))]


def last_correct(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the share of rollouts whose last agent is right: what the herd ended on."""
    known = rows["last_correct"].drop_nulls()
    return [share_result("last_correct", int(known.sum()), len(known))]


def welfare(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns minus the mean loss per agent (0 is best)."""
    acted = rows.filter(pl.col("n_agents") > 0)
    return [mean_result("welfare", (-acted["loss"] / acted["n_agents"]).to_list(), "minus loss per agent", (-2.0, 0.0))]


def cascades(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the shares of rollouts that end in a correct cascade, a wrong one, and none.

    A cascade begins with the first agent whose signal cannot matter to a rational observer of all actions.
    """
    names = ("cascade_correct", "cascade_wrong", "cascade_none")
    if rows["belief"].null_count():
        reason = "there is no common public belief on this graph; cascades are defined on complete graphs"
        return [refused(name, "share of rollouts", 0, reason) for name in names]
    begun = rows["first_cascade"].is_not_null()
    right = rows["last_correct"].fill_null(value=False)
    counts = (int((begun & right).sum()), int((begun & ~right).sum()), int((~begun).sum()))
    return [share_result(name, count, len(rows)) for name, count in zip(names, counts, strict=True)]


def cascade_time(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean number of agents that reveal something before the cascade, over rollouts that have one."""
    begun = rows["first_cascade"].drop_nulls()
    return [mean_result("cascade_time", begun.cast(pl.Float64).to_list(), "agents before the cascade", (0.0, math.inf))]


def off_path(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean share of actions that no rational agent would have taken."""
    acted = rows.filter(pl.col("n_agents") > 0)
    return [mean_result("off_path", (acted["off_path"] / acted["n_agents"]).to_list(), "share of agents", (0.0, 1.0))]


def planner_reward(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean discounted reward of the planner: minus payments and minus its cost of errors (0 is best)."""
    if rows["reward"].null_count() == len(rows):
        return [refused("planner_reward", _REWARD, 0, _NO_PLANNER)]
    return [mean_result("planner_reward", rows["reward"].drop_nulls().to_list(), _REWARD, (-math.inf, 0.0))]


def planner_cost(rows: pl.DataFrame) -> list[MetricResult]:
    """Returns the mean that the planner paid for a rollout, undiscounted; not paying is free."""
    paid = rows.filter(pl.col("reward").is_not_null())["cost"]
    if not len(paid):
        return [refused("planner_cost", _PAID, 0, _NO_PLANNER)]
    return [mean_result("planner_cost", paid.to_list(), _PAID, (0.0, math.inf))]
