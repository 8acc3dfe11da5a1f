"""Every registered environment keeps the promises; a planted fault of each kind is caught."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tidings.core import Event, SeedPath, SocialGraph, Transition, World
from tidings.environments.dialop import Dialop, DialopParams
from tidings.environments.hidden_profile import HiddenProfile, HiddenProfileParams
from tidings.environments.many_states import ManyStates, ManyStatesParams
from tidings.environments.social_learning import SocialLearning, SocialLearningParams
from tidings.environments.talk import Talk, TalkParams
from tidings.simulation.conformance import ConformanceError, check_barrier, check_environment


def herd(n: int = 4, *, complete: bool = True, planner: bool = False, **params: Any) -> SocialLearning:
    seats = tuple(f"a{i}" for i in range(n))
    edges = [(a, b) for i, a in enumerate(seats) for b in seats[:i] if complete or abs(int(a[1]) - int(b[1])) == 1]
    graph = SocialGraph.from_edges(seats, edges, directed=False)
    return SocialLearning.build(SocialLearningParams(**params), World(graph, planner))


def many(n: int = 3, *, planner: bool = False, **params: Any) -> ManyStates:
    graph = SocialGraph.from_edges(
        [f"a{i}" for i in range(n)], [("a0", "a1"), ("a0", "a2"), ("a1", "a2")], directed=False
    )
    return ManyStates.build(ManyStatesParams(**params), World(graph, planner))


def hidden(**params: Any) -> HiddenProfile:
    facts = [{"fact": f"h{i}", "text": f"Reason number {i}."} for i in range(5)]
    item = {"id": "q", "text": "Which?", "options": ["X", "Y"], "gold": "X", "shared": facts[:1], "hidden": facts[1:4]}
    graph = SocialGraph.from_edges(("a0", "a1", "a2"), [("a0", "a1"), ("a1", "a2")], directed=False)
    items = (item, {**item, "gold": "Y", "hidden": facts[2:]})
    return HiddenProfile.build(HiddenProfileParams(rounds=2, **params), World(graph, items=items))


def game(**params: Any) -> Dialop:
    graph = SocialGraph.from_edges(("a0", "a1"), [("a0", "a1")], directed=False)
    masks = [[[1, 0], [0, 0]], [[0, 0], [0, 1]]]
    names = {"reviewers": ["R0", "R1"], "papers": ["P0", "P1"], "scales": [1.0, 2.0], "masks": masks}
    tables = ([[5, 1], [1, 7]], [[5, 1], [1, 9]], [[5, 1], [1, 90]])  # the first player sees 5 in all of them
    items = tuple({"id": str(i), "table": table, **names} for i, table in enumerate(tables))
    return Dialop.build(DialopParams(turns=4, **params), World(graph, items=items))


def talk(kind: type[Talk] = Talk, *, drawn: bool = True) -> Talk:
    """Returns talk in which a0 knows one fixed fact and a1 and a2 know facts that are drawn, or fixed too."""
    where = {"values": ("shed", "attic"), "text": "The key is in the {value}."} if drawn else "The key is in the shed."
    facts = {"a0": {"who": "Ann has lost a key"}, "a1": {"where": where}, "a2": {"when": {"values": ("noon", "night")}}}
    graph = SocialGraph.from_edges(("a0", "a1", "a2"), [("a0", "a1"), ("a1", "a2")], directed=False)
    return kind.build(TalkParams.model_validate({"rounds": 2, "facts": facts}), World(graph))


CASES = {
    "complete": herd(),
    "path": herd(complete=False),
    "planner": herd(planner=True),
    "no beliefs": herd(ask_belief=False),
    "coin": herd(ties="coin"),
    "random order": herd(3, order="random"),
    "one agent": herd(1),
    "short horizon": herd(horizon=2),
    "losses by seat": herd(3, loss_false_good={"a0": 1.0, "a1": 2.0, "a2": 3.0}),
    "many states": many(),
    "many states, planner": many(planner=True),
    "dialop": game(),
    "dialop, alone": game(talk=False),
    "dialop, one agent": game(talk=False, players=1, information="full"),
    "hidden profile": hidden(),
    "hidden profile, cites": hidden(cites=True),
    "hidden profile, one agent": hidden(information="full", voters=1, ballots=2),
    "talk": Talk.build(
        TalkParams(rounds=2, facts={"a0": {"where": "the key is in the shed"}}),
        World(SocialGraph.from_edges(("a0", "a1", "a2"), [("a0", "a1"), ("a1", "a2")], directed=False)),
    ),
    "talk, drawn facts": talk(),
}


@pytest.mark.parametrize("name", CASES)
def test_environments_keep_every_promise(name: str) -> None:
    check_environment(CASES[name])


def test_barrier_compares_many_pairs() -> None:
    assert check_barrier(CASES["complete"]) > 100
    assert check_barrier(CASES["hidden profile"]) > 60
    assert check_barrier(CASES["dialop"]) > 60


def test_barrier_of_talk_compares_rollouts_that_differ_in_hidden_facts() -> None:
    """a0 owns the same fact in all 60 rollouts, a1 and a2 one of two each: 59 + 2 x 58 pairs, four hidden worlds."""
    assert check_barrier(CASES["talk, drawn facts"]) >= 59 + 58 + 58
    drawn = {
        tuple(str(e.data["value"]) for e in _openings(number) if e.kind == "fact" and e.seat != "a0")
        for number in range(60)
    }
    assert len(drawn) == 4


def _openings(number: int) -> tuple[Event, ...]:
    return CASES["talk, drawn facts"].initial(SeedPath.root(number), number).events


class Gossip(Talk):
    """Talk in which a0 gets to see what a1 alone should know."""

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        opening = super().initial(seed, rollout)
        leaked = (
            e._replace(audience=("a1", "a0")) if e.kind == "fact" and e.seat == "a1" else e for e in opening.events
        )
        return Transition(opening.state, tuple(leaked))


def test_leaked_fact_of_talk_is_caught_where_facts_are_drawn_and_only_there() -> None:
    with pytest.raises(ConformanceError, match="'a0' could tell apart"):
        check_barrier(talk(Gossip))
    check_barrier(talk(Gossip, drawn=False))


@dataclass(frozen=True)
class Faulty:
    """Social learning with one planted fault."""

    inner: SocialLearning
    fault: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _spoil(self, transition: Transition) -> Transition:
        events = list(transition.events)
        for i, event in enumerate(events):
            if event.kind == "signal" and self.fault == "leaked signal":
                events[i] = event._replace(audience=("a0", "a1", "a2", "a3"), seat=None)
            if event.kind == "signal" and self.fault == "stranger":
                events[i] = event._replace(audience=("nobody_i_know",))
            if event.kind == "action" and self.fault == "state in the action":
                events[i] = event._replace(data=event.data | {"hint": transition.state.truth})
            if event.kind == "action" and self.fault == "not json":
                events[i] = event._replace(data={"action": ("G",)})
        return Transition(transition.state, tuple(events))

    def initial(self, seed: Any, rollout: int) -> Transition:
        return self._spoil(self.inner.initial(seed, rollout))

    def apply(self, state: Any, replies: Any) -> Transition:
        return self._spoil(self.inner.apply(state, replies))

    def turns(self, state: Any) -> Any:
        turns = self.inner.turns(state)
        return turns * 2 if self.fault == "twice" else turns


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("leaked signal", "could tell apart"),
        ("state in the action", "could tell apart"),
        ("stranger", "not among the seats"),
        ("not json", "JSON"),
        ("twice", "asked twice"),
    ],
)
def test_each_planted_fault_is_caught(fault: str, message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check_environment(Faulty(herd(), fault))  # type: ignore[arg-type]


def test_hidden_memory_is_caught() -> None:
    counter = iter(range(1000))

    class Forgetful(Faulty):
        def initial(self, seed: Any, rollout: int) -> Transition:
            state, events = self.inner.initial(seed, rollout)
            return Transition(state, (*events, Event("tick", (), {"n": next(counter)})))

    with pytest.raises(ConformanceError, match="different events"):
        check_environment(Forgetful(herd(), "none"))  # type: ignore[arg-type]


def test_too_large_an_instance_is_told() -> None:
    with pytest.raises(ConformanceError, match="smaller instance"):
        check_barrier(replace(herd(12, order="random")), n_seeds=2)
