"""Value functions on two belief grids, one on each side of 1/2, where the value may jump."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tidings.theory.steering.costs import PrecisionCost
from tidings.theory.steering.problem import PlannerProblem

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_GEOMETRIC_STEPS = np.geomspace(1e-7, 0.05, 14)
_LEAST_GAP = 1e-13


@dataclass(frozen=True)
class FreezeValue:
    """The value -factor * beta(p-b) of holding the belief at b in [start, p] for ever (biased planner).

    A square-root cost gives it an infinite slope at p, times 1/(1-delta): no grid is fine enough for that, so it is
    taken out before interpolation. It is constant below the start and 0 above p, hence convex below p.

    Attributes:
        cost: beta.
        p: free precision.
        factor: discounted number of agents, 1/(1-delta) or (1-delta^T)/(1-delta).
        start: about the lowest belief above 1/2 from which on freezing is optimal.
    """

    cost: PrecisionCost
    p: float
    factor: float
    start: float = 0.5

    def __call__(self, b: Floats) -> Floats:
        """Return the value at each belief, any shape."""
        return -self.factor * self.cost(np.maximum(self.p - np.maximum(b, self.start), 0.0))


@dataclass(frozen=True, eq=False)
class ValueTable:
    """A piecewise linear function of the belief, continuous on [0, 1/2] and on (1/2, 1], plus the freeze value.

    Attributes:
        left: nodes from 0 to 1/2, [n_left], increasing.
        left_values: values at them, [n_left]; the last is V(1/2).
        right: nodes from 1/2 to 1, [n_right], increasing.
        right_values: values at them, [n_right]; the first is the limit of V(b) as b falls to 1/2.
        freeze: what is taken out on the right before interpolating and added after; None for nothing.
    """

    left: Floats
    left_values: Floats
    right: Floats
    right_values: Floats
    freeze: FreezeValue | None = None

    def at_left(self, b: Floats) -> Floats:
        """Return the values at beliefs in [0, 1/2], any shape."""
        return np.interp(b, self.left, self.left_values)

    def at_right(self, b: Floats) -> Floats:
        """Return the values at beliefs in (1/2, 1], any shape; at 1/2 the limit from the right."""
        if self.freeze is None:
            return np.interp(b, self.right, self.right_values)
        return np.interp(b, self.right, self.right_values - self.freeze(self.right)) + self.freeze(b)

    def at(self, b: Floats, is_right: Booleans) -> Floats:
        """Return the values at beliefs b, [n], each read from the side that is_right, [n], names."""
        return np.where(is_right, self.at_right(b), self.at_left(b))

    def taken_out(self, b: Floats) -> Floats:
        """Return what is taken out on the right before interpolating, any shape."""
        return np.zeros_like(b) if self.freeze is None else self.freeze(b)

    def value(self, b: float) -> float:
        """Return the value at one belief; at 1/2 it is V(1/2), not the limit from the right."""
        return float((self.at_right if b > 0.5 else self.at_left)(np.array(b)))


def initial_table(problem: PlannerProblem, n_nodes: int, n_agents: float) -> ValueTable:
    """Return zero, right of 1/2 the freeze value, on the first grids, of about n_nodes + 60 nodes a side.

    Nodes cluster at 0, 1/2 and 1 and geometrically around p and 1-p, which are nodes: V may have a kink there, with
    infinite slope if the cost is a square root. n_agents is the discounted number of agents.
    """
    left = _initial_nodes(1.0 - problem.p, n_nodes)
    right = mirrored(left)
    freeze = None
    if problem.is_biased:
        # V = 0 from p on, so one cell is enough there.
        right = np.concatenate([right[right < problem.p - _LEAST_GAP], [problem.p, 1.0]])
        if problem.cost.is_concave and not problem.cost.is_linear:
            freeze = FreezeValue(problem.cost, problem.p, n_agents)
    zero_right = np.zeros_like(right) if freeze is None else freeze(right)
    return ValueTable(left, np.zeros_like(left), right, zero_right, freeze)


def with_freeze_start(table: ValueTable) -> ValueTable:
    """Return the table with the freeze value taken out only where its node values are the freeze value."""
    if table.freeze is None:
        return table
    is_other = (table.right_values > table.freeze(table.right) + 1e-9) & (table.right < table.freeze.p)
    first = np.flatnonzero(is_other)[-1] + 1 if is_other.any() else 0
    return replace(table, freeze=replace(table.freeze, start=float(table.right[first])))


def mirrored(left: Floats) -> Floats:
    """Return the nodes 1-b on [1/2, 1] for nodes b on [0, 1/2], increasing."""
    right = 1.0 - left[::-1]
    right[0], right[-1] = 0.5, 1.0
    return right


def merged_nodes(nodes: Floats, added: Floats) -> Floats:
    """Return the sorted union of nodes, [n >= 2], and added ones; of these only those over 1e-13 from every other."""
    added = np.unique(added)
    added = added[np.concatenate([[True], np.diff(added) > _LEAST_GAP])] if added.size else added
    place = np.searchsorted(nodes, added).clip(1, nodes.size - 1)
    gap = np.minimum(np.abs(added - nodes[place - 1]), np.abs(nodes[place] - added))
    return np.sort(np.concatenate([nodes, added[gap > _LEAST_GAP]]))


def _initial_nodes(kink: float, n_nodes: int) -> Floats:
    t = np.linspace(0.0, 1.0, n_nodes)
    smooth = 0.5 * t * t * (3.0 - 2.0 * t)
    around = np.concatenate([[kink], kink - _GEOMETRIC_STEPS, kink + _GEOMETRIC_STEPS, 0.5 - _GEOMETRIC_STEPS])
    inside = around[(around > 0.0) & (around < 0.5)]
    # The kink comes first so that it stays exact.
    return merged_nodes(merged_nodes(np.array([0.0, 0.5]), inside[:1]), np.concatenate([inside, smooth]))
