"""From the most probable first tokens that a server reports to probabilities of options."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tidings.core import ModelError

__all__ = ["SHARED_LIMIT", "choose_by_first_token"]

SHARED_LIMIT = 1e-3
"""Largest part of the options' mass that may lie on first tokens which begin two of them."""


def choose_by_first_token(
    options: Sequence[str], top: Sequence[tuple[str, float]]
) -> tuple[tuple[float, ...], float, dict[str, Any]]:
    """Returns the probabilities of options judged by the first token of the answer.

    A token counts for an option if it is the option or its beginning, leading blanks aside. This equals the exact
    probability of an option that is one token; for a longer option it is the probability of its first token, an upper
    bound (before renormalising). Options must differ in their first token: `Yes` and `Yesterday` cannot be told apart
    if the model begins both with `Yes`.

    Args:
        options: The allowed answers.
        top: Text and natural-log probability of the most probable first tokens.

    Returns:
        Probability of each option, renormalised; their mass before; and what remains open: `unseen` lists options whose
        first token is not among the reported ones. They are given 0; what they truly have is at most `unseen_below`
        (before renormalising). `shared` is the probability of tokens that begin two options, which is left out.

    Raises:
        ModelError: `request`, if no option was seen, or tokens that begin two options have more than a thousandth of
            the mass.
    """
    masses = [0.0] * len(options)
    shared = 0.0
    for token, logprob in top:
        text = token.lstrip()
        fits = [i for i, option in enumerate(options) if text and option.startswith(text)]
        if len(fits) == 1:
            masses[fits[0]] += math.exp(logprob)
        elif fits:
            shared += math.exp(logprob)
    mass = math.fsum(masses)
    if shared > SHARED_LIMIT * mass:
        raise ModelError(
            "request", f"some of {list(options)} begin with the same token; a server cannot tell them apart"
        )
    if not mass > 0:
        raise ModelError("request", f"none of {list(options)} is among the {len(top)} most probable first tokens")
    return tuple(value / mass for value in masses), min(1.0, mass), _open_ends(options, masses, shared, top)


def _open_ends(
    options: Sequence[str], masses: Sequence[float], shared: float, top: Sequence[tuple[str, float]]
) -> dict[str, Any]:
    unseen = [option for option, mass in zip(options, masses, strict=True) if mass == 0]
    found: dict[str, Any] = {}
    if unseen:
        found = {"unseen": unseen, "unseen_below": math.exp(min(logprob for _, logprob in top))}
    return {**found, "shared": shared} if shared else found
