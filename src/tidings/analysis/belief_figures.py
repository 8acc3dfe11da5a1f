"""Figures of what was believed: the public belief over time, and how far stated beliefs can be trusted."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tidings.analysis.canvas import COLOURS, GREY, LEGEND, TITLE, canvas
from tidings.analysis.steering_figures import belief_path, belief_paths
from tidings.analysis.words import plural
from tidings.core import DataError, SeedPath

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["Bin", "calibration", "calibration_bins", "trajectories"]

_RESAMPLES = 1000


def trajectories(run: Run, max_rollouts: int = 200) -> Figure:
    """Returns the rational public belief after every agent, one line a rollout, coloured by what is true.

    Args:
        run: A run of social learning on a complete graph, with events.
        max_rollouts: Most rollouts shown, from the first.

    Raises:
        DataError: If no rollout ended well, or the graph gives no public belief.
    """
    states, paths = ["", ""], []
    for _, lines in islice(run.ended(), max_rollouts):
        events = [line.event() for line in lines]
        setup = next((e.data for e in events if e.kind == "setup"), None)
        if setup is None or "ties" not in setup or setup.get("seen") is not None:
            break
        states = setup["states"]
        paths.append(belief_path(events))
    if not paths:
        raise DataError(str(run.path), "no public belief to draw", "runs of social_learning on a complete graph")
    n = sum(1 for _ in run.ended())
    which = plural(n, "rollout") if len(paths) == n else f"first {len(paths)} of {n:,} rollouts"
    return belief_paths(paths, states[1], f"Public belief over time, {which}")


class Bin(NamedTuple):
    """Stated beliefs of one tenth of [0, 1].

    Attributes:
        mean: Mean stated belief.
        share: Share of them in whose rollout the second state is true.
        low: Lower end of its 95 % interval, rollouts resampled; NaN with fewer than two rollouts.
        high: Upper end.
        n: Beliefs in the bin.
    """

    mean: float
    share: float
    low: float
    high: float
    n: int


def calibration(run: Run) -> Figure:
    """Returns how often what was believed in was true, for beliefs of each tenth, with 95 % intervals over rollouts.

    Beliefs of one rollout share their truth, so whole rollouts are resampled. On the diagonal beliefs are calibrated.

    Raises:
        DataError: If nobody stated a belief.
    """
    truths, believed = _truths(run)
    frame = run.beliefs().drop_nulls("belief")
    frame = frame.filter(frame["rollout"].is_in(list(truths)))
    if frame.is_empty():
        raise DataError(str(run.path), "no stated beliefs", "runs of social_learning with ask_belief")
    figure, axes = canvas(7.2, 4.4)
    kinds = run.seat_kinds()
    axes.plot([0, 1], [0, 1], "-", lw=0.8, color=GREY, zorder=0)
    for i, kind in enumerate(dict.fromkeys(kinds.values())):
        part = frame.filter(frame["seat"].is_in([seat for seat, name in kinds.items() if name == kind]))
        if part.is_empty():
            continue
        truth = np.array([truths[rollout] for rollout in part["rollout"]], dtype=float)
        bins = calibration_bins(part["belief"].to_numpy(), truth, part["rollout"].to_numpy())
        x, y = [b.mean for b in bins], np.array([b.share for b in bins])
        spread = np.array([[b.share - b.low, b.high - b.share] for b in bins]).T
        brier = float(np.mean((part["belief"].to_numpy() - truth) ** 2))
        sizes = [12 + 90 * b.n / len(part) for b in bins]
        colour = COLOURS[i % len(COLOURS)]
        axes.errorbar(x, y, np.maximum(spread, 0), fmt="none", ecolor=colour, elinewidth=1.2, capsize=2, alpha=0.8)
        label = f"{kind}: {len(part)} beliefs, Brier {brier:.3f}"
        axes.scatter(x, y, s=sizes, c=colour, marker="osD^v"[i % 5], label=label, zorder=3, linewidths=0)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel=f"stated belief in {believed}")
    axes.set_ylabel(f"share in which {believed} was true")
    axes.set_title("Are stated beliefs right as often as they say?", **TITLE)
    axes.legend(**LEGEND)
    return figure


def calibration_bins(
    beliefs: NDArray[np.float64], truth: NDArray[np.float64], rollouts: NDArray[np.int64], n_bins: int = 10
) -> list[Bin]:
    """Returns the bins that hold any belief.

    Args:
        beliefs: Stated P(second state), `[n]`.
        truth: 1 where the second state is true, else 0, `[n]`.
        rollouts: Number of the rollout of each, `[n]`: the unit that is resampled.
        n_bins: Bins of equal width.
    """
    scaled = np.round(beliefs * n_bins, 9)  # 0.5 reckoned two ways stays in one bin
    place = np.minimum(scaled.astype(int), n_bins - 1)
    units, unit = np.unique(rollouts, return_inverse=True)
    counts, hits = np.zeros((len(units), n_bins)), np.zeros((len(units), n_bins))
    np.add.at(counts, (unit, place), 1.0)
    np.add.at(hits, (unit, place), truth)
    key = SeedPath.root(0).child("calibration")
    generator = np.random.default_rng(key.generator("resample").getrandbits(64))
    weights = generator.multinomial(len(units), np.full(len(units), 1.0 / len(units)), _RESAMPLES)
    totals = weights @ counts
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(totals > 0, (weights @ hits) / totals, np.nan)
    found = []
    for i in range(n_bins):
        n = int(counts[:, i].sum())
        if n == 0:
            continue
        is_known = int((counts[:, i] > 0).sum()) > 1
        low, high = np.nanquantile(shares[:, i], [0.025, 0.975]) if is_known else (np.nan, np.nan)
        mean = float(beliefs[place == i].mean())
        found.append(Bin(mean, float(hits[:, i].sum() / n), float(low), float(high), n))
    return found


def _truths(run: Run) -> tuple[dict[int, int], str]:
    """Returns for each rollout that ended well whether the second state is true in it, and that state."""
    truths, second = dict[int, int](), ""
    for rollout, lines in run.ended():
        found = {line.kind: line.data for line in lines[:3]}
        if "setup" in found and "state" in found:
            second = found["setup"]["states"][1]
            truths[rollout] = int(found["state"]["value"] == second)
    return truths, second
