"""Exact scores of single answers, and their mean over a set with what failed counted apart.

Source: the metrics of InformativeBench (arXiv 2406.14928) as its paper and code define them; where both are silent
(two empty sets) the score is 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tidings.benchmarks.asymmetry.answers import join_spans, normalise, parse_answer
from tidings.benchmarks.asymmetry.dialop_games import Pairs, assignment_reward, optimal_assignment
from tidings.benchmarks.asymmetry.records import Answer, Gold, Question
from tidings.core.errors import ReplyError, RequestError

__all__ = [
    "Agreement",
    "QuestionScore",
    "ScoreSummary",
    "assignment_norm",
    "integer_accuracy",
    "interval_iou",
    "judge_agreement",
    "normalised_containment",
    "normalised_match",
    "score_answer",
    "score_text",
    "set_f1",
    "summarise_scores",
]

Status = Literal["scored", "failed"]


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """The score of one answer.

    Attributes:
        question: Question id.
        value: In [0, 1]; NaN when the answer failed.
        status: `scored` or `failed`.
        failure: Why it failed: `empty`, `unparsable`, `not_an_option`, `budget` and the like; empty when it did not.
    """

    question: str
    value: float
    status: Status
    failure: str = ""


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """A mean with what it leaves out.

    Attributes:
        mean: Mean over the scored answers; NaN when there is none.
        mean_failed_as_zero: Mean over all answers, a failed one counting 0; NaN when there is none at all.
        n_scored: Scored answers.
        n_failed: Failed answers.
        failures: Failure -> how often.
    """

    mean: float
    mean_failed_as_zero: float
    n_scored: int
    n_failed: int
    failures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a judge agrees with a rule.

    Attributes:
        share: Share of answers on which both say the same; NaN when there is none.
        n_judge_only: Right for the judge, wrong for the rule.
        n_rule_only: Right for the rule, wrong for the judge.
        n: Answers compared.
    """

    share: float
    n_judge_only: int
    n_rule_only: int
    n: int


def integer_accuracy(prediction: int, gold: int) -> float:
    """Returns 1 if the numbers are equal, else 0."""
    return float(prediction == gold)


def set_f1(prediction: Iterable[str], gold: Iterable[str]) -> float:
    """Returns 2|G∩P| / (|G| + |P|) of two sets of names; 1 when both are empty."""
    predicted, right = set(prediction), set(gold)
    if not predicted and not right:
        return 1.0
    return 2 * len(predicted & right) / (len(predicted) + len(right))


def interval_iou(prediction: Sequence[tuple[int, int]], gold: Sequence[tuple[int, int]]) -> float:
    """Returns |G∩P| / |G∪P| in time of two sets of spans, each joined first; 1 when both are empty.

    9-12 against 10-14 is 2 hours over 5: 0.4.
    """
    predicted, right = join_spans(prediction), join_spans(gold)
    union = _total(join_spans([*predicted, *right]))
    if not union:
        return 1.0
    return (_total(predicted) + _total(right) - union) / union


def normalised_match(prediction: str, gold: str) -> float:
    """Returns 1 if the texts are equal after normalising, else 0."""
    return float(normalise(prediction) == normalise(gold))


def normalised_containment(prediction: str, gold: str) -> float:
    """Returns 1 if the gold stands in the prediction as whole words, both normalised, else 0."""
    return float(f" {normalise(gold)} " in f" {normalise(prediction)} ")


def assignment_norm(pairs: Pairs, table: Sequence[Sequence[int]]) -> float:
    """Returns the reward of an assignment over that of the best one for this table.

    Undefined: every cell is 0: NaN.
    """
    best = assignment_reward(table, optimal_assignment(table))
    return assignment_reward(table, pairs) / best if best else float("nan")


def score_answer(gold: Gold, answer: Answer) -> float:
    """Returns the score in [0, 1] of an answer in exact form, by the gold's kind."""
    scorers = {
        "integer": integer_accuracy,
        "names": set_f1,
        "spans": interval_iou,
        "option": normalised_match,
        "exact": normalised_match,
    }
    if gold.kind == "assignment":
        return assignment_norm(answer, gold.table)  # type: ignore[arg-type]
    return scorers[gold.kind](answer, gold.value)  # type: ignore[operator]


def score_text(question: Question, gold: Gold, text: str | None, failure: str = "no_answer") -> QuestionScore:
    """Returns the score of an answer given as text; one that cannot be read fails and is not scored.

    Args:
        question: The question.
        gold: Its gold.
        text: The answer, or None when there is none.
        failure: Why there is none, for example `budget`.
    """
    if text is None:
        return QuestionScore(question.id, float("nan"), "failed", failure)
    try:
        return QuestionScore(question.id, score_answer(gold, parse_answer(question, gold, text)), "scored")
    except ReplyError as error:
        return QuestionScore(question.id, float("nan"), "failed", error.kind)


def summarise_scores(scores: Sequence[QuestionScore]) -> ScoreSummary:
    """Returns the mean of the scored answers, with the failed ones counted by their reason."""
    values = [score.value for score in scores if score.status == "scored"]
    failures = Counter(score.failure for score in scores if score.status == "failed")
    mean = sum(values) / len(values) if values else float("nan")
    with_zeros = sum(values) / len(scores) if scores else float("nan")
    return ScoreSummary(mean, with_zeros, len(values), len(scores) - len(values), dict(sorted(failures.items())))


def judge_agreement(judged: Sequence[bool], by_rule: Sequence[bool]) -> Agreement:
    """Returns how far a judge's verdicts agree with those of a rule such as `normalised_containment`.

    Raises:
        RequestError: The two have different lengths.
    """
    if len(judged) != len(by_rule):
        raise RequestError("judge_agreement", f"{len(judged)} and {len(by_rule)} verdicts", "as many of both")
    pairs = Counter((bool(judge), bool(rule)) for judge, rule in zip(judged, by_rule, strict=True))
    same = pairs[True, True] + pairs[False, False]
    share = same / len(judged) if judged else float("nan")
    return Agreement(share, pairs[True, False], pairs[False, True], len(judged))


def _total(spans: Sequence[tuple[int, int]]) -> int:
    return sum(end - start for start, end in spans)
