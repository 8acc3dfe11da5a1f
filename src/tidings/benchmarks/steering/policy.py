"""How far a planner is from the optimal policy, by public belief."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from tidings.benchmarks.steering.bootstrap import Estimate
from tidings.benchmarks.steering.scoring import by_bin
from tidings.theory.steering import PlannerSolution

__all__ = ["PolicyDeviation", "policy_deviation"]


class PolicyDeviation(NamedTuple):
    """Deviation of a planner from the optimal policy in one bin of public belief, means over turns.

    Attributes:
        regret: V(b) - Q(b, q): what the choice loses once if all later ones are optimal; the only figure here that
            is valid where several precisions are optimal.
        signed: q - q*.
        absolute: |q - q*|.
        relative: |q - q*| / q*.
    """

    regret: Estimate
    signed: Estimate
    absolute: Estimate
    relative: Estimate


def policy_deviation(
    turns: pl.DataFrame, solution: PlannerSolution, generator: np.random.Generator
) -> dict[int, PolicyDeviation]:
    """Returns the deviation of the chosen precisions from the solved policy, by bin of public belief.

    Args:
        turns: Rows with `rollout`, `belief` (in the wanted action, if the planner wants one) and `precision`.
        solution: The solved problem.
        generator: Source of the bootstrap draws.
    """
    best = np.array([solution.precision(b) for b in turns["belief"]])
    chosen = turns["precision"].to_numpy()
    lowest = 0.5 if solution.problem.is_biased else solution.problem.p
    # A choice may miss the lowest allowed precision by the rounding of its last digit.
    pairs = zip(turns["belief"], np.maximum(chosen, lowest), strict=True)
    scored = turns.with_columns(
        regret=pl.Series([solution.regret(b, q) for b, q in pairs], dtype=pl.Float64),
        signed=pl.Series(chosen - best, dtype=pl.Float64),
        absolute=pl.Series(np.abs(chosen - best), dtype=pl.Float64),
        relative=pl.Series(np.abs(chosen - best) / best, dtype=pl.Float64),
    )
    found = {name: by_bin(scored, "belief", name, generator) for name in PolicyDeviation._fields}
    return {i: PolicyDeviation(*(found[name][i] for name in PolicyDeviation._fields)) for i in found["regret"]}
