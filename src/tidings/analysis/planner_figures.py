"""What a planner chose, against what would have been optimal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from tidings.analysis.canvas import BLUE, GREY, LEGEND, ORANGE, TITLE, canvas
from tidings.core import DataError
from tidings.theory.herd_events import HerdBelief, follow_herd
from tidings.theory.steering import solve_planner

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["policy"]

_MOST = 5_000


def policy(run: Run) -> Figure:
    """Returns every chosen precision over the public belief, with the optimal policy where theory has one.

    Raises:
        DataError: If no planner chose anything.
    """
    setup, control, beliefs, chosen = _choices(run)
    if not chosen or setup is None:
        raise DataError(str(run.path), "no planner chose a precision", "runs of social_learning with a planner")
    figure, axes = canvas(6.4, 3.6)
    n = len(chosen)
    alpha = 0.7 if n < 200 else 0.3
    label = f"{run.scenario.planner.kind}, {n:,} choices"
    axes.plot(beliefs[:_MOST], chosen[:_MOST], "o", ms=4, mew=0, alpha=alpha, color=ORANGE, label=label)
    optimum = _optimum(setup, control or {})
    words = "no exact optimum is known for this scenario"
    if optimum is not None:
        words = "the line is optimal"
        for side in (np.linspace(0.0, 0.5, 301), np.linspace(0.5, 1.0, 301)[1:]):
            axes.plot(side, [optimum(float(b)) for b in side], color=BLUE, lw=1.8)
        axes.plot([], [], color=BLUE, lw=1.8, label="optimal policy")
    free = setup["precision"]
    if not isinstance(free, dict):
        axes.axhline(free, color=GREY, lw=0.8, ls="--", label="free precision")
    axes.set(xlim=(-0.02, 1.02), ylim=(0.48, 1.02), ylabel="precision")
    axes.set_xlabel(f"public belief in {setup['states'][1]}")
    axes.set_title(f"Precision by public belief: {words}", **TITLE)
    axes.legend(**LEGEND)
    return figure


def _choices(run: Run) -> tuple[dict[str, Any] | None, dict[str, Any] | None, list[float], list[float]]:
    """Returns the opening, the planner's task, and belief and precision of every choice."""
    setup: dict[str, Any] | None = None
    control: dict[str, Any] | None = None
    beliefs, chosen = list[float](), list[float]()
    for _, lines in run.rollout_lines():
        herd = HerdBelief()
        for line in lines:
            if line.kind == "control":
                control = line.data
            if line.kind == "precision" and herd.setup is not None:
                setup = herd.setup
                beliefs.append(herd.belief)
                chosen.append(line.data["precision"])
            herd = follow_herd(herd, line.event())
    return setup, control, beliefs, chosen


def _optimum(setup: dict[str, Any], control: dict[str, Any]) -> Any:
    """Returns the optimal precision as a function of belief; None where the exact theory does not apply."""
    is_classic = setup["seen"] is None and setup["ties"] == "own_signal" and setup["threshold"] == 0.5
    if not is_classic or isinstance(setup["precision"], dict) or control.get("delta") is None:
        return None
    if control.get("budget") is not None:
        return None
    cost = control["cost"]
    try:
        price = (cost["kind"], cost["weight"], control["delta"], control["error_cost"])
        solution = solve_planner(control["objective"], setup["precision"], *price)
    except ValueError:
        return None
    is_mirrored = control["objective"] == "biased" and control["target"] == setup["states"][0]
    return lambda b: solution.precision(1.0 - b if is_mirrored else b)
