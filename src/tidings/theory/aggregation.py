"""How N answers become one: weighted vote over extracted keys, plurality, centroid over embeddings.

A *key* is what an answer says in comparable form (a number, a letter); `None` means that none could be extracted. Such
an answer does not vote. Leave an agent whose call failed out of all arguments and count it: it has no answer.

Source: conventions of the project's self-organisation sheet, section 6, on top of arXiv 2510.00685.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.cosine import check_embeddings, check_values
from tidings.theory.shapley import cosine_contributions
from tidings.theory.topology import select_response

__all__ = ["Aggregate", "centroid", "clamped_weights", "majority", "psi_vote", "weighted_vote"]

Key: TypeAlias = Hashable | None
Rule: TypeAlias = Literal["vote", "centroid", "no_key"]

TIE = 1e-9


@dataclass(frozen=True)
class Aggregate:
    """The answer a group gives.

    Attributes:
        index: The agent whose answer is given; `None` only with `no_key`: there is no group answer, count it.
        key: The key of that answer; `None` when it has none.
        rule: What decided: `vote`, `centroid` (also as fallback of a vote), or `no_key` (a vote without any key).
        n_voters: How many answers had a key.
    """

    index: int | None
    key: Key
    rule: Rule
    n_voters: int


def clamped_weights(contributions: ArrayLike) -> NDArray[np.float64]:
    """Returns max(0, contribution) per agent `[n]`, or 1 for all when no contribution is positive."""
    weights = np.maximum(0.0, np.asarray(contributions, dtype=np.float64))
    return weights if weights.any() else np.ones_like(weights)


def weighted_vote(keys: Sequence[Key], weights: ArrayLike) -> Aggregate:
    """Returns the answer with the key of largest summed weight.

    Ties within 1e-9 go to the key with more answers, then to the key that occurs first. Among the answers with the
    winning key the one of largest weight is given (ties within 1e-9: lowest id).

    Args:
        keys: One key per agent; `None` for an answer that does not vote.
        weights: One number >= 0 per agent `[n_agents]`.

    Raises:
        ValueError: If there is no answer, or the weights do not fit or are negative.
    """
    values = check_values("weighted_vote.weights", weights, _check_n(keys))
    if (values < 0).any():
        raise ValueError(f"weighted_vote.weights: found {values.min()!r}; need numbers >= 0; use clamped_weights")
    voters: dict[Hashable, list[int]] = {}
    for agent, key in enumerate(keys):
        if key is not None:
            voters.setdefault(key, []).append(agent)
    if not voters:
        return Aggregate(None, None, "no_key", 0)
    scores = {key: float(values[agents].sum()) for key, agents in voters.items()}
    best = max(scores.values())
    winner = max((key for key in voters if scores[key] >= best - TIE), key=lambda key: len(voters[key]))
    agents = voters[winner]
    largest = values[agents].max()
    chosen = next(agent for agent in agents if values[agent] >= largest - TIE)
    return Aggregate(chosen, winner, "vote", sum(map(len, voters.values())))


def majority(keys: Sequence[Key]) -> Aggregate:
    """Returns the first answer with the most frequent key; ties go to the key that occurs first.

    This is the plurality of self-consistency (Wang et al. 2023, arXiv 2203.11171) and of debate. Without any key there
    is no answer (rule `no_key`).

    Args:
        keys: One key per agent; `None` for an answer that does not vote.

    Raises:
        ValueError: If there is no answer at all.
    """
    return weighted_vote(keys, np.ones(_check_n(keys)))


def centroid(embeddings: ArrayLike, keys: Sequence[Key] | None = None) -> Aggregate:
    """Returns the answer nearest to the centroid weighted by clamped psi; keys are only reported, never used.

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.
        keys: One key per agent, if there are keys.

    Raises:
        ValueError: If the embeddings are no finite matrix, or the keys do not fit.

    Source: arXiv 2510.00685, final response; psi clamped at 0, since negative weights can turn the choice.
    """
    matrix = check_embeddings("centroid", embeddings)
    known = [None] * len(matrix) if keys is None else list(keys)
    _check_fit("centroid", len(matrix), known)
    index = select_response(matrix, clamped_weights(cosine_contributions(matrix)))
    return Aggregate(index, known[index], "centroid", sum(key is not None for key in known))


def psi_vote(embeddings: ArrayLike, keys: Sequence[Key]) -> Aggregate:
    """Returns the winner of the vote weighted by clamped psi, or the centroid's answer when there is no key at all.

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.
        keys: One key per agent; `None` for an unparsable answer, which weighs in psi but does not vote.

    Raises:
        ValueError: If the embeddings are no finite matrix, or the keys do not fit.
    """
    matrix = check_embeddings("psi_vote", embeddings)
    _check_fit("psi_vote", len(matrix), keys)
    if all(key is None for key in keys):
        return centroid(matrix)
    return weighted_vote(keys, clamped_weights(cosine_contributions(matrix)))


def _check_n(keys: Sequence[Key]) -> int:
    if not len(keys):
        raise ValueError("aggregation.keys: found none; need one key (or None) per answer; count the failure instead")
    return len(keys)


def _check_fit(where: str, n: int, keys: Sequence[Key]) -> None:
    if len(keys) != n:
        raise ValueError(f"{where}.keys: found {len(keys)!r} keys for {n} answers; need one each, None if unparsable")
