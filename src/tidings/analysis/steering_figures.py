"""Figures of steering: value and policy over belief, belief paths of a run, welfare bars, deviations from the policy.

Each returns a matplotlib figure that can be saved as SVG, PNG or PDF.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from tidings.analysis.canvas import BLUE, GREEN, GREY, INK, LEGEND, ORANGE, PINK, TITLE, plain
from tidings.core import Event
from tidings.theory.herd_events import HerdBelief, follow_herd
from tidings.theory.steering import PlannerSolution

__all__ = ["belief_path", "belief_paths", "deviation_histogram", "value_and_policy", "welfare_bars"]

_N_BELIEFS = 801
_PATHS = {True: BLUE, False: ORANGE}


def value_and_policy(solution: PlannerSolution, title: str = "") -> Figure:
    """Returns the value (above) and the optimal precision (below) over the public belief.

    Beliefs where the optimal planner lets the agent ignore its signal (a cascade) are shaded. Lines are broken where
    the belief crosses 1/2, since value and policy may jump there. Below the free precision the policy is orange:
    there the planner obfuscates.
    """
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    for side in (np.linspace(0.0, 0.5, _N_BELIEFS), np.linspace(0.5, 1.0, _N_BELIEFS)[1:]):
        decisions = [solution.decision(float(b)) for b in side]
        precision = np.array([decision.precision for decision in decisions])
        top.plot(side, [decision.value for decision in decisions], color=INK, lw=1.6)
        below = precision < solution.problem.p - 1e-6
        bottom.plot(side, np.where(below, np.nan, precision), color=BLUE, lw=1.8)
        bottom.plot(side, np.where(below, precision, np.nan), color=ORANGE, lw=1.8)
        _shade((top, bottom), side, [decision.action == "cascade" for decision in decisions])
    bottom.axhline(solution.problem.p, color=GREY, lw=0.8, ls="--")
    bottom.text(0.99, solution.problem.p, "free", color=GREY, fontsize=8, ha="right", va="bottom")
    top.set_ylabel("value")
    bottom.set(ylabel="precision", xlabel="public belief in G", xlim=(0, 1), ylim=(0.48, 1.02))
    top.set_title(f"{title} (grey: cascade; orange: below the free precision)".strip(), **TITLE)
    plain((top, bottom))
    return figure


def belief_path(events: Iterable[Event]) -> tuple[str, list[float]]:
    """Returns the true state of a rollout and the public belief before the first and after every agent."""
    herd, state, beliefs = HerdBelief(), "", list[float]()
    for event in events:
        herd = follow_herd(herd, event)
        if event.kind == "state":
            state = event.data["value"]
        if event.kind in ("setup", "action"):
            beliefs.append(herd.belief)
    return state, beliefs


def belief_paths(paths: Sequence[tuple[str, Sequence[float]]], good: str = "G", title: str = "") -> Figure:
    """Returns the public belief over the order of play, one line a rollout.

    Args:
        paths: True state and beliefs of each rollout (`belief_path`).
        good: The state that belief 1 stands for; rollouts in which it is true are blue, the others orange.
        title: Heading.
    """
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for state, beliefs in paths:
        axes.step(range(len(beliefs)), beliefs, where="post", color=_PATHS[state == good], alpha=0.35, lw=1.2)
    for is_good, words in ((True, f"{good} is true"), (False, f"{good} is false")):
        axes.plot([], [], color=_PATHS[is_good], label=words)
    axes.axhline(0.5, color=GREY, lw=0.8, ls="--")
    axes.set(ylim=(-0.02, 1.02), xlabel="agents that have acted", ylabel=f"public belief in {good}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(title, **TITLE)
    axes.legend(**LEGEND)
    plain((axes,))
    return figure


def welfare_bars(groups: Mapping[str, Mapping[str, tuple[float, float, float]]], label: str, title: str = "") -> Figure:
    """Returns bars with intervals, one group of bars a task, one colour a planner.

    Args:
        groups: Task -> planner -> (value, low, high); undefined values leave their place empty.
        label: What the bars show, with its unit.
        title: Heading.
    """
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.add_subplot()
    planners = list(dict.fromkeys(name for bars in groups.values() for name in bars))
    width = 0.8 / max(len(planners), 1)
    for j, (planner, colour) in enumerate(zip(planners, _COLOURS, strict=False)):
        found = [(i, bars[planner]) for i, bars in enumerate(groups.values()) if planner in bars]
        x = [i + (j - (len(planners) - 1) / 2) * width for i, _ in found]
        value, low, high = np.array([bar for _, bar in found], dtype=float).T
        axes.bar(x, value, width * 0.92, color=colour, label=planner)
        axes.errorbar(x, value, [value - low, high - value], fmt="none", ecolor=INK, elinewidth=1, capsize=2)
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_ylabel(label)
    axes.set_title(title, **TITLE)
    axes.legend(frameon=False, fontsize=8)
    plain((axes,))
    return figure


def deviation_histogram(deviations: Mapping[str, ArrayLike], title: str = "") -> Figure:
    """Returns how far chosen precisions lie from the optimal ones, q - q*, a histogram of turns for each planner.

    Args:
        deviations: Planner -> q - q* of each turn `[n_turns]`.
        title: Heading.
    """
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.add_subplot()
    edges = np.linspace(-0.525, 0.525, 22)
    for (planner, values), colour in zip(deviations.items(), _COLOURS, strict=False):
        array = np.asarray(values, dtype=float)
        weights = np.full(array.shape, 1.0 / max(array.size, 1))
        axes.hist(
            array, edges.tolist(), weights=weights, color=colour, alpha=0.6, label=f"{planner} ({array.size} turns)"
        )
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set(xlabel="precision chosen minus the optimal one", ylabel="share of turns")
    axes.set_title(title, **TITLE)
    axes.legend(frameon=False, fontsize=8)
    plain((axes,))
    return figure


_COLOURS = (GREY, BLUE, GREEN, ORANGE, PINK)


def _shade(all_axes: Sequence[Axes], beliefs: np.ndarray, is_cascade: Sequence[bool]) -> None:
    """Shades every run of beliefs in a cascade."""
    padded = np.concatenate([[False], is_cascade, [False]]).astype(int)
    starts, stops = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1)
    for axes in all_axes:
        for start, stop in zip(starts, stops, strict=True):
            axes.axvspan(beliefs[start], beliefs[stop - 1], color=GREY, alpha=0.18, lw=0)
