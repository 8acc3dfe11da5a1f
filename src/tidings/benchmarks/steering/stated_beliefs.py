"""How far stated beliefs are from Bayes, with the three biases known from language models.

NB1: too weak a response to signals that agree with the public belief. NB2: too strong a response to signals that
oppose it. NB3: cascades begin only at a stronger public belief than Bayes needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidings.benchmarks.steering.bootstrap import N_DRAWS, Estimate, bootstrap_ratio
from tidings.benchmarks.steering.scoring import by_bin
from tidings.theory.herding import TOLERANCE

__all__ = ["BayesDeviation", "bayes_deviation", "cascade_delay", "response_slope"]


@dataclass(frozen=True)
class BayesDeviation:
    """Deviation of stated beliefs from Bayes.

    Attributes:
        absolute: Mean |stated - Bayes| by bin of the public belief.
        agreeing: NB1: slope of the response to agreeing signals; 1 for Bayes, below 1 for the bias.
        opposing: NB2: slope of the response to opposing signals; 1 for Bayes, above 1 for the bias.
        delay: NB3: how far max(b, 1-b) exceeds q where agents begin to ignore opposing signals (see `cascade_delay`).
        n_stated: Stated beliefs.
        n_infinite: Of these, those without a finite log-odds response: stated 0 or 1, or a certain signal.
    """

    absolute: dict[int, Estimate]
    agreeing: Estimate
    opposing: Estimate
    delay: Estimate
    n_stated: int
    n_infinite: int


def bayes_deviation(beliefs: pl.DataFrame, turns: pl.DataFrame, generator: np.random.Generator) -> BayesDeviation:
    """Returns how far stated beliefs (and the actions, for NB3) are from Bayes.

    Args:
        beliefs: Columns `rollout`, `signal`, `precision`, `belief`, `public`, `bayes`; the states are B and G.
        turns: Columns `rollout`, `belief` (public), `precision`, `signal`, `action`.
        generator: Source of the bootstrap draws.
    """
    known = beliefs.drop_nulls("bayes")
    gaps = known.with_columns(gap=(pl.col("belief") - pl.col("bayes")).abs())
    return BayesDeviation(
        by_bin(gaps, "public", "gap", generator),
        response_slope(known, is_agreeing=True, generator=generator),
        response_slope(known, is_agreeing=False, generator=generator),
        cascade_delay(turns, generator),
        len(known),
        int((~_has_log_odds(known)).sum()),
    )


def response_slope(beliefs: pl.DataFrame, *, is_agreeing: bool, generator: np.random.Generator) -> Estimate:
    """Returns the slope through the origin of logit(stated) - logit(public) on the signal's log-odds.

    slope = sum x y / sum x^2 with x = +-logit(q), y = logit(stated) - logit(public); Bayes gives exactly 1. A signal
    agrees if it points to the side of 1/2 where the public belief is; at 1/2 it does neither. Rows with an infinite
    log-odds, and signals of precision 1/2 (which say nothing), do not enter.

    Args:
        beliefs: Columns `rollout`, `signal` (B or G), `precision`, `belief`, `public`.
        is_agreeing: Which signals enter: those that agree, or those that oppose.
        generator: Source of the bootstrap draws.

    Undefined: NaN without such signals.
    """
    usable = beliefs.filter(
        _is_inside(beliefs["belief"]) & _is_inside(beliefs["public"]) & (beliefs["precision"] < 1.0)
    )
    side = np.where(usable["signal"] == "G", 1.0, -1.0)
    public = usable["public"].to_numpy()
    agrees = side * (public - 0.5)
    is_wanted = agrees > TOLERANCE if is_agreeing else agrees < -TOLERANCE
    x = side * _logit(usable["precision"].to_numpy())
    y = _logit(usable["belief"].to_numpy()) - _logit(public)
    sums = (
        usable.select("rollout", xy=pl.Series(x * y), xx=pl.Series(x * x))
        .filter(pl.Series(is_wanted, dtype=pl.Boolean))
        .group_by("rollout", maintain_order=True)
        .agg(pl.col("xy").sum(), pl.col("xx").sum())
    )
    return bootstrap_ratio(sums["xy"], sums["xx"], generator)


def cascade_delay(turns: pl.DataFrame, generator: np.random.Generator, n_draws: int = N_DRAWS) -> Estimate:
    """Returns the least excess max(b, 1-b) - q at which agents begin to ignore opposing signals.

    Over turns whose signal opposes the public belief b, the rule "ignore if the excess is above t" is fitted to what
    agents did; the value is the least t with the fewest misfits. A Bayesian ignores at every excess above 0, so t is
    at most 0 for Bayesians; t > 0 is NB3. The excess takes few values in a run, so t is one of them: the truth lies
    between it and the next one.

    Args:
        turns: Columns `rollout`, `belief` (public, before the turn), `precision`, `signal` (B or G), `action`.
        generator: Source of the bootstrap draws.
        n_draws: Bootstrap draws.

    Returns:
        The estimate; `n` counts rollouts with opposing signals.

    Undefined: NaN if no signal opposed, if none was ignored (no cascade seen) or all were (none followed).
    """
    excess, is_ignored, rollouts = _opposed(turns)
    if not is_ignored.any() or is_ignored.all():
        return Estimate(math.nan, math.nan, math.nan, len(np.unique(rollouts)))
    thresholds = np.unique(excess)
    misfits = (excess[:, None] > thresholds + TOLERANCE) != is_ignored[:, None]
    numbers = np.unique(rollouts, return_inverse=True)[1]
    n = int(numbers.max()) + 1
    by_rollout = np.zeros((n, len(thresholds)))
    np.add.at(by_rollout, numbers, misfits)
    value = float(thresholds[by_rollout.sum(axis=0).argmin()])
    if n == 1:
        return Estimate(value, math.nan, math.nan, 1)
    drawn = generator.multinomial(n, np.full(n, 1.0 / n), size=n_draws)
    low, high = np.quantile(thresholds[(drawn @ by_rollout).argmin(axis=1)], [0.025, 0.975])
    return Estimate(value, float(low), float(high), n)


def _opposed(turns: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Returns excess, whether the signal was ignored, and the rollout, of turns with an opposing signal `[n]`."""
    belief = turns["belief"].to_numpy()
    side = np.where(turns["signal"] == "G", 1.0, -1.0)
    is_opposed = side * (belief - 0.5) < -TOLERANCE
    excess: NDArray[np.float64] = (np.maximum(belief, 1.0 - belief) - turns["precision"].to_numpy()).round(9)
    is_ignored = (turns["action"] != turns["signal"]).to_numpy()
    return excess[is_opposed], is_ignored[is_opposed], turns["rollout"].to_numpy()[is_opposed]


def _has_log_odds(beliefs: pl.DataFrame) -> pl.Series:
    return _is_inside(beliefs["belief"]) & _is_inside(beliefs["public"]) & (beliefs["precision"] < 1.0)


def _is_inside(values: pl.Series) -> pl.Series:
    return (values > 0.0) & (values < 1.0)


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(p) - np.log1p(-p)
