"""New nodes where a table strays from one Bellman backup between its nodes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tidings.theory.steering.backup import Lookahead
from tidings.theory.steering.grids import Floats, ValueTable, merged_nodes, mirrored

Evaluate = Callable[[Floats], Floats]

# Of a single kink in a cell these show at least 3/4 of the height, hence the margin.
_SAMPLES = (0.5, 0.25, 0.75)
SAMPLING_MARGIN = 1.5
"""The factor from the residual sampled in each cell to a bound on the residual."""

_MAX_PIECES = 8
_MAX_CUTS = 12
# A square-root kink needs cells down to here; smaller ones drown in rounding.
_LEAST_CELL = 4e-13


@dataclass(frozen=True)
class Refinement:
    """A refined table.

    Attributes:
        table: the table with its new nodes; the old table itself if none was needed or allowed.
        residual_before: the most by which the old table was seen to stray from one backup.
        residual_after: the same for the new table.
    """

    table: ValueTable
    residual_before: float
    residual_after: float


def refined(
    lookahead: Lookahead, table: ValueTable, target: float, n_max: int, residual_range: float = np.inf
) -> Refinement:
    """Return the table with nodes added where it strays from one backup.

    New nodes get their backed-up values, and new cells are checked and cut again with the same lookahead, so that
    kinks are pinned down at once.

    Args:
        lookahead: gives the backup.
        table: the function to refine, whose node values are already backed up.
        target: residual that needs no more nodes.
        n_max: about the most nodes on a side.
        residual_range: leave also residuals that are this many times smaller than the largest.
    """

    def on_left(b: Floats) -> Floats:
        return lookahead.backup(b, np.zeros(b.size, bool))[0]

    def on_right(b: Floats) -> Floats:
        return lookahead.backup(b, np.ones(b.size, bool))[0] - table.taken_out(b)

    limits = (target, n_max, residual_range)
    left = _refined_side(on_left, table.left, table.left_values, *limits)
    if not lookahead.problem.is_biased:
        right = _Side(mirrored(left.nodes), left.values[::-1], 0.0, 0.0)
    else:
        right = _refined_side(on_right, table.right, table.right_values - table.taken_out(table.right), *limits)
        right = replace(right, values=right.values + table.taken_out(right.nodes))
    before, after = max(left.before, right.before), max(left.after, right.after)
    if left.nodes.size == table.left.size and right.nodes.size == table.right.size:
        return Refinement(table, before, after)
    finer = replace(table, left=left.nodes, left_values=left.values, right=right.nodes, right_values=right.values)
    return Refinement(finer, before, after)


@dataclass(frozen=True)
class _Side:
    nodes: Floats
    values: Floats
    before: float
    after: float


def _refined_side(
    evaluate: Evaluate, nodes: Floats, values: Floats, target: float, n_max: int, residual_range: float
) -> _Side:
    residual = _sampled(evaluate, nodes, values, np.arange(nodes.size - 1))
    before = float(residual.max())
    is_cuttable = np.diff(nodes) >= _LEAST_CELL
    threshold = max(target, float(residual[is_cuttable].max()) / residual_range)
    for _ in range(_MAX_CUTS):
        added, threshold = _cuts(nodes, values, residual, threshold, n_max)
        merged = merged_nodes(nodes, added)
        if merged.size == nodes.size:
            break
        nodes, values, residual = _extended(evaluate, nodes, values, residual, merged)
    return _Side(nodes, values, before, float(residual.max()))


def _sampled(evaluate: Evaluate, nodes: Floats, values: Floats, cells: NDArray[np.intp]) -> Floats:
    """Return the largest distance between the function and its chord in each of the cells, [n_cells]."""
    low, width = nodes[cells], nodes[cells + 1] - nodes[cells]
    residual = np.zeros(cells.size)
    for fraction in _SAMPLES:
        chord = (1.0 - fraction) * values[cells] + fraction * values[cells + 1]
        residual = np.maximum(residual, np.abs(evaluate(low + fraction * width) - chord))
    return residual


def _extended(
    evaluate: Evaluate, nodes: Floats, values: Floats, residual: Floats, merged: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return merged nodes, values and residuals, evaluating only what is new."""
    place = np.searchsorted(merged, nodes)
    is_new = np.ones(merged.size, bool)
    is_new[place] = False
    merged_values = np.empty(merged.size)
    merged_values[place] = values
    merged_values[is_new] = evaluate(merged[is_new])
    merged_residual = np.empty(merged.size - 1)
    merged_residual[place[:-1]] = residual
    cells = np.flatnonzero(is_new[1:] | is_new[:-1])
    merged_residual[cells] = _sampled(evaluate, merged, merged_values, cells)
    return merged, merged_values, merged_residual


def _cuts(nodes: Floats, values: Floats, residual: Floats, threshold: float, n_max: int) -> tuple[Floats, float]:
    """Return the nodes to add, [n_new], and the threshold, raised if the nodes allowed do not suffice for it.

    Smooth cells are cut into enough equal pieces; where a kink may be, the point where it seems to be is added too.
    """
    # Kinks may show late, so when the nodes are spent a few more go to the worst cells.
    spare = n_max // 20 if nodes.size < n_max + n_max // 5 else 0
    pieces = _n_pieces(nodes, residual, threshold)
    while (pieces - 1).sum() > max(n_max - nodes.size, spare):
        threshold *= 1.5
        pieces = _n_pieces(nodes, residual, threshold)
    cells = np.flatnonzero(pieces > 1)
    cuts = [nodes[c] + (nodes[c + 1] - nodes[c]) * np.arange(1, pieces[c]) / pieces[c] for c in cells]
    return np.concatenate([*cuts, _kink_guesses(nodes, values, cells)]), threshold


def _n_pieces(nodes: Floats, residual: Floats, threshold: float) -> NDArray[np.int_]:
    # Halving the threshold saves a round for cells that would just miss it.
    pieces = np.ceil(np.sqrt(2.0 * residual / threshold)).clip(2, _MAX_PIECES).astype(int)
    return np.where((np.diff(nodes) >= _LEAST_CELL) & (residual > threshold), pieces, 1)


def _kink_guesses(nodes: Floats, values: Floats, cells: NDArray[np.intp]) -> Floats:
    """Return where the lines through the cells on either side meet inside each cell."""
    cells = cells[(cells >= 1) & (cells + 2 < nodes.size)]
    slope = np.diff(values) / np.diff(nodes)
    before, after = slope[cells - 1], slope[cells + 1]
    x0, x1 = nodes[cells], nodes[cells + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        meet = (values[cells + 1] - values[cells] + before * x0 - after * x1) / (before - after)
    margin = 1e-3 * (x1 - x0)
    return meet[(meet > x0 + margin) & (meet < x1 - margin)]
