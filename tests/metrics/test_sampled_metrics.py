"""Tier t4: estimates never stand without their null, and say when they tell nothing."""

import io
from random import Random

import polars as pl
import pytest
from flow_logs import evidence, give, numbered
from rich.console import Console

from tidings.analysis.run import _METRICS
from tidings.cli.output import metric_table
from tidings.core import Event
from tidings.metrics.evidence import Evidence
from tidings.metrics.result import MetricResult
from tidings.metrics.table import FLOW


def herd(rng: Random, noise: float, n_acts: int = 1, n_values: int = 8) -> list[Event]:
    """Returns a rollout in which seats are given values and act on them, at random with probability `noise`."""
    drafts: list[tuple[int, Event]] = []
    for i in range(n_acts):
        seat, value = "abcd"[i % 4], rng.randrange(n_values)
        done = rng.randrange(n_values) if rng.random() < noise else value
        drafts += [(i, give("news", seat, value)), (i + 1, Event("action", ("*",), {"action": done}, seat))]
    return numbered(sorted(drafts, key=lambda draft: draft[0]))


def runs(n: int, seed: int = 1, **settings: object) -> Evidence:
    rng = Random(seed)
    return evidence(*(herd(rng, **settings) for _ in range(n)))  # type: ignore[arg-type]


def only(name: str, material: Evidence) -> MetricResult:
    (result,) = FLOW[name].compute(material)
    return result


def test_independent_8_by_8_of_50_is_not_told_from_zero_and_shows_its_null() -> None:
    result = only("mutual_information", runs(50, noise=1.0))
    assert result.value is not None
    assert result.null_mean is not None
    assert result.value > 0.5
    assert result.value == pytest.approx(result.null_mean, abs=0.25)
    assert result.reliable is False
    assert "not distinguishable from zero" in result.reason
    assert "n = 50 < 5 x 64 cells" in result.reason


def test_the_printed_table_has_the_null_beside_the_value_and_the_verdict() -> None:
    row = only("mutual_information", runs(50, noise=1.0)).row()
    frame = pl.DataFrame([row], schema=_METRICS).with_columns(twin=pl.lit(None, dtype=pl.Float64))
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(metric_table(frame.to_dicts()))
    head, line, note = (line.split() for line in console.export_text().splitlines()[:3])
    assert head[:3] == ["metric", "value", "null"]
    assert float(line[2]) == pytest.approx(row["null_mean"], rel=1e-3)
    assert line[-1] == note[0] == "(1)"
    assert "not distinguishable from zero" in " ".join(note)


def test_a_real_tie_is_found() -> None:
    result = only("mutual_information", runs(200, noise=0.1, n_values=3))
    assert result.value is not None
    assert result.p is not None
    assert result.p <= 0.005
    assert result.reliable
    assert result.low is not None
    assert result.low > 0.5
    assert result.reason == ""
    assert result.n == 200


def test_transfer_entropy_sees_what_the_act_before_did_not_show() -> None:
    """Each act repeats the news of the act before: its own news is no news, so TE is high and I(x;y) is nil."""
    rng = Random(3)
    rollouts = []
    for _ in range(300):
        news = [rng.randrange(2) for _ in range(5)]
        drafts: list[tuple[int, Event]] = []
        for i, value in enumerate(news):
            done = news[i - 1] if i else 0
            drafts += [(i, give("news", "abcd"[i % 4], value))]
            drafts += [(i + 1, Event("action", ("*",), {"action": done}, "abcd"[i % 4]))]
        rollouts.append(numbered(sorted(drafts, key=lambda draft: draft[0])))
    # A seat's news of a later turn replaces the earlier one, so the private label is that of the turn.
    te = only("transfer_entropy", evidence(*rollouts))
    assert te.value == pytest.approx(1.0, abs=0.05)
    mi = only("mutual_information", evidence(*rollouts))
    assert mi.p is not None
    assert mi.p > 0.05


def test_false_alarms_are_as_rare_as_said() -> None:
    p = [only("mutual_information", runs(60, seed=seed, noise=1.0, n_values=2)).p for seed in range(60)]
    assert sum(value is not None and value <= 0.05 for value in p) <= 8


def test_the_same_run_gives_the_same_null() -> None:
    first, second = (only("mutual_information", runs(40, noise=0.5)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("speaker_consistency", "no seat speaks and then acts"),
        ("instantaneous_coordination", "nobody acts after a message of somebody else"),
        ("transfer_entropy", "no rollout has two acts one after another"),
        ("conditional_mutual_information", "no seat that was given something in private heard anybody"),
    ],
)
def test_what_cannot_be_estimated_says_so(name: str, reason: str) -> None:
    result = only(name, runs(5, noise=0.0))
    assert result.value is None
    assert result.reason.startswith(reason)


def test_a_value_that_no_null_can_stand_beside_is_not_given() -> None:
    """Rollouts of unequal length cannot take each other's place, so there is nothing to compare with."""
    rng = Random(5)
    result = only("mutual_information", evidence(*(herd(rng, noise=0.0, n_acts=n) for n in (1, 2, 3, 4))))
    assert (result.value, result.null_mean, result.p) == (None, None, None)
    assert "no two episodes of equal length, so there is no null" in result.reason


def test_acts_of_one_step_have_no_order() -> None:
    both = [(1, Event("action", ("*",), {"action": 1}, seat)) for seat in "ab"]
    assert "several seats act in one step" in only("transfer_entropy", evidence(numbered(both))).reason


def test_speaking_and_acting() -> None:
    """What a says is what a does and not what b does: consistency one bit, coordination none to speak of."""
    rng, rollouts = Random(2), []
    for _ in range(120):
        said, other = rng.randrange(2), rng.randrange(2)
        message = Event("message", ("a", "b"), {"text": "w", "act": said}, "a")
        acts = [Event("action", ("*",), {"action": said}, "a"), Event("action", ("*",), {"action": other}, "b")]
        rollouts.append(numbered([(1, message), (2, acts[0]), (2, acts[1])]))
    consistency, coordination = (
        only(name, evidence(*rollouts)) for name in ("speaker_consistency", "instantaneous_coordination")
    )
    assert consistency.value == pytest.approx(1.0, abs=0.03)
    assert consistency.reliable
    assert coordination.p is not None
    assert coordination.p > 0.05


def turns_of_two(rng: Random, *, message_first: bool, actor: str) -> list[Event]:
    """Returns a says, `actor` acts, a says, ..: each act repeats the message before it, or each message the act."""
    drafts: list[tuple[int, Event]] = []
    last = rng.randrange(2)
    for step in range(1, 5):
        is_message = step % 2 == 1
        if is_message == message_first:
            last = rng.randrange(2)
        data = {"text": "w", "act": last} if is_message else {"action": last}
        drafts.append(
            (step, Event("message" if is_message else "action", ("a", "b"), data, "a" if is_message else actor))
        )
    return numbered(drafts)


@pytest.mark.parametrize(("name", "actor"), [("speaker_consistency", "a"), ("instantaneous_coordination", "b")])
def test_a_message_goes_with_the_act_after_it_and_not_before(name: str, actor: str) -> None:
    """Acts that follow messages are one bit; messages that follow acts are none, though the pairs look the same."""
    rng = Random(5)
    after, before = (
        only(name, evidence(*(turns_of_two(rng, message_first=first, actor=actor) for _ in range(150))))
        for first in (True, False)
    )
    assert after.value == pytest.approx(1.0, abs=0.03)
    assert after.reliable
    assert before.value == pytest.approx(0.0, abs=0.03)
    assert after.n == before.n == 300
