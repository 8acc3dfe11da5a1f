"""Runs on a real local Ray cluster: equal bytes for any number of workers, whatever is killed meanwhile."""

import random
import threading
from functools import partial
from pathlib import Path

import pytest
from answering_server import AnsweringServer
from ray_processes import every, find, kill_one
from test_dispatch import MODEL_SEATS, answered, event_bytes, with_model, write

import tidings
from tidings.log.calls import CallStore

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
    with every(2.0, partial(kill_one, "Player", random.Random(1))) as killed:
        run = tidings.run(slow, out=tmp_path / "ray", overrides=on_ray(2))
    assert sum(killed) >= 2
    assert (run.status["status"], run.status["done"], run.status["failed"]) == ("done", 60, 0)
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)


def engine_scenario(folder: Path, latency_s: float = 0.02) -> Path:
    model = f'models: {{m: {{use: "engines:Batching/b", latency_s: {latency_s}, price_in: 0, price_out: 0}}}}'
    return write(folder, MODEL_SEATS, model, count=24)


def test_rollouts_of_all_workers_share_one_engine_and_its_batches(tmp_path: Path) -> None:
    calm = tidings.run(engine_scenario(tmp_path), out=tmp_path / "local")
    run = tidings.run(engine_scenario(tmp_path), out=tmp_path / "ray", overrides=on_ray(2))
    assert event_bytes(run.path) == event_bytes(calm.path)
    sizes = [r.response.extra["n_rollouts"] for r in CallStore(run.path / "calls").records() if r.response]
    assert max(sizes) > 3, "a worker alone plays three rollouts at once"


def test_an_engine_killed_by_kill_9(tmp_path: Path) -> None:
    calm = tidings.run(engine_scenario(tmp_path), out=tmp_path / "local")
    with every(1.5, partial(kill_one, "Engine", random.Random(1))) as killed:
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

        with every(1.5, harm) as harmed:
            run = tidings.run(
                server_scenario(tmp_path, server.base_url, 200),
                out=tmp_path / "ray",
                overrides={**on_ray(2), "models.m.concurrency": 8},
            )
    assert sum(harmed) >= 3
    assert (run.status["status"], run.status["done"], run.status["failed"]) == ("done", 200, 0)
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)


def test_nothing_is_left_of_a_run(tmp_path: Path) -> None:
    tidings.run(write(tmp_path), out=tmp_path / "ray", overrides=on_ray(2))
    is_gone = threading.Event()
    for _ in range(100):
        if not find("Player") and not find("Engine"):
            return
        is_gone.wait(0.1)
    raise AssertionError(find("Player"))
