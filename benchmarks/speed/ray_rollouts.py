"""What Ray gives and what it costs: rollouts a second of one worker against two, and what the driver adds to a rollout.

    python benchmarks/speed/ray_rollouts.py [--rollouts 600] [--rounds 3]

1. CPU-bound scripted rollouts, one worker and two, taken in turn on one cluster: rollouts a second while both are busy
   (from the first tenth of the rollouts to the last), the ratio, and CPU seconds of workers and driver;
2. short rollouts in great number: CPU of the driver a rollout, its memory, and the number of files;
3. start-up: seconds from the command to the first rollout beyond what `ray.init` alone takes;
4. the ceiling: the same work in two bare processes against one, without tidings and without Ray.

Wall clock needs two quiet cores; CPU seconds are sturdier: with one core for each worker the ratio is at most
`2 * workers / (workers + driver)`, which is printed as what two quiet cores would give.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import psutil

import tidings
from tidings.api import play
from tidings.core import ActionSpec, Observation
from tidings.runner.progress import Progress
from tidings.runner.ray_seam import connected
from tidings.spec.scenario import RunnerSpec

SCENARIO = """
name: bound
graph: {{kind: cycle, n: {n}}}
agents: [{{kind: scripted, {policy}, count: {n}}}]
environment: {{kind: talk, rounds: {rounds}}}
rollouts: {{count: {count}, seed: 1, log: full}}
runner: {{kind: ray, workers: {workers}}}
"""


TALK = "policy: talk"
THINK = "function: 'ray_rollouts:think'"


def think(observation: Observation, spec: ActionSpec) -> str:
    """Takes about half a millisecond to say little: a seat that computes."""
    text = f"{observation.seat} {observation.step}"
    for _ in range(600):
        text = sha256(text.encode()).hexdigest()
    return text[:8]


class Clock(Progress):
    """Remembers when rollouts ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[float] = []
        self.parts: list[tuple[dict[int, tuple[str, float]], float]] = []
        self.on_part = lambda: ({}, 0.0)

    def finish(self, status: str) -> None:
        """Counts an ended rollout."""
        super().finish(status)
        self.ended.append(time.perf_counter())
        if len(self.ended) in (self.n_rollouts // 10, self.n_rollouts * 9 // 10):
            self.parts.append(self.on_part())

    def rate(self) -> float:
        """Rollouts a second from the first tenth to the last but one: while every worker has something to do."""
        low, high = len(self.ended) // 10, len(self.ended) * 9 // 10
        return (high - low) / (self.ended[high] - self.ended[low])


def run(
    folder: str, n: int, rounds: int, count: int, workers: int = 1, clock: Clock | None = None, policy: str = TALK
) -> tuple[Clock, Path]:
    path = Path(folder) / "bound.yaml"
    path.write_text(SCENARIO.format(n=n, rounds=rounds, count=count, workers=workers, policy=policy))
    clock = clock or Clock()
    outcome = play(tidings.load_scenario(path), folder, clock)
    assert (outcome.status, outcome.n_done, outcome.n_failed) == ("done", count, 0), outcome
    return clock, outcome.folder


def bare_work(seconds: float, begin: Any) -> int:
    """Returns how many pieces of the seats' work one process does in a time, from the moment that all are there."""
    begin.wait()
    until, n, text = time.perf_counter() + seconds, 0, "x"
    while time.perf_counter() < until:
        for _ in range(600):
            text = sha256(text.encode()).hexdigest()
        n += 1
    return n


def ceiling(rounds: int, seconds: float = 2.0) -> None:
    rates: dict[int, list[float]] = {1: [], 2: []}
    context = get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(2, mp_context=context) as pool:
        for _ in range(rounds):
            for n in (1, 2):
                begin = manager.Barrier(n)
                done = [pool.submit(bare_work, seconds, begin) for _ in range(n)]
                rates[n].append(sum(future.result() for future in done) / seconds)
    one, two = median(rates[1]), median(rates[2])
    print(f"  one process {one:.0f} pieces/s, two {two:.0f}: ratio {two / one:.2f} (the ceiling of this machine now)")


def cpu_of_ray() -> dict[int, tuple[str, float]]:
    """CPU seconds of every process below this one."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
            found[process.pid] = (process.name(), times.user + times.system)
        except psutil.Error:
            continue
    return found


def two_against_one(folder: str, count: int, rounds: int, policy: str) -> None:
    rates: dict[int, list[float]] = {1: [], 2: []}
    cpu: list[tuple[float, float]] = []
    for _ in range(rounds):
        for workers in (1, 2):
            found = Bound(folder, count, workers, policy)
            rates[workers].append(found.rate)
            cpu += [(found.workers_s, found.driver_s)] if workers == 2 else []
    one, two = median(rates[1]), median(rates[2])
    busy, driver = (median(column) for column in zip(*cpu, strict=True))
    most = 2 * busy / (busy + driver)
    print(f"  one worker {one:.1f} rollouts/s, two {two:.1f}: ratio {two / one:.2f} by the clock (goal 1.8)")
    print(f"  CPU seconds: workers {busy:.2f}, driver and Ray's services {driver:.2f}: at most {most:.2f} on two cores")
    print(f"  load of the machine meanwhile: {os.getloadavg()[0]:.1f}")


class Bound:
    """One CPU-bound run between its first tenth and its last: rate and CPU of the two sides."""

    def __init__(self, folder: str, count: int, workers: int, policy: str) -> None:
        clock = Clock()
        clock.on_part = lambda: (cpu_of_ray(), time.process_time())
        n, rounds = (20, 20) if policy == TALK else (5, 10)
        run(folder, n, rounds, count, workers, clock, policy)
        (first, own), (last, own_last) = clock.parts
        used = {pid: (name, seconds - first.get(pid, ("", 0.0))[1]) for pid, (name, seconds) in last.items()}
        self.rate = clock.rate()
        self.workers_s = sum(seconds for name, seconds in used.values() if name.startswith("ray::"))
        self.driver_s = own_last - own + sum(s for name, s in used.values() if not name.startswith("ray::"))


def driver_cost(folder: str, count: int) -> None:
    before, cpu = cpu_of_ray(), time.process_time()
    clock, path = run(folder, 4, 2, count, workers=2)
    own = time.process_time() - cpu
    services = sum(
        seconds - before.get(pid, ("", 0.0))[1]
        for pid, (name, seconds) in cpu_of_ray().items()
        if not name.startswith("ray::")
    )
    files = sum(1 for _ in path.rglob("*"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"  {count} short rollouts at {clock.rate():.0f}/s: driver {own / count * 1e3:.3f} ms CPU a rollout (goal 2),"
    )
    print(f"  Ray's services {services / count * 1e3:.3f} ms; peak memory of the driver {peak:.2f} GiB, {files} files")


def start_up(folder: str) -> None:
    spec = RunnerSpec(kind="ray", workers=2)
    began = time.perf_counter()
    with connected(spec):
        init = time.perf_counter() - began
        began = time.perf_counter()
        clock, _ = run(folder, 4, 2, 8, workers=2)
        first = clock.ended[0] - began
    print(f"  ray.init {init:.1f} s; from then to the first rollout {first:.1f} s (goal 3)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=600)
    parser.add_argument("--short", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("start-up")
        start_up(folder)
        print("two bare processes against one")
        ceiling(given.rounds)
        with connected(RunnerSpec(kind="ray", workers=2)):
            for policy, words in (
                (THINK, "seats that compute: 50 turns, 4 KB of log"),
                (TALK, "seats that only talk: 400 turns, 90 KB of log"),
            ):
                print(f"two workers against one, {words}")
                two_against_one(folder, given.rollouts, given.rounds, policy)
            print("many short rollouts")
            driver_cost(folder, given.short)


if __name__ == "__main__":
    main()
