"""Every registered environment keeps the promises; a planted fault of each kind is caught."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tidings.core import Event, SocialGraph, Transition, World
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
}


@pytest.mark.parametrize("name", CASES)
def test_environments_keep_every_promise(name: str) -> None:
    check_environment(CASES[name])


def test_barrier_compares_many_pairs() -> None:
    assert check_barrier(CASES["complete"]) > 100
    assert check_barrier(CASES["hidden profile"]) > 60
    assert check_barrier(CASES["dialop"]) > 60


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
