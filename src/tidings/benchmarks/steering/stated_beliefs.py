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

__all__ = ["LEAST_PRECISION", "BayesDeviation", "bayes_deviation", "cascade_delay", "response_slope"]


LEAST_PRECISION = 0.51
"""Signals below this precision have log-odds under 0.04: a slope on them is noise divided by almost nothing."""


@dataclass(frozen=True)
class BayesDeviation:
    """Deviation of stated beliefs from Bayes.

    Attributes:
        absolute: Mean |stated - Bayes| by bin of the public belief.
        agreeing: NB1: slope of the response to agreeing signals; 1 for Bayes, below 1 for the bias.
        opposing: NB2: slope of the response to opposing signals; 1 for Bayes, above 1 for the bias.
        delay: NB3: how far max(b, 1-b) exceeds q where agents begin to ignore opposing signals (see `cascade_delay`).
        n_stated: Stated beliefs.
        n_without_bayes: Of these, those after a signal that was impossible given the public belief (an earlier agent
            acted against a certain signal), where Bayes says nothing; they enter no figure.
        n_unused: Of the others, those that enter no slope: stated or public belief 0 or 1, or a signal that is
            certain or below `LEAST_PRECISION`.
    """

    absolute: dict[int, Estimate]
    agreeing: Estimate
    opposing: Estimate
    delay: Estimate
    n_stated: int
    n_without_bayes: int
    n_unused: int


def bayes_deviation(beliefs: pl.DataFrame, turns: pl.DataFrame, generator: np.random.Generator) -> BayesDeviation:
    """Returns how far stated beliefs (and the actions, for NB3) are from Bayes.

    Args:
        beliefs: Columns `rollout`, `signal`, `precision`, `belief`, `public`, `bayes`; the states are B and G.
        turns: Columns `rollout`, `belief` (public), `precision`, `signal`, `action`.
        generator: Source of the bootstrap draws.
    """
    known = beliefs.filter(pl.col("bayes").is_not_null() & pl.col("bayes").is_not_nan())
    gaps = known.with_columns(gap=(pl.col("belief") - pl.col("bayes")).abs())
    return BayesDeviation(
        by_bin(gaps, "public", "gap", generator),
        response_slope(known, is_agreeing=True, generator=generator),
        response_slope(known, is_agreeing=False, generator=generator),
        cascade_delay(turns, generator),
        len(beliefs),
        len(beliefs) - len(known),
        int((~_has_log_odds(known)).sum()),
    )


def response_slope(beliefs: pl.DataFrame, *, is_agreeing: bool, generator: np.random.Generator) -> Estimate:
    """Returns the slope through the origin of logit(stated) - logit(public) on the signal's log-odds.

    slope = sum x y / sum x^2 with x = +-logit(q), y = logit(stated) - logit(public); Bayes gives exactly 1. A signal
    agrees if it points to the side of 1/2 where the public belief is; at 1/2 it does neither. Rows with an infinite
    log-odds, and signals below `LEAST_PRECISION` (which say almost nothing), do not enter.

    Args:
        beliefs: Columns `rollout`, `signal` (B or G), `precision`, `belief`, `public`.
        is_agreeing: Which signals enter: those that agree, or those that oppose.
        generator: Source of the bootstrap draws.

    Undefined: NaN without such signals.
    """
    usable = beliefs.filter(_has_log_odds(beliefs))
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
    agents did; the value is the least t with the fewest misfits, among the values of the excess that occur. A Bayesian
    ignores at every excess above 0, so t is at most 0 for Bayesians; t > 0 is NB3. The truth lies between t and the
    next excess that occurs.

    Args:
        turns: Columns `rollout`, `belief` (public, before the turn), `precision`, `signal` (B or G), `action`.
        generator: Source of the bootstrap draws.
        n_draws: Bootstrap draws.

    Returns:
        The estimate; `n` counts rollouts with opposing signals. An end of the interval is infinite where draws are
        fitted best by ignoring always (minus) or never (plus).

    Undefined: NaN if no signal opposed, or if ignoring always, or never, fits as well as any threshold between.
    """
    excess, is_ignored, rollouts = _opposed(turns)
    numbers = np.unique(rollouts, return_inverse=True)[1]
    n = int(numbers.max()) + 1 if len(numbers) else 0
    thresholds = np.concatenate([[-np.inf], np.unique(excess)])
    misfits = (excess[:, None] > thresholds + TOLERANCE) != is_ignored[:, None]
    by_rollout = np.zeros((n, len(thresholds)))
    np.add.at(by_rollout, numbers, misfits)
    thresholds[-1] = np.inf
    value = float(thresholds[_best(by_rollout.sum(axis=0))])
    if not math.isfinite(value):
        return Estimate(math.nan, math.nan, math.nan, n)
    if n == 1:
        return Estimate(value, math.nan, math.nan, 1)
    drawn = thresholds[_best(generator.multinomial(n, np.full(n, 1.0 / n), size=n_draws) @ by_rollout)]
    ends = [float(np.quantile(drawn, level, method="inverted_cdf")) for level in (0.025, 0.975)]
    return Estimate(value, ends[0], ends[1], n)


def _best(misfits: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the place of the least misfit along the last axis; of equals the ends first, then the least."""
    ends_first = misfits.copy()
    ends_first[..., [0, -1]] -= 0.5
    return np.argmin(ends_first, axis=-1)


def _opposed(turns: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Returns excess, whether the signal was ignored, and the rollout, of turns with an opposing signal `[n]`."""
    belief = turns["belief"].to_numpy()
    side = np.where(turns["signal"] == "G", 1.0, -1.0)
    is_opposed = side * (belief - 0.5) < -TOLERANCE
    excess: NDArray[np.float64] = (np.maximum(belief, 1.0 - belief) - turns["precision"].to_numpy()).round(
        9
    ) + 0.0  # no -0.0 in tables
    is_ignored = (turns["action"] != turns["signal"]).to_numpy()
    return excess[is_opposed], is_ignored[is_opposed], turns["rollout"].to_numpy()[is_opposed]


def _has_log_odds(beliefs: pl.DataFrame) -> pl.Series:
    is_telling = (beliefs["precision"] >= LEAST_PRECISION) & (beliefs["precision"] < 1.0)
    return _is_inside(beliefs["belief"]) & _is_inside(beliefs["public"]) & is_telling


def _is_inside(values: pl.Series) -> pl.Series:
    return (values > 0.0) & (values < 1.0)


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(p) - np.log1p(-p)
