"""Exact solutions of the planner's problem in special cases: myopic, cheap precision, no control, a counterexample.

Source: arXiv 2504.02648 for the altruistic myopic threshold; the other formulas are derived from the model.
"""

from dataclasses import dataclass

import numpy as np

from tidings.theory.steering.arguments import check_count, check_number
from tidings.theory.steering.costs import CostShape, PrecisionCost, make_cost
from tidings.theory.steering.model import is_followed, snap_to_half
from tidings.theory.steering.problem import make_problem

_GRID = np.linspace(0.0, 1.0, 2001)


@dataclass(frozen=True)
class ClosedFormChoice:
    """The optimal value and precision at a belief.

    Attributes:
        value: the supremum over precisions.
        limit: an optimal precision, or the limit of near-optimal ones.
        is_attained: whether `limit` itself reaches the value.
    """

    value: float
    limit: float
    is_attained: bool = True


@dataclass(frozen=True)
class NoControlLoss:
    """Expected discounted error cost with q = p for ever and own-signal ties, positive numbers.

    Attributes:
        from_half: loss L0 from public belief 1/2.
        from_p: loss L1 from public belief p.
    """

    from_half: float
    from_p: float


def no_control_loss(p: float, delta: float, error_cost: float = 1.0) -> NoControlLoss:
    """Return the expected discounted error cost without control.

    With e = 1-p: L0 = C [e + delta e + delta^2 e^2 / (1-delta)] / (1 - 2pe delta^2) and
    L1 = C [e + delta e^2 / (1-delta)] + 2pe delta L0.

    Raises:
        ValueError: p outside (1/2, 1), delta outside [0, 1), or error cost not positive.
    """
    where = "no_control_loss"
    p = check_number(where, "p", p, "0.5 < p < 1", lambda x: 0.5 < x < 1.0)
    delta = check_number(where, "delta", delta, "0 <= delta < 1", lambda x: 0.0 <= x < 1.0)
    cost = check_number(where, "error_cost", error_cost, "a finite number > 0", lambda x: x > 0.0)
    e = 1.0 - p
    herd = e * e / (1.0 - delta)
    from_half = cost * (e + delta * e + delta**2 * herd) / (1.0 - 2.0 * p * e * delta**2)
    return NoControlLoss(from_half, cost * (e + delta * herd) + 2.0 * p * e * delta * from_half)


def myopic_altruistic_threshold(
    p: float, cost_kind: str | CostShape, cost_weight: float, error_cost: float = 1.0
) -> float:
    """Return t_M: the altruistic planner with delta = 0 plays q = 1 if min(b, 1-b) > t_M, else q = p.

    t_M = beta(1-p)/C if beta(1-p) < C(1-p), else 1/2; for concave beta.

    Raises:
        ValueError: an argument outside its range (see `solve_planner`), or a cost that is not concave.
    """
    where = "myopic_altruistic_threshold"
    problem = make_problem(where, "altruistic", p, cost_kind, cost_weight, 0.0, error_cost)
    _require_concave(where, problem.cost)
    full = problem.cost.of(1.0 - problem.p)
    return full / problem.error_cost if full < problem.error_cost * (1.0 - problem.p) else 0.5


def myopic_altruistic(
    b: float, p: float, cost_kind: str | CostShape, cost_weight: float, error_cost: float = 1.0
) -> ClosedFormChoice:
    """Return the optimal choice of the altruistic planner with delta = 0 and a concave cost.

    V(b) = max{ -beta(1-p), -C min(b, 1-b, 1-p) }.

    Raises:
        ValueError: b outside [0, 1], another argument outside its range, or a cost that is not concave.
    """
    e = _distance_to_certainty("myopic_altruistic", b)
    threshold = myopic_altruistic_threshold(p, cost_kind, cost_weight, error_cost)
    if e > threshold:
        return ClosedFormChoice(-make_cost(cost_kind, cost_weight).of(1.0 - p), 1.0)
    return ClosedFormChoice(-error_cost * min(e, 1.0 - p), float(p))


def myopic_biased_linear(b: float, p: float, cost_weight: float, error_cost: float = 1.0) -> ClosedFormChoice:
    """Return the optimal choice of the biased planner with delta = 0 and linear cost.

    With m = max(b, 1-b) and h = b(1-q) + (1-b)q, the best of four: q = p (worth -C h if followed, else 0 right of 1/2
    and -C left of it); q = m (-k|m-p| - C h); q = 1 (-k(1-p) - C(1-b)); and right of 1/2 the supremum -k max(p-b, 0)
    of the ignored precisions, not attained if b <= p.

    Raises:
        ValueError: b outside [0, 1], or another argument outside its range.
    """
    where = "myopic_biased_linear"
    problem = make_problem(where, "biased", p, "linear", cost_weight, 0.0, error_cost)
    _distance_to_certainty(where, b)
    b, p = snap_to_half(b), problem.p
    choices = [ClosedFormChoice(problem.reward(b, q), q) for q in (p, max(b, 1.0 - b), 1.0)]
    if b > 0.5 and is_followed(b, p):
        choices.append(ClosedFormChoice(-problem.cost.of(max(p - b, 0.0)), b, is_attained=False))
    return max(choices, key=lambda choice: choice.value)


def is_precision_cheap(p: float, cost_kind: str | CostShape, cost_weight: float, error_cost: float = 1.0) -> bool:
    """Return whether beta(1-p) - beta(q-p) <= C(1-q) for all q in [p, 1], so that `cheap_altruistic` applies.

    Exact for the named costs: concave iff beta(1-p) <= C(1-p), quadratic iff 2k(1-p) <= C. A user's cost that is not
    concave is tested on 2001 precisions.

    Raises:
        ValueError: an argument outside its range (see `solve_planner`).
    """
    problem = make_problem("is_precision_cheap", "altruistic", p, cost_kind, cost_weight, 0.0, error_cost)
    cost, room, c = problem.cost, 1.0 - problem.p, problem.error_cost
    if cost.is_concave:
        return cost.of(room) <= c * room * (1.0 + 1e-12)
    if cost.kind == "quadratic":
        return 2.0 * cost.weight * room <= c * (1.0 + 1e-12)
    deviations = room * _GRID
    return bool(np.all(cost.of(room) - cost(deviations) <= c * (room - deviations) + 1e-12))


def cheap_altruistic(
    b: float,
    p: float,
    cost_kind: str | CostShape,
    cost_weight: float,
    delta: float,
    error_cost: float = 1.0,
    *,
    n_agents: int | None = None,
) -> ClosedFormChoice:
    """Return the altruistic planner's optimal choice when precision is cheap (`is_precision_cheap`).

    With e = min(b, 1-b): V(b) = max{ -C e S, -beta(1-p) }, S = 1/(1-delta); q = 1 iff e > beta(1-p) / (C S), else p.
    With n_agents = T left, S = (1 - delta^T)/(1-delta), which is T at delta = 1.

    Raises:
        ValueError: b outside [0, 1], precision that is not cheap, delta = 1 without n_agents, n_agents not an integer
            >= 1, or another argument outside its range.
    """
    where = "cheap_altruistic"
    is_finite = n_agents is not None
    problem = make_problem(where, "altruistic", p, cost_kind, cost_weight, delta, error_cost, is_finite=is_finite)
    if not is_precision_cheap(p, cost_kind, cost_weight, error_cost):
        raise ValueError(
            f"{where}: cost_weight={cost_weight!r} is not cheap at p={p!r}; allowed is a cost with "
            "beta(1-p) - beta(q-p) <= C(1-q) for all q; use solve_planner"
        )
    waiting = -problem.error_cost * _distance_to_certainty(where, b) * _discounted_agents(where, delta, n_agents)
    certain = -problem.cost.of(1.0 - problem.p)
    return ClosedFormChoice(certain, 1.0) if certain > waiting else ClosedFormChoice(waiting, problem.p)


@dataclass(frozen=True)
class ConvexityCounterexample:
    """An altruistic planner with dear precision whose exact value is not convex in the belief.

    Linear cost, k = 2, p = 0.9, delta = 0.9, C = 1. With e = min(b, 1-b): V = -10e up to d_A (q = p, ignored),
    -0.2 + 0.64e - 8.64e^2 up to t_A (q = max(b, 1-b)), -0.2 beyond (q = 1). Theorem 2 of arXiv 2504.02648, as reported,
    says that V is convex; it holds when precision is cheap.

    Attributes:
        p: free precision.
        cost_weight: k of the linear cost.
        delta: discount factor.
        error_cost: C.
    """

    p: float = 0.9
    cost_weight: float = 2.0
    delta: float = 0.9
    error_cost: float = 1.0

    @property
    def d_a(self) -> float:
        """Where the two lower pieces meet, the smaller root of 8.64 e^2 - 10.64 e + 0.2 = 0, about 0.01909301."""
        return (10.64 - (10.64**2 - 4.0 * 8.64 * 0.2) ** 0.5) / (2.0 * 8.64)

    @property
    def t_a(self) -> float:
        """Where full precision becomes best, 0.64 / 8.64."""
        return 0.64 / 8.64

    def value(self, b: float) -> float:
        """Return V(b).

        Raises:
            ValueError: b outside [0, 1].
        """
        e = _distance_to_certainty("ConvexityCounterexample.value", b)
        if e <= self.d_a:
            return -10.0 * e
        return -0.2 + 0.64 * e - 8.64 * e * e if e < self.t_a else -0.2

    @property
    def midpoint_excess(self) -> float:
        """V(0.04) minus the mean of V(0.02) and V(0.06), 0.003456; a convex V could not have it above 0."""
        return self.value(0.04) - 0.5 * (self.value(0.02) + self.value(0.06))


def convexity_counterexample() -> ConvexityCounterexample:
    """Return the exact counterexample to convexity of the altruistic value when precision is dear."""
    return ConvexityCounterexample()


def _distance_to_certainty(where: str, b: float) -> float:
    b = check_number(where, "b", b, "0 <= b <= 1", lambda x: 0.0 <= x <= 1.0)
    return min(b, 1.0 - b)


def _discounted_agents(where: str, delta: float, n_agents: int | None) -> float:
    if n_agents is None:
        return 1.0 / (1.0 - delta)
    n_agents = check_count(where, "n_agents", n_agents, 1)
    return float(n_agents) if delta == 1.0 else (1.0 - delta**n_agents) / (1.0 - delta)


def _require_concave(where: str, cost: PrecisionCost) -> None:
    if not cost.is_concave:
        raise ValueError(f"{where}: cost_kind={cost.kind!r}; allowed is a concave cost; use solve_planner with delta=0")
