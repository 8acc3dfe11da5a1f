"""What all figures share: palette, axes without clutter, and SVG that is the same bytes for the same figure."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "COLOURS",
    "GREEN",
    "GREY",
    "INK",
    "LEGEND",
    "ORANGE",
    "PINK",
    "TITLE",
    "canvas",
    "plain",
    "side",
    "to_svg",
]

BLUE, ORANGE, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#8A8F98", "#22252A"
"""Okabe and Ito's palette, safe for colour-blind readers."""

PINK = "#CC79A7"

COLOURS = (BLUE, ORANGE, GREEN, PINK, "#E69F00", "#56B4E9", GREY)
"""For series, in this order; tell more than seven apart by something else."""

TITLE = {"loc": "left", "fontsize": 10, "color": INK}
"""How every heading of a figure stands."""


LEGEND = {"frameon": False, "fontsize": 8, "loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
"""Where every legend stands: beside the axes, where it hides nothing."""


def canvas(width: float = 6.4, height: float = 3.4) -> tuple[Figure, Axes]:
    """Returns a figure of this size in inches with one plain pair of axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    plain((axes,))
    return figure, axes


def plain(all_axes: Iterable[Axes]) -> None:
    """Takes the frame away on top and right, and sets the sizes of letters."""
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8, colors=INK)
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_fontsize(9)


def side(x: float) -> str:
    """Returns how a name is aligned that stands outside a circle at `x`, so that it does not reach into it."""
    return "center" if abs(x) < 0.3 else "left" if x > 0 else "right"


def to_svg(figure: Figure) -> str:
    """Returns the figure as an SVG element, the same bytes for the same figure."""
    buffer = io.StringIO()
    # A letter that the font lacks is drawn as a box; the names stand in the text beside the figure.
    with rc_context({"svg.hashsalt": "tidings"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
