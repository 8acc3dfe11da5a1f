"""Planning by running the line of agents forward, where no exact solution of the control problem is known.

For each precision worth trying now, the line is played forward under each of a few simple rules for all later agents;
the best pair decides (parallel rollout). So the plan is never worse than the best of those rules, up to the stated
width. Situations are followed with their probabilities: exactly while there are at most `width` of them, beyond that as
`width` samples drawn without bias from the seat's own seed (systematic resampling).

Source: Bertsekas, Tsitsiklis, Wu 1997, "Rollout algorithms for combinatorial optimization"; Chang, Givan, Chong 2004,
"Parallel rollout for online solution of POMDPs".
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from tidings.core.seeds import SeedPath
from tidings.theory.steering.costs import PrecisionCost
from tidings.theory.steering.lines import Line

__all__ = ["RULES", "Aim", "Forecast", "Plan", "forecast", "plan_precision"]

NUDGE = 1e-9
"""How far beside a critical precision the playable ones lie."""


@dataclass(frozen=True)
class Aim:
    """What the planner wants and pays.

    Attributes:
        cost: What a deviation from the free precision costs.
        error_cost: What one wrong (or unwanted) action costs.
        delta: Weight of each later agent relative to the one before, in [0, 1].
        target: The action a biased planner wants; None for an altruistic one, who wants the state.
        budget: What is left to pay; None for no limit.
    """

    cost: PrecisionCost
    error_cost: float = 1.0
    delta: float = 1.0
    target: int | None = None
    budget: float | None = None

    def bounds(self, free: float, n_states: int, spent: float) -> tuple[float, float]:
        """Returns the lowest and highest precision allowed after `spent` was paid."""
        least = 1.0 / n_states if self.target is not None else free
        return (least, 1.0) if self.budget is None else self.cost.affordable(free, least, self.budget - spent)


Rule = Callable[[Line, Aim, Hashable, int], float]
"""(line, aim, situation, position) -> the precision it wants; it gets the nearest one that is allowed."""


def _free(line: Line, aim: Aim, situation: Hashable, position: int) -> float:
    return line.free[position]


def _follow(line: Line, aim: Aim, situation: Hashable, position: int) -> float:
    return max(line.free[position], *line.criticals(situation, position), 0.0)


def _learn_once(line: Line, aim: Aim, situation: Hashable, position: int) -> float:
    return 1.0 if max(line.belief(situation)) < 0.99 else line.free[position]


def _freeze(line: Line, aim: Aim, situation: Hashable, position: int) -> float:
    criticals = line.criticals(situation, position)
    above = [q for q in criticals if q > 1.0 / line.n_states + NUDGE]
    return min(line.free[position], *(q - NUDGE for q in above)) if above else line.free[position]


def _steer(line: Line, aim: Aim, situation: Hashable, position: int) -> float:
    if aim.target is not None and line.law(situation, position, 1.0 / line.n_states)[0][aim.target] == 1.0:
        return _freeze(line, aim, situation, position)
    return max((*line.criticals(situation, position), 1.0 / line.n_states)) + NUDGE


RULES: dict[str, Rule] = {
    "free": _free,
    "follow": _follow,
    "learn_once": _learn_once,
    "freeze": _freeze,
    "steer": _steer,
}
"""What later agents are given in a forecast: nothing paid; just enough that signals are followed; certainty until the
state is known; just too little for anybody to leave the herd; that once the herd is where it is wanted, and before that
just enough that a signal can bring it there."""

_ALTRUISTIC = ("free", "follow", "learn_once")
"""An altruistic planner may not go below the free precision, so it cannot freeze anybody."""

_DIGITS = 12
"""Situations whose beliefs agree to so many digits are one: paths that meet again differ in their last bits."""


@dataclass(frozen=True)
class Forecast:
    """What a rule is expected to earn.

    Attributes:
        value: Expected discounted reward (never positive).
        is_exact: Whether no situation was sampled and no agent lay beyond the depth.
    """

    value: float
    is_exact: bool


@dataclass(frozen=True)
class Plan:
    """What to do now.

    Attributes:
        precision: The best precision found.
        value: Its expected discounted reward.
        rule: The rule for all later agents under which it earns that.
        is_exact: Whether that forecast is exact.
    """

    precision: float
    value: float
    rule: str
    is_exact: bool


@dataclass(frozen=True)
class _Branch:
    situation: Hashable
    spent: float
    weight: float


def forecast(
    line: Line,
    aim: Aim,
    situation: Hashable,
    position: int,
    rule: Rule | str,
    *,
    first: float | None = None,
    depth: int | None = None,
    width: int = 256,
    seed: SeedPath | None = None,
) -> Forecast:
    """Returns what a rule is expected to earn from this situation to the end of the line.

    Args:
        line: The agents.
        aim: What is wanted and paid.
        situation: What is publicly known.
        position: The next agent, counted from 0.
        rule: A rule, or its name in `RULES`.
        first: Precision of the next agent, instead of what the rule would say.
        depth: Agents to follow one by one; each later one is taken to bring what the last of these brought.
        width: Most situations followed side by side.
        seed: Where samples are drawn from once there are more.
    """
    chosen = RULES[rule] if isinstance(rule, str) else rule
    branches = [_Branch(situation, 0.0, 1.0)]
    n_left = len(line.free) - position
    n_steps = n_left if depth is None else min(n_left, depth)
    value, weight, reward, is_exact = 0.0, 1.0, 0.0, n_steps == n_left
    for step in range(n_steps):
        now = position + step
        merged: dict[Hashable, _Branch] = {}
        reward = 0.0
        for branch in branches:
            low, high = aim.bounds(line.free[now], line.n_states, branch.spent)
            wanted = first if step == 0 and first is not None else chosen(line, aim, branch.situation, now)
            q = min(max(wanted, low), high)
            paid = aim.cost.of(q - line.free[now])
            belief, law = line.belief(branch.situation), line.law(branch.situation, now, q)
            reward -= branch.weight * (paid + aim.error_cost * _p_error(belief, law, aim.target))
            for action in range(line.n_states):
                p = sum(b * row[action] for b, row in zip(belief, law, strict=True))
                if p > 0.0:
                    after, spent = line.after(branch.situation, now, q, action), branch.spent + paid
                    key = _rounded(after), round(spent, _DIGITS)
                    known = merged.get(key)
                    mass = branch.weight * p + (known.weight if known else 0.0)
                    merged[key] = _Branch(known.situation if known else after, spent, mass)
        value += weight * reward
        weight *= aim.delta
        branches = list(merged.values())
        if len(branches) > width:
            branches, is_exact = _resample(branches, width, (seed or SeedPath(0)).uniform("width", now)), False
    beyond = n_left - n_steps
    tail = beyond if aim.delta == 1.0 else (1.0 - aim.delta**beyond) / (1.0 - aim.delta)
    return Forecast(value + weight * tail * reward, is_exact)


def plan_precision(
    line: Line,
    aim: Aim,
    situation: Hashable,
    position: int,
    bounds: tuple[float, float],
    *,
    n_uniform: int = 9,
    depth: int | None = None,
    width: int = 256,
    seed: SeedPath | None = None,
) -> Plan:
    """Returns the precision with the best forecast among those worth trying; ties go to the one nearest the free one.

    Tried are the free precision, certainty, each critical precision and its two neighbours, and `n_uniform` values
    spread over what is allowed. All forecasts share their draws.

    Args:
        line: The agents.
        aim: What is wanted and paid.
        situation: What is publicly known.
        position: The next agent, counted from 0.
        bounds: Lowest and highest precision allowed now.
        n_uniform: Evenly spread precisions to try.
        depth: As in `forecast`.
        width: As in `forecast`.
        seed: As in `forecast`.
    """
    low, high = bounds
    free = line.free[position]
    tried = {low, high, min(max(free, low), high)}
    for q in line.criticals(situation, position):
        tried |= {near for near in (q - NUDGE, q, q + NUDGE) if low <= near <= high}
    tried |= {low + (high - low) * i / (n_uniform + 1) for i in range(1, n_uniform + 1)}
    best: Plan | None = None
    for q in sorted(tried, key=lambda q: (abs(q - free), q)):
        for name in RULES if aim.target is not None else _ALTRUISTIC:
            found = forecast(line, aim, situation, position, name, first=q, depth=depth, width=width, seed=seed)
            if best is None or found.value > best.value + 1e-12:
                best = Plan(q, found.value, name, found.is_exact)
    assert best is not None
    return best


def _rounded(situation: Hashable) -> Hashable:
    """Returns a name under which situations that differ by rounding only are the same."""
    return tuple(round(p, _DIGITS) for p in situation) if isinstance(situation, tuple) else situation


def _p_error(belief: Iterable[float], law: Iterable[tuple[float, ...]], target: int | None) -> float:
    """Returns the probability of an action that is not wanted."""
    if target is not None:
        return sum(b * (1.0 - row[target]) for b, row in zip(belief, law, strict=True))
    return sum(b * (1.0 - row[state]) for state, (b, row) in enumerate(zip(belief, law, strict=True)))


def _resample(branches: list[_Branch], width: int, uniform: float) -> list[_Branch]:
    """Returns `width` draws with equal weight: each branch as often as its weight says, up to one."""
    total = sum(branch.weight for branch in branches)
    counts: dict[int, int] = {}
    index, reached = 0, branches[0].weight
    for i in range(width):
        point = (i + uniform) / width * total
        while point > reached and index < len(branches) - 1:
            index += 1
            reached += branches[index].weight
        counts[index] = counts.get(index, 0) + 1
    return [_Branch(branches[i].situation, branches[i].spent, total * n / width) for i, n in counts.items()]
