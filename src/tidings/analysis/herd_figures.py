"""Figures of social learning: who did what, who was right, what was believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tidings.analysis.canvas import BLUE, COLOURS, GREY, LEGEND, ORANGE, TITLE, canvas
from tidings.analysis.words import plural
from tidings.core import DataError, Event
from tidings.metrics.result import share_result
from tidings.theory.herd_events import HerdBelief, follow_herd, places_of

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["actions", "beliefs", "cascades", "correctness"]


def actions(run: Run, max_rollouts: int = 60) -> Figure:
    """Returns a map of who did what: one line a rollout, one cell an agent, right actions blue, wrong ones orange.

    Args:
        run: A run of social learning with events.
        max_rollouts: Most rollouts shown, from the first.

    Raises:
        DataError: If no rollout ended well.
    """
    found, labels = _correct(run, max_rollouts)
    cells = [[np.nan if right is None else float(right) for right in row] for row in found]
    return _map(cells, labels, (ORANGE, BLUE), f"decisions{_first(run, cells)}")


def cascades(run: Run, max_rollouts: int = 60) -> Figure:
    """Returns a map of decisions, right ones blue and wrong ones orange, strong where a cascade was on.

    In a cascade the agent's hint could not matter to a rational observer of all actions. On a graph that is not
    complete there is no such observer, and all cells are pale.

    Args:
        run: A run of social learning with events.
        max_rollouts: Most rollouts shown, from the first.

    Raises:
        DataError: If no rollout ended well.
    """
    labels = {rollout: f"{rollout}: {state}" for rollout, state, _ in _decided(run, max_rollouts)}
    labelled = (lines for rollout, lines in run.ended() if rollout in labels)  # of a run that goes on, more have ended
    cells = [_cascade_cells(line.event() for line in lines) for lines in islice(labelled, len(labels))]
    colours = (ORANGE, "#F3C9AE", "#A9CFE6", BLUE)
    return _map(
        cells, list(labels.values()), colours, f"decisions, strong in a cascade, pale before{_first(run, cells)}"
    )


def _first(run: Run, cells: list[Any]) -> str:
    """Returns how many of all rollouts that ended well are drawn, where not all of them are."""
    n = sum(1 for _ in run.ended())
    return f" (first {len(cells)} of {n:,} rollouts)" if len(cells) < n else ""


def _cascade_cells(events: Iterable[Event]) -> list[float]:
    """Returns for each place 0 (wrong, in a cascade), 1/3 (wrong), 2/3 (right), 1 (right, in a cascade), NaN (none)."""
    herd, truth, cells = HerdBelief(), "", dict[str | None, float]()
    for event in events:
        herd = follow_herd(herd, event)
        if event.kind == "setup":
            cells = dict.fromkeys(places_of(event.data), np.nan)
        elif event.kind == "state":
            truth = event.data["value"]
        elif event.kind == "action" and herd.setup is not None:
            is_cascade = herd.ignored and herd.setup["seen"] is None
            strength = (1 + 2 * is_cascade) / 6
            cells[event.seat] = 0.5 + strength if event.data["action"] == truth else 0.5 - strength
    return list(cells.values())


def _map(cells: list[list[float]], labels: list[str], colours: Sequence[str], words: str) -> Figure:
    """Returns one line of cells a rollout; values from 0 to 1 lead to the colours in order."""
    figure, axes = canvas(7.2, 0.9 + 0.2 * len(cells))
    image = np.full((len(cells), max(map(len, cells), default=1)), np.nan)
    for i, row in enumerate(cells):
        image[i, : len(row)] = row
    scale = ListedColormap(list(colours)).with_extremes(bad="#FFFFFF00")
    axes.imshow(image, cmap=scale, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set_xticks(np.arange(-0.5, image.shape[1]), minor=True)
    axes.set_yticks(np.arange(-0.5, image.shape[0]), minor=True)
    axes.grid(which="minor", color="white", linewidth=1.2 if image.shape[1] <= 60 else 0.4)
    axes.tick_params(which="both", length=0)
    ticks = MaxNLocator(integer=True).tick_values(1, max(image.shape[1], 2))
    places = [int(tick) for tick in ticks if 1 <= tick <= image.shape[1]]
    axes.set_xticks([place - 1 for place in places], [str(place) for place in places])
    axes.set_yticks(range(len(cells)), labels)
    axes.set_xlabel("position in the order of play")
    axes.set_ylabel("rollout: true state")
    axes.set_title(f"Right (blue) and wrong (orange) {words}", **TITLE)
    axes.spines[:].set_visible(False)
    return figure


def beliefs(run: Run, max_rollouts: int = 60) -> Figure:
    """Returns stated beliefs against those of exact Bayes from the same view, one dot a turn.

    Args:
        run: A run of social learning with events.
        max_rollouts: Most rollouts shown, from the first.

    Raises:
        DataError: If nobody stated a belief that exact Bayes has one beside.
    """
    frame = run.beliefs().drop_nulls("bayes")
    frame = frame.filter(frame["rollout"] < max_rollouts)
    if frame.is_empty():
        raise DataError(str(run.path), "no stated beliefs to draw", "runs of social_learning with ask_belief")
    figure, axes = canvas(5.9, 4.4)
    kinds = run.seat_kinds()
    for i, kind in enumerate(dict.fromkeys(kinds.values())):  # the colours and shapes of the graph and of calibration
        seats = [seat for seat, name in kinds.items() if name == kind]
        part = frame.filter(frame["seat"].is_in(seats))
        style = {"color": COLOURS[i % len(COLOURS)], "marker": "osD^v"[i % 5], "ms": 5, "alpha": 0.6, "mew": 0}
        axes.plot(part["bayes"], part["belief"], ls="", label=kind, **style)
    axes.plot([0, 1], [0, 1], "-", lw=0.8, color=GREY, zorder=0)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="belief of exact Bayes", ylabel="stated belief")
    axes.set_title("What agents said, and what Bayes would have said", **TITLE)
    n = frame["rollout"].n_unique()
    label = f"first {n} rollouts" if any(rollout >= max_rollouts for rollout, _ in run.ended()) else None
    axes.legend(title=label, title_fontsize=8, **LEGEND)
    return figure


def correctness(run: Run) -> Figure:
    """Returns the share of right decisions by position with 95 % Wilson intervals, beside the twin where there is one.

    Raises:
        DataError: If no rollout ended well.
    """
    figure, axes = canvas(6.4, 3.2)
    cells, _ = _correct(run, None)
    _by_position(axes, cells, BLUE, "this run")
    if twin := run.twin_correct():
        _by_position(axes, twin, ORANGE, "rational twin,\nsame seeds")
    axes.set(ylim=(0, 1.03), xlabel="position in the order of play", ylabel="share of right decisions")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(**LEGEND)
    return figure


def _correct(run: Run, max_rollouts: int | None) -> tuple[list[list[bool | None]], list[str]]:
    """Returns for each rollout whether each agent was right, in order of play, and the rollout's label."""
    found = _decided(run, max_rollouts)
    return [right for _, _, right in found], [f"{rollout}: {state}" for rollout, state, _ in found]


def _decided(run: Run, max_rollouts: int | None) -> list[tuple[int, str, list[bool | None]]]:
    found = run.correct_actions()
    if not found:
        raise DataError(str(run.path), "no decisions to draw", "runs of social_learning with events")
    return found[:max_rollouts]


def _by_position(axes: Axes, cells: list[list[bool | None]], colour: str, label: str) -> None:
    longest = max(map(len, cells))
    columns = [[right for row in cells if len(row) > i and (right := row[i]) is not None] for i in range(longest)]
    shares = [share_result("p_correct", sum(column), len(column)) for column in columns]
    ends = ([getattr(share, end) for share in shares] for end in ("low", "high", "value"))
    low, high, values = ([np.nan if end is None else end for end in found] for found in ends)
    positions = range(1, longest + 1)
    axes.fill_between(positions, low, high, color=colour, alpha=0.15, lw=0)
    axes.plot(positions, values, "-o", color=colour, ms=4, lw=1.5, label=f"{label}\n({plural(len(cells), 'rollout')})")
