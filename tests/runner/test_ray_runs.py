"""Runs on a real local Ray cluster: equal bytes for any number of workers, and processes that are killed."""

import os
import random
import signal
import threading
from pathlib import Path

import pytest
from test_dispatch import answered, event_bytes, with_model, write

import tidings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_cluster")]

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(autouse=True)
def _seats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))


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


def players() -> list[int]:
    """Process ids of the players that are alive, as the machine lists them."""
    import psutil

    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.name().startswith("ray::Player") or "ray::Player" in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_workers_killed_by_kill_9(tmp_path: Path) -> None:
    calm = tidings.run(with_model(tmp_path, count=60), out=tmp_path / "local")
    killed: list[int] = []
    is_over = threading.Event()

    def reap() -> None:
        chance = random.Random(1)
        while not is_over.wait(2.0):
            if alive := players():
                killed.append(chance.choice(alive))
                os.kill(killed[-1], signal.SIGKILL)

    reaper = threading.Thread(target=reap)
    reaper.start()
    try:
        slow = with_model(tmp_path, count=60)
        slow.write_text(slow.read_text().replace("latency_s: [0.0, 0.004]", "latency_s: [0.0, 0.4]"))
        run = tidings.run(slow, out=tmp_path / "ray", overrides=on_ray(2))
    finally:
        is_over.set()
        reaper.join()
    assert len(killed) >= 2
    assert (run.status["status"], run.status["done"], run.status["failed"]) == ("done", 60, 0)
    assert event_bytes(run.path) == event_bytes(calm.path)
    assert answered(run.path) == answered(calm.path)
