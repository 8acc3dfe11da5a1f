"""The detector `judge:MODEL`: a language model reads messages and says what each claims about each declared fact.

One question for each message and fact, with all values the fact could have: which of them does the message state or
deny, if any? The model sees the message and the values, not which value is true, nor who said it. Its calls are no part
of the run: they are in `rows/calls`, in no history and in no token count of the run.

How good a judge is has to be measured, on messages whose claims are known: `measure_judge`.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from tidings.agents.elicitation import plan_questions, read_answer, read_probabilities
from tidings.core import (
    CallKey,
    ChoiceSpec,
    DataError,
    Event,
    LanguageModel,
    ModelError,
    ModelRequest,
    PromptMessage,
    ReplyError,
)
from tidings.metrics.claims import Claim
from tidings.metrics.evidence import SIDE_TABLES
from tidings.metrics.facts import DeclaredFact, canonical, declared_fact
from tidings.runner.folder import RunFolder
from tidings.runner.fork import read_logged
from tidings.runner.scorer import Scorers

__all__ = ["Labelled", "judge_messages", "measure_judge", "read_labelled"]

MOST_OPTIONS = 26
"""Answers that have a label; a fact with more values is not judged."""

_SYSTEM = (
    "You read one message and decide what it claims about one thing. Only what the message itself says counts, not "
    "whether it is true. A question, a guess about what somebody else may say, or another topic claims nothing."
)
_NOTHING = "The message says nothing about it."


class Labelled(NamedTuple):
    """A message whose claims are known.

    Attributes:
        text: What is said.
        claims: (fact, canonical value, 1 or -1) of each claim.
    """

    text: str
    claims: frozenset[tuple[str, str, int]]


class _Reading(NamedTuple):
    """What a judge found in one message about one fact: a claim, nothing, or why it gave no answer."""

    claim: Claim | None
    failure: str = ""


def read_labelled(path: Path) -> tuple[tuple[DeclaredFact, ...], tuple[Labelled, ...]]:
    """Returns the facts and the messages of a file of labelled messages; messages with a side field are left out.

    The first line is `{"facts": [{"fact", "value", perhaps "domain", "variable", "phrases"}]}`, every other line a
    message, `{"text", "claims": [[fact, value, 1 or -1], ...]}`.

    Raises:
        DataError: If the file cannot be read.
    """
    try:
        head, *rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        facts = tuple(_fact(row) for row in head["facts"])
        messages = tuple(
            Labelled(row["text"], frozenset((fact, canonical(value), sign) for fact, value, sign in row["claims"]))
            for row in rows
            if "side" not in row
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        need = 'one line {"facts": [...]}, then lines {"text": ..., "claims": [[fact, value, 1 or -1]]}'
        raise DataError(str(path), f"cannot be read as labelled messages ({error})", need) from None
    if not messages:
        raise DataError(str(path), "holds no message without a side field", "one or more labelled messages")
    return facts, messages


async def judge_messages(folder: RunFolder, rollouts: Sequence[int], scorers: Scorers) -> pl.DataFrame:
    """Returns a row for each claim found, `SIDE_TABLES["claims"]`, and one without a fact for each rollout.

    The latter says how many questions were asked and how many got no answer (`n_asked`, `n_failed`): without it, a
    silent judge would look like silent messages.

    Args:
        folder: The run.
        rollouts: Which rollouts.
        scorers: Holds the model.

    Raises:
        DataError: If no rollout declares a fact.
    """
    model, detector = _judge_of(scorers)
    rows: list[dict[str, Any]] = []
    n_facts = 0
    for rollout in rollouts:
        events = read_logged(folder, rollout)
        asked = list(_questions(events))
        n_facts += sum(event.kind == "fact_declared" for event in events)
        found = await asyncio.gather(
            *[
                _read(model, detector, e.data["text"], fact, CallKey(rollout, "judge", e.index, i))
                for e, i, fact in asked
            ]
        )
        base = {"rollout": rollout, "detector": detector}
        for (event, _, _), reading in zip(asked, found, strict=True):
            if reading.claim is not None:
                rows.append(base | {"index": event.index, **reading.claim._asdict()})
        failures = [reading.failure for reading in found if reading.failure]
        rows.append(
            base | {"n_asked": len(found), "n_failed": len(failures), "reason": failures[0] if failures else ""}
        )
    if not n_facts:
        raise DataError(str(folder.path), "no rollout declares a private fact", "events of kind fact_declared")
    return pl.DataFrame(rows, schema=SIDE_TABLES["claims"])


async def measure_judge(scorers: Scorers, facts: Sequence[DeclaredFact], messages: Sequence[Labelled]) -> pl.DataFrame:
    """Returns precision and recall of a judge on labelled messages, one row: right in fact, value and polarity.

    A question without an answer finds nothing and so lowers the recall; `n_failed` says how many there were.

    Undefined: `precision` is None where it found nothing, `recall` where nothing is labelled.
    """
    model, detector = _judge_of(scorers)
    keys = [(i, j) for i in range(len(messages)) for j in range(len(facts))]
    found = await asyncio.gather(
        *[_read(model, detector, messages[i].text, facts[j], CallKey(0, "labelled", i, j)) for i, j in keys]
    )
    claims = [(i, r.claim) for (i, _), r in zip(keys, found, strict=True) if r.claim is not None]
    n_right = sum((claim.fact, claim.value, claim.polarity) in messages[i].claims for i, claim in claims)
    n_labelled = sum(len(message.claims) for message in messages)
    row = {
        "detector": detector,
        "precision": n_right / len(claims) if claims else None,
        "recall": n_right / n_labelled if n_labelled else None,
        "n": len(messages),
        "n_failed": sum(bool(reading.failure) for reading in found),
    }
    return pl.DataFrame([row], schema=SIDE_TABLES["judges"])


def _judge_of(scorers: Scorers) -> tuple[LanguageModel, str]:
    model = scorers.of("judge")
    assert model is not None, "a judge is one model for all messages"
    return model, f"judge:{model.name}"


def _questions(events: Iterable[Event]) -> Iterable[tuple[Event, int, DeclaredFact]]:
    """Yields each message with each fact that was declared before it, and the number of that fact."""
    facts: list[DeclaredFact] = []
    for event in events:
        if event.kind == "fact_declared":
            facts.append(declared_fact(event, ()))
        elif event.kind == "message" and str(event.data.get("text", "")).strip():
            yield from ((event, number, fact) for number, fact in enumerate(facts))


async def _read(model: LanguageModel, detector: str, text: str, fact: DeclaredFact, key: CallKey) -> _Reading:
    """Asks what a message claims about a fact."""
    answers = _answers(fact)
    if len(answers) > MOST_OPTIONS:
        return _Reading(None, f"fact {fact.fact!r} has too many values for a judge: {len(fact.domain)}")
    asked = f"What does this message claim about {fact.variable or fact.fact}?\n\nMessage: {text}"
    (question,) = plan_questions(ChoiceSpec(tuple(answers), asked), "auto", model.kinds, None)
    chat = (PromptMessage("system", _SYSTEM), PromptMessage("user", question.text))
    options = tuple(question.labels) if question.kind == "choice" else ()
    request = ModelRequest(key, chat, question.kind, options, question.schema, max_tokens=question.max_tokens(64))
    try:
        response = await model.respond(request)
        confidence = math.nan
        if question.kind == "choice":
            chosen, thought = read_probabilities(question, response, 0.0, 0.5)
            confidence = float(thought["probabilities"][chosen])
        else:
            chosen = read_answer(question, response)
    except (ModelError, ReplyError) as error:
        return _Reading(None, str(error))
    claimed = answers[chosen]
    if claimed is None:
        return _Reading(None)
    value, polarity = claimed
    return _Reading(Claim(fact.fact, value, polarity, False, detector, confidence))


def _answers(fact: DeclaredFact) -> dict[str, tuple[str, int] | None]:
    """Returns each possible answer -> (canonical value, 1 or -1), or None for a message that claims nothing.

    The values stand in an order that does not tell which one is true.
    """
    values = sorted({fact.value, *fact.domain})
    states = {f"It says: {_words(value)}": (value, 1) for value in values}
    denies = {f"It says that this is not so: {_words(value)}": (value, -1) for value in values}
    return {**states, **denies, _NOTHING: None}


def _words(value: str) -> str:
    said = json.loads(value)
    return said if isinstance(said, str) else value


def _fact(row: dict[str, Any]) -> DeclaredFact:
    return declared_fact(Event("fact_declared", (), {"owners": [], "prior_p": None, **row}), ())
