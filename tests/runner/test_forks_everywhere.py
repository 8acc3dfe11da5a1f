"""Forks hold for every registered environment: the unchanged arm is the parent, the changed arm keeps the barrier."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.core import PLANNER, Event, RequestError, is_visible
from tidings.environments.fact_sheet import FactSheet
from tidings.log.calls import CallStore
from tidings.runner.folder import RunFolder
from tidings.runner.fork import read_logged
from tidings.runner.rehearsal import Rehearsal
from tidings.simulation.interventions import SPOKEN
from tidings.simulation.registry import ENVIRONMENTS
from tidings.spec.io import make_scenario, read_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SEATS = [{"kind": "llm", "model": "m", "nodes": "rest", "temperature": 1.0}]
PAIR = {"values": ["red", "blue"], "text": "The code is {value}."}


def small(graph: Mapping[str, Any], environment: Mapping[str, Any], planner: bool = False) -> dict[str, Any]:
    data = {"graph": graph, "environment": environment}
    return data | ({"planner": {"kind": "constant", "precision": 0.6}} if planner else {})


def example(name: str, **changes: Any) -> dict[str, Any]:
    """Returns graph, environment and items of an example scenario."""
    data = read_scenario(SCENARIOS / f"{name}.yaml").model_dump(mode="json", exclude_unset=True)
    return {"graph": data["graph"], "environment": data["environment"] | changes}


CASES: dict[str, dict[str, Any]] = {
    "talk": small({"kind": "path", "n": 3}, {"kind": "talk", "rounds": 3, "facts": {"a0": {"code": PAIR}}}),
    "social_learning": small({"kind": "complete", "n": 4}, {"kind": "social_learning", "precision": 0.6}, True),
    "many_states": small(
        {"kind": "complete", "n": 4}, {"kind": "many_states", "states": ["x", "y", "z"], "precision": 0.6}, True
    ),
    "hidden_profile": example("hidden_profile"),
    "dialop": example("dialop"),
    "collaboration": example("collaboration", channels=["broadcast"]),
    "deliberation": example("deliberation") | {"planner": {"kind": "debate"}},
}
"""One small instance of each environment."""

SHEET = {"B": ["It is dear.", "It is old.", "It rusts."], "G": ["It is quick.", "It is new.", "It runs."]}
WORDED = {
    "sheet": small(
        {"kind": "complete", "n": 4},
        {"kind": "social_learning", "precision": 0.6, "order": "random", "fact_sheet": {"statements": SHEET}},
    )
}
"""More instances with facts in words that the environment makes up."""


def _with_another_town() -> dict[str, Any]:
    """Returns the hidden profile with a second task, which rollout 1 plays: the same ids, other texts."""
    case = example("hidden_profile")
    (item,) = case["environment"]["items"]
    other = json.loads(json.dumps(item).replace("Fern", "Oak").replace("Elm", "Ash")) | {"id": "other"}
    return case | {"environment": case["environment"] | {"items": [item, other]}}


WORDED["profiles"] = _with_another_town()

OTHER: dict[str, Any] = {"red": "blue", "blue": "red", "G": "B", "B": "G", "x": "y", "y": "z", "z": "x"}


def played(name: str, tmp_path: Path, **changes: Any) -> Path:
    case = {**CASES, **WORDED}[name] | changes
    data = {"name": name, "models": {"m": {"use": "scripted/m"}}, "agents": SEATS, **case}
    return tidings.run(make_scenario(data | {"rollouts": {"count": 2, "seed": 5}}), out=tmp_path / "runs").path


def logged(path: Path, rollout: int = 0) -> list[Event]:
    return read_logged(RunFolder.open(path), rollout)


def prompts(path: Path, rollout: int) -> dict[tuple[str, int, int], Any]:
    found = [record.request for record in CallStore(path / "calls").records()]
    return {(r.key.seat, r.key.step, r.key.draw): r.messages for r in found if r.key.rollout == rollout}


def lines(path: Path, rollout: int) -> list[str]:
    return [json.dumps(tuple(event), sort_keys=True) for event in logged(path, rollout)]


def spoken(path: Path, seats: tuple[str, ...]) -> Event:
    """Returns a message of rollout 1 that somebody heard and after whose step there is more to play."""
    events = logged(path, 1)
    return next(
        event
        for event in events
        if event.kind in SPOKEN
        and event.step < events[-1].step
        and any(is_visible(event, seat) for seat in seats if seat != event.seat)
    )


def check_arms(parent: Path, folder: Path, seats: tuple[str, ...], step: int, may_differ: set[str]) -> int:
    """Checks both promises; returns how many prompts of the first turns after the fork were compared.

    Until somebody has been asked again, those whom the change touches are shown something else than in the control, and
    nobody else is.
    """
    assert lines(folder / "control", 0) == lines(parent, 1), "the unchanged arm is the parent, byte for byte"
    control, changed = prompts(folder / "control", 0), prompts(folder / "changed", 0)
    first = min((key[1] for key in changed if key[1] > step), default=None)
    keys = [key for key in changed if key[1] == first and key in control and key[2] == 0]
    for key in keys:
        differs = changed[key] != control[key]
        assert differs == (key[0] in may_differ), f"{key[0]} could tell the arms apart: {differs}"
    told = {event.index: event for event in logged(folder / "control")}
    for event in logged(folder / "changed"):
        other = told.get(event.index)
        if other is not None and event.step <= step:
            new = {seat for seat in seats if is_visible(event, seat) and not is_visible(other, seat)}
            assert not new, f"event {event.index} reached {new} only in the changed arm"
    return len(keys)


def first_asked(folder: Path, step: int) -> int:
    """Returns the first step after `step` in which a model is asked."""
    return min(key[1] for key in prompts(folder / "changed", 0) if key[1] > step)


def hearers_of(path: Path, seat: str, seats: tuple[str, ...], steps: range) -> set[str]:
    """Returns who heard a seat in some steps."""
    said = [e for e in logged(path) if e.seat == seat and e.kind in SPOKEN and e.step in steps]
    return {other for other in (*seats, PLANNER) for e in said if other != seat and is_visible(e, other)}


def seats_of(path: Path) -> tuple[str, ...]:
    return tuple(seat for seat in Rehearsal(RunFolder.open(path), 1).seats if seat != PLANNER)


def test_every_registered_environment_is_here() -> None:
    assert set(CASES) == set(ENVIRONMENTS)


@pytest.mark.parametrize("name", list(CASES))
def test_a_message_can_be_dropped_and_a_seat_muted(name: str, tmp_path: Path) -> None:
    parent = played(name, tmp_path)
    seats = seats_of(parent)
    event = spoken(parent, seats)
    hearers = {seat for seat in (*seats, PLANNER) if seat != event.seat and is_visible(event, seat)}
    done = tidings.fork(parent, rollout=1, drop=[event.index], n=1, out=tmp_path)
    assert done.status == "done"
    check_arms(parent, done.folder, seats, event.step, hearers)
    dropped = next(e for e in logged(done.folder / "changed") if e.index == event.index)
    assert dropped.data == event.data
    assert not any(is_visible(dropped, seat) for seat in hearers)
    before = event.step - 1
    at = max(e.index for e in logged(parent, 1) if e.step <= before)
    assert event.seat is not None
    done = tidings.fork(parent, rollout=1, at=at, mute=[event.seat], n=1, out=tmp_path)
    # A step in which no seat is asked (a planner of plain rules, say) may bring messages before the first prompt.
    unheard = range(before + 1, first_asked(done.folder, before))
    check_arms(parent, done.folder, seats, before, hearers_of(done.folder / "control", event.seat, seats, unheard))
    said = [e for e in logged(done.folder / "changed") if e.seat == event.seat and e.kind in SPOKEN and e.step > before]
    assert said
    assert not any(is_visible(e, seat) for e in said for seat in (*seats, PLANNER) if seat != event.seat)


def told_in(parent: Path) -> Event:
    """Returns the event of rollout 1 that tells the first fact with another known value, or the second signal."""
    named = [e for e in logged(parent, 1) if "value" in e.data and e.kind in ("fact", "signal")]
    signals = [e for e in named if e.kind == "signal"]
    return signals[1] if signals else next(e for e in named if not e.data["fact"].startswith("s"))


def other_value(parent: Path, told: Event) -> Any:
    value, fact = told.data["value"], told.data["fact"]
    declared = (e.data for e in logged(parent, 1) if e.kind == "fact_declared" and e.data["fact"] == fact)
    plain = OTHER.get(value, f"Not so: {value}") if isinstance(value, str) else value + 1
    return next(other for other in next(declared, {}).get("domain") or [plain] if other != value)


@pytest.mark.parametrize("name", [name for name in (*CASES, *WORDED) if name != "deliberation"])
def test_a_fact_can_be_swapped_for_those_who_are_told(name: str, tmp_path: Path) -> None:
    parent = played(name, tmp_path)
    seats = seats_of(parent)
    told = told_in(parent)
    other = other_value(parent, told)
    done = tidings.fork(parent, rollout=1, swap={told.data["fact"]: other}, n=1, out=tmp_path)
    hearers = {seat for seat in (*seats, PLANNER) if is_visible(told, seat)}
    about = [e for e in logged(parent, 1) if e.data.get("fact") == told.data["fact"] and e.kind not in SPOKEN]
    for event in about:
        hearers |= {seat for seat in seats if is_visible(event, seat)}
    n = check_arms(parent, done.folder, seats, told.step, hearers)
    assert n > 0
    changed = {e.index: e for e in logged(done.folder / "changed")}
    for event in about:
        if event.step <= told.step:
            assert changed[event.index].data["value"] == other
            assert changed[event.index].audience == event.audience
            assert event.data.keys() - changed[event.index].data.keys() <= {"prior_p"}, "unknown for another value"


@pytest.mark.parametrize("name", ["profiles", "sheet"])
def test_a_swapped_fact_is_told_in_the_words_of_its_environment(name: str, tmp_path: Path) -> None:
    parent = played(name, tmp_path)
    told = told_in(parent)
    words = {told.data["value"]: told.data["text"]}
    for value in (other_value(parent, told), told.data["value"]):
        done = tidings.fork(parent, rollout=1, swap={told.data["fact"]: value}, n=1, out=tmp_path)
        changed = {e.index: e for e in logged(done.folder / "changed")}
        words[value] = changed[told.index].data["text"]
        if value == told.data["value"]:
            assert changed[told.index] == told, "the true value is told as it was"
    assert len(set(words.values())) == 2
    if name == "sheet":
        sheet = FactSheet.model_validate_json(json.dumps({"statements": SHEET}))
        assert {value: sheet.points_to(text) for value, text in words.items()} == {value: value for value in words}


def test_what_cannot_be_changed_is_refused_in_one_line(tmp_path: Path) -> None:
    """The value of a fact of a hidden profile is its worth, its text a reason: its item must say the other text."""
    parent = played("hidden_profile", tmp_path)
    with pytest.raises(RequestError, match=r"no text for s1 = 'Fern -1'; .*say in the item .*: `otherwise`"):
        tidings.fork(parent, swap={"s1": "Fern -1"}, n=1, out=tmp_path / "forks")
    with pytest.raises(RequestError, match="values of this fact"):
        tidings.fork(parent, swap={"h0": "Fern"}, n=1, out=tmp_path / "forks")
    with pytest.raises(RequestError, match="facts of this rollout: none"):
        tidings.fork(played("deliberation", tmp_path), swap={"s1": 1}, n=1, out=tmp_path / "forks")
    states = played("many_states", tmp_path)
    with pytest.raises(RequestError, match=r"signal/a0 = 'w'; values of this fact: \[\"x\", \"y\", \"z\"\]"):
        tidings.fork(states, swap={"signal/a0": "w"}, n=1, out=tmp_path / "forks")
    with pytest.raises(RequestError, match=r"the planner steers and sends no messages; .*another planner takes over"):
        tidings.fork(states, mute=[PLANNER], n=1, out=tmp_path / "forks")
    silent = CASES["collaboration"]["environment"] | {"information": "none"}
    with pytest.raises(RequestError, match="nobody says anything in this rollout"):
        tidings.fork(played("collaboration", tmp_path, environment=silent), mute=["ada"], n=1, out=tmp_path / "forks")
    assert not list((tmp_path / "forks").glob("*"))


@pytest.mark.parametrize("name", ["social_learning", "many_states"])
def test_another_planner_takes_over(name: str, tmp_path: Path) -> None:
    parent = played(name, tmp_path)
    event = spoken(parent, seats_of(parent))
    done = tidings.fork(
        parent, rollout=1, at=event.index, planner={"kind": "constant", "precision": 0.9}, n=1, out=tmp_path
    )
    assert lines(done.folder / "control", 0) == lines(parent, 1)
    chosen = [e.data["precision"] for e in logged(done.folder / "changed") if e.kind == "precision"]
    earlier = [e for e in logged(parent, 1) if e.kind == "precision" and e.step <= event.step]
    assert chosen[: len(earlier)] == [0.6] * len(earlier)
    assert set(chosen[len(earlier) :]) == {0.9}
