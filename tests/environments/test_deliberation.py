"""Deliberation beyond the sheet: failures, judges, samples, what a seat may know, and the prompts of real seats."""

from itertools import pairwise
from typing import Any

import pytest
from deliberating import ITEM, complete, deliberate, environment, fresh, planner

import tidings
from tidings.core import ChoiceSpec, Reply, ScenarioError, SocialGraph, StructuredSpec
from tidings.metrics.deliberation import hindsight_contributions
from tidings.simulation.conformance import check_barrier, check_environment
from tidings.spec.io import make_scenario

TWINS = [{**ITEM, "gold": ["4"]}, {**ITEM, "gold": ["5"]}]
"""Two items that differ in nothing but what is hidden."""


def chain(n: int) -> SocialGraph:
    seats = tuple(f"a{i}" for i in range(n))
    return SocialGraph.from_edges(seats, list(pairwise(seats)), directed=True)


CASES = {
    "planner": environment(3, items=TWINS),
    "no planner": environment(3, items=TWINS, planner=False),
    "chain": environment(graph=chain(3), items=TWINS),
    "judge": environment(3, items=TWINS, aggregation="judge", judge="a2"),
    "one seat": environment(1, items=TWINS),
    "no rounds": environment(2, items=TWINS, rounds=0),
}


@pytest.mark.parametrize("name", CASES)
def test_it_keeps_every_promise(name: str) -> None:
    check_environment(CASES[name])


def test_the_barrier_check_compares_rollouts_that_differ_in_gold() -> None:
    assert check_barrier(CASES["planner"]) > 100


def test_a_leaked_gold_is_caught() -> None:
    """The planted fault: with the gold in the question, the two items open differently and nothing can be compared."""
    rules = CASES["planner"]
    first, second = (rules.initial(None, i).events[0] for i in (0, 1))  # type: ignore[arg-type]
    assert first == second


def test_what_a_seat_is_not_sent_has_no_bearing_on_what_it_sees() -> None:
    rules = environment(4, rounds=2)
    steering = planner("static", rules, edges=[("a0", "a1"), ("a1", "a2")])
    views = []
    for hidden in ("one thing", "another"):
        seen: list[Any] = []

        def speak(seat: str, now: Any, hidden: str = hidden, seen: list[Any] = seen) -> str:
            if seat == "a2":
                seen.append([event._replace(index=0) for event in now.events if event.kind != "reply"])
            return hidden if seat == "a3" else f"{seat}, {now.step}: {[e.data['text'] for e in fresh(now)]}"

        deliberate(rules, steering, speak)
        views.append(seen)
    assert views[0] == views[1]
    assert any(event.kind == "message" for event in views[0][-1])


def test_independent_answers_are_asked_for_together() -> None:
    rules = environment(5, rounds=1)
    played = deliberate(rules, planner("static", rules, family="star"))
    assert played.of("plan")[0].data["order"][0] == "a0"
    assert [set(step) for step in played.asked[-3:]] == [{"a0"}, {"a1", "a2", "a3", "a4"}, {"planner"}]
    assert played.result["depth"] == 1 + 2
    debate = deliberate(rules, planner("debate", rules))
    assert (debate.result["calls"], debate.result["depth"]) == (10, 2)


def test_a_seat_that_fails_first_is_left_out_and_one_that_fails_later_keeps_its_answer() -> None:
    rules = environment(4, rounds=1)
    steering = planner("static", rules, family="complete")
    first = deliberate(rules, steering, failing=lambda seat, step: seat == "a1" and step == 2)
    assert [row["seat"] for row in first.of("ledger")[0].data["answers"]] == ["a0", "a2", "a3"]
    assert first.of("ledger")[0].data["failed"] == ["a1"]
    assert all("a1" not in edge for edge in first.of("plan")[0].data["edges"])
    assert first.result["n_failed"] == 1
    later = deliberate(rules, planner("debate", rules), failing=lambda seat, step: seat == "a1" and step == 4)
    row = later.of("ledger")[1].data["answers"][1]
    assert (row["seat"], row["written"]) == ("a1", 0)
    assert later.of("ledger")[1].data["failed"] == ["a1"]
    assert later.result["n_answers"] == 4


def test_a_failed_parent_sends_its_children_what_stands() -> None:
    rules = environment(3, rounds=1)
    failing = lambda seat, step: seat == "a0" and step == 4  # noqa: E731
    played = deliberate(rules, planner("static", rules, edges=[("a0", "a1")]), failing=failing)
    sent = [e for e in played.of("message") if e.data["round"] == 1 and "a1" in e.audience and e.seat == "a0"]
    assert [e.data["written"] for e in sent] == [0]


def test_a_failed_plan_plans_nothing_more() -> None:
    rules = environment(3)
    opening = deliberate(rules, planner("debate", rules), failing=lambda seat, step: seat == "planner" and step == 1)
    assert opening.result["n_answers"] == 3
    later = deliberate(rules, planner("debate", rules), failing=lambda seat, step: seat == "planner" and step == 3)
    assert (later.result["rounds"], later.result["n_failed"], later.status) == (0, 1, "ok")


def test_more_samples_than_seats_are_independent_and_vote() -> None:
    rules = environment(2, rounds=2, aggregation="majority")
    said = []

    def speak(seat: str, seen: Any) -> str:
        said.append((seat, [rules.describe(event, seat) for event in seen.events if rules.describe(event, seat)]))
        return f"{len(said)}: The answer is {4 if len(said) > 2 else 7}"

    played = deliberate(rules, planner("self_consistency", rules, samples=5), speak)
    assert [seat for seat, _ in said] == ["a0", "a1", "a0", "a1", "a0"]
    assert len({tuple(words) for _, words in said}) == 1, "a further sample reads what the first one read"
    assert (played.result["calls"], played.result["depth"], played.result["key"]) == (5, 1, "4")
    assert played.result["label"] == "a0#2"


def test_more_samples_than_allowed_are_a_failure_not_a_cut() -> None:
    rules = environment(2, rounds=1)
    played = deliberate(rules, planner("self_consistency", rules, samples=9))
    assert played.of("failure")[0].data["error"] == "out_of_range"


def test_a_judge_reads_all_and_chooses() -> None:
    rules = environment(3, aggregation="judge", judge="a2", rounds=1)

    def speak(seat: str, seen: Any) -> str:
        if seat == "a2":
            assert {e.seat for e in fresh(seen)} == {"a0", "a1"}
            return "a1"
        return f"{seat} {seen.step}: The answer is 4"

    played = deliberate(rules, planner("debate", rules), speak)
    assert (played.result["label"], played.result["rule"], played.result["n_answers"]) == ("a1", "judge", 2)
    lost = deliberate(rules, planner("debate", rules), lambda s, o: "nobody" if s == "a2" else "4")
    assert (lost.result["label"], lost.result["rule"]) == (None, "judge_failed")


def test_a_planner_may_judge() -> None:
    class Judge:
        async def act(self, seen: Any, spec: Any) -> Reply:
            if isinstance(spec, ChoiceSpec):
                return Reply(spec.options[-1])
            assert isinstance(spec, StructuredSpec)
            return Reply({"samples": 2} if "samples" in spec.fields else {"stop": "yes"})

    played = deliberate(environment(3, aggregation="judge", judge="planner"), Judge())
    assert (played.result["label"], played.result["rule"]) == ("a1", "judge")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"items": []}, "environment.items: missing"),
        ({"items": [{**ITEM, "gld": ["4"]}]}, "gold"),
        ({"items": [{**ITEM, "kind": "choice"}]}, "options"),
        ({"aggregation": "judge"}, "environment.judge"),
        ({"judge": "a0"}, "environment.judge"),
        ({"aggregation": "judge", "judge": "a9"}, "a9"),
        ({"aggregation": "judge", "judge": "planner", "planner": False}, "nobody plans"),
        ({"aggregation": "judge", "judge": "a0", "graph": chain(3)}, "does not hear"),
        (
            {"items": [{"id": "q", "kind": "number", "text": "1 + 1?", "gold": []}]},
            r"environment\.items\.0\.gold: found \[\]; allowed: a list of length 1 or more",
        ),
    ],
)
def test_user_errors_are_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        environment(3, **given)
    assert "\n" not in str(caught.value)


def test_a_topology_planner_cannot_judge() -> None:
    rules = environment(3, aggregation="judge", judge="planner")
    with pytest.raises(ScenarioError, match="found the planner, which is 'debate'"):
        planner("debate", rules)


def test_prompts_hold_the_current_round_only(tmp_path: Any) -> None:
    """A language model reads its own last answer and what this round's graph sent it, and no older text."""
    run = tidings.run(
        make_scenario(
            {
                "name": "prompts",
                "graph": {"kind": "complete", "n": 3},
                "agents": [{"kind": "llm", "model": "m", "nodes": "rest"}],
                "models": {"m": {"use": "scripted/x", "function": "deliberation_script:answer"}},
                "environment": {"kind": "deliberation", "items": [ITEM], "rounds": 2},
                "planner": {"kind": "debate"},
            }
        ),
        out=tmp_path,
    )
    (text,) = [d for kind, d in run.events().select("kind", "data").rows() if kind == "result"]
    assert '"n_failed": 0' in text
    import deliberation_script

    last = [prompt for step, seat, prompt in deliberation_script.SEEN if seat == "a1"][-1]
    assert "step 4 of a0" in last
    assert "Your last answer: step 4 of a1" in last
    assert "step 2 of" not in last


def test_hindsight_is_the_exact_shapley_value_of_being_right() -> None:
    rules = environment(3, planner=False, aggregation="majority")
    played = deliberate(rules, None, lambda seat, _: f"The answer is {4 if seat == 'a1' else seat[1:]}")
    worth = {row["seat"]: row["phi_right"] for row in hindsight_contributions(played.events)}
    assert sum(worth.values()) == pytest.approx(float(played.result["key"] == "4"))
    assert worth["a1"] == max(worth.values())
    assert complete(2).is_complete
