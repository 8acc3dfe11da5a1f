"""The public belief of controlled social learning: what agents do with a signal, and what their actions reveal.

The state is G or B; b is the public probability of G; an agent's signal is right with probability q in [1/2, 1].
Source: Arghal, He, Saeedi Bidokhti, Sarkar, "Steering the Herd", arXiv 2504.02648, section on the model; classic
model: Bikhchandani, Hirshleifer, Welch 1992. Ties follow the own signal (not a coin).

A belief within 1e-12 of 1/2 counts as 1/2 and a precision within 1e-12 of max(b, 1-b) as equal to it: in floating
point 1 - 0.7 <= 0.3 is false, and without a tolerance ties would turn into cascades.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Signal = Literal["G", "B"]
"""A state of the world, a signal about it, or the action that bets on it."""

TIE_TOLERANCE = 1e-12
"""Beliefs and precisions closer than this are equal."""


def signal_probability(b: float, q: float, signal: Signal) -> float:
    """Return the public probability of a signal: P(G) = bq + (1-b)(1-q), P(B) = b(1-q) + (1-b)q.

    Raises:
        ValueError: b outside [0, 1], q outside [1/2, 1], or an unknown signal.
    """
    _check(b, q, signal)
    return b * q + (1.0 - b) * (1.0 - q) if signal == "G" else b * (1.0 - q) + (1.0 - b) * q


def posterior(b: float, q: float, signal: Signal) -> float:
    """Return P(state = G) after a signal of precision q at prior b; results within 1e-12 of 1/2 are exactly 1/2.

    Undefined:
        NaN when the signal has probability zero (b is 0 or 1, q is 1 and the signal contradicts b).

    Raises:
        ValueError: b outside [0, 1], q outside [1/2, 1], or an unknown signal.
    """
    p_signal = signal_probability(b, q, signal)
    if p_signal == 0.0:
        return math.nan
    return snap_to_half(b * (q if signal == "G" else 1.0 - q) / p_signal)


def snap_to_half(b: float) -> float:
    """Return 1/2 for beliefs within 1e-12 of it, other beliefs unchanged."""
    return 0.5 if abs(b - 0.5) <= TIE_TOLERANCE else b


def is_followed(b: float, q: float) -> bool:
    """Return whether the agent acts on its signal, that is q >= max(b, 1-b) up to 1e-12; otherwise it is a cascade.

    Raises:
        ValueError: b outside [0, 1] or q outside [1/2, 1].
    """
    _check(b, q, "G")
    return q >= max(b, 1.0 - b) - TIE_TOLERANCE


def agent_action(b: float, q: float, signal: Signal) -> Signal:
    """Return the Bayesian agent's action: the likelier state after its signal; the signal itself when tied.

    Raises:
        ValueError: b outside [0, 1], q outside [1/2, 1], or an unknown signal.
    """
    _check(b, q, signal)
    if is_followed(b, q):
        return signal
    return "G" if b > 0.5 else "B"


def action_probability(b: float, q: float, action: Signal) -> float:
    """Return the public probability of an action: that of the signal if it is followed, else 0 or 1.

    Raises:
        ValueError: b outside [0, 1], q outside [1/2, 1], or an unknown action.
    """
    if is_followed(b, q):
        return signal_probability(b, q, action)
    _check(b, q, action)
    return 1.0 if (action == "G") == (b > 0.5) else 0.0


def error_probability(b: float, q: float) -> float:
    """Return P(action != state) = min(b, 1-b, 1-q).

    Raises:
        ValueError: b outside [0, 1] or q outside [1/2, 1].
    """
    _check(b, q, "G")
    return 1.0 - q if is_followed(b, q) else min(b, 1.0 - b)


def is_off_path(b: float, q: float, action: Signal) -> bool:
    """Return whether the model gives the action probability zero, as when an action contradicts a cascade.

    Raises:
        ValueError: b outside [0, 1], q outside [1/2, 1], or an unknown action.
    """
    return action_probability(b, q, action) == 0.0


def next_belief(b: float, q: float, action: Signal) -> float:
    """Return the public belief after an action was seen.

    A followed signal is revealed by the action, so Bayes' rule applies; in a cascade the belief stays. An action of
    probability zero (`is_off_path`) leaves the belief as it was; callers should count such actions.

    Raises:
        ValueError: b outside [0, 1], q outside [1/2, 1], or an unknown action.
    """
    _check(b, q, action)
    if not is_followed(b, q) or is_off_path(b, q, action):
        return b
    return posterior(b, q, action)


def log_odds(b: float) -> float:
    """Return log(b / (1-b)) in nats; minus or plus infinity at 0 and 1.

    Raises:
        ValueError: b outside [0, 1].
    """
    _check(b, 1.0, "G")
    if b in (0.0, 1.0):
        return math.copysign(math.inf, b - 0.5)
    return math.log(b) - math.log1p(-b)


def belief_from_log_odds(x: float) -> float:
    """Return the belief 1 / (1 + exp(-x)) whose log-odds are x nats; a signal of precision q moves x by log_odds(q)."""
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x))


def branches(
    b: NDArray[np.float64], q: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return (g, h, b_G, b_B): the probabilities of signals G and B and the beliefs after them.

    Arrays that broadcast; inputs are not checked and beliefs near 1/2 are not snapped.

    Undefined:
        A belief is NaN where its signal has probability zero.
    """
    b_right, b_wrong = b * q, b * (1.0 - q)
    g = b_right + (1.0 - b) * (1.0 - q)
    h = b_wrong + (1.0 - b) * q
    with np.errstate(invalid="ignore"):
        return g, h, b_right / g, b_wrong / h


def are_followed(b: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return elementwise whether the signal is followed, as `is_followed`; inputs are not checked."""
    return q >= np.maximum(b, 1.0 - b) - TIE_TOLERANCE


def _check(b: float, q: float, signal: str) -> None:
    if not 0.0 <= b <= 1.0:
        raise ValueError(f"belief: b={b!r}; allowed is 0 <= b <= 1")
    if not 0.5 <= q <= 1.0:
        raise ValueError(f"precision: q={q!r}; allowed is 0.5 <= q <= 1")
    if signal not in ("G", "B"):
        raise ValueError(f"signal or action: {signal!r}; allowed are 'G' and 'B'")
