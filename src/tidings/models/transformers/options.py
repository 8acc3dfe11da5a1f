"""From log-probabilities of token sequences to probabilities of options."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tidings.core import ModelError

__all__ = ["option_probabilities"]


def option_probabilities(
    sequences: Sequence[Sequence[int]], logprobs: Sequence[float]
) -> tuple[tuple[float, ...], float]:
    """Returns the probability of each option as the beginning of an answer, and their mass before renormalising.

    An option's probability is the product of its tokens' probabilities. Where one option's tokens begin another's
    (`1` and `10`), the shorter one counts only when none of the longer ones follows, so that the events exclude each
    other: the answer begins with this option, and with no longer one.

    Args:
        sequences: Tokens of each option, at least one each.
        logprobs: Natural-log probability of each sequence after the prompt.

    Raises:
        ModelError: If two options have the same tokens, or all have probability 0.
    """
    keys = [tuple(sequence) for sequence in sequences]
    if len(set(keys)) < len(keys):
        raise ModelError("request", "two options have the same tokens; the model cannot tell them apart")
    begins = [math.exp(logprob) for logprob in logprobs]
    masses = [max(0.0, begins[i] - _longer(keys, begins, i)) for i in range(len(keys))]
    mass = math.fsum(masses)
    if not mass > 0:
        raise ModelError("request", "the model gives every option probability 0")
    return tuple(value / mass for value in masses), min(1.0, mass)


def _longer(keys: list[tuple[int, ...]], begins: list[float], i: int) -> float:
    """Returns the probability of going on from option `i` to a longer option; nested ones are counted once."""
    longer = [j for j in range(len(keys)) if len(keys[j]) > len(keys[i]) and keys[j][: len(keys[i])] == keys[i]]
    nearest = [j for j in longer if not any(k != j and keys[j][: len(keys[k])] == keys[k] for k in longer)]
    return math.fsum(begins[j] for j in nearest)
