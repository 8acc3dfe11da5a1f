"""Makes the pictures of `docs/steering.md` from the solver and from runs of the suites' own cells."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tidings.analysis.run import load_run
from tidings.analysis.steering_figures import (
    belief_path,
    belief_paths,
    deviation_histogram,
    value_and_policy,
    welfare_bars,
)
from tidings.benchmarks.steering import Cell, Control, Grid
from tidings.benchmarks.steering.play import play
from tidings.benchmarks.steering.suite import score_cells
from tidings.core import Event
from tidings.theory.steering import solve_planner

__all__ = ["draw_steering"]

DEAR = Control(k=2.0)


def draw_steering(images: Path, runs: Path) -> None:
    """Writes `steering-*.png` under `images`; run folders go under `runs`."""
    biased = solve_planner("biased", 0.7, "linear", 2.0, 0.9)
    pictures = {
        "counterexample": value_and_policy(
            solve_planner("altruistic", 0.9, "linear", 2.0, 0.9), "Altruistic, p = 0.9, k = 2"
        ),
        "biased": value_and_policy(biased, "Wants G, p = 0.7, k = 2"),
    }
    cell = Cell("analytical", "misaligned", "optimal", DEAR, n_agents=20, n_rollouts=60, n_detailed=0)
    played = play(cell.scenario(is_detailed=True), runs)
    pictures["paths"] = belief_paths(_paths(played.folder), title="A planner that wants G, while B is true")
    myopic = play(cell.scenario("myopic", is_detailed=True), runs).turns
    away = myopic["precision"].to_numpy() - np.array([biased.precision(b) for b in myopic["belief"]])
    pictures["deviation"] = deviation_histogram({"myopic": away}, "The myopic planner against the optimal policy")
    base = Cell("analytical", "altruistic", "none", DEAR)
    grid = Grid(base, ("constant", "myopic", "optimal"), controls=(DEAR,))
    groups: dict[str, dict[str, tuple[float, float, float]]] = {}
    for score in score_cells("pictures", tuple(grid.cells()), runs).scores:
        groups.setdefault(score.cell.task, {})[score.cell.planner] = score.paired["p_correct"][:3]
    pictures["welfare"] = welfare_bars(groups, "P(correct) minus no control", "p = 0.7, k = 2, delta = 0.9, 20 agents")
    for name, figure in pictures.items():
        figure.savefig(images / f"steering-{name}.png", dpi=144)


def _paths(folder: Path) -> list[tuple[str, list[float]]]:
    """Returns the belief path of every rollout of a run."""
    rollouts: dict[int, list[Event]] = {}
    for row in load_run(folder).events().iter_rows(named=True):
        event = Event(row["kind"], tuple(row["audience"]), json.loads(row["data"]), row["seat"])
        rollouts.setdefault(row["rollout"], []).append(event)
    return [belief_path(events) for events in rollouts.values()]
