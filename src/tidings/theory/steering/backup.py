"""The best followed precision at a belief, given a piecewise linear continuation value: the heart of the solver.

For fixed b the continuation g W(b_G) + h W(b_B) is piecewise linear in q: its kinks are the precisions that send b_G or
b_B to a node (the freeze value, where it is taken out of W, adds a convex term). With a concave cost (linear, square
root) -beta is convex away from p, so a best precision is a kink, p, 1 or the least followed one; the search over these
is exact. With another cost the best of them is polished within
its two neighbouring pieces.

Trying all kinks for all beliefs is slow. So only kinks at every few nodes are tried first, together with an upper
bound: with a coarse piecewise linear function above W, whose kinks these are, the value between two of them is at most
that of the better end. Only where this bound beats the best value found are the kinks in between tried too.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tidings.theory.steering.grids import Booleans, Floats, ValueTable
from tidings.theory.steering.model import branches
from tidings.theory.steering.problem import PlannerProblem

Indices = NDArray[np.intp]
Outcomes = tuple[Floats, Floats, Floats, Floats, Floats]

# Larger chunks fall out of the processor's cache.
_CHUNK_ELEMENTS = 25_000


@dataclass(frozen=True)
class Lookahead:
    """One-step lookahead from any belief to a table of continuation values.

    Attributes:
        problem: rewards and discount.
        table: continuation values W.
        upper: a function on every few nodes of the table that is nowhere below W.
        is_stationary: whether a cascade entered now lasts for ever (infinite horizon) or for one agent.
    """

    problem: PlannerProblem
    table: ValueTable
    upper: ValueTable
    is_stationary: bool

    @classmethod
    def of(cls, problem: PlannerProblem, table: ValueTable, *, is_stationary: bool = True) -> "Lookahead":
        """Return the lookahead to a table."""
        return cls(problem, table, _upper_table(table), is_stationary)

    def backup(self, b: Floats, is_right: Booleans) -> tuple[Floats, Floats]:
        """Return the optimal value at beliefs and its followed precision, NaN where a cascade is at least as good.

        A stationary cascade is worth r / (1-delta), which is exact off the grid; else r + delta W(b).

        Args:
            b: beliefs, [n].
            is_right: whether each lies right of 1/2, [n]; 1/2 with True asks for the limit from the right.
        """
        values = self.cascade_values(b, is_right)
        q = np.full_like(b, np.nan)
        rows = np.flatnonzero((b > 0.0) & (b < 1.0) & ~(self.problem.is_biased & is_right & (b >= self.problem.p)))
        followed, best_q = self.best_followed(b[rows])
        is_better = followed > values[rows] + 1e-13
        values[rows[is_better]], q[rows[is_better]] = followed[is_better], best_q[is_better]
        return values, q

    def cascade_values(self, b: Floats, is_right: Booleans) -> Floats:
        """Return the value of the best ignored precision (a supremum), -inf where every precision is followed, [n]."""
        reward = self.problem.cascade_rewards(b, is_right)
        if self.is_stationary:
            return reward / (1.0 - self.problem.delta)
        return reward + self.problem.delta * self.table.at(b, is_right)

    def followed_values(self, b: Floats, q: Floats) -> Floats:
        """Return -beta(|q-p|) - C P(loss) + delta [g W(b_G) + h W(b_B)] for followed signals; b and q broadcast.

        b_G is read from the right grid and b_B from the left, so b_G = 1/2 means the limit from the right.
        """
        return self._total(self.table, self._outcomes(b, q))

    def best_followed(self, b: Floats) -> tuple[Floats, Floats]:
        """Return the supremum over followed precisions and where it is taken or approached, for 0 < b < 1, [n] each."""
        n_chunk = max(1, _CHUNK_ELEMENTS // (self.upper.left.size + self.upper.right.size))
        parts = [self._search(b[i : i + n_chunk]) for i in range(0, b.size, n_chunk)]
        if not parts:
            return np.empty(0), np.empty(0)
        return np.concatenate([v for v, _ in parts]), np.concatenate([q for _, q in parts])

    def _outcomes(self, b: Floats, q: Floats) -> Outcomes:
        g, h, b_g, b_b = branches(b, q)
        loss = h if self.problem.is_biased else 1.0 - q
        reward = -self.problem.cost(q - self.problem.p) - self.problem.error_cost * loss
        return reward, self.problem.delta * g, self.problem.delta * h, b_g, b_b

    def _total(self, table: ValueTable, outcomes: Outcomes) -> Floats:
        reward, p_good, p_bad, b_g, b_b = outcomes
        return reward + p_good * table.at_right(b_g) + p_bad * table.at_left(b_b)

    def _search(self, b: Floats) -> tuple[Floats, Floats]:
        q = self._coarse_candidates(b)
        outcomes = self._outcomes(b[:, None], q)
        values = self._total(self.table, outcomes)
        rows, top = np.arange(b.size), values.argmax(axis=1)
        best_value, best_q = values[rows, top], q[rows, top]
        bound = self._piece_bounds(q, outcomes)
        row, piece = np.nonzero(bound > best_value[:, None] + 1e-13 * (1.0 + np.abs(best_value[:, None])))
        row, fine_q = self._fine_candidates(b[row], q[row, piece], q[row, piece + 1], row)
        best_value, best_q = _take_better(best_value, best_q, row, self.followed_values(b[row], fine_q), fine_q)
        if self.problem.cost.is_concave:
            return best_value, best_q
        return self._polish(b, best_value, best_q)

    def _coarse_candidates(self, b: Floats) -> Floats:
        low = self.problem.least_followed(b)[:, None]
        special = np.broadcast_to([self.problem.p, 0.5, 1.0], (b.size, 3))
        to_right = precision_to(b[:, None], self.upper.right, is_right=True)
        to_left = precision_to(b[:, None], self.upper.left, is_right=False)
        return np.sort(np.clip(np.concatenate([to_right, to_left, special], axis=1), low, 1.0), axis=1)

    def _piece_bounds(self, q: Floats, outcomes: Outcomes) -> Floats:
        bound = _neighbour_max(self._total(self.upper, outcomes))
        if not self.problem.cost.is_concave:
            bound += self._cost_excess(q)
        return bound

    def _cost_excess(self, q: Floats) -> Floats:
        """Bound how far -beta rises above its chord: for a convex beta at most twice its excess in the middle."""
        p, cost = self.problem.p, self.problem.cost
        ends = cost(q - p)
        middle = cost(0.5 * (q[:, 1:] + q[:, :-1]) - p)
        return 2.0 * np.maximum(0.5 * (ends[:, 1:] + ends[:, :-1]) - middle, 0.0)

    def _fine_candidates(self, b: Floats, q_low: Floats, q_high: Floats, row: Indices) -> tuple[Indices, Floats]:
        _, _, g_low, b_high = branches(b, q_low)
        _, _, g_high, b_low = branches(b, q_high)
        parts = []
        for nodes, low, high, is_right in (
            (self.table.right, g_low, g_high, True),
            (self.table.left, b_low, b_high, False),
        ):
            owner, node = _expand(np.searchsorted(nodes, low, "right"), np.searchsorted(nodes, high, "left"))
            q = np.clip(precision_to(b[owner], nodes[node], is_right), q_low[owner], q_high[owner])
            parts.append((row[owner], q))
        return np.concatenate([parts[0][0], parts[1][0]]), np.concatenate([parts[0][1], parts[1][1]])

    def _polish(self, b: Floats, best_value: Floats, best_q: Floats) -> tuple[Floats, Floats]:
        below, above = self._neighbouring_kinks(b, best_q)
        for start, stop in ((below, best_q), (best_q, above)):
            q = self._best_within(b, start, stop)
            value = self.followed_values(b, q)
            is_better = value > best_value
            best_value, best_q = np.where(is_better, value, best_value), np.where(is_better, q, best_q)
        return best_value, best_q

    def _neighbouring_kinks(self, b: Floats, q: Floats) -> tuple[Floats, Floats]:
        _, _, b_g, b_b = branches(b, q)
        low, p = self.problem.least_followed(b), self.problem.p
        i = np.searchsorted(self.table.right, b_g)
        j = np.searchsorted(self.table.left, b_b)
        right = [
            precision_to(b, self.table.right[(i + s).clip(0, self.table.right.size - 1)], True) for s in (-1, 0, 1)
        ]
        left = [precision_to(b, self.table.left[(j + s).clip(0, self.table.left.size - 1)], False) for s in (-1, 0, 1)]
        kinks = np.stack([*right, *left, np.full_like(q, p), low, np.ones_like(q)])
        kinks = np.clip(kinks, low, 1.0)
        below = np.where(kinks < q - 1e-14, kinks, low).max(axis=0)
        above = np.where(kinks > q + 1e-14, kinks, 1.0).min(axis=0)
        return below, above

    def _best_within(self, b: Floats, start: Floats, stop: Floats) -> Floats:
        """Return the best precision between two neighbouring kinks, where all but the cost is linear in q."""
        p, cost = self.problem.p, self.problem.cost
        rise = self.followed_values(b, stop) + cost(stop - p) - self.followed_values(b, start) - cost(start - p)
        slope = rise / np.maximum(stop - start, 1e-15)
        return cost.best_precisions(p, slope, start, stop)


def table_rows(problem: PlannerProblem, table: ValueTable) -> tuple[Floats, Booleans]:
    """Return the beliefs to solve for and whether each is right of 1/2, [n_rows]: left nodes only if V is symmetric."""
    if not problem.is_biased:
        return table.left, np.zeros(table.left.size, bool)
    is_right = np.repeat([False, True], [table.left.size, table.right.size])
    return np.concatenate([table.left, table.right]), is_right


def with_values(problem: PlannerProblem, table: ValueTable, values: Floats) -> ValueTable:
    """Return the table with the values of its rows (see `table_rows`), [n_rows]."""
    n_left = table.left.size
    right_values = values[n_left:] if problem.is_biased else values[::-1]
    return replace(table, left_values=values[:n_left], right_values=right_values)


def precision_to(b: Floats, target: Floats, is_right: bool) -> Floats:
    """Return the precision that moves belief b to the target after signal G (is_right) or B, by the odds equation.

    After G: q/(1-q) = odds(target)/odds(b); after B: (1-q)/q = odds(target)/odds(b). Arguments broadcast, 0 < b < 1.
    """
    up, down = target * (1.0 - b), b * (1.0 - target)
    return up / (up + down) if is_right else down / (up + down)


def _upper_table(table: ValueTable) -> ValueTable:
    left, left_values = _coarsen(table.left, table.left_values)
    if table.freeze is None:
        return ValueTable(left, left_values, *_coarsen(table.right, table.right_values))
    right, rest = _coarsen(table.right, table.right_values - table.freeze(table.right))
    return ValueTable(left, left_values, right, rest + table.freeze(right), table.freeze)


def _coarsen(nodes: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return every few nodes and values there such that the function through them is nowhere below the fine one."""
    stride = max(1, int(np.sqrt(nodes.size) / 2.5))
    # The last but one node on the biased planner's right side is p, where the freeze value has a kink.
    kept = np.unique(np.append(np.arange(0, nodes.size, stride), [nodes.size - 2, nodes.size - 1]))
    above = np.maximum(values - np.interp(nodes, nodes[kept], values[kept]), 0.0)
    in_cell = np.maximum.reduceat(above, kept[:-1])
    return nodes[kept], values[kept] + np.maximum(np.append(in_cell, 0.0), np.append(0.0, in_cell))


def _neighbour_max(x: Floats) -> Floats:
    return np.maximum(x[:, 1:], x[:, :-1])


def _expand(starts: Indices, stops: Indices) -> tuple[Indices, Indices]:
    """Return (owner, index) for every index in every half-open range [starts[i], stops[i])."""
    lengths = np.maximum(stops - starts, 0)
    owner = np.repeat(np.arange(starts.size), lengths)
    offset = np.arange(owner.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return owner, starts[owner] + offset


def _take_better(best_value: Floats, best_q: Floats, row: Indices, values: Floats, q: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(values, kind="stable")
    row, values, q = row[order], values[order], q[order]
    # Of repeated indices the last assignment stays, so after sorting each row keeps its best candidate.
    top_value, top_q = np.full_like(best_value, -np.inf), best_q.copy()
    top_value[row], top_q[row] = values, q
    is_better = top_value > best_value
    return np.where(is_better, top_value, best_value), np.where(is_better, top_q, best_q)
