"""Sweeps: idempotent, through any runner, with a table of how far they are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from inline import inline
from test_dispatch import event_bytes, write

import tidings
from tidings.api import play_sweep
from tidings.core import DataError
from tidings.runner.sweeps import read_statuses

SWEEP = "sweep: {environment.rounds: [1, 2, 3]}"


def sweep(folder: Path, out: Path, more: str = SWEEP, count: int = 4, **overrides: object):
    path = write(folder, '[{kind: "seats:Drawing", count: 4}]', more, count)
    return play_sweep(tidings.load_scenario(path, overrides), out)


def times(out: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file() and p.name != ".lock"}


def test_a_sweep_through_players_has_the_bytes_of_a_local_one_and_again_touches_nothing(tmp_path: Path) -> None:
    calm = sweep(tmp_path, tmp_path / "local")
    with inline(2):
        outcomes = sweep(tmp_path, tmp_path / "elsewhere")
    assert list(outcomes) == list(calm)
    for name, outcome in outcomes.items():
        assert event_bytes(outcome.folder) == event_bytes(calm[name].folder)
    before = times(tmp_path / "elsewhere")
    with inline(2) as cluster:
        sweep(tmp_path, tmp_path / "elsewhere")
    assert not cluster.players
    assert times(tmp_path / "elsewhere") == before


def test_a_longer_sweep_plays_what_is_new_and_more_rollouts_add_to_what_is_done(tmp_path: Path) -> None:
    first = sweep(tmp_path, tmp_path / "runs")
    kept = {name: event_bytes(outcome.folder) for name, outcome in first.items()}
    longer = sweep(tmp_path, tmp_path / "runs", "sweep: {environment.rounds: [1, 2, 3, 4]}", count=6)
    assert [outcome.n_done for outcome in longer.values()] == [6, 6, 6, 6]
    fresh = sweep(tmp_path, tmp_path / "fresh", "sweep: {environment.rounds: [1, 2, 3, 4]}", count=6)
    for name, outcome in longer.items():
        assert event_bytes(outcome.folder).startswith(kept.get(name, b""))
        assert event_bytes(outcome.folder) == event_bytes(fresh[name].folder)


def test_the_figures_of_another_scenario_never_stand_for_this_one(tmp_path: Path) -> None:
    sweep(tmp_path, tmp_path / "runs")
    for changed in ({"rollouts.seed": 4}, {"environment.kind": "talk", "graph.n": 4, "graph.kind": "complete"}):
        with pytest.raises(DataError, match="holds a run of another scenario"):
            sweep(tmp_path, tmp_path / "runs", **changed)
    with pytest.raises(DataError, match="holds a run of another scenario"):
        sweep(tmp_path, tmp_path / "runs", count=3)


def test_a_capped_sweep_goes_on_with_a_higher_cap(tmp_path: Path) -> None:
    agents = "[{kind: llm, count: 4, model: m}]"
    model = "models: {m: {use: scripted/m}}"
    path = write(tmp_path, agents, f"{model}\n{SWEEP}\nlimits: {{calls: 20}}", 2)
    stopped = play_sweep(tidings.load_scenario(path), tmp_path / "runs")
    assert [outcome.status for outcome in stopped.values()] == ["done", "done", "limit"][: len(stopped)]
    rows = read_statuses(tmp_path / "runs" / "drawn-sweep")
    assert [row.status for row in rows] == ["done", "done", "limit"]
    assert max(row.calls for row in rows) == 20
    path = write(tmp_path, agents, f"{model}\n{SWEEP}\nlimits: {{calls: 100}}", 2)
    done = play_sweep(tidings.load_scenario(path), tmp_path / "runs")
    assert [outcome.status for outcome in done.values()] == ["done"] * 3


def status(*words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from tidings.cli.main import main; main()", "status", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_status_of_runs_and_sweeps_as_a_table(tmp_path: Path) -> None:
    sweep(tmp_path, tmp_path / "runs")
    tidings.run(write(tmp_path), out=tmp_path / "runs")
    folder = tmp_path / "runs" / "drawn-sweep"
    plan = json.loads((folder / "sweep.json").read_text())
    plan["variants"].append({"id": "environment.rounds=9", "values": {"environment.rounds": 9}})
    (folder / "sweep.json").write_text(json.dumps(plan))
    rows = json.loads(status(folder, "--json").stdout)["runs"]
    assert [(row["status"], row["done"]) for row in rows] == [("done", 4)] * 3 + [("missing", 0)]
    assert rows[3]["values"] == {"environment.rounds": 9}
    shown = status(tmp_path / "runs")
    assert shown.returncode == 0, shown.stderr
    assert "4 of 5 done" in shown.stdout
    assert shown.stdout.count("4 of 4") == 3
    assert status(tmp_path / "runs" / "drawn-001").stdout.count("12 of 12") == 1
    nothing = status(tmp_path / "nowhere")
    assert nothing.returncode == 2
    assert "no such folder" in nothing.stderr
