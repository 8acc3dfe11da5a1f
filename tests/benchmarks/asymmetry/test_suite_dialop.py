"""The rows of the suite dialop: who pays for which calls, what a consensus is, what is no answer."""

import math
from pathlib import Path
from typing import Any

import pytest

from tidings.benchmarks.asymmetry import draw_game
from tidings.benchmarks.asymmetry.dialop_suite import _agreed, _alone, _consensus, game_items, plan_dialop
from tidings.benchmarks.asymmetry.report import report_set
from tidings.benchmarks.asymmetry.suite import suite_options
from tidings.core import Event
from tidings.theory.assignment import assignment_reward, optimal_assignment

ITEM = game_items([draw_game(0, 0)])[0]
BEST = optimal_assignment(ITEM["table"])
FACTS = [Event("fact", (seat,), {"fact": seat}, seat) for seat in ("a0", "a1")]


def norm(pairs: Any) -> float:
    return assignment_reward(ITEM["table"], tuple(pairs)) / assignment_reward(ITEM["table"], BEST)


def proposal(seat: str, columns: list[int]) -> list[Event]:
    named = {reviewer: ITEM["papers"][j] for reviewer, j in zip(ITEM["reviewers"], columns, strict=True)}
    outcome = {"status": "alone", "reward": 0.0, "norm": norm(enumerate(columns)), "seat": seat}
    return [Event("proposal", (seat,), {"assignment": named}, seat), Event("outcome", (), outcome)]


OPTIMUM = [j for _, j in BEST]
SHIFTED = [*OPTIMUM[1:], OPTIMUM[0]]


def test_a_consensus_takes_the_assignment_with_most_votes() -> None:
    plays = [[*FACTS, *proposal("a0", columns), *proposal("a1", SHIFTED)] for columns in (SHIFTED, OPTIMUM, OPTIMUM)]
    score = _consensus(0)(ITEM, plays)
    assert (score.value, score.seats, score.n_failed) == (1.0, ("a0",), 0)
    assert _consensus(1)(ITEM, plays).value == pytest.approx(norm(enumerate(SHIFTED)))
    assert _consensus(0)(ITEM, [*plays, FACTS]).n_failed == 1
    assert math.isnan(_consensus(0)(ITEM, [FACTS]).value)


def test_one_player_or_both_and_a_player_who_failed_is_missing() -> None:
    failure = Event("failure", (), {"boundary": "model", "error": "refusal", "message": ""}, "a1", 3)
    events = [*FACTS, *proposal("a0", OPTIMUM), failure]
    assert _alone(0)(ITEM, events).value == 1.0
    second = _alone(1)(ITEM, events)
    assert math.isnan(second.value)
    assert second.failure == "model/refusal"
    both = _alone(None)(ITEM, events)
    assert (both.value, both.n_failed) == (1.0, 1)


def test_no_agreement_is_missing_and_not_zero() -> None:
    outcome = Event("outcome", (), {"status": "no_agreement", "reward": None, "norm": None, "seat": None})
    score = _agreed(ITEM, [outcome])
    assert math.isnan(score.value)
    assert (score.failure, score.stop) == ("no_agreement", "turns used up")


def test_repeats_are_paid_for_by_the_consensus_alone(tmp_path: Path) -> None:
    plan = plan_dialop(suite_options("scripted/x", tmp_path, is_full=False, seeds=2, items=2))[0]
    found = report_set(plan, "dialop", tmp_path)
    cost = {row.name: row.played.cost.calls for row in found.rows if row.played}
    n_repeats = next(play.repeats for play in plan.plays if play.name == "alone")
    assert n_repeats == 3
    assert cost["no communication"] == cost["partner alone"] == cost["full information"] == 7
    assert cost["alone, equal calls"] == cost["full information, equal calls"] == 7 * n_repeats
    scores = {row.name: row.played.scores for row in found.rows if row.played}
    assert scores["no communication"].shape == (2, 2)
    assert (scores["no communication"] != scores["alone, equal calls"]).any()
