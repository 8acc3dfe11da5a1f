"""Whole runs: equal bytes, kill -9 anywhere, interrupts, failures, limits of what may change."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

import tidings
from tidings.core import DataError, ScenarioError
from tidings.runner.execute import resume_run
from tidings.runner.progress import Progress

SUPPORT = Path(__file__).parents[1] / "support"


def scenario(
    tmp_path: Path, environment: str = "{kind: talk, rounds: 3}", rollouts: str = "{count: 4, seed: 3}", **agent
):
    words = "".join(f", {key}: {json.dumps(value)}" for key, value in agent.items())
    path = tmp_path / "s.yaml"
    path.write_text(
        f"""
name: drawn
graph: {{kind: cycle, n: 4}}
agents: [{{kind: "seats:Drawing", count: 4{words}}}]
environment: {environment}
rollouts: {rollouts}
"""
    )
    return path


def event_bytes(run: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((run / "events").glob("*.jsonl")))


def command(*words: object, **environment: str) -> subprocess.CompletedProcess:
    settings = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT), *sys.path]), **environment}
    return subprocess.run(
        [sys.executable, "-c", "from tidings.cli.main import main; main()", *map(str, words)],
        env=settings,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(autouse=True)
def _seats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))


def test_equal_seeds_give_equal_bytes_in_any_latency_order(tmp_path: Path) -> None:
    """Twenty orders of arrival, four rollouts at once, in a simultaneous environment: a sequential one cannot fail."""
    calm = tidings.run(scenario(tmp_path), out=tmp_path / "runs")
    found = {event_bytes(calm.path)}
    for _ in range(20):
        path = scenario(tmp_path, rollouts="{count: 4, seed: 3, concurrency: 4}", latency_s=0.004)
        found.add(event_bytes(tidings.run(path, out=tmp_path / "runs").path))
    assert len(found) == 1
    other = tidings.run(scenario(tmp_path, rollouts="{count: 4, seed: 4}"), out=tmp_path / "runs")
    assert event_bytes(other.path) not in found


@pytest.mark.parametrize("environment", ["{kind: talk, rounds: 2}", "{kind: social_learning, horizon: 3}"])
def test_kill_9_at_every_step_then_resume(tmp_path: Path, environment: str) -> None:
    rollouts = "{count: 3, seed: 3, concurrency: 2}"
    calm = tidings.run(scenario(tmp_path, environment, rollouts), out=tmp_path / "calm")
    n_turns = len(calm.turns())
    for kill_at in range(1, n_turns + 1, 3 if n_turns > 12 else 2):
        once = tmp_path / f"once-{kill_at}"
        out = tmp_path / f"killed-{kill_at}"
        path = scenario(tmp_path, environment, rollouts, kill_at=kill_at, once=str(once))
        killed = command("run", path, "--out", out)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        run = out / "drawn-001"
        before = event_bytes(run)
        status = tidings.load_run(run).status
        assert status["status"] == "interrupted"
        resumed = command("resume", run, "--json")
        assert resumed.returncode == 0, resumed.stderr
        assert json.loads(resumed.stdout)["failed"] == 0
        assert event_bytes(run) == event_bytes(calm.path)
        assert event_bytes(run).startswith(before[: before.rfind(b"\n") + 1] if before else b"")


def test_control_c_ends_cleanly_and_resumes(tmp_path: Path) -> None:
    path = scenario(tmp_path, rollouts="{count: 40, seed: 3}", latency_s=0.2)
    calm = tidings.run(scenario(tmp_path, rollouts="{count: 40, seed: 3}"), out=tmp_path / "calm")
    path = scenario(tmp_path, rollouts="{count: 40, seed: 3}", latency_s=0.2)
    settings = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    words = [
        sys.executable,
        "-c",
        "from tidings.cli.main import main; main()",
        "run",
        str(path),
        "--out",
        str(tmp_path),
    ]
    process = subprocess.Popen(words, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run = tmp_path / "drawn-001"
    deadline = time.monotonic() + 60
    while not event_bytes(run) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert f"tidings resume {run}" in out
    assert json.loads((run / "status.json").read_text())["status"] == "interrupted"
    text = (run / "scenario.yaml").read_text().replace("latency_s: 0.2", "latency_s: 0.0")
    (run / "scenario.yaml").write_text(text)
    assert command("resume", run).returncode == 0
    assert event_bytes(run) == event_bytes(calm.path)


def test_a_failure_is_counted_and_is_never_data(tmp_path: Path) -> None:
    path = scenario(tmp_path, "{kind: social_learning}", "{count: 12, seed: 3}", fail_share=0.1)
    done = command("run", path, "--out", tmp_path / "runs")
    assert done.returncode == 1
    run = tidings.load_run(tmp_path / "runs" / "drawn-001")
    n_failed = run.status["failed"]
    assert 0 < n_failed < 12
    assert done.stdout.strip().splitlines()[-1] == f"{n_failed} of 12 rollouts failed"
    assert run.metrics()["value"].null_count() == len(run.metrics())
    assert "ask with failed='drop'" in run.metrics()["reason"][0]
    kept = run.metrics(failed="drop")
    assert kept["n"].max() == 12 - n_failed
    failures = run.turns().drop_nulls("failure")
    assert failures["failure"].unique().to_list() == ["reply/unparsable"]
    assert failures["action"].null_count() == len(failures)


def test_abstaining_seats_leave_no_action(tmp_path: Path) -> None:
    path = scenario(tmp_path, "{kind: social_learning}", "{count: 12, seed: 3, on_failure: abstain}", fail_share=0.2)
    run = tidings.run(path, out=tmp_path / "runs")
    assert run.status["failed"] == 0
    n_failures = len(run.turns().drop_nulls("failure"))
    assert n_failures > 0
    assert run.rollouts()["n_agents"].sum() == 12 * 4 - n_failures
    assert len(run.messages()) == 12 * 4 - n_failures


def test_a_crashing_agent_fails_its_rollout_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = tidings.run(scenario(tmp_path, crash=True), out=tmp_path / "runs")
    assert (run.status["status"], run.status["failed"]) == ("done", 4)
    assert run.turns()["failure"].drop_nulls().unique().to_list() == ["agent/KeyError"]
    assert "a bug in somebody's agent" in caplog.text


def test_failed_rollouts_can_be_taken_up_again(tmp_path: Path) -> None:
    calm = tidings.run(scenario(tmp_path), out=tmp_path / "calm")
    run = tidings.run(scenario(tmp_path, fail_share=0.15), out=tmp_path / "runs")
    assert run.status["failed"] > 0
    source = run.path / "scenario.yaml"
    source.write_text(source.read_text().replace("fail_share: 0.15", "fail_share: 0.0"))
    outcome = resume_run(run.path, Progress(), retry_failed=True)
    assert (outcome.n_done, outcome.n_failed) == (4, 0)
    assert event_bytes(run.path) == event_bytes(calm.path)


def test_replay_finds_no_difference_and_a_planted_one(tmp_path: Path) -> None:
    run = tidings.run(scenario(tmp_path), out=tmp_path / "runs")
    same = command("replay", run.path)
    assert same.returncode == 0, same.stderr
    assert "no difference" in same.stdout
    segment = run.path / "events" / "00000000.jsonl"
    before = segment.read_bytes()
    segment.write_bytes(before.replace(b'"saw":1}', b'"saw":2}', 1))
    assert segment.read_bytes() != before
    changed = command("replay", run.path)
    assert changed.returncode == 1
    assert changed.stderr.startswith("tidings: rollout 0, step")
    assert len(changed.stderr.strip().splitlines()) == 1


def test_resume_refuses_a_log_that_does_not_follow(tmp_path: Path) -> None:
    run = tidings.run(scenario(tmp_path, "{kind: social_learning}", "{count: 2, seed: 3}"), out=tmp_path / "runs")
    segment = run.path / "events" / "00000000.jsonl"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:-1]).replace(b'"value":"G"', b'"value":"B"'))
    done = command("resume", run.path)
    assert done.returncode == 1
    assert "the log does not follow from the rules" in done.stderr


def test_resume_changes_only_what_does_not_make_it_another_run(tmp_path: Path) -> None:
    run = tidings.run(scenario(tmp_path), out=tmp_path / "runs")
    outcome = resume_run(run.path, Progress(), changes=["rollouts.count=6"])
    assert (outcome.n_rollouts, outcome.n_done) == (6, 6)
    assert tidings.load_run(run.path).scenario.rollouts.count == 6
    with pytest.raises(ScenarioError, match="cannot change in a run that has begun"):
        resume_run(run.path, Progress(), changes=["environment.rounds=9"])
    with pytest.raises(ScenarioError, match="at least 4, as begun"):
        resume_run(run.path, Progress(), changes=["rollouts.count=1"])


def test_two_writers_are_refused(tmp_path: Path) -> None:
    run = tidings.run(scenario(tmp_path), out=tmp_path / "runs")
    with run._folder.locked():
        done = command("resume", run.path)
    assert done.returncode == 2
    assert "another process is writing to this run" in done.stderr


def test_summary_and_full_log_agree_row_for_row(tmp_path: Path) -> None:
    path = tmp_path / "herd.yaml"
    for ties in ("own_signal", "coin"):
        path.write_text(
            f"""
name: herd
graph: {{kind: complete, n: 9}}
agents: [{{kind: bayesian, count: 9}}]
environment: {{kind: social_learning, precision: 0.65, ties: {ties}, loss_false_good: 1.5}}
rollouts: {{count: 300, seed: 5}}
"""
        )
        full = tidings.run(path, out=tmp_path / "runs", overrides={"rollouts.log": "full"})
        fast = tidings.run(path, out=tmp_path / "runs", overrides={"rollouts.log": "summary"})
        assert fast.is_summary
        assert not (fast.path / "events").exists()
        assert full.rollouts().equals(fast.rollouts().select(full.rollouts().columns).cast(full.rollouts().schema))
        left, right = full.metrics().drop("estimator"), fast.metrics().drop("estimator")
        assert left.equals(right)
        with pytest.raises(DataError, match="logged one row a rollout"):
            fast.events()


def test_summary_runs_can_be_extended_and_replayed(tmp_path: Path) -> None:
    path = tmp_path / "herd.yaml"
    path.write_text(
        "name: herd\ngraph: {kind: complete, n: 5}\nagents: [{kind: bayesian, count: 5}]\n"
        "environment: {kind: social_learning}\nrollouts: {count: 2000, seed: 5}\n"
    )
    run = tidings.run(path, out=tmp_path / "runs")
    assert run.is_summary
    resume_run(run.path, Progress(), changes=["rollouts.count=2500"])
    assert tidings.load_run(run.path).rollouts()["rollout"].to_list() == list(range(2500))
    assert command("replay", run.path).returncode == 0
    file = next((run.path / "summary").glob("*.parquet"))
    pl.read_parquet(file).with_columns(n_good=pl.col("n_good") + 1).write_parquet(file)
    assert command("replay", run.path).returncode == 1


def test_the_twin_plays_the_same_seeds(tmp_path: Path) -> None:
    run = tidings.run(scenario(tmp_path, "{kind: social_learning}", "{count: 10, seed: 3}"), out=tmp_path / "runs")
    twin = run.twin()
    assert twin["state"].to_list() == run.rollouts()["state"].to_list()
    assert run.metrics()["twin"].null_count() == 0 or run.metrics()["twin"].count() > 0


def test_a_run_folder_holds_what_the_design_names(tmp_path: Path) -> None:
    run = tidings.run(scenario(tmp_path), out=tmp_path / "runs")
    names = {path.name for path in run.path.iterdir()}
    assert {"scenario.yaml", "manifest.json", "graph.json", "status.json", "metrics.json", "events"} <= names
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert manifest["seed"] == 3
    assert manifest["packages"]["tidings"]
    assert tidings.load_scenario(run.path / "scenario.yaml") == run.scenario
