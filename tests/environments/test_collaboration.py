"""Collaboration: what reaches whom, who is brought in, what is cited, and when the talk is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from collaboration_cases import CHAIN, build, item

from tidings.core import (
    Archive,
    ArchiveLine,
    DataError,
    Event,
    Reply,
    ReplyError,
    ScenarioError,
    SeedPath,
    SocialGraph,
    World,
)
from tidings.environments.collaboration import Collaboration
from tidings.environments.collaboration_params import CollaborationParams
from tidings.simulation.conformance import check_barrier, check_environment
from tidings.simulation.play import Play

WIDER = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "c")]


class Table:
    """Plays by hand: every seat that is due says what the test puts into its mouth."""

    def __init__(self, environment: Collaboration) -> None:
        self.play = Play(environment, SeedPath.root(1), 0)
        self.events = self.play.open()

    def step(self, failed: tuple[str, ...] = (), **said: Any) -> list[Event]:
        due = {turn.seat: turn.spec for turn in self.play.due()}
        assert set(due) == {*said, *failed}, f"due: {set(due)}"
        replies = {seat: Reply(None, failure="model/timeout") for seat in failed}
        for seat, action in said.items():
            replies[seat] = Reply(due[seat].check(action))
        new = self.play.advance({seat: replies[seat] for seat in due})
        self.events += new
        return new

    def seen_by(self, seat: str) -> list[Event]:
        return [event for event in self.events if seat in event.audience]


def say(text: str = "hello", side: str = "go on", **more: str) -> dict[str, str]:
    return {"say": text, "side": side, **more}


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def only(events: list[Event], kind: str) -> Event:
    found = [event for event in events if event.kind == kind]
    assert len(found) == 1, kinds(events)
    return found[0]


def test_the_opening_gives_each_fact_to_its_holders_and_the_task_to_those_asked() -> None:
    table = Table(build())
    assert [e.data["fact"] for e in table.events if e.kind == "fact_declared"] == ["f0", "f1", "f2"]
    assert all(e.audience == () for e in table.events if e.kind in ("fact_declared", "item"))
    assert [e.data["fact"] for e in table.seen_by("a") if e.kind == "fact"] == ["f0"]
    assert [e.data["fact"] for e in table.seen_by("c") if e.kind == "fact"] == ["f2"]
    assert kinds(table.seen_by("d")) == []
    assert only(table.seen_by("a"), "task").data["partner"] == "Bo"
    assert only(table.seen_by("b"), "task").data["from"] == "Ada"
    assert "gold" not in str([e.data for seat in "abcd" for e in table.seen_by(seat)])


def test_a_pair_talks_cites_and_answers() -> None:
    table = Table(build())
    message = only(table.step(a=say("Zed has it.", cites="f0")), "message")
    assert message.audience == ("a", "b")
    claim = message.data["claims"][0]
    assert (claim["fact"], claim["value"], claim["polarity"]) == ("f0", "Zed has the kettle.", 1)
    stop = only(table.step(b=say("In the barn.", "complete", cites="[f1], f1")), "message")
    assert [claim["fact"] for claim in stop.data["claims"]] == ["f1"]
    last = table.step(a=say("", "complete"))
    assert only(last, "stop").data["reason"] == "complete"
    assert only(last, "stop").data["messages"] == 2
    end = table.step(a={"answer": "barn", "evidence": "f0, f1"})
    assert only(end, "answer").data == {"answer": "barn", "evidence": ["f0", "f1"]}
    assert only(end, "answer").audience == ("a",)
    assert table.play.status == "ok"


def test_what_a_speaker_does_not_know_is_no_claim() -> None:
    table = Table(build())
    events = table.step(a=say("Zed keeps things in the barn.", cites="f1, f0, f99"))
    assert [claim["fact"] for claim in only(events, "message").data["claims"]] == ["f0"]
    unknown = only(events, "unknown_citation")
    assert unknown.audience == ()
    assert unknown.data["facts"] == ["f1", "f99"]


def test_what_was_told_may_be_passed_on() -> None:
    table = Table(build(depth=2))
    table.step(a=say(cites="f0"))
    events = table.step(b=say("Cy, do you know?", to="Cy", cites="f0, f1"))
    assert [claim["fact"] for claim in only(events, "message").data["claims"]] == ["f0", "f1"]
    assert only(events, "message").audience == ("b", "c")


def test_messages_go_along_edges_only() -> None:
    table = Table(build(depth=3, graph=SocialGraph.from_edges("abcd", WIDER, directed=False)))
    events = table.step(a=say(to="Di, Nobody, bo"))
    refused = [event.data["name"] for event in events if event.kind == "refused"]
    assert refused == ["Di", "Nobody"]
    assert all(event.audience == ("a",) for event in events if event.kind == "refused")
    assert only(events, "message").audience == ("a", "b")


def test_recruitment_stops_at_depth_width_and_budget() -> None:
    table = Table(build(depth=2))
    table.step(a=say())
    events = table.step(b=say(to="cy"))
    assert only(events, "recruited").data == {"opener": "b", "depth": 2, "cost": 1.0}
    assert only(events, "recruited").audience == ("b", "c")
    assert only(events, "task").audience == ("c",)
    with pytest.raises(ReplyError, match="'to'"):  # c is at the end: there is nobody to choose from
        table.step(c=say(to="Di"))

    table = Table(build(depth=1, graph=SocialGraph.from_edges("abcd", WIDER, directed=False)))
    table.step(a=say(to="Cy"))
    assert only(table.step(c=say(to="Di")), "refused").data["reason"].startswith("too many steps")
    assert only(table.events, "stop").data["reason"] == "nobody speaks"

    star = SocialGraph.from_edges("abcd", [("a", "b"), ("a", "c"), ("a", "d")], directed=False)
    for params, reason in (({"width": 1}, "bring in nobody else"), ({"recruit_budget": 1.5}, "budget")):
        table = Table(build(graph=star, depth=1, **params))  # type: ignore[arg-type]
        events = table.step(a=say(to="Bo, Cy, Di"))
        assert [e.seat for e in events if e.kind == "recruited"] == ["c"]
        assert reason in only(events, "refused").data["reason"]


def test_channels_decide_who_hears_with_whom() -> None:
    star = SocialGraph.from_edges("abcd", [("a", "b"), ("a", "c"), ("a", "d")], directed=False)
    channels = ("direct", "group", "broadcast")
    direct = Table(build(graph=star, depth=1, channels=channels)).step(a=say(to="Bo, Cy", channel="direct"))
    assert [e.audience for e in direct if e.kind == "message"] == [("a", "b"), ("a", "c")]
    group = Table(build(graph=star, depth=1, channels=channels)).step(a=say(to="Bo, Cy", channel="group"))
    assert only(group, "message").audience == ("a", "b", "c")
    table = Table(build(graph=star, depth=1, width=1, channels=channels))
    assert only(table.step(a=say(channel="broadcast")), "message").audience == ("a", "b", "c", "d")
    assert [turn.seat for turn in table.play.due()] == ["b", "c"]  # d hears, but may not be brought in


@pytest.mark.parametrize(
    ("params", "says", "reason"),
    [
        ({"rounds": 1}, [{"a": say()}], "rounds"),
        ({"max_messages": 1}, [{"a": say()}], "messages"),
        ({"patience": 2}, [{"a": say(cites="f0")}, {"b": say()}, {"a": say(cites="f0")}], "no news"),
        ({}, [{"a": say("")}], "nobody speaks"),
        ({}, [{"a": say(side="complete")}, {"b": say(side="stuck")}], "stuck"),
        ({}, [{"a": say("", side="complete")}], "complete"),
    ],
)
def test_the_log_says_why_the_talk_ended(params: dict[str, Any], says: list[dict[str, Any]], reason: str) -> None:
    table = Table(build(**params))
    for number, said in enumerate(says, 1):
        stops = [event for event in table.step(**said) if event.kind == "stop"]
        assert bool(stops) == (number == len(says))
    assert only(table.events, "stop").data["reason"] == reason
    assert only(table.events, "stop").audience == ()


def test_a_seat_that_failed_says_nothing_and_a_missing_answer_is_no_answer() -> None:
    table = Table(build())
    assert "message" not in kinds(table.step(failed=("a",)))
    assert "answer" not in kinds(table.step(failed=("a",)))
    assert table.play.status == "ok"


@pytest.mark.parametrize(
    ("params", "answerer", "facts"),
    [
        ({"information": "none"}, "a", {"f0"}),
        ({"information": "none", "answers": "partner"}, "b", {"f1"}),
        ({"information": "full"}, "a", {"f0", "f1", "f2"}),
    ],
)
def test_floor_and_ceiling_are_the_same_environment(params: dict[str, Any], answerer: str, facts: set[str]) -> None:
    table = Table(build(**params))
    assert {e.data["fact"] for e in table.seen_by(answerer) if e.kind == "fact"} == facts
    assert "answer" in kinds(table.step((), **{answerer: {"answer": "barn"}}))


def test_an_open_question_names_no_partner_and_a_distant_one_the_way_to_it() -> None:
    far = item(asked=["a", "c"], evidence=[["f0"], ["f2"]])
    task = only(Table(build(far)).seen_by("a"), "task").data
    assert (task["partner"], task["routes"]) == ("Cy", ["Bo"])
    hidden = Table(build(far | {"mode": "open"}))
    assert not {"partner", "routes"} & set(only(hidden.seen_by("a"), "task").data)
    assert only(hidden.seen_by("a"), "task").data["asked"] == ["a"]
    assert hidden.seen_by("c") == [e for e in hidden.seen_by("c") if e.kind == "fact"]


LINES = (ArchiveLine("l0", 0, "s", "b", ("c",), "The bell is broken."), ArchiveLine("l1", 1, "s", "c", (), "Rain."))


def test_lines_of_the_archive_enter_the_log_only_when_they_matter() -> None:
    archive = Archive(LINES, "00")
    table = Table(build(item(facts=[], asked=["a", "b"], evidence=[[], ["l0"]]), archive=archive, depth=2))
    assert only(table.events, "archive").data == {"sha256": "00", "n_lines": 2}
    declared = only(table.events, "fact_declared").data
    assert (declared["fact"], declared["owners"]) == ("l0", ["b", "c"])
    assert "fact" not in kinds(table.events)
    table.step(a=say())
    events = table.step(b=say(to="Ada, Cy", cites="l0, l1"))
    assert "fact_declared" not in kinds(events)
    assert only(events, "unknown_citation").data["facts"] == ["l1"]
    events = table.step(a=say("ok"), c=say("It rained.", cites="l1"))
    assert only(events, "fact_declared").data["value"] == "Rain."


def fails(match: str, *items: dict[str, Any], archive: Archive | None = None, **params: Any) -> None:
    with pytest.raises((DataError, ScenarioError), match=match):
        build(*items, archive=archive, **params)


def test_user_errors_are_one_clear_line() -> None:
    fails(r"items\[0\].evidence\[1\]: nobody holds fact 'f9'", item(evidence=[["f0"], ["f9"]]))
    fails(r"'f2' is held by c; a fact that b holds", item(evidence=[["f0"], ["f2"]]))
    fails(r"items\[0\].asked\[1\]: found 'z'", item(asked=["a", "z"]))
    fails(r"facts\[0\].owner: found 'x'", item(facts=[{"fact": "f0", "owner": "x", "text": "?"}]))
    fails("found 'f0' again", item(facts=[{"fact": "f0", "owner": "a", "text": "?"}] * 2))
    fails("no archive", item(facts=[], evidence=[]))
    fails("more than once", item(names={"a": "Bo", "b": " bo"}))
    fails("the asker, then perhaps one partner", item(asked=["a", "b", "c"]))
    fails("has no partner", item(asked=["a"], evidence=[]), information="none", answers="partner")
    fails(r"items\[0\].question: found '  '", item(question="  "))
    fails(r"facts\[0\].text: found ' '", item(facts=[{"fact": "f0", "owner": "a", "text": " "}]))
    fails(
        r"facts\[0\].fact: found 'f 0'; an id that can be cited",
        item(facts=[{"fact": "f 0", "owner": "a", "text": "?"}]),
    )
    fails(r"options\[1\]: found ' Barn' again", item(options=["barn", " Barn"]))
    fails(r"options\[1\]: found ''", item(options=["barn", ""]))
    fails(r"items\[0\].gold: found 'shed'; one of the options barn, mill", item(gold="shed"))
    fails(r"items\[0\].gold: found 'many'; a whole number", item(gold="many", gold_kind="integer", options=[]))
    fails(r"items\[0\].names: found 'Bo, the baker'; a name without", item(names={"b": "Bo, the baker"}))
    fails(r"items\[0\].names: found ''", item(names={"b": ""}))
    fails(r"items\[0\].names: no name for c, d", item(names={"a": "Ada", "b": "Bo"}), anonymous=True)
    with pytest.raises(ScenarioError, match=r"environment\.items: found none"):
        Collaboration.build(CollaborationParams(), World(CHAIN))
    with pytest.raises(ScenarioError, match="no planner's turn"):
        Collaboration.build(CollaborationParams(), World(CHAIN, True, items=(item(),)))


def variants() -> list[dict[str, Any]]:
    """Returns items that differ in what only b, only c, or nobody knows."""
    other = [dict(fact) for fact in item()["facts"]]
    other[1]["text"] = "Zed keeps things in the mill."
    third = [dict(fact) for fact in item()["facts"]]
    third[2]["text"] = "Cy hates the rain."
    return [item(), item(facts=other, gold="mill", id="other"), item(facts=third, evidence=[["f0"], []])]


CASES: Mapping[str, dict[str, Any]] = {
    "pair": {"rounds": 3},
    "none": {"information": "none"},
    "recruiting": {"depth": 2, "rounds": 3},
    "broadcast": {"depth": 3, "rounds": 3, "channels": ("broadcast",)},
    "group": {"depth": 3, "rounds": 3, "channels": ("group", "direct")},
}


@pytest.mark.parametrize("name", CASES)
def test_the_environment_keeps_every_promise(name: str) -> None:
    check_environment(build(*variants(), **CASES[name]))
    assert check_barrier(build(*variants(), **CASES[name])) > 100


def test_a_planted_leak_is_caught() -> None:
    class Leaky(Collaboration):
        def describe_to_all(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
            return tuple(e._replace(audience=("a", "b")) if e.kind == "fact" and e.seat == "c" else e for e in events)

        def initial(self, seed: SeedPath, rollout: int) -> Any:
            state, events = super().initial(seed, rollout)
            return state, self.describe_to_all(events)

    good = build(*variants())
    leaky = Leaky(good.params, good.graph, good.items, good.library)
    with pytest.raises(Exception, match="could tell apart"):
        check_barrier(leaky)


def test_ballots_are_blind_to_each_other() -> None:
    table = Table(build(information="none", ballots=3))
    *_, events = [table.step(a={"answer": "mill"}) for _ in range(3)]
    assert table.play.status == "ok"
    assert [event.kind for event in events] == ["reply", "answer", "ended"]
    assert not any(
        table.play._environment.describe(e, "a") for e in table.seen_by("a") if e.kind in ("answer", "reply")
    )


def test_anonymous_people_have_no_names_anywhere() -> None:
    named = item(question="Does Bo know Ada's kettle, or Adam?", options=["Bo", "mill"], gold="Bo")
    named["facts"] = [{"fact": "f0", "owner": "a", "text": "Ada told Bo."}, {"fact": "f1", "owner": "b", "text": "x"}]
    table = Table(build(named, anonymous=True))
    task = only(table.seen_by("a"), "task").data
    assert task["question"] == "Does Person 2 know Person 1's kettle, or Adam?"
    assert (task["you"], task["partner"], task["options"]) == ("Person 1", "Person 2", ["Person 2", "mill"])
    assert only(table.seen_by("a"), "fact").data["value"] == "Person 1 told Person 2."
    assert only(table.events, "item").data["gold"] == "Person 2"


def test_the_archive_of_anonymous_people_has_no_names_either() -> None:
    lines = (ArchiveLine("l1", 1, "", "a", ("b",), "Bo, is Bobby at Ada's?"),)
    environment = build(anonymous=True, archive=Archive(lines, "hash"))
    assert environment.archive.lines[0].text == "Person 2, is Bobby at Person 1's?"
    assert environment.archive.sha256 == "hash"
    assert environment.library.lines["l1"].text == environment.archive.lines[0].text
    others = item(names={"a": "Ann", "b": "Bo", "c": "Cy", "d": "Di"})
    with pytest.raises(DataError, match=r"items\[1\].names: .* the names of items\[0\]"):
        build(item(), others, anonymous=True, archive=Archive(lines, "hash"))


def test_a_person_called_like_the_word_for_everybody_is_that_person() -> None:
    names = {"a": "Everybody", "b": "Bo", "c": "Cy", "d": "Di"}
    table = Table(build(item(names=names, asked=["b", "c"], evidence=[]), depth=1, channels=("group",)))
    assert only(table.step(b=say(to="Everybody, Cy")), "message").data["to"] == ["a", "c"]


def test_short_messages_do_not_shorten_what_may_be_cited() -> None:
    facts = [{"fact": f"fact-{i:03}", "owner": "a", "text": f"fact {i}"} for i in range(20)]
    table = Table(build(item(facts=facts, evidence=[]), max_chars=20))
    cites = ", ".join(fact["fact"] for fact in facts)
    assert len(only(table.step(a=say("all", cites=cites)), "message").data["claims"]) == 20


def test_what_the_search_of_prompts_looks_for() -> None:
    facts = [{"fact": "f0", "owner": "a", "text": "In the barn."}, {"fact": "f1", "owner": "b", "text": "Barn."}]
    events = [e for e in Table(build(item(facts=facts))).events if e.kind == "fact_declared"]
    assert [e.data.get("phrases") for e in events] == [["In the barn."], None], "a word or two stand in any prompt"
    twice = Archive((LINES[0], LINES[1], LINES[0]._replace(id="l9", speaker="d", hearers=())), "00")
    table = Table(build(item(facts=[], evidence=[["l0"], []], asked=["b", "c"]), archive=twice))
    assert only(table.events, "fact_declared").data["same_words"] == ["d"], (
        "d may read these words: another line has them"
    )
