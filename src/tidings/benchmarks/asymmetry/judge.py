"""Judge accuracy: a model says whether a free answer means the same as the gold, beside what exact matching says.

The verdicts are a figure of their own and change no score. Every call is recorded in the folder of the suite, so the
same command asks nothing twice, and a verdict that failed is counted apart, never taken for `no`.

Source: the metric of InformativeBench (arXiv 2406.14928) for Needle in the Persona and FriendsTV. Its prompt is not
released; ours is named by its hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from tidings.benchmarks.asymmetry.plays import Played
from tidings.benchmarks.asymmetry.report import SetReport
from tidings.benchmarks.asymmetry.scoring import (
    Agreement,
    judge_agreement,
    normalised_containment,
    normalised_match,
)
from tidings.benchmarks.statistics import Interval, score_interval
from tidings.core import CallKey, LanguageModel, ModelError, ModelRequest, PromptMessage
from tidings.log.calls import CallStore
from tidings.log.reader import read_rollouts
from tidings.log.store import ENDED
from tidings.models.guard import GuardedModel
from tidings.runner.execute import blocking
from tidings.runner.folder import RunFolder
from tidings.simulation.registry import check_params

__all__ = ["PROMPT", "PROMPT_SHA256", "JudgedRow", "JudgedSet", "judge_sets", "judge_words", "make_judge"]

PROMPT = """You compare an answer with the right answer.

Question: {question}
Right answer: {gold}
Given answer: {answer}

Does the given answer mean the same as the right answer, or name the same key thing? Answer yes or no."""
PROMPT_SHA256 = sha256(PROMPT.encode()).hexdigest()
_JUDGED_KINDS = ("exact", "option")
"""Kinds of gold that are words; numbers, sets and times have exact scorers."""

_Case = tuple[str, str, str]
"""Question, gold and answer."""


@dataclass(frozen=True)
class JudgedRow:
    """What the judge says of one play.

    Attributes:
        row: First row of the table that is read from the play.
        accuracy: Share of answers judged right, with its interval over questions; None without a verdict.
        n_answers: Answers that were judged.
        n_failed: Answers without a verdict, because the call failed or said neither yes nor no.
        with_match: Agreement with equality after normalising.
        with_containment: Agreement with the gold standing in the answer.
    """

    row: str
    accuracy: Interval | None
    n_answers: int
    n_failed: int
    with_match: Agreement
    with_containment: Agreement


@dataclass(frozen=True)
class JudgedSet:
    """What the judge says of one set.

    Attributes:
        name: Of the set.
        model: The judge.
        prompt_sha256: Hash of the prompt it is given, before question, gold and answer are filled in.
        rows: One a play.
    """

    name: str
    model: str
    prompt_sha256: str
    rows: tuple[JudgedRow, ...]


def make_judge(use: str) -> LanguageModel:
    """Returns the model named as `provider/model`.

    Raises:
        ScenarioError: If there is no such provider.
    """
    provider, _, name = use.partition("/")
    component, params = check_params("model", provider, {}, "--judge")
    return component.build(params, name)


def judge_sets(sets: Sequence[SetReport], judge: LanguageModel, folder: Path) -> tuple[JudgedSet, ...]:
    """Returns what the judge says of all sets whose golds are words.

    Args:
        sets: The sets, played.
        judge: The model; it is closed at the end.
        folder: Folder of the suite; verdicts are recorded in `judge` there.
    """
    chosen = [part for part in sets if part.plan.items[0].get("gold_kind") in _JUDGED_KINDS]
    answers = {part.plan.name: {play.name: _answers(part, play) for play in part.plays} for part in chosen}
    cases = {case for plays in answers.values() for found in plays.values() for _, case in found}
    store = CallStore(folder / "judge")
    try:
        verdicts = blocking(_ask_all(GuardedModel(judge, calls=store), sorted(cases)))
    finally:
        store.close()
    return tuple(_judge_set(part, answers[part.plan.name], verdicts, judge.name) for part in chosen)


def judge_words(judged: JudgedSet) -> str:
    """Returns the verdicts on a set as Markdown."""
    head = f"Judge: {judged.model}, prompt SHA-256 {judged.prompt_sha256[:12]}. Its verdicts change no score above."
    lines = [["row", "judge accuracy", "answers", "no verdict", "agrees with equality", "agrees with containment"]]
    lines.append(["---"] * len(lines[0]))
    for row in judged.rows:
        interval = row.accuracy
        words = "-"
        if interval is not None:
            ends = "" if interval.low != interval.low else f" [{interval.low:.3f}, {interval.high:.3f}]"
            words = f"{interval.mean:.3f}{ends}"
        agree = [_agreement_words(found) for found in (row.with_match, row.with_containment)]
        lines.append([row.row, words, str(row.n_answers), str(row.n_failed), *agree])
    return "\n\n".join([head, "\n".join(f"| {' | '.join(cells)} |" for cells in lines)])


def _agreement_words(found: Agreement) -> str:
    if not found.n:
        return "-"
    return f"{found.share:.3f} of {found.n} (judge only {found.n_judge_only}, rule only {found.n_rule_only})"


def _answers(part: SetReport, play: Played) -> list[tuple[int, _Case]]:
    """Returns (question number, case) of every answer of a play that ended well."""
    items = part.plan.items
    found: list[tuple[int, _Case]] = []
    for rollout, lines in read_rollouts(RunFolder.open(play.folder).events):
        if lines[-1].kind != ENDED or lines[-1].data["status"] != "ok":
            continue
        number = rollout % len(items)
        item = items[number]
        texts = [str(line.data["answer"]) for line in lines if line.kind == "answer"]
        found += [(number, (item["question"], item["gold"], text)) for text in texts if text.strip()]
    return found


async def _ask_all(judge: GuardedModel, cases: Sequence[_Case]) -> dict[_Case, bool | None]:
    try:
        # One after another: a judge is a small part of a suite, and a log in order is easy to read.
        return {case: await _ask(judge, case) for case in cases}
    finally:
        await judge.close()


async def _ask(judge: GuardedModel, case: _Case) -> bool | None:
    """Returns the verdict on a case; None if there is none."""
    question, gold, answer = case
    text = PROMPT.format(question=question, gold=gold, answer=answer)
    has_choice = "choice" in judge.kinds
    request = ModelRequest(
        CallKey(0, "judge", 0, 0),
        (PromptMessage("user", text),),
        kind="choice" if has_choice else "text",
        options=("yes", "no") if has_choice else (),
        max_tokens=8,
    )
    try:
        said = (await judge.respond(request)).text.casefold().strip(" .!,\"'*\n").split(maxsplit=1)[:1]
    except ModelError:
        return None
    return {"yes": True, "no": False}.get(said[0].strip(".,!:;*") if said else "")


def _judge_set(
    part: SetReport, answers: Mapping[str, list[tuple[int, _Case]]], verdicts: Mapping[_Case, bool | None], model: str
) -> JudgedSet:
    rows: list[JudgedRow] = []
    for play, found in answers.items():
        name = next((row.name for row in part.plan.rows if row.play == play), play)
        judged = [(number, case, verdict) for number, case in found if (verdict := verdicts[case]) is not None]
        said = [verdict for _, _, verdict in judged]
        by_question: dict[int, list[bool]] = {}
        for number, _, verdict in judged:
            by_question.setdefault(number, []).append(verdict)
        means = [float(np.mean(values)) for values in by_question.values()]
        groups = [part.plan.groups[number] for number in by_question]
        match, inside = (
            judge_agreement(said, [bool(rule(case[2], case[1])) for _, case, _ in judged])
            for rule in (normalised_match, normalised_containment)
        )
        accuracy = score_interval(means, groups) if means else None
        rows.append(JudgedRow(name, accuracy, len(judged), len(found) - len(judged), match, inside))
    return JudgedSet(part.plan.name, model, PROMPT_SHA256, tuple(rows))
