"""The experiments as data: which planner steers whom, at what price, and towards what.

A cell is one scenario with its baseline (`none`, the free precision) on the same seeds, so that every difference is
paired. Settings: `analytical` (Bayesian agents), `hybrid` (planners of the theory, language-model agents), `llm` (a
language model plans for language-model agents).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

from tidings.core import RequestError
from tidings.spec.io import make_scenario
from tidings.spec.scenario import Scenario

__all__ = ["Agents", "Cell", "Control", "Grid", "Oracle", "Setting", "Situation", "Task"]

Setting = Literal["analytical", "hybrid", "llm"]
Task = Literal["altruistic", "aligned", "misaligned"]
Agents = Literal["bayesian", "llm", "mixed"]
Oracle = Literal["numeric", "text"]
Situation = Literal["classic", "cycle", "small world", "three states", "by seat"]

_GRAPHS: dict[str, dict[str, Any]] = {
    "cycle": {"kind": "cycle"},
    "small world": {"kind": "watts_strogatz", "k": 4, "p": 0.2},
}

_STORY = (
    "A used car is for sale. It is either G (a good car, worth its price) or B (a bad car). People decide one after "
    "another whether it is G or B; each reads a private report on it and sees what those before decided."
)

_SHEET = {
    "G": [
        "The engine starts at once in the cold.",
        "The brakes were renewed last spring.",
        "Its papers show every service.",
        "The tyres have most of their tread.",
        "The clutch takes without a jerk.",
    ],
    "B": [
        "The left door shuts only with force.",
        "There is rust under the rear seat.",
        "The radio fails when it rains.",
        "A warning lamp stays lit for minutes.",
        "The paint has faded on the roof.",
    ],
}
"""Statements that are all true of this car; some speak for it and some against."""

_STATES = {"altruistic": None, "aligned": "G", "misaligned": "B"}
"""The true state of each task: drawn, or fixed to (or against) what the biased planner wants, which is G."""


@dataclass(frozen=True)
class Control:
    """What control of precision costs.

    Attributes:
        p: Free precision.
        k: Weight of the cost.
        delta: Discount factor per agent.
        cost_kind: Shape of the cost.
    """

    p: float = 0.7
    k: float = 0.5
    delta: float = 0.9
    cost_kind: str = "linear"


@dataclass(frozen=True)
class Cell:
    """One experiment.

    Attributes:
        setting: Who plans and who decides.
        task: `altruistic` (state drawn), or a planner that wants G where G is true (`aligned`) or B (`misaligned`).
        planner: Kind of planner; `none` is the baseline.
        control: What control costs.
        agents: Who decides; `mixed` puts language models in the first half of the line.
        n_agents: Length of the line.
        n_rollouts: Rollouts behind the outcomes.
        n_detailed: The first so many are also logged turn by turn; 0 if all are.
        seed: Seed of the run.
        model: Language model as `provider/model`; needed where one sits.
        oracle: Whether a signal is told as what it is or as a message of true statements.
        world: `classic`, or an extension: who sees whom, three states, precisions and losses that differ by seat.
    """

    setting: Setting
    task: Task
    planner: str
    control: Control
    agents: Agents = "bayesian"
    n_agents: int = 20
    n_rollouts: int = 10_000
    n_detailed: int = 60
    seed: int = 0
    model: str | None = None
    oracle: Oracle = "numeric"
    world: Situation = "classic"

    def scenario(self, planner: str | None = None, *, is_detailed: bool) -> Scenario:
        """Returns the scenario of this cell.

        Args:
            planner: Another kind of planner for the same cell.
            is_detailed: Whether to log every turn (of `n_detailed` rollouts, if that is not 0).

        Raises:
            ScenarioError: If it is not valid.
            RequestError: If it needs a model and none is named.
        """
        kind = planner or self.planner
        if self.model is None and (self.agents != "bayesian" or kind == "llm"):
            raise RequestError("--model", "none given", f"the {self.setting} setting needs provider/model", "--model X")
        environment = self._environment()
        state = _STATES[self.task]
        count = (self.n_detailed or self.n_rollouts) if is_detailed else self.n_rollouts
        return make_scenario(
            {
                "name": f"{self.setting}-{self.task}-{kind}",
                "graph": _GRAPHS.get(self.world, {"kind": "complete"}) | {"n": self.n_agents},
                "agents": self._agents(),
                "environment": environment | ({"state": state} if state else {}),
                "planner": self._planner(kind),
                "models": {"m": {"use": self.model}} if self.model else {},
                "rollouts": {"count": count, "seed": self.seed, "log": "full" if is_detailed else "summary"},
            }
        )

    def _environment(self) -> dict[str, Any]:
        p, seats = self.control.p, [f"a{i}" for i in range(self.n_agents)]
        if self.world == "three states":
            return {"kind": "many_states", "states": ["B", "G", "R"], "precision": p}
        environment: dict[str, Any] = {"kind": "social_learning", "prior": 0.5, "ties": "own_signal"}
        if self.oracle == "text":
            environment |= {"story": _STORY, "fact_sheet": {"statements": _SHEET}}
        if self.world == "by seat":
            losses = {seat: 2.0 if i % 3 == 0 else 1.0 for i, seat in enumerate(seats)}
            precisions = {seat: min(1.0, p + 0.15) if i % 4 == 3 else p for i, seat in enumerate(seats)}
            return environment | {"loss_false_good": losses, "precision": precisions}
        return environment | {"precision": p}

    def _agents(self) -> list[dict[str, Any]]:
        rational = {"kind": "bayesian", "nodes": "rest"}
        if self.agents == "bayesian":
            return [rational]
        asked = {"kind": "llm", "model": "m", "temperature": 1.0}
        if self.agents == "llm":
            return [asked | {"nodes": "rest"}]
        return [asked | {"count": self.n_agents // 2}, rational]

    def _planner(self, kind: str) -> dict[str, Any]:
        if kind == "none":
            return {"kind": "none"}
        control = self.control
        declared: dict[str, Any] = {
            "kind": kind,
            "delta": control.delta,
            "cost": {"kind": control.cost_kind, "weight": control.k},
        }
        if self.task != "altruistic":
            declared |= {"objective": "biased", "target": "G"}
        extra = {"constant": {"precision": (1.0 + control.p) / 2.0}, "llm": {"model": "m"}}
        return declared | extra.get(kind, {})


@dataclass(frozen=True)
class Grid:
    """Cells that differ in planner, task and control, and are otherwise alike.

    Attributes:
        base: A cell that says all the rest.
        planners: Kinds of planner.
        tasks: Tasks.
        controls: What control costs.
        agents: Who decides.
    """

    base: Cell
    planners: tuple[str, ...]
    tasks: tuple[Task, ...] = ("altruistic", "aligned", "misaligned")
    controls: tuple[Control, ...] = (Control(),)
    agents: tuple[Agents, ...] = ("bayesian",)

    def cells(self) -> Iterator[Cell]:
        """Yields the cells, planners innermost."""
        b = self.base
        for control, task, agents, planner in product(self.controls, self.tasks, self.agents, self.planners):
            yield replace(b, task=task, planner=planner, control=control, agents=agents)
