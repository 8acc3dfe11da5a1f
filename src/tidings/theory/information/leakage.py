"""How much an observation gives away about a secret.

Source: Smith 2009 (vulnerability, min-entropy leakage); Issa et al., arXiv 1807.07878 (maximal leakage).
"""

from __future__ import annotations

import math
from typing import TypedDict

from numpy.typing import ArrayLike

from tidings.theory.information.entropy import joint_information_bits
from tidings.theory.information.laws import read_channel, read_law

__all__ = ["Leakage", "information_leakage"]


class Leakage(TypedDict):
    """Leakage of a channel from secrets to observations.

    Attributes:
        V_prior: Probability of guessing the secret unaided, max_s p(s).
        V_post: Probability of guessing it after the observation, sum_o max_s p(s) p(o|s).
        min_entropy_leakage: log2 V_post / V_prior, bits.
        maximal_leakage: log2 sum_o max_s p(o|s), bits.
        shannon_leakage: I(S;O), bits.
    """

    V_prior: float
    V_post: float
    min_entropy_leakage: float
    maximal_leakage: float
    shannon_leakage: float


def information_leakage(prior: ArrayLike, chan: ArrayLike) -> Leakage:
    """Returns the vulnerabilities of a secret and three measures of what a channel leaks about it.

    The Shannon leakage is an average and hides the worst case; report the maximal leakage beside it. The maximal
    leakage does not depend on the prior: its maximum runs over all rows, those of probability 0 included. Issa et al.
    take possible secrets only; leave out the rows of the others to get theirs.

    Args:
        prior: Probability of each secret `[n_secrets]`.
        chan: P(observation | secret) `[n_secrets, n_observations]`.

    Raises:
        ValueError: No law, or a channel that does not fit it.
    """
    secrets = read_law(prior, "prior", 1)
    rows = read_channel(chan, "chan", len(secrets))
    joint = secrets[:, None] * rows
    v_prior, v_post = float(secrets.max()), float(joint.max(axis=0).sum())
    return {
        "V_prior": v_prior,
        "V_post": v_post,
        "min_entropy_leakage": math.log2(v_post / v_prior),
        "maximal_leakage": math.log2(float(rows.max(axis=0).sum())),
        "shannon_leakage": joint_information_bits(joint),
    }
