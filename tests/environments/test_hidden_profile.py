"""Hidden profiles: who holds what, who hears whom, votes that fail, and the exact seats."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tidings.agents.tally import TallyAgent, TallyParams
from tidings.benchmarks.asymmetry import generate_hidden_profiles
from tidings.benchmarks.asymmetry.hidden_profile_suite import profile_items
from tidings.core import (
    Event,
    Reply,
    RequestError,
    ScenarioError,
    SeatContext,
    SeedPath,
    SocialGraph,
    StructuredSpec,
    World,
)
from tidings.environments.hidden_profile import HiddenProfile, HiddenProfileParams
from tidings.metrics.hidden_profile import majority_share, vote_row
from tidings.simulation.loop import drive
from tidings.simulation.play import Play

ITEM: dict[str, Any] = {
    "id": "q0",
    "group": "q0",
    "text": "Which house?",
    "options": ["X", "Y", "Z"],
    "gold": "X",
    "shared": [{"fact": "s0", "text": "Y is large."}, {"fact": "s1", "text": "Y is cheap."}],
    "hidden": [{"fact": f"h{i}", "text": f"Reason number {i} for X."} for i in range(3)],
}
SEATS = ("a0", "a1", "a2")
COMPLETE = SocialGraph.from_edges(SEATS, [("a0", "a1"), ("a0", "a2"), ("a1", "a2")], directed=False)
PATH = SocialGraph.from_edges(SEATS, [("a0", "a1"), ("a1", "a2")], directed=False)


def build(graph: SocialGraph = COMPLETE, items: tuple[Any, ...] = (ITEM,), **params: Any) -> HiddenProfile:
    return HiddenProfile.build(HiddenProfileParams(**params), World(graph, items=items))


def opening(environment: HiddenProfile, seed: int = 0, rollout: int = 0) -> tuple[Any, list[Event]]:
    state, events = environment.initial(SeedPath.root(seed), rollout)
    return state, list(events)


def facts_of(events: list[Event], seat: str) -> set[str]:
    return {e.data["fact"] for e in events if e.kind == "fact" and e.audience == (seat,)}


def answer(environment: HiddenProfile, state: Any, actions: dict[str, Any]) -> tuple[Any, list[Event]]:
    turns = environment.turns(state)
    checked = {turn.seat: Reply(turn.spec.check(actions[turn.seat])) for turn in turns}
    state, events = environment.apply(state, checked)
    return state, list(events)


def test_everybody_holds_the_shared_facts_and_one_hidden_fact() -> None:
    for seed in range(20):
        _, events = opening(build(), seed)
        held = {seat: facts_of(events, seat) for seat in SEATS}
        assert all({"s0", "s1"} < own and len(own) == 3 for own in held.values())
        assert set.union(*held.values()) == {"s0", "s1", "h0", "h1", "h2"}
        declared = {e.data["fact"]: e.data for e in events if e.kind == "fact_declared"}
        for fact, data in declared.items():
            holders = [seat for seat in SEATS if fact in held[seat]]
            assert data["visibility"] == ["*"]
            assert data["owners"] == holders


def test_hidden_facts_options_and_reading_orders_are_drawn_anew() -> None:
    seen = {"owner": set(), "options": set(), "order": set()}
    for seed in range(40):
        state, events = opening(build(), seed)
        seen["owner"].add(next(iter(facts_of(events, "a0") - {"s0", "s1"})))
        seen["options"].add(state.options)
        seen["order"].add(tuple(e.data["fact"] for e in events if e.kind == "fact" and e.seat == "a0"))
    assert seen["owner"] == {"h0", "h1", "h2"}
    assert len(seen["options"]) == 6
    assert len(seen["order"]) > 10


@pytest.mark.parametrize(("information", "n_facts"), [("full", 5), ("private", 3), ("shared", 2)])
def test_what_a_single_agent_holds(information: Any, n_facts: int) -> None:
    state, events = opening(build(information=information, voters=1, rounds=0))
    assert state.seats == ("a0",)
    assert len(facts_of(events, "a0")) == n_facts
    assert not any("a1" in e.audience for e in events)


def test_the_gold_is_known_to_nobody() -> None:
    _, events = opening(build())
    assert [e.audience for e in events if "gold" in e.kind] == [()]
    assert all("gold" not in str(e.data) for e in events if e.audience)


def test_messages_of_a_round_reach_those_who_hear_and_silence_sends_none() -> None:
    environment = build(PATH, rounds=1)
    state, _ = opening(environment)
    state, votes = answer(environment, state, dict.fromkeys(SEATS, "X"))
    assert [(e.kind, e.audience, e.data["phase"]) for e in votes] == [("vote", (s,), "before") for s in SEATS]
    state, said = answer(environment, state, {"a0": "hello", "a1": "", "a2": "well"})
    assert [(e.audience, e.data) for e in said] == [
        (("a0", "a1"), {"text": "hello", "round": 1}),
        (("a2", "a1"), {"text": "well", "round": 1}),
    ]
    state, votes = answer(environment, state, dict.fromkeys(SEATS, "Y"))
    assert {e.data["phase"] for e in votes} == {"after"}
    assert environment.turns(state) == ()


def test_without_rounds_there_is_one_vote_of_so_many_ballots() -> None:
    environment = build(rounds=0, ballots=3)
    state, _ = opening(environment)
    for number in range(3):
        state, votes = answer(environment, state, dict.fromkeys(SEATS, "X"))
        assert {(e.data["phase"], e.data["ballot"]) for e in votes} == {("after", number)}
    assert environment.turns(state) == ()


def test_votes_stand_in_no_transcript() -> None:
    environment = build()
    vote = Event("vote", ("a0",), {"phase": "before", "ballot": 0, "option": "X"}, "a0")
    assert environment.describe(vote, "a0") == ""


def test_claims_are_what_the_speaker_cites_and_nothing_the_environment_knows_better() -> None:
    environment = build(rounds=2, cites=True)
    state, events = opening(environment)
    own = {seat: next(iter(facts_of(events, seat) - {"s0", "s1"})) for seat in SEATS}
    state, _ = answer(environment, state, dict.fromkeys(SEATS, "X"))
    spec = environment.turns(state)[0].spec
    assert isinstance(spec, StructuredSpec)
    says = {
        "a0": {"text": "Listen.", "cites": f"[{own['a0']}], {own['a1']}: X +1; nonsense, "},
        "a1": {"text": "Nothing."},
        "a2": {"text": "", "cites": own["a2"]},
    }
    state, said = answer(environment, state, says)
    messages = [e for e in said if e.kind == "message"]
    assert [e.seat for e in messages] == ["a0", "a1"]
    stated = {own["a0"]: None, own["a1"]: "X +1", "nonsense": None}
    assert messages[0].data["claims"] == [
        {"fact": fact, "value": value, "polarity": 1, "hedged": False} for fact, value in stated.items()
    ]
    assert messages[1].data["claims"] == []
    unknown = [e for e in said if e.kind == "unknown_claim"]
    assert [(e.audience, e.data["fact"]) for e in unknown] == [((), own["a1"]), ((), "nonsense")]
    state, said = answer(environment, state, {**says, "a1": {"text": "As a0 said.", "cites": own["a0"]}})
    assert not [e for e in said if e.kind == "unknown_claim" and e.seat == "a1"], "it was told"


def test_an_item_with_fewer_people_is_played_by_the_first_seats() -> None:
    small = {**ITEM, "id": "q1", "hidden": ITEM["hidden"][:2]}
    environment = build(items=(ITEM, small))
    state, events = opening(environment, rollout=1)
    assert state.seats == ("a0", "a1")
    assert not facts_of(events, "a2")
    state, _ = answer(environment, state, dict.fromkeys(SEATS, "X"))
    _, said = answer(environment, state, dict.fromkeys(SEATS, "hi"))
    assert [set(e.audience) for e in said] == [{"a0", "a1"}] * 2


def test_a_failed_vote_is_missing_and_a_failed_message_is_silence() -> None:
    environment = build(rounds=1)
    state, events = opening(environment)
    failed = Reply(None, failure="model/refusal")
    state, votes = environment.apply(state, {"a0": Reply("X"), "a1": failed, "a2": Reply("Y")})
    assert [e.seat for e in votes] == ["a0", "a2"]
    _, said = environment.apply(state, {"a0": failed, "a1": failed, "a2": Reply("hi")})
    assert [e.seat for e in said] == ["a2"]
    row = vote_row([*events, *votes])
    assert (row["n_before"], row["right_before"], row["right_after"]) == (2, 0.5, None)


@pytest.mark.parametrize(
    ("votes", "share"),
    [(["X", "X", "Y"], 1.0), (["X", "Y"], 0.5), (["Y", "X"], 0.5), (["Y", "Y", "X"], 0.0), ([], None)],
)
def test_ties_count_by_their_share_whoever_was_seen_first(votes: list[str], share: float | None) -> None:
    assert majority_share(votes, "X") == share


def events_of(environment: HiddenProfile, rollout: int, agents: dict[str, Any]) -> list[Event]:
    events: list[Event] = []
    asyncio.run(drive(Play(environment, SeedPath.root(5).child(rollout), rollout), agents, events.extend))
    return events


@pytest.mark.parametrize(("graph", "rounds", "share"), [("complete", 1, 1.0), ("path", 1, None), ("path", 3, 1.0)])
def test_exact_seats_are_right_as_soon_as_everything_has_reached_them(graph: str, rounds: int, share: Any) -> None:
    items = profile_items(generate_hidden_profiles(12, seed=3))
    seats = ("a0", "a1", "a2", "a3")
    edges = [(a, b) for i, a in enumerate(seats) for j, b in enumerate(seats) if graph == "complete" or j == i + 1]
    social = SocialGraph.from_edges(seats, edges, directed=False)
    environment = build(social, items, rounds=rounds, cites=True, max_chars=4000)
    agents = {s: TallyAgent.build(TallyParams(), SeatContext(s, "", str)) for s in seats}
    rows = [vote_row(events_of(environment, r, agents)) for r in range(len(items))]
    assert {row["right_before"] for row in rows} == {0.0}
    after = {row["right_after"] for row in rows}
    assert after == {share} if share is not None else min(after) < 1.0


def test_free_text_is_not_added_up() -> None:
    agents = {s: TallyAgent.build(TallyParams(), SeatContext(s, "", str)) for s in SEATS}
    events = events_of(build(cites=True), 0, agents)
    assert {e.data["error"] for e in events if e.kind == "failure"} == {"not_applicable"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gold": "W"}, r"item 1 \(q0\): gold: found 'W'; need one of the options"),
        ({"options": ["X", "X"]}, r"item 1 \(q0\): options: found \['X', 'X'\]; need two or more, all different"),
        ({"hidden": [{"fact": "s0", "text": "twice"}]}, "an id comes twice"),
        ({"hidden": []}, r"items\.0\.hidden: found \[\]; allowed: a list of length 1 or more"),
        ({"shared": [{"fact": "s0"}]}, r"items\.0\.shared\.0\.text: 'text' is missing"),
        ({"otherwize": "X"}, r"items\.0\.otherwize: found 'otherwize'; allowed: id, group, text"),
        (
            {"hidden": [*ITEM["hidden"], {"fact": "h3", "text": "x"}]},
            "4 hidden facts for 3 seats, so nobody would hold",
        ),
        ({"shared": [{"fact": "s", "text": "x", "points": {"option": "W", "weight": 1}}]}, r"points: found \['W'\]"),
    ],
)
def test_a_wrong_item_is_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        build(items=({**ITEM, **change},))
    assert "\n" not in str(caught.value)


def test_a_scenario_that_does_not_fit_is_one_line() -> None:
    with pytest.raises(ScenarioError, match=r"environment.items: found none"):
        build(items=())
    with pytest.raises(ScenarioError, match=r"environment.voters: found 4; at most 3"):
        build(voters=4)
    with pytest.raises(ScenarioError, match=r"no planner's turn"):
        HiddenProfile.build(HiddenProfileParams(), World(COMPLETE, True, items=(ITEM,)))


def test_the_items_of_the_generator_say_what_facts_are_worth(tmp_path: Path) -> None:
    for item in profile_items(generate_hidden_profiles(5, seed=1)):
        facts = [*item["shared"], *item["hidden"]]
        totals = {o: sum(f["points"]["weight"] for f in facts if f["points"]["option"] == o) for o in item["options"]}
        assert max(totals, key=lambda option: totals[option]) == item["gold"]
