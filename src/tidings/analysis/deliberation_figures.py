"""Figures of deliberations: who read whom, round by round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tidings.analysis.canvas import BLUE, GREEN, GREY, INK, ORANGE, TITLE
from tidings.core import DataError

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["regime_map", "rounds"]

_KINDS = {"right": GREEN, "wrong": ORANGE, "unreadable": GREY, "ungraded": BLUE}
_WIDTH = 3.2


def rounds(run: Run, rollout: int = 0) -> Figure:
    """Returns the answers after each round: arrows point to who read them; psi is how near one is to the mean of all.

    A circle's size is psi, its colour whether the answer is right; beside it stands what it says. A dashed arrow
    carries what was said before the round.

    Args:
        run: A run of `deliberation`.
        rollout: Which rollout.

    Raises:
        DataError: If the run is no deliberation or has no such rollout.
    """
    if run.scenario.environment.kind != "deliberation":
        raise DataError(str(run.path), "no rounds of reading in it", "a run of deliberation")
    events = next((lines for number, lines in run.rollout_lines() if number == rollout), None)
    if events is None:
        raise DataError(str(run.path), f"no rollout {rollout} that ended well", "another rollout")
    gold, plans, ledgers = None, {}, []
    for event in events:
        if event.kind == "gold":
            gold = event.data["keys"]
        elif event.kind == "plan" and not event.data["stop"]:
            plans[event.data["round"]] = event.data
        elif event.kind == "ledger":
            ledgers.append(event.data)
    figure = Figure(figsize=(_WIDTH * len(ledgers), 3.8), layout="constrained")
    for axes, ledger in zip(np.atleast_1d(figure.subplots(1, len(ledgers))), ledgers, strict=True):
        _round(axes, ledger, plans.get(ledger["round"]), gold)
    found = {_kind(answer, gold) for ledger in ledgers for answer in ledger["answers"]}
    dots = [Line2D([], [], ls="", marker="o", color=_KINDS[kind], label=kind) for kind in _KINDS if kind in found]
    figure.legend(handles=dots, loc="outside lower left", ncols=len(_KINDS), frameon=False, fontsize=8)
    return figure


def _round(axes: Axes, ledger: dict[str, Any], plan: dict[str, Any] | None, gold: list[str] | None) -> None:
    answers = ledger["answers"]
    turn = np.pi / 2 - 2 * np.pi * np.arange(max(len(answers), 1)) / max(len(answers), 1)
    place = {a["seat"]: (np.cos(t), np.sin(t)) for a, t in zip(answers, turn[: len(answers)], strict=True)}
    for edges, style in ((plan or {}).get("edges", []), "-"), ((plan or {}).get("last_edges", []), "--"):
        for u, v in edges:
            arrow = {"arrowstyle": "-|>", "color": GREY, "lw": 1.0, "ls": style, "shrinkA": 11, "shrinkB": 12}
            axes.annotate("", place[v], place[u], arrowprops=arrow | {"connectionstyle": "arc3,rad=0.08"})
    for answer in answers:
        x, y = place[answer["seat"]]
        axes.scatter(
            [x], [y], s=60 + 340 * max(answer["psi"], 0.0), c=_KINDS[_kind(answer, gold)], zorder=3, linewidths=0
        )
        words = f"{answer['seat']}: {_said(answer)[:10]}\npsi {answer['psi']:.2f}"
        axes.annotate(words, (1.42 * x, 1.42 * y), ha="center", va="center", fontsize=7, color=INK)
    heading = "first answers" if ledger["round"] == 0 else f"round {ledger['round']}"
    axes.set_title(f"{heading}: {ledger['calls']} answers, {ledger['depth']} in a row", **TITLE)
    axes.set(xlim=(-1.8, 1.8), ylim=(-1.7, 1.7), aspect="equal")
    axes.set_axis_off()


def _said(answer: dict[str, Any]) -> str:
    return answer["key"] or (answer["reason"] or "?").replace("_", " ")


def _kind(answer: dict[str, Any], gold: list[str] | None) -> str:
    if answer["key"] is None:
        return "unreadable"
    if gold is None:
        return "ungraded"
    return "right" if answer["key"] in gold else "wrong"


def regime_map(cells: Mapping[tuple[float, float], Mapping[str, Any]], methods: Sequence[str], control: str) -> Figure:
    """Returns for each method a map of its accuracy less that of the control, in points.

    Args:
        cells: (share of errors that coincide, chance to be right) -> method -> `theory.regimes.Accuracy`.
        methods: What is drawn, one panel each.
        control: What is subtracted.
    """
    shares, chances = sorted({share for share, _ in cells}), sorted({p for _, p in cells})
    figure = Figure(figsize=(3.0 * len(methods) + 0.8, 3.0), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(methods), sharey=True))
    image = None
    for axes, method in zip(panels, methods, strict=True):
        points = np.array(
            [[100 * (cells[s, p][method].mean - cells[s, p][control].mean) for p in chances] for s in shares]
        )
        image = axes.imshow(points, cmap="RdBu", vmin=-40, vmax=40, aspect="auto", origin="lower")
        for (row, column), value in np.ndenumerate(points):
            axes.text(
                column,
                row,
                f"{value:+.0f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if abs(value) > 20 else INK,
            )
        axes.set_xticks(range(len(chances)), [f"{p:g}" for p in chances])
        axes.set_yticks(range(len(shares)), [f"{s:g}" for s in shares])
        axes.tick_params(labelsize=8, length=0)
        axes.set_xlabel("chance to be right", fontsize=9)
        axes.set_title(method.replace("_", " "), **TITLE)
    panels[0].set_ylabel("share of errors that coincide", fontsize=9)
    if image is not None:
        figure.colorbar(image, ax=list(panels), label=f"points less {control.replace('_', ' ')}")
    return figure
