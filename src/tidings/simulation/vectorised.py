"""The fast path: whole arrays of rollouts at once where every seat is rational and the public belief is common.

It is taken when the result is provably that of the step-by-step path, draw for draw: social learning on a complete
graph, all seats `bayesian`, and a planner (if any) whose precision is a function of the public belief and the position.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidings.agents.bayesian import BayesianAgent
from tidings.core import PLANNER
from tidings.environments.precision_control import PrecisionControl
from tidings.environments.social_learning import SocialLearning
from tidings.metrics.herd import HERD_COLUMNS, total_loss
from tidings.simulation.compile import Compiled
from tidings.theory.herding import HerdModel, HerdRollouts, simulate_herds

__all__ = ["HerdPlan", "plan_herds"]


@dataclass(frozen=True)
class HerdPlan:
    """How to play a compiled scenario as arrays.

    Attributes:
        compiled: The scenario.
        order: Seats in order of play.
        policy: (public belief, position) -> precision.
        free: Position -> the precision that costs nothing.
        is_stationary: Whether the policy ignores the position.
    """

    compiled: Compiled
    order: tuple[str, ...]
    policy: Callable[[float, int], float]
    free: Callable[[int], float]
    is_stationary: bool

    def rows(self, rollouts: NDArray[np.int64]) -> pl.DataFrame:
        """Returns one row a rollout, equal to `herd_row` of the events that the step-by-step path would log.

        Args:
            rollouts: Numbers of the rollouts `[n_rollouts]`.
        """
        environment = self.compiled.environment
        assert isinstance(environment, SocialLearning)
        params, n, threshold = environment.params, len(self.order), environment.threshold
        assert not isinstance(threshold, dict)
        steps = range(2, 2 * n + 2, 2) if environment.has_planner else range(1, n + 1)
        model = HerdModel(
            n,
            self.policy,
            params.prior,
            params.ties,
            threshold,
            discount=self._discount,
            cost=self._cost,
            free=self.free,
            is_stationary=self.is_stationary,
            state=params.states.index(params.state) if params.state else None,
        )
        herds = simulate_herds(model, self.compiled.seed_root, rollouts, self.order, steps)
        n_correct = np.where(herds.state == 1, herds.n_good, n - herds.n_good)
        false_good = np.where(herds.state == 1, 0, herds.n_good)
        loss = total_loss(threshold, false_good, n - n_correct)
        columns = {
            "state": np.array(params.states, dtype=object)[herds.state],
            "n_agents": np.full(n_correct.shape, n),
            "n_good": herds.n_good,
            "n_correct": n_correct,
            "first_cascade": pl.Series(herds.first_cascade).replace(-1, None),
            "last_correct": herds.last_action == herds.state,
            "belief": herds.belief,
            "off_path": np.zeros(n_correct.shape, dtype=np.int64),
            "loss": loss,
            "cost": herds.cost,
            "n_below": herds.n_below,
            "reward": self._reward(herds),
        }
        frame = pl.DataFrame({name: columns[name] for name in HERD_COLUMNS})
        return frame.insert_column(0, pl.Series("rollout", rollouts))

    @property
    def _control(self) -> PrecisionControl | None:
        environment = self.compiled.environment
        assert isinstance(environment, SocialLearning)
        return environment.control

    @property
    def _discount(self) -> float:
        return 1.0 if self._control is None or self._control.delta is None else self._control.delta

    def _cost(self, precision: float, position: int) -> float:
        return 0.0 if self._control is None else self._control.cost.of(precision - self.free(position))

    def _reward(self, herds: HerdRollouts) -> pl.Series:
        control = self._control
        if control is None:
            return pl.Series([None] * len(herds.state), dtype=pl.Float64)
        total = sum(self._discount**i for i in range(herds.n_agents))
        wanted = herds.discounted_correct
        if control.target is not None:
            is_good = control.target == control.states[1]
            wanted = herds.discounted_good if is_good else total - herds.discounted_good
        return pl.Series(-herds.discounted_cost - control.error_cost * (total - wanted))


def plan_herds(compiled: Compiled) -> HerdPlan | None:
    """Returns how to play the scenario as arrays, or None if it must be played step by step."""
    environment = compiled.environment
    if not isinstance(environment, SocialLearning) or not environment.graph.is_complete:
        return None
    params = environment.params
    planner = compiled.agents.get(PLANNER)
    policy = getattr(planner, "precision", None)
    if planner is not None and policy is None:
        return None
    if not all(isinstance(agent, BayesianAgent) for seat, agent in compiled.agents.items() if seat != PLANNER):
        return None
    if isinstance(environment.threshold, dict):
        return None
    if params.order == "random" and (params.ties == "coin" or isinstance(params.precision, dict)):
        return None
    if environment.control and environment.control.budget is not None:
        return None
    order = environment.given_order()[: params.horizon]
    baseline = params.precision
    by_position = [baseline[seat] if isinstance(baseline, dict) else baseline for seat in order]
    is_even = not isinstance(baseline, dict)
    if policy is None:
        return HerdPlan(compiled, order, lambda _, position: by_position[position], by_position.__getitem__, is_even)
    is_stationary = is_even and getattr(planner, "is_stationary", False)
    return HerdPlan(compiled, order, policy, by_position.__getitem__, is_stationary)
