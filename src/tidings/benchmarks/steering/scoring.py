"""How a planner is scored: outcomes against no control on the same seeds, what it paid, and how it obfuscated.

Every score is an `Estimate` with a 95 % bootstrap interval over rollouts. Failed rollouts are not in the frames;
whoever reports a score must report their number beside it.

Source: definitions of section 9 of the project's notes on arXiv 2504.02648; welfare is also given undiscounted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from tidings.benchmarks.steering.bootstrap import Estimate, bootstrap_mean, bootstrap_ratio
from tidings.theory.herding import FREE_TOLERANCE

__all__ = ["BIN_WIDTH", "N_BINS", "bin_label", "bin_of", "by_bin", "discounted_welfare", "obfuscation_by_bin"]
__all__ += ["MessagePrecision", "message_precision", "outcome_scores", "paired_scores", "paired_welfare"]

BIN_WIDTH = 0.1
"""Width of a bin of beliefs; 1/2 is an edge and belongs to the bin above it."""

N_BINS = 10
"""Bins from belief 0 to 1."""

_EDGE_TOLERANCE = 1e-9


def bin_of(belief: float) -> int:
    """Returns the bin of a belief: bin i holds [i/10, (i+1)/10), the last one 1 too.

    Beliefs within 1e-10 below an edge count as on it, so that rounding does not move 0.3 into the bin below.
    """
    return min(int(belief / BIN_WIDTH + _EDGE_TOLERANCE), N_BINS - 1)


def bin_label(index: int) -> str:
    """Returns the bin in words, for example `0.3-0.4`."""
    return f"{index * BIN_WIDTH:.1f}-{(index + 1) * BIN_WIDTH:.1f}"


def outcome_scores(rows: pl.DataFrame, generator: np.random.Generator) -> dict[str, Estimate]:
    """Returns what came of the herds of one run.

    Args:
        rows: One row a rollout, columns of `herd_row`.
        generator: Source of the bootstrap draws.

    Returns:
        `p_correct` (share of right actions), `welfare` (minus the loss per agent), `last_correct` (share of rollouts
        whose last agent is right), `cascade_correct`, `cascade_wrong` (shares of rollouts in a cascade whose last
        agent is right, wrong), `cascade_time` (agents before the cascade, over rollouts that have one), `expenditure`
        (what the planner paid in a rollout), `obfuscation` (share of turns below the free precision), `reward` (the
        planner's discounted reward; NaN without a planner) and `off_path` (share of actions no rational agent takes).

    Undefined: cascades are NaN on a graph that is not complete, where there is no public belief.
    """
    n = _column(rows, "n_agents")
    begun = rows["first_cascade"].is_not_null().to_numpy().astype(float)
    right = _column(rows, "last_correct")
    common = rows["belief"].is_not_null().to_numpy().astype(float)
    ratios = {
        "p_correct": (_column(rows, "n_correct"), n),
        "welfare": (-_column(rows, "loss"), n),
        "last_correct": (right, np.ones_like(n)),
        "cascade_correct": (begun * right, common),
        "cascade_wrong": (begun * (1.0 - right), common),
        "cascade_time": (np.nan_to_num(_column(rows, "first_cascade")), begun),
        "expenditure": (_column(rows, "cost"), np.ones_like(n)),
        "obfuscation": (_column(rows, "n_below"), n),
        "off_path": (_column(rows, "off_path"), n),
    }
    scores = {name: bootstrap_ratio(top, bottom, generator) for name, (top, bottom) in ratios.items()}
    return scores | {"reward": bootstrap_mean(_column(rows.drop_nulls("reward"), "reward"), generator)}


def paired_scores(rows: pl.DataFrame, baseline: pl.DataFrame, generator: np.random.Generator) -> dict[str, Estimate]:
    """Returns differences from no control, rollout by rollout on the same seeds.

    Only rollouts that ended well in both runs have a difference; their number is in each estimate.

    Args:
        rows: One row a rollout, columns of `herd_row`.
        baseline: Likewise for the run without control.
        generator: Source of the bootstrap draws.

    Returns:
        `p_correct`, `welfare`, `last_correct`: controlled minus uncontrolled, per rollout as in `outcome_scores`.
    """
    both = rows.join(baseline, on="rollout", how="inner", suffix="_0").sort("rollout")
    difference = {
        "p_correct": _share(both, "n_correct") - _share(both, "n_correct", "_0"),
        "welfare": _share(both, "loss", "_0") - _share(both, "loss"),
        "last_correct": _column(both, "last_correct") - _column(both, "last_correct_0"),
    }
    return {name: bootstrap_mean(values, generator) for name, values in difference.items()}


def discounted_welfare(turns: pl.DataFrame, delta: float) -> pl.DataFrame:
    """Returns sum delta^i [action_i = state] / sum delta^i, i the position from 0, as `welfare` for each `rollout`."""
    weighted = turns.with_columns(weight=delta ** pl.col("position"), right=pl.col("action") == pl.col("state"))
    share = (pl.col("weight") * pl.col("right")).sum() / pl.col("weight").sum()
    return weighted.group_by("rollout", maintain_order=True).agg(welfare=share)


def paired_welfare(
    turns: pl.DataFrame, baseline: pl.DataFrame, delta: float, generator: np.random.Generator
) -> Estimate:
    """Returns the mean difference of `discounted_welfare` from no control over rollouts that both runs have.

    Undefined: NaN without common rollouts.
    """
    with_control, without = discounted_welfare(turns, delta), discounted_welfare(baseline, delta)
    both = with_control.join(without, on="rollout", suffix="_0").sort("rollout")
    return bootstrap_mean(both["welfare"] - both["welfare_0"], generator)


class MessagePrecision(NamedTuple):
    """How often messages point to the truth, against how often that was asked for; means over turns.

    Attributes:
        requested: The precision asked for.
        realised: Share of messages whose words point to the true state.
        difference: Realised minus requested, turn by turn.
    """

    requested: Estimate
    realised: Estimate
    difference: Estimate


def message_precision(turns: pl.DataFrame, generator: np.random.Generator) -> MessagePrecision:
    """Returns the realised precision of the messages of all turns; a message that points nowhere is not right.

    Undefined: NaN without turns.
    """
    right = (turns["told"] == turns["state"]).fill_null(value=False).cast(pl.Float64)
    scored = turns.with_columns(right=right, gap=right - turns["precision"])
    sums = scored.group_by("rollout", maintain_order=True).agg(
        pl.col("precision", "right", "gap").sum(), n=pl.len().cast(pl.Float64)
    )
    columns = ("precision", "right", "gap")
    return MessagePrecision(*(bootstrap_ratio(sums[name], sums["n"], generator) for name in columns))


def obfuscation_by_bin(turns: pl.DataFrame, generator: np.random.Generator) -> Mapping[int, Estimate]:
    """Returns the share of turns whose precision lies below the free one by more than 1e-9, by bin of public belief."""
    below = turns.with_columns(score=pl.col("precision") < pl.col("free") - FREE_TOLERANCE)
    return by_bin(below, "belief", "score", generator)


def by_bin(frame: pl.DataFrame, belief: str, score: str, generator: np.random.Generator) -> dict[int, Estimate]:
    """Returns the mean score of the rows in each bin that holds any; rollouts are resampled, not rows.

    Args:
        frame: Rows with a column `rollout`.
        belief: Column that says the bin.
        score: Column of the scores.
        generator: Source of the bootstrap draws.
    """
    bins = pl.Series("bin", [bin_of(b) for b in frame[belief]], dtype=pl.Int64)
    sums = (
        frame.with_columns(bins)
        .group_by("bin", "rollout", maintain_order=True)
        .agg(top=pl.col(score).cast(pl.Float64).sum(), bottom=pl.len())
    )
    parts = ((i, sums.filter(pl.col("bin") == i)) for i in range(N_BINS))
    return {i: bootstrap_ratio(part["top"], part["bottom"], generator) for i, part in parts if len(part)}


def _column(frame: pl.DataFrame, name: str) -> np.ndarray:
    return frame[name].cast(pl.Float64).to_numpy()


def _share(frame: pl.DataFrame, name: str, suffix: str = "") -> np.ndarray:
    return _column(frame, name + suffix) / _column(frame, "n_agents" + suffix)
