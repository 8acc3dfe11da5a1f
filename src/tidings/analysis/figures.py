"""The table of figures: name -> `module:function`. Adding one is a function in a file of your area and one line here.

A figure is `function(run, **options) -> matplotlib Figure`, which can be saved as SVG, PNG or PDF; it raises
`DataError` where the run has nothing to draw. `run.plot.<name>(**options)` finds it by this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from tidings.analysis.canvas import BLUE, GREEN, GREY, INK, ORANGE, to_svg
from tidings.core import suggest
from tidings.log.gaps import names_gaps

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["BLUE", "FIGURES", "GREEN", "GREY", "INK", "ORANGE", "Plots", "find_figure", "to_svg"]

FIGURES: Mapping[str, str] = {
    "accuracy_calls": "tidings.analysis.outcome_figures:accuracy_calls",
    "actions": "tidings.analysis.herd_figures:actions",
    "beliefs": "tidings.analysis.herd_figures:beliefs",
    "calibration": "tidings.analysis.belief_figures:calibration",
    "cascades": "tidings.analysis.herd_figures:cascades",
    "correctness": "tidings.analysis.herd_figures:correctness",
    "cost": "tidings.analysis.outcome_figures:cost",
    "graph": "tidings.analysis.graph_figures:graph",
    "rounds": "tidings.analysis.deliberation_figures:rounds",
    "spread": "tidings.analysis.flow_figures:spread",
    "exposure_tree": "tidings.analysis.flow_figures:exposure_tree",
    "influence": "tidings.analysis.flow_figures:influence",
    "leak_paths": "tidings.analysis.flow_figures:leak_paths",
    "message_bits": "tidings.analysis.flow_figures:message_bits",
    "policy": "tidings.analysis.planner_figures:policy",
    "trajectories": "tidings.analysis.belief_figures:trajectories",
    "welfare": "tidings.analysis.outcome_figures:welfare",
}


def find_figure(name: str) -> Callable[..., Figure]:
    """Returns the function that draws a figure of the table.

    Raises:
        AttributeError: If there is none of that name.
    """
    if name not in FIGURES:
        hint = suggest(name, FIGURES)
        raise AttributeError(f"no figure {name!r}; {hint or 'allowed: ' + ', '.join(FIGURES)}")
    module, _, function = FIGURES[name].partition(":")
    return getattr(import_module(module), function)


class Plots:
    """The figures of one run: `run.plot.<figure>(**options)`; `dir(run.plot)` lists them."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getattr__(self, name: str) -> Callable[..., Figure]:
        if name.startswith("_"):
            raise AttributeError(name)
        function = find_figure(name)
        bound = partial(names_gaps(function), self._run)
        bound.__doc__ = function.__doc__
        return bound

    def __dir__(self) -> list[str]:
        return sorted(FIGURES)
