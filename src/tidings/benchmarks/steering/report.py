"""The scores of one cell beside its baseline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tidings.benchmarks.steering.bootstrap import Estimate, bootstrap_mean
from tidings.benchmarks.steering.cells import Cell
from tidings.benchmarks.steering.play import Played, play
from tidings.benchmarks.steering.policy import PolicyDeviation, policy_deviation
from tidings.benchmarks.steering.scoring import (
    MessagePrecision,
    discounted_welfare,
    message_precision,
    obfuscation_by_bin,
    outcome_scores,
    paired_scores,
    paired_welfare,
)
from tidings.benchmarks.steering.stated_beliefs import BayesDeviation, bayes_deviation
from tidings.core import PLANNER
from tidings.simulation.compile import compile_scenario
from tidings.spec.io import check_scenario, dump_scenario, make_source
from tidings.spec.scenario import Scenario
from tidings.theory.steering import PlannerSolution

__all__ = ["CellScore", "Stage", "score_cell"]

_BASELINE = "none"


@dataclass(frozen=True)
class CellScore:
    """The scores of one cell; every figure rests on the rollouts that ended well, whose number it carries.

    Attributes:
        cell: What was played.
        n_rollouts: Rollouts asked for.
        n_failed: Rollouts that failed; they enter no figure.
        n_failed_baseline: Failed rollouts of the baseline on the same seeds.
        failures: How often each kind of failure happened.
        outcomes: As `outcome_scores`, and `discounted_welfare` over the detailed rollouts.
        paired: Differences from the baseline, as `paired_scores`, and `discounted_welfare`; empty for the baseline.
        messages: Realised against requested precision of messages, over the detailed rollouts.
        obfuscation: By bin of public belief, over the detailed rollouts; empty for the baseline and for extensions.
        policy: By bin of public belief, over the detailed rollouts; empty for the baseline and for extensions, which
            have no solved policy.
        bayes: Deviation of stated beliefs from Bayes; None for rational agents, who have none.
    """

    cell: Cell
    n_rollouts: int
    n_failed: int
    n_failed_baseline: int
    failures: dict[str, int]
    outcomes: dict[str, Estimate]
    paired: dict[str, Estimate]
    messages: MessagePrecision
    obfuscation: dict[int, Estimate]
    policy: dict[int, PolicyDeviation]
    bayes: BayesDeviation | None


class Stage:
    """Plays scenarios, each one once: cells share their baseline."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._played: dict[str, Played] = {}

    def play(self, scenario: Scenario) -> Played:
        """Returns what happened in this scenario."""
        key = dump_scenario(scenario)
        if key not in self._played:
            self._played[key] = play(scenario, self._out)
        return self._played[key]


def score_cell(cell: Cell, stage: Stage, generator: np.random.Generator) -> CellScore:
    """Plays a cell with its baseline and returns its scores.

    Args:
        cell: What to play.
        stage: Where; keeps what was played before.
        generator: Source of the bootstrap draws.

    Raises:
        RequestError: If the cell is not a valid scenario, or its model is not there.
    """
    detailed, baseline_detailed = _play_both(cell, stage, is_detailed=True)
    outcome, baseline = _play_both(cell, stage, is_detailed=False) if cell.n_detailed else (detailed, baseline_detailed)
    delta, is_controlled = cell.control.delta, cell.planner != _BASELINE
    welfare = discounted_welfare(detailed.turns, delta)["welfare"]
    outcomes = outcome_scores(outcome.rows, generator) | {"discounted_welfare": bootstrap_mean(welfare, generator)}
    paired = {}
    if is_controlled:
        paired = paired_scores(outcome.rows, baseline.rows, generator)
        paired["discounted_welfare"] = paired_welfare(detailed.turns, baseline_detailed.turns, delta, generator)
    has_theory = is_controlled and cell.world == "classic"
    return CellScore(
        cell,
        outcome.n_rollouts,
        outcome.n_failed,
        baseline.n_failed,
        outcome.failures,
        outcomes,
        paired,
        message_precision(detailed.turns, generator),
        dict(obfuscation_by_bin(detailed.turns, generator)) if has_theory else {},
        policy_deviation(detailed.turns, _solution(cell), generator) if has_theory else {},
        bayes_deviation(*_of_models(cell, detailed), generator) if cell.agents != "bayesian" else None,
    )


def _play_both(cell: Cell, stage: Stage, *, is_detailed: bool) -> tuple[Played, Played]:
    baseline = stage.play(cell.scenario(_BASELINE, is_detailed=is_detailed))
    return stage.play(cell.scenario(is_detailed=is_detailed)), baseline


def _of_models(cell: Cell, played: Played) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns the stated beliefs and turns of language models; in a mixed line they sit in its first half."""
    n = cell.n_agents // 2 if cell.agents == "mixed" else cell.n_agents
    return played.beliefs.filter(played.beliefs["position"] < n), played.turns.filter(played.turns["position"] < n)


def _solution(cell: Cell) -> PlannerSolution:
    """Returns the solved problem of a cell, from the planner `optimal` itself: solved once a process."""
    scenario = cell.scenario("optimal", is_detailed=True)
    rational = [("agents", [{"kind": "bayesian", "nodes": "rest"}]), ("models", {})]
    planner: Any = compile_scenario(check_scenario(make_source(scenario, rational))).agents[PLANNER]
    return planner.solution
