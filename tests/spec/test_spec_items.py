"""Items: the tasks of a scenario, read once and handed to the environment."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tidings import load_run
from tidings.core import NOBODY, DataError, Event, SeedPath, Transition, World
from tidings.runner.execute import resume_run, start_run
from tidings.runner.progress import Progress
from tidings.spec.base import Params
from tidings.spec.io import make_scenario, read_scenario
from tidings.spec.items import read_items
from tidings.spec.scenario import ComponentSpec


class Quiz:
    """Asks nobody; says which item it plays."""

    Params = Params

    def __init__(self, world: World) -> None:
        self.graph, self.items = world.graph, world.items

    @classmethod
    def build(cls, params: Params, world: World) -> Quiz:
        return cls(world)

    @property
    def seats(self) -> tuple[str, ...]:
        return self.graph.seats

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        return Transition(None, (Event("item", NOBODY, dict(self.items[rollout % len(self.items)])),))

    def turns(self, state: None) -> tuple[()]:
        return ()

    def brief(self, seat: str) -> str:
        return ""


SCENARIO = {
    "name": "quiz",
    "graph": {"kind": "complete", "n": 2},
    "agents": [{"kind": "scripted", "nodes": "rest", "policy": "random"}],
    "environment": {"kind": f"{__name__}:Quiz"},
    "rollouts": {"count": 5},
}


def scenario(items: object) -> object:
    return make_scenario(SCENARIO | {"environment": SCENARIO["environment"] | {"items": items}})  # type: ignore[operator]


def test_each_rollout_plays_the_item_of_its_number(tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text('{"q": "one"}\n\n{"q": "two"}\n{"q": "three"}\n')
    outcome = start_run(scenario(str(file)), tmp_path, Progress())  # type: ignore[arg-type]
    run = load_run(outcome.folder)
    played = run.events().filter(run.events()["kind"] == "item")["data"].to_list()
    assert played == ['{"q": "one"}', '{"q": "two"}', '{"q": "three"}', '{"q": "one"}', '{"q": "two"}']
    assert run.manifest["items_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_run_does_not_go_on_with_other_items(tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text('{"q": "one"}\n')
    outcome = start_run(scenario(str(file)), tmp_path, Progress())  # type: ignore[arg-type]
    resume_run(outcome.folder, Progress())
    file.write_text('{"q": "two"}\n')
    with pytest.raises(DataError, match="items have changed"):
        resume_run(outcome.folder, Progress())


def test_a_relative_file_is_found_from_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"q": 1}\n')
    (tmp_path / "s.yaml").write_text(
        "name: s\ngraph: {kind: complete, n: 2}\nagents: [{kind: scripted, nodes: rest}]\n"
        "environment: {kind: talk, items: items.jsonl}\n"
    )
    read = read_scenario(tmp_path / "s.yaml")
    assert read_items(read.environment).rows == ({"q": 1},)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no item"),
        ("[1]\n", r"items.jsonl:1: found list"),
        ('{"q": 1}\n{"q": \n', r"items.jsonl:2: not JSON"),
        ('{"q": NaN}\n', "found NaN"),
        ('{"q": 1, "p": {"k": 1, "k": 2}}\n', "items.jsonl:1: .*the key 'k' twice"),
        ('{"q": 1}\n{"q": "caf\udce9"}\n', "items.jsonl:2: byte 11 is not UTF-8"),
    ],
)
def test_a_malformed_file_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text(content, errors="surrogateescape")
    with pytest.raises(DataError, match=message):
        read_items(ComponentSpec(kind="talk", items=str(file)))


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the items"):
        read_items(ComponentSpec(kind="talk", items=str(tmp_path / "none.jsonl")))


def test_items_may_stand_in_the_scenario() -> None:
    assert read_items(ComponentSpec(kind="talk", items=({"q": 1},))).rows == ({"q": 1},)
