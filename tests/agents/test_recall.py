"""Looking things up: what the model may say, what a seat finds, what is kept, and that a replay finds the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tidings.core import Event, ModelRequest
from tidings.log.calls import CallStore
from tidings.log.reader import read_rollouts
from tidings.runner.execute import start_run
from tidings.runner.folder import RunFolder
from tidings.runner.progress import Progress
from tidings.runner.replay import replay_run
from tidings.spec.io import make_scenario

LINES = [
    {"id": "l0", "time": 0, "session": "s0", "speaker": "a", "hearers": ["b"], "text": "I lent the kettle to Zed."},
    {"id": "l1", "time": 1, "session": "s0", "speaker": "b", "hearers": ["a"], "text": "Fine by me."},
    {"id": "l2", "time": 2, "session": "s1", "speaker": "b", "hearers": [], "text": "Zed keeps it all in the barn."},
    {"id": "l3", "time": 3, "session": "s2", "speaker": "c", "hearers": [], "text": "The kettle is cursed, says Zed."},
]


def model(request: ModelRequest) -> Any:
    """Looks for the kettle and Zed; repeats what it reads of l0 and l2; answers at random otherwise."""
    properties = (request.schema or {}).get("properties", {})
    if "keywords" in properties:
        return {"keywords": ["kettle", "zed"], "window": 0, "query": "where is the kettle"}
    if "answer" in properties:
        return {"answer": "barn"}
    if "say" in properties:
        return {"say": "I looked it up.", "side": "complete"}
    if "facts" in properties:
        return {"facts": ["who has the kettle"]}
    if "p1" in properties:
        return {"p1": {"value": "Zed", "from": ["l0"]}}
    return "Zed has it [l0], I think."


def play(folder: Path, kind: str, memory: Any) -> Path:
    (folder / "archive.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    scenario = make_scenario(
        {
            "name": "recall",
            "graph": {"edges": [["a", "b"], ["b", "c"]]},
            "agents": [{"kind": kind, "model": "m", "memory": memory, "nodes": "rest"}],
            "models": {"m": {"use": "scripted/m", "function": f"{__name__}:model"}},
            "environment": {
                "kind": "collaboration",
                "archive": str(folder / "archive.jsonl"),
                "items": [{"question": "Where is the kettle?", "asked": ["a", "b"], "options": ["barn", "mill"]}],
            },
        }
    )
    outcome = start_run(scenario, folder, Progress())
    assert outcome.n_failed == 0
    return outcome.folder


def events_of(path: Path) -> list[Event]:
    ((_, lines),) = read_rollouts(RunFolder.open(path).events)
    return [line.event() for line in lines]


@pytest.mark.parametrize("kind", ["llm", "informative"])
@pytest.mark.parametrize(
    ("memory", "ways"), [("clear", ["clear"]), ("fuzzy", ["fuzzy"]), ("mixed", ["clear", "fuzzy"])]
)
def test_any_seat_looks_up_its_own_share(kind: str, memory: str, ways: list[str], tmp_path: Path) -> None:
    path = play(tmp_path, kind, memory)
    recalls = [e for e in events_of(path) if e.kind == "thought" and e.data["about"] == "recall" and e.seat == "a"]
    assert [e.data["way"] for e in recalls][: len(ways)] == ways
    found = {line["fact"] for e in recalls for line in e.data["lines"]}
    assert "l0" in found
    assert found <= {"l0", "l1"}
    prompts = {
        seat: "\n".join(
            message.content
            for record in CallStore(RunFolder.open(path).calls).records()
            if record.request.key.seat == seat
            for message in record.request.messages
        )
        for seat in "ab"
    }
    assert "I lent the kettle to Zed." in prompts["a"]
    assert "barn." not in prompts["a"]
    assert "cursed" not in prompts["a"] + prompts["b"]


def test_later_turns_see_what_was_looked_for_before(tmp_path: Path) -> None:
    path = play(tmp_path, "informative", {"kind": "clear", "limit": 1, "window": 3})
    asked = [record.request for record in CallStore(RunFolder.open(path).calls).records()]
    asked = [request for request in asked if "keywords" in (request.schema or {}).get("properties", {})]
    later = [request for request in asked if request.key.seat == "a" and request.key.step > 1]
    assert later
    assert all("Before, you looked for 'kettle, zed' and got 1 messages." in r.messages[-1].content for r in later)


def test_a_replay_finds_the_same(tmp_path: Path) -> None:
    path = play(tmp_path, "informative", "mixed")
    replay_run(path)
