"""The optimisation game: who sees which cell, alternating turns, full proposals only, exact rewards."""

import asyncio
from itertools import permutations
from typing import Any

import pytest

from tidings.benchmarks.asymmetry import draw_game
from tidings.benchmarks.asymmetry.dialop_players import own_view, random_assignment, tell_all
from tidings.benchmarks.asymmetry.dialop_suite import game_items
from tidings.core import Event, Reply, RequestError, ScenarioError, SeedPath, SocialGraph, World
from tidings.environments.dialop import ACCEPT, MESSAGE, PROPOSE, REJECT, Dialop, DialopParams
from tidings.simulation.loop import drive
from tidings.simulation.play import Play

ITEM: dict[str, Any] = {
    "id": "g",
    "table": [[9, 1, 5], [2, 8, 50], [3, 4, 7]],
    "masks": [[[1, 1, 0], [0, 1, 0], [0, 0, 0]], [[0, 1, 1], [0, 0, 0], [1, 1, 1]]],
    "scales": [1.5, 4.0],
    "reviewers": ["R0", "R1", "R2"],
    "papers": ["P0", "P1", "P2"],
}
GRAPH = SocialGraph.from_edges(("a0", "a1"), [("a0", "a1")], directed=False)


def build(items: tuple[Any, ...] = (ITEM,), **params: Any) -> Dialop:
    return Dialop.build(DialopParams(**params), World(GRAPH, items=items))


def opening(game: Dialop, seed: int = 0) -> tuple[Any, list[Event]]:
    state, events = game.initial(SeedPath.root(seed), 0)
    return state, list(events)


def play(game: Dialop, state: Any, *actions: Any) -> tuple[Any, list[Event]]:
    """Answers one due seat after another; None stands for a failure."""
    events: list[Event] = []
    for action in actions:
        (turn,) = game.turns(state)
        reply = Reply(None, failure="model/refusal") if action is None else Reply(turn.spec.check(action))
        state, new = game.apply(state, {turn.seat: reply})
        events += new
    return state, events


def texts(events: list[Event], seat: str) -> set[str]:
    return {e.data["text"] for e in events if e.kind == "fact" and e.audience == (seat,)}


def test_a_player_sees_the_own_cells_in_the_own_unit() -> None:
    _, events = opening(build())
    assert texts(events, "a0") == {
        "The score of R0 for P0 is 13.",
        "The score of R0 for P1 is 1.",
        "The score of R1 for P1 is 12.",
    }
    assert "The score of R2 for P2 is 28." in texts(events, "a1")
    assert len(texts(events, "a1")) == 5


def test_with_full_information_both_views_are_seen_in_plain_numbers() -> None:
    _, events = opening(build(information="full", talk=False, players=1))
    assert len(texts(events, "a0")) == 7
    assert "The score of R2 for P2 is 7." in texts(events, "a0")
    assert texts(events, "a1") == set()
    assert "counts 50" in next(e.data["text"] for e in events if e.kind == "question")


def test_every_declared_cell_belongs_to_who_sees_it() -> None:
    _, events = opening(build())
    given = {(e.data["fact"], e.seat, e.data["value"]) for e in events if e.kind == "fact"}
    declared = [e for e in events if e.kind == "fact_declared"]
    assert {(e.data["fact"], e.data["owners"][0], e.data["value"]) for e in declared} == given
    assert all(e.audience == () and e.data["visibility"] == ["*"] and len(e.data["owners"]) == 1 for e in declared)


def test_either_player_may_begin() -> None:
    assert {opening(build(), seed)[0].first for seed in range(20)} == {0, 1}


def test_turns_alternate_and_a_talk_ends_with_acceptance() -> None:
    game = build(turns=4)
    state, _ = opening(game)
    (first,) = game.turns(state)
    state, events = play(game, state, MESSAGE, "hello")
    (second,) = game.turns(state)
    assert {first.seat, second.seat} == {"a0", "a1"}
    assert [(e.kind, set(e.audience)) for e in events] == [("message", {"*"})]
    state, events = play(game, state, PROPOSE, "P0", "P1")
    assert [e.kind for e in events] == ["pick", "pick", "proposal"]
    assert events[0].audience == (second.seat,)
    assert events[2].data["assignment"] == {"R0": "P0", "R1": "P1", "R2": "P2"}
    (answer,) = game.turns(state)
    assert answer.seat == first.seat
    state, events = play(game, state, ACCEPT)
    assert game.turns(state) == ()
    assert events[-1].audience == ()
    assert events[-1].data == {"status": "agreed", "reward": 24.0, "norm": 24 / 63, "seat": second.seat}


def test_the_reward_is_exact_and_normed_by_the_best_of_all_permutations() -> None:
    best = max(sum(ITEM["table"][i][p[i]] for i in range(3)) for p in permutations(range(3)))
    _, events = opening(build())
    assert next(e.data["value"] for e in events if e.kind == "gold") == best == 63


def test_a_rejected_proposal_passes_the_turn_and_the_last_turn_must_propose() -> None:
    game = build(turns=2)
    state, _ = opening(game)
    (first,) = game.turns(state)
    state, events = play(game, state, PROPOSE, "P0", "P1", REJECT)
    assert events[-1].data == {"accepted": False}
    (turn,) = game.turns(state)
    assert turn.seat != first.seat
    assert turn.spec.options == ("P0", "P1", "P2"), "no choice to speak"  # type: ignore[union-attr]
    state, events = play(game, state, "P0", "P1", REJECT)
    assert game.turns(state) == ()
    assert events[-1].data == {"status": "no_agreement", "reward": None, "norm": None, "seat": None}


@pytest.mark.parametrize("actions", [(None,), (MESSAGE, None), (PROPOSE, None), (PROPOSE, "P0", "P1", None)])
def test_who_fails_loses_the_turn_and_nothing_is_made_up(actions: tuple[Any, ...]) -> None:
    game = build(turns=3)
    state, _ = opening(game)
    (first,) = game.turns(state)
    state, events = play(game, state, *actions)
    assert not [e for e in events if e.kind in ("message", "response", "outcome")]
    (turn,) = game.turns(state)
    assert turn.seat != first.seat


def test_alone_both_propose_at_once_and_hear_nothing_of_each_other() -> None:
    game = build(talk=False)
    state, _ = opening(game)
    assert [turn.seat for turn in game.turns(state)] == ["a0", "a1"]
    state, events = game.apply(state, {"a0": Reply("P0"), "a1": Reply("P1")})
    assert [(e.kind, e.audience) for e in events] == [("pick", ("a0",)), ("pick", ("a1",))]
    state, events = game.apply(state, {"a0": Reply(None, failure="model/refusal"), "a1": Reply("P0")})
    assert [e.kind for e in events] == ["pick", "proposal", "outcome"]
    assert events[1].audience == ("a1",)
    assert events[2].data == {"status": "alone", "reward": 10.0, "norm": 10 / 63, "seat": "a1"}
    assert game.turns(state) == ()


def played(function: Any, n: int = 30, **params: Any) -> list[dict[str, Any]]:
    """The outcomes of own games between two equal scripted players."""

    class Player:
        async def act(self, observation: Any, spec: Any) -> Reply:
            return Reply(spec.check(function(observation, spec)))

    game = build(game_items([draw_game(1, i) for i in range(n)]), **params)
    outcomes: list[dict[str, Any]] = []
    for rollout in range(n):
        events: list[Event] = []
        path = SeedPath.root(0).child(rollout)
        asyncio.run(drive(Play(game, path, rollout), {"a0": Player(), "a1": Player()}, events.extend))
        outcomes += [e.data for e in events if e.kind == "outcome"]
    return outcomes


def test_telling_all_in_the_same_unit_finds_the_optimum_of_every_game() -> None:
    assert {outcome["norm"] for outcome in played(tell_all, turns=3, scaled=False, max_chars=4000)} == {1.0}


def test_the_floors_are_those_of_the_paper() -> None:
    """Released games: random .610, own view .832."""
    means = [
        sum(outcome["norm"] for outcome in outcomes) / len(outcomes)
        for outcomes in (played(random_assignment, talk=False), played(own_view, talk=False, scaled=False))
    ]
    assert means == pytest.approx([0.610, 0.832], abs=0.03)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table": [[1, 2], [3]]}, r"item 1 \(g\): table: the grid is not square; need 2 rows of as many numbers"),
        ({"papers": ["P0", "P0", "P1"]}, r"papers: found 2 different names; need 3"),
        ({"masks": [[[0] * 3] * 3, [[1] * 3] * 3]}, r"masks.0: this player sees no cell; need at least one"),
        ({"scales": None}, r"items\.0\.scales: found nothing \(null\); allowed: a list of 2"),
        ({"scales": [0, 1]}, r"items\.0\.scales\.0: found 0; allowed: a number > 0"),
        ({"unseeen": 3}, r"items\.0\.unseeen: found 'unseeen'; .*did you mean 'unseen'"),
    ],
)
def test_a_wrong_game_is_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        build(({**ITEM, **change},))
    assert "\n" not in str(caught.value)


def test_two_seats_that_hear_each_other_are_needed() -> None:
    deaf = SocialGraph.from_edges(("a0", "a1"), [("a0", "a1")], directed=True)
    for graph in (deaf, SocialGraph.from_edges(("a0",), [], directed=False)):
        with pytest.raises(ScenarioError, match="two seats that hear each other"):
            Dialop.build(DialopParams(), World(graph, items=(ITEM,)))
    with pytest.raises(ScenarioError, match=r"environment.items: found none"):
        build(())
