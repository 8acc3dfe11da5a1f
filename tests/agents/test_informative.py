"""InfoNav: the plan, what is read from a model's words, and whole talks with a scripted model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tidings.agents import informative_words as words
from tidings.agents.known_facts import KnownFact
from tidings.agents.plan import Plan, is_fake
from tidings.core import Event, ModelRequest, ModelResponse, ReplyError, ScenarioError, TextSpec
from tidings.log.reader import read_rollouts
from tidings.runner.execute import start_run
from tidings.runner.folder import RunFolder
from tidings.runner.progress import Progress
from tidings.spec.io import make_scenario


@pytest.mark.parametrize(
    "value", ["", " unknown", "Not mentioned.", "N/A", "none", "I don't know yet", "?", "not yet known"]
)
def test_values_that_say_nothing_are_fake(value: str) -> None:
    assert is_fake(value)


@pytest.mark.parametrize("value", ["barn", "0", "nobody went", "unknown soldier street", "none of the six", "knot"])
def test_values_that_say_something_are_not(value: str) -> None:
    assert not is_fake(value)


def test_a_plan_keeps_what_is_known_and_notes_what_contradicts_it() -> None:
    plan = Plan.of(["Who has it?", "where are things kept", "who has it"])
    assert [(fact.id, fact.text) for fact in plan.facts] == [("p1", "Who has it?"), ("p2", "where are things kept")]
    plan = plan.update({"p1": ("unknown", ()), "p9": ("x", ())}, {}, heard_news=False)
    assert (plan.facts[0].status, plan.facts[0].was_fake, plan.n_unknown_keys, plan.quiet) == ("fake", True, 1, 1)
    plan = plan.update({"p1": ("Zed", ("f0", "made-up"))}, {"f0": 7}, heard_news=False)
    first = plan.facts[0]
    assert (first.status, first.value, first.sources, first.source_event) == ("known", "Zed", ("f0",), 7)
    assert (first.turn, plan.quiet, [fact.id for fact in plan.open]) == (3, 0, ["p2"])
    assert plan.update({"p1": ("zed.", ())}, {}, heard_news=False).facts[0].status == "known"
    assert plan.update({"p1": ("unknown", ())}, {}, heard_news=False).facts[0].value == "Zed"
    conflict = plan.update({"p1": ("Yan", ("f3",))}, {"f3": 9}, heard_news=False).facts[0]
    assert (conflict.status, conflict.value, conflict.sources) == ("conflict", "Zed / Yan", ("f0", "f3"))


def test_a_plan_comes_back_from_its_thought() -> None:
    plan = Plan.of(["a", "b"]).update({"p2": ("x", ("f0",))}, {"f0": 3}, heard_news=True)
    thought = json.loads(json.dumps(plan.thought()))
    assert thought["about"] == "plan"
    assert [fact["status"] for fact in thought["facts"]] == ["unknown", "known"]


def answer(text: str, finish: Any = "stop") -> ModelResponse:
    return ModelResponse(text, "m", finish=finish)


def test_answers_of_either_form_are_read() -> None:
    assert words.read_facts(answer("1. who has it\n- where\n\n* when"), 2) == ["who has it", "where"]
    assert words.read_facts(answer('{"facts": ["a", "b"]}'), 5) == ["a", "b"]
    with pytest.raises(ReplyError, match="no fact"):
        words.read_facts(answer(" \n- "), 5)
    assert words.read_update(answer("p1: Zed [f0]\nnoise\np2 = at the barn [the big one]"), {"f0"}) == {
        "p1": ("Zed", ("f0",)),
        "p2": ("at the barn [the big one]", ("the", "big", "one")),
    }
    assert words.read_update(answer('{"p1": {"value": "Zed", "from": ["f0"]}, "p2": null}'), set()) == {
        "p1": ("Zed", ("f0",)),
        "p2": ("", ()),
    }
    with pytest.raises(ReplyError, match="need a value"):
        words.read_update(answer('{"p1": [1]}'), set())
    with pytest.raises(ReplyError, match="cut off"):
        words.read_message(answer("half a", "length"), TextSpec())
    assert words.read_names(answer("I ask bo and Cy."), ["Bo", "Cy", "Cyril"], is_needed=True) == "Bo, Cy"
    assert words.read_names(answer("Ada Two, please"), ["Ada", "Ada Two", "Two"], is_needed=True) == "Ada Two"
    assert words.read_names(answer("ada-x and Ada"), ["Ada", "Ada-X"], is_needed=True) == "Ada, Ada-X"
    with pytest.raises(ReplyError, match="none of your contacts"):
        words.read_names(answer("Nobody"), ["Bo"], is_needed=True)


def fact(name: str, source: Any) -> KnownFact:
    return KnownFact(name, f"text of {name}", "x", "X", 0, source, None, 1, 1)


def test_what_a_message_tells_is_read_from_its_ids_and_its_words() -> None:
    known = {"f0": fact("f0", "own"), "f1": fact("f1", "own")}
    assert words.cited_ids("It is so [f0, f77] and [sic]; text of f1", known) == ["f0", "f77", "f1"]


def test_consensus_is_found_by_code() -> None:
    known = {"f0": fact("f0", "own"), "f1": fact("f1", "told")}
    plan = Plan.of(["a", "b", "c", "d", "e"]).update(
        {"p1": ("1", ("f0", "f1")), "p2": ("2", ("f1",)), "p3": ("3", ()), "p4": ("4", ())},
        {"f0": 1, "f1": 2},
        heard_news=True,
    )
    plan = plan.update({"p4": ("5", ())}, {}, heard_news=True)
    assert words.find_consensus(plan, known) == {
        "cross_checked": ["p1"],
        "supported": ["p2"],
        "unsupported": ["p3"],
        "conflicts": ["p4"],
        "open": ["p5"],
    }


# -- whole talks ------------------------------------------------------------------------------------------------------

FACTS = {"a": ("f0", "Zed has the kettle."), "b": ("f1", "Zed keeps things in the barn.")}


def clever(request: ModelRequest) -> Any:
    """Plays a model that reads its prompt: it knows what stands there and nothing else."""
    prompt = request.messages[-1].content
    knows = {name: text in "".join(m.content for m in request.messages) for name, text in FACTS.values()}
    if request.schema and "facts" in request.schema["properties"]:
        return {"facts": ["who has the kettle", "where that person keeps things"]}
    if request.schema and "p1" in request.schema["properties"]:
        known = {"p1": ("Zed", "f0"), "p2": ("in the barn", "f1")}
        update = {key: {"value": value, "from": [source]} for key, (value, source) in known.items() if knows[source]}
        return update | ({} if knows["f1"] else {"p2": {"value": "unknown"}})
    if "Write your message" in prompt:
        own = FACTS[request.key.seat]
        return f"I know this: {own[1]} [{own[0]}] What do you know?"
    return {"answer": "barn" if all(knows.values()) else "mill"}


def scenario(**agent: Any) -> Any:
    return make_scenario(
        {
            "name": "talk",
            "graph": {"edges": [["a", "b"]]},
            "agents": [{"kind": "informative", "model": "m", "nodes": "rest", **agent}],
            "models": {"m": {"use": "scripted/m", "function": f"{__name__}:clever"}},
            "environment": {
                "kind": "collaboration",
                "items": [
                    {
                        "question": "Where is the kettle?",
                        "asked": ["a", "b"],
                        "options": ["barn", "mill"],
                        "names": {"a": "Ada", "b": "Bo"},
                        "facts": [{"fact": name, "owner": seat, "text": text} for seat, (name, text) in FACTS.items()],
                        "gold": "barn",
                    }
                ],
            },
        }
    )


def play(folder: Path, **agent: Any) -> list[Event]:
    path = start_run(scenario(**agent), folder, Progress()).folder
    ((_, lines),) = read_rollouts(RunFolder.open(path).events)
    return [line.event() for line in lines]


def plans(events: list[Event], seat: str) -> list[dict[str, Any]]:
    return [e.data for e in events if e.kind == "thought" and e.data["about"] == "plan" and e.seat == seat]


def test_a_pair_with_a_plan_talks_until_both_sides_are_complete(tmp_path: Path) -> None:
    events = play(tmp_path)
    data = {event.kind: event.data for event in events}
    assert data["answer"] == {"answer": "barn", "evidence": ["f0", "f1"]}
    assert data["stop"]["reason"] == "complete"
    assert [[f["status"] for f in plan["facts"]] for plan in plans(events, "a")] == [
        ["unknown", "unknown"],
        ["known", "known"],
        ["known", "known"],
    ]
    assert [claim["fact"] for e in events if e.kind == "message" for claim in e.data["claims"]][:2] == ["f0", "f1"]
    (consensus,) = [e.data for e in events if e.kind == "thought" and e.data["about"] == "consensus"]
    assert consensus["supported"] == ["p1", "p2"]
    assert all(e.audience == (e.seat,) for e in events if e.kind == "thought")


def test_without_a_plan_the_same_pair_talks_until_nothing_new_is_heard(tmp_path: Path) -> None:
    events = play(tmp_path, plan=False)
    data = {event.kind: event.data for event in events}
    assert data["answer"]["answer"] == "barn"
    assert data["stop"]["reason"] == "stuck"
    assert not plans(events, "a")


def test_a_model_that_makes_no_sense_fails_and_is_not_replaced(tmp_path: Path) -> None:
    wrong = scenario()
    wrong = wrong.model_copy(
        update={"models": {"m": type(wrong.models["m"])(use="scripted/m", answers=["?"])}}  # type: ignore[call-arg]
    )
    path = start_run(wrong, tmp_path, Progress()).folder
    ((_, lines),) = read_rollouts(RunFolder.open(path).events)
    failure = next(line.data for line in lines if line.kind == "failure")
    assert failure["boundary"] == "reply"
    assert lines[-1].data["status"] == "failed"


def test_a_seat_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="has none"):
        start_run(scenario(model=None), tmp_path, Progress())
