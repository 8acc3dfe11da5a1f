"""The social graph of a run as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from tidings.analysis.canvas import BLUE, COLOURS, GREY, INK, LEGEND, TITLE, canvas, side
from tidings.analysis.words import plural

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["graph"]

_DRAWN = 300
_NAMED = 30
_ROUND = 40
_MARKERS = "osD^vPX"


def graph(run: Run) -> Figure:
    """Returns who can hear whom, each seat in the colour and shape of its kind; a large graph as its degrees.

    With more than 300 seats single edges cannot be told apart; the figure then shows how many seats hear how many.
    """
    social = run.social_graph()
    return _drawing(run, social) if len(social) <= _DRAWN else _degrees(social)


def _drawing(run: Run, social: nx.Graph) -> Figure:
    figure, axes = canvas(5.2, 4.2 if len(social) > 4 else 2.8)
    is_round = _is_round(social)
    layout = nx.circular_layout(social) if is_round else nx.spring_layout(social, seed=1)
    place = {seat: (float(x), float(y)) for seat, (x, y) in layout.items()}
    ends = [(place[u], place[v]) for u, v in social.edges]
    lines = LineCollection(ends, colors=GREY, linewidths=0.8, alpha=0.5 if len(ends) < 200 else 0.2, zorder=1)
    axes.add_collection(lines)
    kinds = run.seat_kinds()
    for i, kind in enumerate(dict.fromkeys(kinds.values())):
        points = np.array([place[seat] for seat in social if kinds[seat] == kind])
        size = 90 if len(social) <= _NAMED else 22
        colour, marker = COLOURS[i % len(COLOURS)], _MARKERS[i % len(_MARKERS)]
        axes.scatter(points[:, 0], points[:, 1], s=size, c=colour, marker=marker, label=kind, zorder=2, linewidths=0)
    if len(social) <= _NAMED:
        for seat, (x, y) in place.items():
            away, across = ((9 * x, 10 * y), side(x)) if is_round else ((0, 9), "center")
            style = {"textcoords": "offset points", "ha": across, "va": "center", "fontsize": 7, "color": INK}
            axes.annotate(str(seat)[:12], (x, y), away, **style)
    if social.is_directed():
        for u, v in social.edges:
            style = {"arrowstyle": "-|>", "color": GREY, "alpha": 0.6, "shrinkA": 5, "shrinkB": 6, "lw": 0}
            axes.annotate("", place[v], place[u], arrowprops=style)
    axes.set_axis_off()
    axes.set_aspect("equal")
    if is_round:  # of few seats the limits by data alone may have no height
        axes.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3) if len(social) > 2 else (-0.4, 0.4))
    else:
        axes.margins(0.12)
    arrows = ", an arrow points to who hears" if social.is_directed() else ""
    axes.set_title(f"{plural(len(social), 'seat')}, {plural(social.number_of_edges(), 'edge')}{arrows}", **TITLE)
    axes.legend(**LEGEND)
    return figure


def _is_round(social: nx.Graph) -> bool:
    """Returns whether seats stand on a circle: if few or dense; else they are placed by springs from a fixed seed."""
    is_dense = len(social) > 1 and nx.density(social) > 0.4
    return len(social) <= _ROUND and (is_dense or len(social) <= 8)


def _degrees(social: nx.Graph) -> Figure:
    figure, axes = canvas(5.2, 3.0)
    degrees = np.array([degree for _, degree in social.degree()])
    axes.hist(degrees, bins=min(40, int(np.ptp(degrees)) + 1), color=BLUE)
    axes.set(xlabel="neighbours of a seat", ylabel="seats")
    axes.set_title(f"{len(social):,} seats, {social.number_of_edges():,} edges", **TITLE)
    return figure
