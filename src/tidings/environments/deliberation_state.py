"""Where a deliberation stands, and the pure functions of its answers: ledger, schedule, the group's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tidings.core import SeedPath
from tidings.theory.aggregation import Aggregate, clamped_weights, majority, weighted_vote
from tidings.theory.hashing import hashed_vectors
from tidings.theory.questions import Question, extract_answer
from tidings.theory.rounds import Round
from tidings.theory.shapley import cosine_contributions, exact_shapley
from tidings.theory.topology import select_response

__all__ = [
    "EMBEDDER",
    "MAX_EXACT",
    "Aggregation",
    "Answer",
    "DeliberationState",
    "Phase",
    "Verdict",
    "contributions",
    "decide",
    "ledger",
    "read_reply",
]

Phase: TypeAlias = Literal["open", "sample", "plan", "revise", "judge", "over"]
Aggregation: TypeAlias = Literal["psi_vote", "centroid", "majority", "last", "judge"]

EMBEDDER = "hashing-256"
"""Name of the vectors the environment itself makes: pure, without weights (`tidings.theory.hashing`)."""

MAX_EXACT = 10
"""Most answers whose exact Shapley values are worked out."""

_DECIMALS = 9


class Answer(NamedTuple):
    """An answer that stands.

    Attributes:
        seat: Who gave it.
        sample: 0, or the number of the further independent answer of this seat.
        text: The whole reply.
        key: What it says in comparable form; None if nothing can be compared.
        reason: Why it cannot be read; None if it can.
        round: The round in which it was given; 0 for first answers.
    """

    seat: str
    sample: int
    text: str
    key: str | None
    reason: str | None
    round: int

    @property
    def label(self) -> str:
        """Name of the answer: the seat, and for a further sample its number."""
        return self.seat if self.sample == 0 else f"{self.seat}#{self.sample + 1}"


class DeliberationState(NamedTuple):
    """Where a rollout stands.

    Attributes:
        question: As it is shown.
        phase: What comes next.
        n_samples: First answers wanted.
        n_asked: First answers asked for so far.
        answers: Those that stand, in the order of seats and samples.
        round: Rounds of reading begun.
        steps: The current round; None before the first.
        readers: Seat -> those who read its new text in the current round.
        level: Which step of the current round is due.
        weights: What the planner said each seat's answer counts; None if it said nothing.
        choice: Whose answer the planner would give; None if it did not say.
        speaker: Label of the answer that was given last.
        n_calls: Answers asked for so far.
        depth: Of these, how many had to wait for each other.
        n_failed: Answers and plans that failed.
        n_before: Calls at the beginning of the current round.
        failed: Seats that failed in the current round.
    """

    question: Question
    seed: SeedPath
    phase: Phase
    n_samples: int = 0
    n_asked: int = 0
    answers: tuple[Answer, ...] = ()
    round: int = 0
    nodes: tuple[str, ...] = ()
    steps: Round | None = None
    readers: Mapping[str, tuple[str, ...]] = {}
    level: int = 0
    weights: Mapping[str, float] | None = None
    choice: str | None = None
    speaker: str | None = None
    n_calls: int = 0
    depth: int = 0
    n_failed: int = 0
    n_before: int = 0
    failed: tuple[str, ...] = ()

    @property
    def depth_of_round(self) -> int:
        """Sequential steps of the current round; independent first answers take one."""
        return 1 if self.steps is None else self.steps.depth


def read_reply(question: Question, seat: str, sample: int, text: str, round: int) -> Answer:
    """Returns the answer in a reply: its key, or the reason why none can be read."""
    found = extract_answer(question, text)
    return Answer(seat, sample, text, found.key, getattr(found, "reason", None), round)


def contributions(answers: Sequence[Answer]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Returns psi and, for at most `MAX_EXACT` answers, the exact Shapley value phi of each, on hashed vectors."""
    vectors = _vectors(answers)
    phi = exact_shapley(vectors) if len(answers) <= MAX_EXACT else None
    # Sums may differ in the last digits between machines; the log must not.
    return cosine_contributions(vectors).round(_DECIMALS), None if phi is None else phi.round(_DECIMALS)


def ledger(state: DeliberationState) -> dict[str, Any]:
    """Returns the ledger of the round that has just ended, as JSON values."""
    psi, phi = contributions(state.answers) if state.answers else (np.zeros(0), None)
    rows = [
        {
            "seat": answer.seat,
            "sample": answer.sample,
            "key": answer.key,
            "reason": answer.reason,
            "written": answer.round,
            "psi": float(psi[i]),
            "phi": None if phi is None else float(phi[i]),
        }
        for i, answer in enumerate(state.answers)
    ]
    return {
        "round": state.round,
        "embedder": EMBEDDER,
        "answers": rows,
        "failed": list(state.failed),
        "calls": state.n_calls - state.n_before,
        "depth": state.depth_of_round,
    }


class Verdict(NamedTuple):
    """The group's answer: `label` is None where there is none, `rule` says what decided."""

    label: str | None
    key: str | None
    rule: str
    n_voters: int


def decide(state: DeliberationState, aggregation: Aggregation) -> Verdict:
    """Returns the group's answer.

    * `psi_vote`: keys weighted by what the planner said each answer counts, else by psi, both clamped at 0; without any
      key the planner's choice, else the answer nearest to the weighted centroid.
    * `centroid`: the planner's choice, else the answer nearest to the weighted centroid.
    * `majority`: the most frequent key, the first of equals; without any key there is none (`no_key`).
    * `last`: the answer given last.

    Undefined: no answer at all: rule `no_answer`, no label. `judge` is decided by its own turn.
    """
    answers = state.answers
    keys = [answer.key for answer in answers]
    n_voters = sum(key is not None for key in keys)
    if not answers:
        return Verdict(None, None, "no_answer", 0)
    if aggregation == "last":
        said = next(answer for answer in answers if answer.label == state.speaker)
        return Verdict(said.label, said.key, "last", n_voters)
    if aggregation == "majority":
        return _verdict(answers, majority(keys))
    weights = _weights(state)
    if aggregation == "psi_vote" and n_voters:
        return _verdict(answers, weighted_vote(keys, weights))
    index = select_response(_vectors(answers), weights)
    if state.choice is not None:
        index = next(i for i, answer in enumerate(answers) if answer.label == state.choice)
    return Verdict(answers[index].label, keys[index], "centroid", n_voters)


def _weights(state: DeliberationState) -> NDArray[np.float64]:
    if state.weights is None:
        return clamped_weights(cosine_contributions(_vectors(state.answers)))
    return clamped_weights([state.weights[answer.seat] for answer in state.answers])


def _verdict(answers: Sequence[Answer], found: Aggregate) -> Verdict:
    label = None if found.index is None else answers[found.index].label
    key = None if found.index is None else answers[found.index].key
    return Verdict(label, key, found.rule, found.n_voters)


def _vectors(answers: Sequence[Answer]) -> NDArray[np.float64]:
    return hashed_vectors([answer.text for answer in answers])
