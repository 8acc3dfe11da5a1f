"""`--json`: one JSON object on stdout from every command that finds something out."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tidings
from tidings.cli.main import app

RUMOUR = Path(__file__).parents[2] / "scenarios" / "rumour.yaml"
TALK = """
name: talk
graph: {kind: complete, n: 2}
models: {m: {use: scripted/words}}
agents: [{kind: llm, count: 2, model: m}]
environment: {kind: talk, rounds: 2, facts: {a0: {code: {values: ["1", "2"], text: "The code is {value}."}}}}
rollouts: {count: 2, seed: 1}
"""


def said(*words: object) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    found = json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert isinstance(found, dict)
    return found


def test_every_command_that_finds_something_out_can_say_it_in_json() -> None:
    without = {
        command.name
        for command in app.registered_commands
        if command.callback is not None and "json" not in inspect.signature(command.callback).parameters
    }
    assert without == {"schema", "view"}, "one prints JSON anyway, the other serves pages"


def test_of_a_scenario() -> None:
    assert said("validate", RUMOUR) == {
        "scenario": str(RUMOUR),
        "rollouts": 3,
        "environment": "talk",
        "planner": "none",
        "variants": [],
    }
    swept = said("validate", RUMOUR, "--set", "sweep={rollouts.seed: [1, 2]}")
    assert len(swept["variants"]) == 2
    assert said("list", "environments")["talk"].startswith("Talk in rounds")
    assert CliRunner().invoke(app, ["doctor", "--json"]).stdout.count("\n") == 1


def test_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "talk.yaml"
    path.write_text(TALK)
    run = tidings.run(path, out=tmp_path)
    assert said("replay", run.path)["events"] == run.events().height
    report = said("report", run.path)["reports"][str(run.path)]
    assert Path(report).is_file()
    written = said("export", run.path, "--to", "parquet")["written"]
    assert all(Path(name).is_file() for name in written)
    rows = said("probe", run.path, "--fact", "code")["rows"]
    assert [(row["rollout"], row["seat"]) for row in rows] == [(0, "a0"), (0, "a1"), (1, "a0"), (1, "a1")]
    assert rows[0]["worlds"] == ['"1"', '"2"']
    last = run.messages().filter(rollout=0, seat="a1")["index"][-1]
    methods = {row["method"] for row in said("influence", run.path, "--at", f"0:{last}")["rows"]}
    assert "loo" in methods
    assert said("judge", run.path, "--model", "m")["questions"] == run.messages().height
