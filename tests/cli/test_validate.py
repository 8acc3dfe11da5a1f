"""`tidings validate` refuses what `tidings run` would refuse, and builds no model for it."""

from pathlib import Path
from typing import Any

import pytest

from tidings.cli.main import main

HERD = """
name: herd
graph: {kind: GRAPH, n: 4}
models: {m: {use: transformers/smollm2}}
agents: [{kind: llm, model: m, count: 1}, AGENT]
environment: {kind: social_learning, precision: 0.7}
planner: PLANNER
rollouts: {count: 3, seed: 1}
"""
PLAIN = {"GRAPH": "complete", "AGENT": "{kind: bayesian, nodes: rest}", "PLANNER": "{kind: none}"}


@pytest.fixture
def validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Returns a function that validates the scenario with some parts changed: exit status and what is said."""

    def run(added: str = "", **parts: str) -> tuple[int, str]:
        text = HERD + added
        for name, value in {**PLAIN, **parts}.items():
            text = text.replace(name, value)
        path = tmp_path / "herd.yaml"
        path.write_text(text)
        monkeypatch.setattr("sys.argv", ["tidings", "validate", str(path)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert len((out + err).strip().splitlines()) == 1
        return int(ended.value.code or 0), out + err

    return run


def test_a_scenario_is_valid_without_its_model_being_built(validate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("a model was built")

    monkeypatch.setattr("tidings.simulation.compile.build_model", refuse)
    status, said = validate()
    assert (status, said.partition(": ")[2]) == (0, "valid (social_learning, agents, 3 rollouts)\n")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"AGENT": "{kind: scripted, nodes: rest, function: 'nope:f'}"}, "agents.1.function: cannot import 'nope'"),
        ({"AGENT": "{kind: scripted, nodes: rest, function: 'math:f'}"}, "agents.1.function: math has no 'f'"),
        ({"AGENT": "{kind: langgraph, nodes: rest, graph: 'nope:g'}"}, "agents.1.graph: cannot import 'nope'"),
        ({"PLANNER": "{kind: optimal, delta: 0.5}", "GRAPH": "cycle"}, "graph: found a graph that is not complete"),
        ({"PLANNER": "{kind: optimal, delta: 1}"}, "planner.delta: found 1; below 1 for an endless line of agents"),
    ],
)
def test_what_only_building_a_seat_tells_is_told(validate: Any, parts: dict[str, str], words: str) -> None:
    status, said = validate(**parts)
    assert status == 2
    assert words in said


def test_every_variant_of_a_sweep_is_looked_at(validate: Any) -> None:
    status, said = validate("sweep: {graph.kind: [complete, cycle]}\n", PLANNER="{kind: optimal, delta: 0.5}")
    assert status == 2
    assert "graph: found a graph that is not complete" in said
