"""Information in texts from their log-probabilities under several contexts. Log-probabilities in nats, results in bits.

Nothing is exponentiated before the largest term is taken off: the probability of a 500-token text is 0 in floats.

Which number is it? Census (every world as a context, once): exactly I(X;Z) in expectation. N sampled contexts, own one
included: at most I and at most log2 N, rising with N. Own one left out: at least I, and wild for sharp channels, never
to be reported alone. A proxy scorer only lowers the first two.

Source: He et al., arXiv 2512.21720 (estimator); van den Oord et al., arXiv 1807.03748 (cap); Barber & Agakov 2003.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.information.laws import check_index, read_law, read_numbers

__all__ = [
    "InformationDensity",
    "census_mutual_information_from_logprobs",
    "information_density_increments",
    "mutual_information_from_logprobs",
]

_LN2 = math.log(2.0)


class InformationDensity(TypedDict):
    """What a sequence of messages says about the true world.

    Attributes:
        increments: Bits of each message given those before it.
        total: Their sum, log2 posterior / prior of the true world.
        posterior_src: Probability of the true world after the last message.
    """

    increments: list[float]
    total: float
    posterior_src: float


def mutual_information_from_logprobs(logp: ArrayLike, src: Sequence[int], include_self: bool = True) -> float:
    """Returns mean_s( ln p(z_s | own context) - ln mean_l p(z_s | context l) ) / ln 2, in bits, never clipped.

    Args:
        logp: ln p(z_s | context l) `[n_samples, n_contexts]`, nats; -inf allowed.
        src: Column of each sample's own context `[n_samples]`.
        include_self: Whether the mean runs over all contexts, or over the others only.

    Returns:
        -inf if a sample is impossible under its own context (a proxy scorer may say so); else +inf if, left out, a
        sample is impossible under all others.

    Raises:
        ValueError: A log-probability that is NaN or +inf, an unknown column, or not one `src` per sample.

    Undefined: NaN without samples, and for a single context that is left out.
    Source: arXiv 2512.21720, the estimator of section 3.
    """
    scores, own = _read_scores(logp, src)
    n_samples, n_contexts = scores.shape
    if n_samples == 0 or (n_contexts == 1 and not include_self):
        return math.nan
    others = scores.copy()
    if not include_self:
        others[np.arange(n_samples), own] = -np.inf
    log_n = math.log(n_contexts if include_self else n_contexts - 1)
    return _mean_density(scores[np.arange(n_samples), own], _log_sum(others) - log_n, None)


def census_mutual_information_from_logprobs(logp: ArrayLike, src: Sequence[int], prior: ArrayLike) -> float:
    """Returns the census estimate of I(X;Z) for worlds that are not equally likely, in bits.

    sum_x w_x mean_{s from x}( ln p(z_s|x) - ln sum_l w_l p(z_s|l) ) / ln 2; equals
    `mutual_information_from_logprobs` for uniform w and equally many samples per world.

    Args:
        logp: ln p(z_s | world l) `[n_samples, n_worlds]`, nats, all worlds.
        src: World of each sample `[n_samples]`.
        prior: Probability w of each world `[n_worlds]`.

    Returns:
        -inf if a sample of a possible world is impossible under its own world.

    Raises:
        ValueError: As `mutual_information_from_logprobs`, or a prior that is no law over the columns.

    Undefined: NaN if a world of positive prior has no sample.
    """
    scores, own = _read_scores(logp, src)
    weights = read_law(prior, "prior", 1)
    if len(scores) and len(weights) != scores.shape[1]:
        raise ValueError(f"prior: {len(weights)!r} entries; allowed is one per column of logp, {scores.shape[1]}")
    n_per_world = np.bincount(own, minlength=len(weights))
    if np.any((weights > 0.0) & (n_per_world == 0)):
        return math.nan
    used = weights[own] > 0.0
    scores, own = scores[used], own[used]
    with np.errstate(divide="ignore"):
        log_mixture = _log_sum(scores + np.log(weights))
    return _mean_density(scores[np.arange(len(own)), own], log_mixture, weights[own] / n_per_world[own])


def information_density_increments(
    logp_steps: ArrayLike, src: int, prior: ArrayLike | None = None
) -> InformationDensity:
    """Returns what each message adds about the true world x*, in bits, and the belief it ends in.

    i_t = log2 p(m_t|x*,h) - log2 sum_l w_l p(m_t|x_l,h), where w starts as the prior and follows Bayes' rule. The sum
    is log2 posterior(x*) / prior(x*), and its mean over messages and worlds is I(X; M_1..M_T).

    Args:
        logp_steps: ln p(m_t | m_<t, world l) `[n_steps, n_worlds]`, nats; -inf allowed.
        src: Index of the true world.
        prior: Probability of each world `[n_worlds]`; None for uniform.

    Returns:
        `increments`, `total` and `posterior_src`. An increment is -inf if the message is impossible in the true world,
        +inf if it is possible there but in no world that the belief still allows.

    Raises:
        ValueError: A log-probability that is NaN or +inf, an unknown world, or a prior that is no law over the worlds.

    Undefined: after a message that is impossible in every world still possible, later increments and the posterior are
        NaN.
    """
    steps = read_numbers(logp_steps, "logp_steps")
    if steps.size == 0 and prior is None:
        raise ValueError("logp_steps: no step; allowed is none only with a prior, which says how many worlds there are")
    n_worlds = len(read_law(prior, "prior", 1)) if prior is not None else steps.shape[-1]
    weights = read_law(prior, "prior", 1) if prior is not None else np.full(n_worlds, 1.0 / n_worlds)
    if steps.size and steps.shape[1:] != (n_worlds,):
        raise ValueError(f"logp_steps: shape {steps.shape!r}; allowed is (n_steps, {n_worlds}), one column per world")
    _check_scores(steps, "logp_steps")
    truth = check_index(src, n_worlds, "src")
    with np.errstate(divide="ignore"):
        log_weights = np.log(weights)
    increments: list[float] = []
    for step in _without_common_factor(steps) if steps.size else ():
        joint = log_weights + step
        log_evidence = float(_log_sum(joint[None, :])[0])
        increments.append(_density(float(step[truth]), log_evidence))
        log_weights = joint - log_evidence if log_evidence > -math.inf else np.full(n_worlds, np.nan)
    return {
        "increments": increments,
        "total": float(sum(increments)),
        "posterior_src": float(np.exp(log_weights[truth])),
    }


def _read_scores(logp: ArrayLike, src: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    scores = read_numbers(logp, "logp")
    if scores.size == 0:
        scores = np.zeros((len(scores) if scores.ndim == 2 and scores.shape[1] == 0 else 0, 0))
    if scores.ndim != 2:
        raise ValueError(f"logp: {scores.ndim!r} axes; allowed are 2, samples x contexts")
    if len(src) != len(scores):
        raise ValueError(f"src: {len(src)!r} entries; allowed is one per sample of logp, {len(scores)}")
    _check_scores(scores, "logp")
    own = [check_index(column, scores.shape[1], f"src[{index}]") for index, column in enumerate(src)]
    return _without_common_factor(scores), np.array(own, dtype=np.intp)


def _check_scores(scores: NDArray[np.float64], where: str) -> None:
    bad = scores[np.isnan(scores) | (scores == np.inf)]
    if bad.size:
        raise ValueError(f"{where}: entry {float(bad[0])!r}; allowed are natural logarithms, -inf included")


def _without_common_factor(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the rows less their largest entry: it cancels in every figure, and small logarithms keep more digits."""
    largest = rows.max(axis=1, initial=-np.inf)
    return rows - np.where(np.isinf(largest), 0.0, largest)[:, None]


def _log_sum(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns ln sum exp of each row `[n_rows]`; -inf for a row of -inf, NaN for a row of NaN."""
    largest = rows.max(axis=1, initial=-np.inf)
    shift = np.where(np.isinf(largest), 0.0, largest)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(rows - shift[:, None]).sum(axis=1)) + shift


def _density(log_own: float, log_evidence: float) -> float:
    """Returns (log_own - log_evidence) / ln 2, where an impossible own text is -inf whatever the evidence."""
    return -math.inf if log_own == -math.inf else (log_own - log_evidence) / _LN2


def _mean_density(
    log_own: NDArray[np.float64], log_evidence: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> float:
    if np.any(log_own == -np.inf):
        return -math.inf
    terms = log_own - log_evidence
    return float(terms.mean() if weights is None else weights @ terms) / _LN2
