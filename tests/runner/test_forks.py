"""Counterfactual rollouts: what is changed is changed for all who should see it, and nothing else is."""

import json
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.analysis.fork_effects import fork_effects
from tidings.cli.main import main
from tidings.core import NOBODY, DataError, Event, ModelRequest, RequestError, SeedPath
from tidings.runner.folder import RunFolder
from tidings.runner.fork import ARMS, read_logged
from tidings.simulation.interventions import Drop, Mute, Swap, edit_events, swapped
from tidings.spec.io import make_scenario


def echo(request: ModelRequest) -> Any:
    """A seat that says what it read last, and how much that was; noisy in its own seed if it was told so."""
    text = request.messages[-1].content
    noise = f" {request.seed % 1000}" if "noisy" in request.messages[0].content else ""
    return f"heard {text.count('said:')} lines{noise}; code seen: {'blue' in text}"


def a_talk(tmp_path: Path, *, persona: str = "", rounds: int = 3) -> Path:
    scenario = make_scenario(
        {
            "name": "talk",
            "graph": {"kind": "path", "n": 3},
            "models": {"m": {"use": "scripted/m", "function": "test_forks:echo"}},
            "agents": [{"kind": "llm", "model": "m", "count": 3, "elicit": "text", "persona": persona}],
            "environment": {
                "kind": "talk",
                "rounds": rounds,
                "facts": {"a0": {"code": {"value": "red", "values": ["red", "blue"], "text": "The code is {value}."}}},
            },
            "rollouts": {"count": 2, "seed": 3},
        }
    )
    return tidings.run(scenario, out=tmp_path / "runs").path


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def bytes_of(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def messages(path: Path, sample: int = 0) -> list[Event]:
    return [e for e in read_logged(RunFolder.open(path), sample) if e.kind == "message"]


def test_a_dropped_message_is_said_and_not_heard_and_the_parent_stays(tmp_path: Path) -> None:
    parent = a_talk(tmp_path)
    before = bytes_of(parent)
    first = messages(parent, 1)[0]
    done = tidings.fork(parent, rollout=1, drop=[first.index], n=2, out=tmp_path)
    assert bytes_of(parent) == before
    control, changed = (read_logged(RunFolder.open(done.folder / arm), 0) for arm in ("control", "changed"))
    assert [e.data for e in control] == [e.data for e in read_logged(RunFolder.open(parent), 1)]
    dropped = changed[first.index]
    assert dropped.data == first.data
    assert dropped.audience == (first.seat,)
    differing = [e.index for e, o in zip(changed, control, strict=True) if e.kind == "message" and e.data != o.data]
    assert differing, "who did not hear it must say so"
    assert all(changed[i].step > dropped.step for i in differing)


def test_the_control_is_the_parent_answered_from_its_record(tmp_path: Path) -> None:
    parent = a_talk(tmp_path, persona="noisy")
    done = tidings.fork(parent, rollout=1, mute=["a1"], at=0, n=2, out=tmp_path)
    status = {arm: json.loads((done.folder / arm / "status.json").read_text()) for arm in ARMS}
    assert (status["control"]["calls"], status["control"]["cached"]) == (9, 9), "sample 0 costs nothing"
    assert status["floor"]["calls"] == 18
    assert status["changed"]["cached"] >= 6, "the first round has the same prompts"
    parents = [e.data for e in messages(parent, 1)]
    assert [e.data for e in messages(done.folder / "control", 0)] == parents
    assert [e.data for e in messages(done.folder / "control", 1)] != parents, "other samples draw anew"
    assert [e.data for e in messages(done.folder / "floor", 1)] == [
        e.data for e in messages(done.folder / "control", 1)
    ]


def test_a_muted_seat_reaches_nobody_after_the_fork_only(tmp_path: Path) -> None:
    parent = a_talk(tmp_path)
    at = messages(parent)[0].index
    done = tidings.fork(parent, mute=["a1"], at=at, n=1, out=tmp_path)
    for event in messages(done.folder / "changed"):
        assert (event.audience == ("a1",)) == (event.seat == "a1" and event.step > 1) or event.seat != "a1"
    first = next(e for e in messages(done.folder / "changed") if e.seat == "a1")
    assert len(first.audience) > 1


def test_a_swapped_fact_is_told_in_its_words_and_reaches_those_who_are_told(tmp_path: Path) -> None:
    parent = a_talk(tmp_path)
    true = next(e for e in read_logged(RunFolder.open(parent), 0) if e.kind == "fact").data["value"]
    other = {"red": "blue", "blue": "red"}[true]
    done = tidings.fork(parent, swap={"code": other}, n=1, out=tmp_path)
    changed = read_logged(RunFolder.open(done.folder / "changed"), 0)
    told = next(e for e in changed if e.kind == "fact")
    assert told.data == {"fact": "code", "value": other, "text": f"The code is {other}."}
    declared = next(e for e in changed if e.kind == "fact_declared")
    assert (declared.data["value"], declared.data["prior_p"]) == (other, 0.5)
    assert declared.audience == NOBODY
    said = {e.seat: e.data["text"] for e in changed if e.kind == "message" and e.step == 1}
    assert said["a0"].endswith(str(other == "blue"))
    assert said["a2"].endswith("False")


def test_another_planner_takes_over_and_the_declared_rules_stay(tmp_path: Path) -> None:
    scenario = make_scenario(
        {
            "name": "steered",
            "graph": {"kind": "complete", "n": 5},
            "agents": [{"kind": "bayesian", "nodes": "rest"}],
            "environment": {"kind": "social_learning", "precision": 0.6},
            "planner": {"kind": "constant", "precision": 0.6, "cost": {"kind": "linear", "weight": 0.1}},
            "rollouts": {"count": 1, "seed": 1},
        }
    )
    parent = tidings.run(scenario, out=tmp_path).path
    events = read_logged(RunFolder.open(parent), 0)
    at = next(e.index for e in events if e.kind == "action")
    done = tidings.fork(parent, at=at, planner={"kind": "constant", "precision": 0.9}, n=1, out=tmp_path)
    chosen = [
        e.data["precision"] for e in read_logged(RunFolder.open(done.folder / "changed"), 0) if e.kind == "precision"
    ]
    assert chosen == [0.6, 0.9, 0.9, 0.9, 0.9]
    with pytest.raises(RequestError, match=r"found 'cost'.*rules stay"):
        tidings.fork(parent, planner={"kind": "constant", "cost": {"kind": "linear", "weight": 1}}, out=tmp_path)


def test_effects_stand_beside_the_noise_floor(tmp_path: Path) -> None:
    scenario = make_scenario(
        {
            "name": "herd",
            "graph": {"kind": "complete", "n": 6},
            "agents": [{"kind": "bayesian", "nodes": "rest"}],
            "environment": {"kind": "social_learning", "precision": 0.7, "state": "G"},
            "rollouts": {"count": 1, "seed": 1},
        }
    )
    parent = tidings.run(scenario, out=tmp_path).path
    signal = next(e for e in read_logged(RunFolder.open(parent), 0) if e.kind == "signal")
    other = {"G": "B", "B": "G"}[signal.data["value"]]
    done = tidings.fork(parent, swap={signal.data["fact"]: other}, n=5, out=tmp_path)
    effects = {row["outcome"]: row for row in fork_effects(done.folder).to_dicts()}
    replies = effects["replies_changed"]
    assert replies["effect"] >= 0.2, "the first agent follows its signal"
    assert (replies["noise_floor"], replies["n"]) == (0.0, 5)
    assert (replies["se"], replies["low"]) == (0.0, replies["effect"]), "scripted seats: all samples are equal"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"drop": [0]}, "event 0 is a topic; messages of this rollout: "),
        ({"drop": [999]}, "no such event"),
        ({"drop": ["7:a9"]}, "did not reach 'a9'"),
        ({"swap": {"cod": "red"}}, "no fact 'cod'; facts of this rollout: code; did you mean 'code'"),
        ({"swap": {"code": "green"}}, "values of this fact"),
        ({"mute": ["a7"]}, "no seat 'a7'"),
        ({"mute": ["a1"], "at": 10_000}, "no event 10000"),
        ({"mute": ["a1"], "rollout": 9}, "no rollout 9; its rollouts are 0 to 1"),
        ({"planner": "constant"}, "the parent has none"),
        ({}, "nothing is changed"),
    ],
)
def test_a_change_of_what_is_not_there_is_one_line(tmp_path: Path, how: dict[str, Any], words: str) -> None:
    parent = a_talk(tmp_path, rounds=2)
    if how.get("drop") == ["7:a9"]:
        how = {"drop": [f"{messages(parent)[0].index}:a9"]}
    with pytest.raises(RequestError, match=words):
        tidings.fork(parent, out=tmp_path / "forks", **how)
    assert not list((tmp_path / "forks").glob("*")), "a wrong request leaves nothing behind"


def test_a_fork_at_the_end_and_an_arm_played_on_are_refused(tmp_path: Path) -> None:
    parent = a_talk(tmp_path, rounds=2)
    with pytest.raises(RequestError, match="nothing is left to play"):
        tidings.fork(parent, drop=[messages(parent)[-1].index], out=tmp_path)
    with pytest.raises(RequestError, match=r"drop: event \d+ is of step 2, after the fork \(step 1\)"):
        tidings.fork(parent, at=messages(parent)[0].index, drop=[messages(parent)[-1].index], out=tmp_path)
    done = tidings.fork(parent, mute=["a1"], n=1, out=tmp_path)
    with pytest.raises(DataError, match="an arm of a fork cannot be resumed"):
        tidings.resume(done.folder / "changed")
    assert json.loads((done.folder / "changed" / "manifest.json").read_text())["fork"]["interventions"] == [
        {"mute": "a1", "after_step": 0}
    ]


def test_an_intervention_never_adds_a_seat() -> None:
    event = Event("message", ("a1", "a2"), {"text": "x"}, "a0", 1, 4)

    class Plain:
        seats = ("a0", "a1", "a2")

    for one in (Drop(4), Drop(4, ("a1",)), Mute("a0")):
        edit = edit_events([one], Plain(), SeedPath.root(1), 0)  # type: ignore[arg-type]
        assert edit is not None
        assert set(edit(event).audience) < {"a1", "a2"}

    class Leaky(Plain):
        def with_fact(self, event: Event, value: Any, seed: SeedPath, rollout: int) -> Event:
            return event._replace(audience=("*",))

    edit = edit_events([Swap("f", 1)], Leaky(), SeedPath.root(1), 0)  # type: ignore[arg-type]
    assert edit is not None
    with pytest.raises(RuntimeError, match="added seats"):
        edit(Event("fact", ("a0",), {"fact": "f", "value": 0}, "a0", 0, 1))


def test_a_value_is_exchanged_as_a_word_and_only_where_it_stands_once() -> None:
    def fact(text: str) -> Event:
        return Event("fact", ("a0",), {"fact": "f", "value": 2, "text": text}, "a0", 0, 1)

    assert swapped(fact("Shelf 12 holds 2 jars."), 3).data["text"] == "Shelf 12 holds 3 jars."
    for text in ("Shelf 2 holds 2 jars.", "Shelf 12 is full."):
        with pytest.raises(RequestError, match="does not state its value '2' once"):
            swapped(fact(text), 3)


def test_the_command_prints_the_effects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    parent = a_talk(tmp_path, rounds=2)
    index = messages(parent)[0].index
    words = ["tidings", "fork", str(parent), "--drop", str(index), "-n", "2", "--out", str(tmp_path), "--json"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    said = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert said["effects"][0]["outcome"] == "replies_changed"
    assert said["effects"][0]["effect"] > 0
