"""Cascades without control: every agent gets a signal of precision p, public prior 1/2; two tie rules.

Source: Bikhchandani, Hirshleifer, Welch 1992 ("A Theory of Fads...") for the coin rule; the own-signal rule, which is
that of arXiv 2504.02648, is derived. Both equal exact enumeration.
"""

from dataclasses import dataclass
from typing import Literal

from tidings.theory.steering.arguments import check_count, check_number

TieRule = Literal["own_signal", "coin"]
"""What an indifferent agent does: follow its own signal (this model), or toss a fair coin (the classic paper)."""


@dataclass(frozen=True)
class CascadeProbabilities:
    """How likely each state of a line of agents is; the three sum to one.

    Attributes:
        correct: every later agent takes the right action whatever its signal.
        wrong: every later agent takes the wrong one.
        none: the next agent's action still depends on its signal.
    """

    correct: float
    wrong: float
    none: float


def cascade_probabilities(p: float, n_agents: int | None, ties: TieRule) -> CascadeProbabilities:
    """Return the probabilities of a correct, a wrong and no cascade after n agents, q = p for ever, prior 1/2.

    With n = floor(n_agents / 2) pairs of agents:
    own signal: r = 2p(1-p), A = 1 - r: p^2 (1-r^n)/A, (1-p)^2 (1-r^n)/A, r^n.
    coin: u = p(1-p): p(p+1)(1-u^n)/(2(1-u)), (p-2)(p-1)(1-u^n)/(2(1-u)), u^n.

    Args:
        p: signal precision in (1/2, 1).
        n_agents: number of agents that have acted, >= 0; None for the limit.
        ties: 'own_signal' or 'coin', what an indifferent agent does; the two rules differ much, so there is no default.

    Raises:
        ValueError: an argument outside its range.
    """
    p = _check(p, ties)
    if n_agents is not None:
        check_count("cascades", "n_agents", n_agents, 0)
    e = 1.0 - p
    if ties == "own_signal":
        right, wrong, stay = p * p, e * e, 2.0 * p * e
    else:
        right, wrong, stay = p * (1.0 + p) / 2.0, e * (1.0 + e) / 2.0, p * e
    none = 0.0 if n_agents is None else stay ** (n_agents // 2)
    ended = (1.0 - none) / (1.0 - stay)
    return CascadeProbabilities(right * ended, wrong * ended, none)


def mean_revealing_agents(p: float) -> float:
    """Return the expected number of agents whose action reveals their signal, 2 / (p^2 + (1-p)^2); own-signal ties.

    Raises:
        ValueError: p outside (1/2, 1).
    """
    p = _check(p, "own_signal")
    return 2.0 / (p * p + (1.0 - p) ** 2)


def p_correct_agent(p: float, agent: int, ties: TieRule) -> float:
    """Return the probability that the i-th agent (counted from 1) takes the right action, q = p for ever, prior 1/2.

    P(correct cascade after 2n agents) + P(none) p with n = floor((i-1)/2): outside a cascade either agent of a pair is
    right with probability p, under both tie rules.

    Raises:
        ValueError: an argument outside its range.
    """
    agent = check_count("cascades", "agent", agent, 1)
    before = cascade_probabilities(p, 2 * ((agent - 1) // 2), ties)
    return before.correct + before.none * p


def _check(p: float, ties: str) -> float:
    if ties not in ("own_signal", "coin"):
        raise ValueError(f"cascades: ties={ties!r}; allowed are 'own_signal' and 'coin'")
    return check_number("cascades", "p", p, "0.5 < p < 1", lambda x: 0.5 < x < 1.0)
