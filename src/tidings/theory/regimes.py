"""Which way of combining answers is right how often, played with simulated answerers: thousands of groups at once.

Array forms of `aggregation` and `topology` over a batch of questions, and `compare_methods`, which plays single answer,
plurality, contribution-weighted choices, self-organised rounds, and self-consistency at equal calls on the same
answers.

Source: arXiv 2510.00685 for the method; self-consistency after arXiv 2203.11171.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tidings.theory.aggregation import TIE as VOTE_TIE
from tidings.theory.answerers import (
    RIGHT,
    Answerers,
    Answers,
    AnswerSpace,
    Revision,
    draw_answers,
    draw_directions,
    embed_answers,
)
from tidings.theory.topology import TIE as PSI_TIE

__all__ = [
    "Accuracy",
    "Choices",
    "Rounds",
    "batch_dag",
    "batch_psi",
    "choose_by_centroid",
    "choose_by_vote",
    "clamp",
    "compare_methods",
    "is_right",
    "play_rounds",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Grading: TypeAlias = Literal["key", "text"]


@dataclass(frozen=True)
class Accuracy:
    """How often a method is right.

    Attributes:
        mean: Share of questions answered rightly.
        standard_error: sqrt(mean (1 - mean) / n_questions).
        mean_calls: Calls per question.
    """

    mean: float
    standard_error: float
    mean_calls: float


@dataclass(frozen=True)
class Rounds:
    """What self-organised rounds left behind.

    Attributes:
        answers: The answers after the last round.
        embeddings: Their embeddings `[n_questions, n_agents, dim]`.
        first_embeddings: Those of the first answers `[n_questions, n_agents, dim]`.
        n_calls: Calls spent, the first answers included `[n_questions]`.
    """

    answers: Answers
    embeddings: Floats
    first_embeddings: Floats
    n_calls: Ints


@dataclass(frozen=True)
class Choices:
    """Whose answer is given to each question.

    Attributes:
        agents: The chosen agent `[n_questions]`; without meaning where no choice was made.
        is_made: Whether there is a choice: a vote without voters has none `[n_questions]`.
    """

    agents: Ints
    is_made: Bools

    def or_else(self, other: Choices) -> Choices:
        """Returns these choices, and those of `other` where none was made."""
        return Choices(np.where(self.is_made, self.agents, other.agents), self.is_made | other.is_made)


def _all(agents: Ints, is_made: Bools | None = None) -> Choices:
    return Choices(agents, np.ones(len(agents), dtype=bool) if is_made is None else is_made)


def batch_psi(embeddings: Floats) -> Floats:
    """Returns psi of every agent in every question `[n_questions, n_agents]`, for embeddings that are not zero."""
    total = embeddings.sum(axis=1)
    lengths = np.linalg.norm(embeddings, axis=2) * np.linalg.norm(total, axis=1)[:, None]
    return np.einsum("qnd,qd->qn", embeddings, total) / lengths


def batch_dag(embeddings: Floats, tau: float, top_k: int | None = None) -> Bools:
    """Returns the paper's graph of every question `[n_questions, parent, reader]`; see `topology.contribution_dag`."""
    unit = embeddings / np.linalg.norm(embeddings, axis=2, keepdims=True)
    cosines, psi = unit @ unit.transpose(0, 2, 1), batch_psi(embeddings)
    allowed = (cosines >= tau) & (psi[:, :, None] > psi[:, None, :] + PSI_TIE)
    if top_k is None:
        return allowed
    by_psi = np.argsort(-psi.round(9), axis=1, kind="stable")[:, :, None]
    closeness = np.where(allowed, cosines, -np.inf)
    nearest = np.argsort(-np.take_along_axis(closeness, by_psi, axis=1).round(9), axis=1, kind="stable")[:, :top_k]
    chosen = np.zeros(allowed.shape, dtype=bool)
    np.put_along_axis(chosen, np.take_along_axis(np.broadcast_to(by_psi, allowed.shape), nearest, axis=1), True, axis=1)
    return allowed & chosen


def choose_by_vote(labels: Ints, is_voter: Bools, weights: Floats) -> Choices:
    """Returns the first agent with the winning key of every question; see `aggregation.weighted_vote`.

    Args:
        labels: Keys `[n_questions, n_agents]`.
        is_voter: Whether the answer has a key `[n_questions, n_agents]`.
        weights: Numbers >= 0 `[n_questions, n_agents]`.
    """
    same = (labels[:, :, None] == labels[:, None, :]) & is_voter[:, :, None] & is_voter[:, None, :]
    scores = np.where(is_voter, (same * weights[:, None, :]).sum(axis=2), -np.inf)
    counts = np.where(scores >= scores.max(axis=1, keepdims=True) - VOTE_TIE, same.sum(axis=2), -1)
    return _all(counts.argmax(axis=1), np.asarray(is_voter.any(axis=1)))


def choose_by_centroid(embeddings: Floats, weights: Floats) -> Choices:
    """Returns the agent nearest to the weighted centroid of every question; see `topology.select_response`."""
    target = np.einsum("qn,qnd->qd", weights, embeddings)
    scores = np.einsum("qnd,qd->qn", embeddings, target) / np.linalg.norm(embeddings, axis=2)
    return _all(scores.argmax(axis=1))


def clamp(psi: Floats) -> Floats:
    """Returns max(0, psi), or 1 for all agents of a question in which no psi is positive."""
    weights = np.maximum(0.0, psi)
    return np.where(weights.any(axis=1, keepdims=True), weights, 1.0)


def play_rounds(
    answers: Answers,
    space: AnswerSpace,
    revision: Revision,
    n_rounds: int,
    rng: np.random.Generator,
    tau: float = -1.0,
    top_k: int | None = None,
) -> Rounds:
    """Plays self-organised rounds: embed, score, rebuild the paper's graph, let each reader revise in order.

    Agents speak from the highest psi down and read the *new* answers of their parents. The first reviews its own
    answer, which costs a call and changes nothing here; other agents without parents are skipped. There is no early
    stop.

    Args:
        answers: First answers.
        space: Where answers lie.
        revision: How a reader revises.
        n_rounds: Number of rounds, 0 or more.
        rng: Source of all draws.
        tau: Least cosine of an edge; -1 turns it off.
        top_k: Cap on parents per reader.

    Raises:
        ValueError: If `n_rounds` is below 0.
    """
    if n_rounds < 0:
        raise ValueError(f"play_rounds.n_rounds: found {n_rounds!r}; need 0 or more")
    n_questions, n_agents = answers.labels.shape
    directions = draw_directions(space, n_questions, n_agents, rng)
    embeddings = embed_answers(answers, space, directions, rng)
    first, n_calls = embeddings, np.full(n_questions, n_agents)
    for _ in range(n_rounds):
        order = np.argsort(-batch_psi(embeddings).round(9), axis=1, kind="stable")
        dag = batch_dag(embeddings, tau, top_k)
        answers = _revise_in_order(answers, order, dag, revision, rng)
        speaks = dag.any(axis=1) | (np.arange(n_agents) == order[:, :1])
        n_calls = n_calls + speaks.sum(axis=1)
        embeddings = np.where(speaks[:, :, None], embed_answers(answers, space, directions, rng), embeddings)
    return Rounds(answers, embeddings, first, n_calls)


def _revise_in_order(
    answers: Answers, order: Ints, dag: Bools, revision: Revision, rng: np.random.Generator
) -> Answers:
    """Returns the answers after each agent, in its question's order, weighed one parent drawn evenly."""
    labels, ideas = answers.labels.copy(), answers.ideas.copy()
    rows = np.arange(len(labels))
    for agents in order.T:
        is_parent = dag[rows, :, agents]
        others = np.where(is_parent, rng.random(is_parent.shape), -1.0).argmax(axis=1)
        p_take = revision.p_take(labels[rows, agents] == RIGHT, labels[rows, others] == RIGHT)
        takes = is_parent.any(axis=1) & (rng.random(len(rows)) < p_take)
        sources = np.where(takes, others, agents)
        labels[rows, agents], ideas[rows, agents] = labels[rows, sources], ideas[rows, sources]
    return Answers(labels, ideas, answers.is_parsable)


def is_right(answers: Answers, choices: Choices, grading: Grading) -> Bools:
    """Returns whether the chosen answers are right `[n_questions]`; a missing choice is not.

    Args:
        answers: All answers.
        choices: Chosen agents.
        grading: `key`: an unparsable answer counts as not right; `text`: a judge reads the answer itself.
    """
    chosen = (np.arange(len(choices.agents)), choices.agents)
    right = (answers.labels[chosen] == RIGHT) & choices.is_made
    return right & answers.is_parsable[chosen] if grading == "key" else right


def _accuracy(right: Bools, n_calls: Ints | int) -> Accuracy:
    mean = float(right.mean())
    return Accuracy(mean, math.sqrt(mean * (1 - mean) / len(right)), float(np.mean(n_calls)))


def compare_methods(
    answerers: Answerers,
    space: AnswerSpace,
    revision: Revision,
    n_questions: int,
    n_agents: int,
    n_rounds: int,
    rng: np.random.Generator,
    grading: Grading = "key",
    tau: float = -1.0,
    top_k: int | None = None,
) -> dict[str, Accuracy]:
    """Returns the accuracy of each method on the same simulated questions.

    * `single`: the first agent. `majority`, `psi_vote`, `centroid` (psi-weighted), `top_psi`: the first answers.
    * `self_organised_vote`, `self_organised_centroid`: after `n_rounds` with the paper's graph.
    * `self_consistency`: plurality of as many answers as the self-organised rounds made calls *on that question*, the
      first `n_agents` of them the same ones.

    Args:
        answerers: How agents answer.
        space: Where answers lie.
        revision: How readers revise.
        n_questions: Number of questions.
        n_agents: Agents per question.
        n_rounds: Self-organised rounds.
        rng: Source of all draws.
        grading: See `is_right`.
        tau: Least cosine of an edge; -1 turns it off.
        top_k: Cap on parents per reader.
    """
    samples = draw_answers(answerers, n_questions, n_agents * (1 + n_rounds), rng)
    first = samples.of_first(n_agents)
    end = play_rounds(first, space, revision, n_rounds, rng, tau, top_k)
    before, after = clamp(batch_psi(end.first_embeddings)), clamp(batch_psi(end.embeddings))
    is_paid = np.arange(samples.labels.shape[1]) < end.n_calls[:, None]
    ones = np.ones(samples.labels.shape)
    center, last_center = choose_by_centroid(end.first_embeddings, before), choose_by_centroid(end.embeddings, after)
    vote, last_vote = (choose_by_vote(a.labels, a.is_parsable, w) for a, w in ((first, before), (end.answers, after)))
    played = {
        "single": (first, _all(np.zeros(n_questions, dtype=np.intp)), 1),
        "majority": (first, choose_by_vote(first.labels, first.is_parsable, ones[:, :n_agents]), n_agents),
        "psi_vote": (first, vote.or_else(center), n_agents),
        "centroid": (first, center, n_agents),
        "top_psi": (first, _all(before.argmax(axis=1)), n_agents),
        "self_organised_vote": (end.answers, last_vote.or_else(last_center), end.n_calls),
        "self_organised_centroid": (end.answers, last_center, end.n_calls),
        "self_consistency": (samples, choose_by_vote(samples.labels, samples.is_parsable & is_paid, ones), end.n_calls),
    }
    return {name: _accuracy(is_right(said, chosen, grading), calls) for name, (said, chosen, calls) in played.items()}
