"""Simulated answerers: right with a stated probability, wrong in a stated way, revising with stated probabilities.

They show in seconds, without a model, when weighting answers by contribution helps and when it harms. An answer has a
*label* (0 is right, 1 the attractor of wrong answers, 2.. the scattered wrong ones) and an *idea*: answers with one
idea lie in one cluster of the embedding space. Revision copies ideas and never invents one.

Closed forms about them are in `tidings.theory.agreement`, whole methods played with them in `tidings.theory.regimes`.

Source: our own stochastic model; Lemma 2 of arXiv 2510.00685 names the clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidings.theory.agreement import check_probabilities, wrong_shares

__all__ = [
    "AnswerSpace",
    "Answerers",
    "Answers",
    "Directions",
    "Revision",
    "draw_answers",
    "draw_directions",
    "embed_answers",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

RIGHT = 0


@dataclass(frozen=True)
class Answerers:
    """How a population answers.

    Attributes:
        p_right: Chance that an answer is right.
        n_scattered: Number of different wrong answers besides the attractor, all equally likely.
        p_attractor: Share of wrong answers that are one and the same (0: scattered, near 1: concentrated).
        p_shared: Chance that an agent gives the question's common answer, drawn once per question, instead of its
            own; the right/wrong outcomes of two agents then have correlation p_shared**2.
        p_unparsable: Chance that no key can be extracted from an answer, right or wrong.
        n_ways_right: Number of unrelated ways to be right: each is an idea of its own.
    """

    p_right: float
    n_scattered: int = 50
    p_attractor: float = 0.0
    p_shared: float = 0.0
    p_unparsable: float = 0.0
    n_ways_right: int = 1

    def __post_init__(self) -> None:
        check_probabilities("Answerers", p_right=self.p_right, p_shared=self.p_shared, p_unparsable=self.p_unparsable)
        wrong_shares(self.n_scattered, self.p_attractor)
        if self.n_ways_right < 1:
            raise ValueError(f"Answerers.n_ways_right: found {self.n_ways_right!r}; need 1 or more")


@dataclass(frozen=True)
class Answers:
    """Answers of many groups to one question each.

    Attributes:
        labels: What each answer says `[n_questions, n_agents]`; 0 is right.
        ideas: The lowest agent whose first answer holds the same idea `[n_questions, n_agents]`.
        is_parsable: Whether a key can be extracted `[n_questions, n_agents]`.
    """

    labels: Ints
    ideas: Ints
    is_parsable: Bools

    def of_first(self, n_agents: int) -> Answers:
        """Returns the answers of the first `n_agents` agents."""
        return Answers(self.labels[:, :n_agents], self.ideas[:, :n_agents], self.is_parsable[:, :n_agents])


@dataclass(frozen=True)
class AnswerSpace:
    """Where answers lie: expected cosine of two answers to one question.

    Attributes:
        base: Cosine of two answers with different ideas (about 0.7 for sentence embeddings of one question).
        cohesion_right: What is added when both hold the same right idea.
        cohesion_wrong: What is added when both hold the same wrong idea; 0 if equal wrong labels come from unrelated
            reasoning. Lemma 2 supposes cohesion_right well above cohesion_wrong.
        dim: Dimension; cosines scatter around their expectation with about 1 / sqrt(dim).
    """

    base: float
    cohesion_right: float
    cohesion_wrong: float
    dim: int = 64

    def __post_init__(self) -> None:
        right, wrong = self.cohesion_right, self.cohesion_wrong
        check_probabilities("AnswerSpace", base=self.base, cohesion_right=right, cohesion_wrong=wrong)
        if self.base + max(right, wrong) > 1 or self.dim < 1:
            raise ValueError(f"AnswerSpace: found {self!r}; need base + cohesion <= 1 and dim >= 1")


@dataclass(frozen=True)
class Revision:
    """How a reader revises after reading its parents: it weighs one of them, drawn evenly, and may take over its idea.

    With three equal numbers the reader cannot verify: in expectation it moves towards the mean of what it reads.

    Attributes:
        p_repair: Chance of taking over a right answer when its own is wrong.
        p_mislead: Chance of taking over a wrong answer when its own is right.
        p_swap: Chance of taking over an answer when both are right or both are wrong.
    """

    p_repair: float
    p_mislead: float
    p_swap: float

    def __post_init__(self) -> None:
        check_probabilities("Revision", p_repair=self.p_repair, p_mislead=self.p_mislead, p_swap=self.p_swap)

    def p_take(self, is_own_right: Bools, is_other_right: Bools) -> Floats:
        """Returns the chance of taking the other's answer, element by element."""
        same = np.where(is_own_right == is_other_right, self.p_swap, self.p_repair)
        return np.where(is_own_right & ~is_other_right, self.p_mislead, same)


def draw_answers(answerers: Answerers, n_questions: int, n_agents: int, rng: np.random.Generator) -> Answers:
    """Returns the first answers of `n_questions` groups.

    Args:
        answerers: How they answer.
        n_questions: Number of independent questions, 1 or more.
        n_agents: Agents per question, 1 or more.
        rng: Source of all draws.

    Raises:
        ValueError: If a number is below 1.
    """
    if n_questions < 1 or n_agents < 1:
        raise ValueError(f"draw_answers: found {n_questions!r} questions, {n_agents!r} agents; need 1 or more of each")
    shape = (n_questions, n_agents + 1)  # the last column is the question's common answer
    shares = wrong_shares(answerers.n_scattered, answerers.p_attractor)
    labels = 1 + rng.choice(len(shares), size=shape, p=shares)
    labels[rng.random(shape) < answerers.p_right] = RIGHT
    ways = np.where(labels == RIGHT, rng.integers(answerers.n_ways_right, size=shape), 0)
    copies = rng.random((n_questions, n_agents)) < answerers.p_shared
    labels, ways = (np.where(copies, array[:, -1:], array[:, :-1]) for array in (labels, ways))
    codes = labels * answerers.n_ways_right + ways
    ideas = (codes[:, :, None] == codes[:, None, :]).argmax(axis=2)
    return Answers(labels, ideas, rng.random(labels.shape) >= answerers.p_unparsable)


def _unit(rng: np.random.Generator, *shape: int) -> Floats:
    vectors = rng.standard_normal(shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@dataclass(frozen=True)
class Directions:
    """What the embeddings of one batch of questions have in common.

    Attributes:
        questions: One unit vector per question `[n_questions, 1, dim]`.
        ideas: One unit vector per possible idea `[n_questions, n_agents, dim]`.
    """

    questions: Floats
    ideas: Floats


def draw_directions(space: AnswerSpace, n_questions: int, n_agents: int, rng: np.random.Generator) -> Directions:
    """Returns random directions for the questions and ideas of one batch; use them in every round."""
    return Directions(_unit(rng, n_questions, 1, space.dim), _unit(rng, n_questions, n_agents, space.dim))


def embed_answers(answers: Answers, space: AnswerSpace, directions: Directions, rng: np.random.Generator) -> Floats:
    """Returns unit embeddings `[n_questions, n_agents, dim]` with the expected cosines of `space`.

    Each is a mix of its question's direction, its idea's direction and noise of its own, with squared weights base,
    cohesion and the rest.

    Args:
        answers: The answers.
        space: Expected cosines.
        directions: From `draw_directions`, for as many questions and agents.
        rng: Source of the noise.
    """
    cohesion = np.where(answers.labels == RIGHT, space.cohesion_right, space.cohesion_wrong)[:, :, None]
    ideas = np.take_along_axis(directions.ideas, answers.ideas[:, :, None], axis=1)
    noise = _unit(rng, *answers.labels.shape, space.dim)
    mixed = math.sqrt(space.base) * directions.questions + np.sqrt(cohesion) * ideas
    mixed = mixed + np.sqrt(1 - space.base - cohesion) * noise
    return mixed / np.linalg.norm(mixed, axis=2, keepdims=True)
