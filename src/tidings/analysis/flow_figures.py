"""Figures of information flow: how facts spread, who told whom, which way secrets leaked, what messages said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.ticker import MaxNLocator

from tidings.analysis.canvas import BLUE, COLOURS, GREEN, GREY, INK, LEGEND, ORANGE, PINK, TITLE, canvas, side
from tidings.analysis.words import plural
from tidings.core import DataError
from tidings.metrics.facts import holds

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["exposure_tree", "influence", "leak_paths", "message_bits", "spread"]

_MARKERS = "os^Dvp*"
_MOST_NAMES = 4


def spread(run: Run, max_lines: int = len(COLOURS)) -> Figure:
    """Returns the share of seats that know each fact by step, a mean over rollouts; the dotted line is one half.

    Facts that spread alike share a line.

    Args:
        run: A run whose environment declares facts.
        max_lines: Most lines drawn, in order of declaration.

    Raises:
        DataError: If no fact is declared.
    """
    facts = _facts(run)
    first = run.exposures().filter(pl.col("is_first"))
    last = max((e.step for e in run.lines() if e.kind == "message"), default=1)
    names = facts["fact"].unique(maintain_order=True).to_list()
    alike: dict[tuple[float, ...], list[str]] = {}
    for name in names:
        n = int(facts.filter(pl.col("fact") == name)["n_seats"].sum())
        heard = np.bincount(first.filter(pl.col("fact") == name)["step"], minlength=last + 1)[: last + 1]
        alike.setdefault(tuple(np.cumsum(heard) / n), []).append(name)
    drawn = list(alike.items())[: min(max_lines, len(COLOURS))]
    figure, axes = canvas(6.4, 3.4)
    for i, (shares, like) in enumerate(drawn):
        style = {"color": COLOURS[i], "marker": _MARKERS[i], "ms": 5, "lw": 1.8}
        axes.plot(range(last + 1), shares, drawstyle="steps-post", label=_named(like), **style)
    axes.axhline(0.5, color=GREY, lw=0.8, ls=":")
    axes.set(ylim=(0, 1.03), xlabel="step", ylabel="share of seats that know it")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    left_out = len(names) - sum(len(like) for _, like in drawn)
    note = f", {plural(left_out, 'more fact')} not drawn" if left_out else ""
    axes.set_title(f"How news spread ({plural(facts['rollout'].n_unique(), 'rollout')}{note})", **TITLE)
    axes.legend(**LEGEND)
    return figure


def exposure_tree(run: Run, fact: str | None = None, rollout: int = 0) -> Figure:
    """Returns who heard a fact first from whom: time to the right, owners blue, faithful green, wrong orange squares.

    Args:
        run: A run whose environment declares facts.
        fact: Which fact; the one that was told to most by default.
        rollout: Of which rollout.

    Raises:
        DataError: If there is no such fact in this rollout, or nobody told anybody one.
    """
    first = run.exposures().filter(pl.col("is_first"), pl.col("rollout") == rollout)
    known = first["fact"].unique(maintain_order=True).to_list()
    if not known or (fact is not None and fact not in known):
        raise DataError(str(run.path), f"no fact {fact!r} in rollout {rollout}", f"facts: {', '.join(known) or 'none'}")
    told = first.filter(pl.col("how") == "told")
    if fact is None and told.is_empty():
        raise DataError(str(run.path), f"nobody told anybody a fact in rollout {rollout}", "runs in which facts travel")
    name = fact or max(known, key=lambda candidate: len(told.filter(pl.col("fact") == candidate)))
    rows = {row["seat"]: row for row in first.filter(pl.col("fact") == name).iter_rows(named=True)}
    truth = next(
        row["value"] for row in run.facts().iter_rows(named=True) if (row["rollout"], row["fact"]) == (rollout, name)
    )
    lines = _lines({seat: row["parent"] for seat, row in rows.items()})
    figure, axes = canvas(6.8, 1.2 + 0.42 * len(rows))
    for seat, row in rows.items():
        here = (row["step"], lines[seat])
        if row["parent"] in rows:
            there = (rows[row["parent"]]["step"], lines[row["parent"]])
            axes.add_patch(
                FancyArrowPatch(there, here, arrowstyle="-|>", mutation_scale=9, color=GREY, shrinkA=6, shrinkB=7, lw=1)
            )
        is_right = holds(row["stated"], truth)
        colour = BLUE if row["parent"] is None else GREEN if is_right else ORANGE
        edge, width = (PINK, 2.5) if row["is_leak"] else ("white", 0.8)
        axes.plot(*here, "o" if is_right else "s", ms=11, color=colour, mec=edge, mew=width, zorder=3)
        words = seat + (" (leak)" if row["is_leak"] else "")
        axes.annotate(words, here, (9, 0), textcoords="offset points", va="center", fontsize=8, color=INK)
    last = max(row["step"] for row in rows.values())
    axes.set(yticks=[], xlabel="step", xlim=(-0.3, last + 0.9), ylim=(-0.7, len(rows) - 0.3))
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(f"Who told whom first: {name}, rollout {rollout}", **TITLE)
    return figure


def influence(run: Run) -> Figure:
    """Returns who informed whom: an arrow for each pair, as thick as the number of facts first heard that way.

    Raises:
        DataError: If nobody told anybody a fact.
    """
    told = run.exposures().filter(pl.col("is_first"), pl.col("how") == "told")
    if told.is_empty():
        raise DataError(str(run.path), "nobody told anybody a declared fact", "runs with facts and claims")
    counts = Counter(zip(told["parent"], told["seat"], strict=True))
    seats = list(run.evidence().graph.seats)
    circle = nx.circular_layout(nx.Graph([(seat, seat) for seat in seats]))
    places = {seat: (float(x), float(y)) for seat, (x, y) in circle.items()}
    most, sent = max(counts.values()), Counter(dict.fromkeys(seats, 0))
    figure, axes = canvas(5.6, 5.2)
    for (sender, recipient), n in counts.items():
        sent[sender] += n
        arrow = {
            "arrowstyle": "-|>",
            "mutation_scale": 12,
            "connectionstyle": "arc3,rad=0.12",
            "shrinkA": 12,
            "shrinkB": 13,
        }
        axes.add_patch(
            FancyArrowPatch(
                places[sender],
                places[recipient],
                color=BLUE,
                alpha=0.35 + 0.6 * n / most,
                lw=0.8 + 3.2 * n / most,
                **arrow,
            )
        )
    for seat in seats:
        x, y = places[seat]
        axes.plot(x, y, "o", ms=18, color="white", mec=INK, mew=1, zorder=3)
        axes.annotate(str(sent[seat]), (x, y), ha="center", va="center", fontsize=8, color=INK, zorder=4)
        axes.annotate(seat, (x * 1.13, y * 1.17), ha=side(x), va="center", fontsize=9, color=INK)
    axes.set(xlim=(-1.7, 1.7), ylim=(-1.35, 1.3), aspect="equal")
    axes.set_axis_off()
    axes.set_title("Who informed whom (in the circle: facts first heard from this seat)", **TITLE)
    return figure


def leak_paths(run: Run, max_paths: int = 12) -> Figure:
    """Returns the paths over which facts reached seats that may not know them, most frequent first.

    Args:
        run: A run whose environment declares facts.
        max_paths: Most paths drawn.

    Raises:
        DataError: If nothing leaked.
    """
    leaks = run.exposures().filter(pl.col("is_leak"))
    if leaks.is_empty():
        raise DataError(str(run.path), "no leaks to draw", "runs in which a fact reached a seat outside its visibility")
    counts = Counter((fact, tuple(path)) for fact, path in zip(leaks["fact"], leaks["path"], strict=True))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:max_paths]
    longest = max(len(path) for (_, path), _ in ranked)
    figure, axes = canvas(2.2 + 1.25 * longest, 0.9 + 0.5 * len(ranked))
    for y, ((fact, path), n) in enumerate(ranked):
        axes.annotate(f"{fact}, {plural(n, 'time')}", (-0.75, y), va="center", ha="right", fontsize=8, color=INK)
        for x, seat in enumerate(path):
            is_end = x + 1 == len(path)
            axes.plot(x, y, "s" if is_end else "o", ms=9, color=ORANGE if is_end else BLUE, zorder=3)
            axes.annotate(seat, (x, y), (0, 8), textcoords="offset points", ha="center", fontsize=8, color=INK)
            if x:
                axes.add_patch(
                    FancyArrowPatch(
                        (x - 1, y), (x, y), arrowstyle="-|>", mutation_scale=9, color=GREY, shrinkA=6, shrinkB=7
                    )
                )
    axes.set(xlim=(-2.2, longest - 0.5), ylim=(len(ranked) - 0.5, -0.8))
    axes.set_axis_off()
    left_out = len(counts) - len(ranked)
    note = f" ({plural(left_out, 'more path')} not drawn)" if left_out else ""
    axes.set_title(f"How secrets got out: the last seat may not know{note}", **TITLE)
    return figure


def message_bits(run: Run) -> Figure:
    """Returns how many bits each message said about its sender's private state, by step, with the mean.

    Raises:
        DataError: If the log-probabilities of messages were not measured.
    """
    rows = run.rows_beside("density")
    if rows.is_empty():
        raise DataError(
            str(run.path), "no bits of messages (rows/density.parquet)", "runs with measured log-probabilities"
        )
    figure, axes = canvas(6.4, 3.4)
    means = rows.group_by("step").agg(pl.col("bits").mean()).sort("step")
    axes.plot(rows["step"], rows["bits"], "o", ms=4, alpha=0.4, mew=0, color=BLUE, label="one message")
    axes.plot(means["step"], means["bits"], "-D", ms=5, lw=1.6, color=ORANGE, label="mean of a step")
    if (cap := rows["cap_bits"].max()) is not None:
        axes.axhline(float(str(cap)), color=GREY, ls="--", lw=0.9, label="most that can be said")
    axes.axhline(0, color=INK, lw=0.6)
    axes.set(xlabel="step", ylabel="bits about the private state")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8)
    axes.set_title("What messages said about what their senders knew", **TITLE)
    return figure


def _named(facts: Sequence[str]) -> str:
    """Returns the names for a legend, one below the other; of many the first and how many more."""
    shown = facts if len(facts) <= _MOST_NAMES else facts[: _MOST_NAMES - 1]
    more = [f"and {len(facts) - len(shown)} more"] if len(shown) < len(facts) else []
    return "\n".join([*shown, *more])


def _facts(run: Run) -> pl.DataFrame:
    facts = run.facts().filter(pl.col("owners").is_not_null())
    if facts.is_empty():
        raise DataError(str(run.path), "no declared facts to draw", "runs whose environment declares facts")
    return facts


def _lines(parent: Mapping[str, str | None]) -> dict[str, int]:
    """Returns the line of each seat, children below their parents, in the order in which they heard."""
    below: dict[str | None, list[str]] = {}
    for seat, above in parent.items():
        below.setdefault(above if above in parent else None, []).append(seat)
    lines: dict[str, int] = {}

    def place(seats: Sequence[str]) -> None:
        for seat in seats:
            if seat not in lines:
                lines[seat] = len(lines)
                place(below.get(seat, ()))

    place(below.get(None, ()))
    place(list(parent))
    return {seat: len(lines) - 1 - line for seat, line in lines.items()}
