"""The suites: grids of cells, played and scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from tidings.benchmarks.steering.cells import Cell, Control, Grid, Setting, Situation
from tidings.benchmarks.steering.report import CellScore, Stage, score_cell
from tidings.benchmarks.steering.tables import report_json, report_text

__all__ = ["SteeringReport", "run_analytical", "run_extensions", "run_hybrid", "run_llm", "score_cells"]

_CHEAP, _DEAR = Control(k=0.5), Control(k=2.0)
_FULL = tuple(Control(p, k, delta) for p, k, delta in product((0.6, 0.7, 0.8), (0.5, 2.0, 4.0), (0.5, 0.9)))


@dataclass(frozen=True)
class SteeringReport:
    """The scores of a suite.

    Attributes:
        name: Name of the suite.
        scores: One for each cell.
    """

    name: str
    scores: tuple[CellScore, ...]

    @property
    def n_failed(self) -> int:
        """Rollouts that failed, over all cells."""
        return sum(score.n_failed for score in self.scores)

    def text(self) -> str:
        """Returns the tables as Markdown."""
        return report_text(self.name, self.scores)

    def to_json(self) -> dict[str, Any]:
        """Returns the scores as JSON values; undefined numbers are null."""
        return report_json(self.name, self.scores)


def score_cells(name: str, cells: Sequence[Cell], out: Path, seed: int = 0) -> SteeringReport:
    """Plays the cells with their baselines and returns their scores.

    Args:
        name: Name of the suite.
        cells: What to play.
        out: Folder for run folders.
        seed: Seed of the bootstrap draws.

    Raises:
        RequestError: If a cell is not a valid scenario, or its model is not there.
    """
    stage = Stage(out)
    scores = (score_cell(cell, stage, np.random.default_rng([seed, i])) for i, cell in enumerate(cells))
    return SteeringReport(name, tuple(scores))


def run_analytical(model: str | None, out: Path, *, is_full: bool) -> SteeringReport:
    """Steers Bayesian agents: planners none, constant, myopic and optimal.

    Args:
        model: Not used; no language model takes part.
        out: Folder for run folders.
        is_full: Whether to take the large grid of prices, precisions and discount factors.
    """
    controls = _FULL if is_full else (_CHEAP, _DEAR, Control(p=0.6, k=2.0), Control(k=2.0, delta=0.5))
    base = Cell("analytical", "altruistic", "none", _CHEAP)
    grid = Grid(base, ("none", "constant", "myopic", "optimal"), controls=controls)
    return score_cells("steering-analytical", tuple(grid.cells()), out)


def run_extensions(model: str | None, out: Path, *, is_full: bool) -> SteeringReport:
    """Steers Bayesian agents where no exact policy is known: graphs, three states, differences by seat.

    Args:
        model: Not used; no language model takes part.
        out: Folder for run folders.
        is_full: Whether to play many rollouts, both prices and a small world too.
    """
    size = {"n_agents": 10, "n_rollouts": 1_000 if is_full else 120, "n_detailed": 0}
    worlds: tuple[Situation, ...] = ("cycle", "three states", "by seat")
    worlds = (*worlds, "small world") if is_full else worlds
    base = replace(Cell("analytical", "altruistic", "none", _CHEAP), **size)
    controls, planners = (_CHEAP, _DEAR) if is_full else (_CHEAP,), ("none", "constant", "lookahead")
    grids = (Grid(replace(base, world=world), planners, controls=controls) for world in worlds)
    return score_cells("steering-extensions", [cell for grid in grids for cell in grid.cells()], out)


def run_hybrid(model: str | None, out: Path, *, is_full: bool) -> SteeringReport:
    """Steers language-model agents with the planners of the theory.

    Args:
        model: Language model as `provider/model`.
        out: Folder for run folders.
        is_full: Whether to take long lines, many rollouts, all tasks and mixed lines too.
    """
    base = _with_model("hybrid", model, is_full)
    if is_full:
        planners = ("none", "constant", "myopic", "optimal")
        grid = Grid(base, planners, controls=(_CHEAP, _DEAR), agents=("llm", "mixed"))
    else:
        grid = Grid(base, ("none", "optimal"), ("altruistic", "misaligned"), agents=("llm",))
    told = Grid(replace(base, oracle="text"), ("none", "optimal"), grid.tasks[:1], agents=("llm",))
    return score_cells("steering-hybrid", [*grid.cells(), *told.cells()], out)


def run_llm(model: str | None, out: Path, *, is_full: bool) -> SteeringReport:
    """Lets a language model steer language-model agents.

    Args:
        model: Language model as `provider/model`.
        out: Folder for run folders.
        is_full: Whether to take long lines, many rollouts and all tasks.
    """
    base = _with_model("llm", model, is_full)
    if is_full:
        grid = Grid(base, ("none", "llm"), controls=(_CHEAP, _DEAR), agents=("bayesian", "llm"))
    else:
        grid = Grid(base, ("none", "llm"), ("altruistic", "misaligned"), agents=("llm",))
    told = Grid(replace(base, oracle="text"), ("none", "llm"), ("misaligned",), agents=("llm",))
    return score_cells("steering-llm", [*grid.cells(), *told.cells()], out)


def _with_model(setting: Setting, model: str | None, is_full: bool) -> Cell:
    size = (20, 100) if is_full else (4, 4)
    return Cell(setting, "altruistic", "none", _CHEAP, "llm", *size, n_detailed=0, model=model)
