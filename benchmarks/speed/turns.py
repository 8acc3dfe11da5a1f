"""What the framework adds to a turn: scripted seats with the event log on, against a bare asyncio loop in the same run.

1. plain seats and LangGraph seats, no latency, all due at once: CPU microseconds a turn;
2. 1 s latency and 1,000 seats, 50 ms and 100 seats: wall clock against the ideal and against the bare loop.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

import tidings

ROUNDS = 3

SCENARIO = """
name: turns
graph: {{kind: random_regular, d: 8, n: {n}, seed: 1}}
models: {{m: {{use: scripted/talk, latency_s: {latency}, answers: ["ka lo"], cache: false}}}}
agents: [{{kind: "{kind}", count: {n}{model}}}]
environment: {{kind: talk, rounds: {rounds}}}
rollouts: {{count: 1, seed: 1, log: full}}
"""


def play(n: int, rounds: int, kind: str, latency: float, folder: str) -> tuple[float, float]:
    """Returns (wall, CPU) seconds a turn of a rollout in which everybody talks at once."""
    model = ", policy: talk" if kind == "scripted" else ", model: m"
    path = Path(folder) / "turns.yaml"
    path.write_text(SCENARIO.format(n=n, rounds=rounds, kind=kind, latency=latency, model=model))
    scenario = tidings.load_scenario(path)
    wall, cpu = time.perf_counter(), time.process_time()
    run = tidings.run(scenario, out=folder)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert run.status["done"] == 1, run.status
    assert not run.status["failed"], run.failure_counts()
    return wall, cpu


def bare(n: int, rounds: int, latency: float) -> tuple[float, float]:
    """Returns (wall, CPU) seconds of the same number of coroutines and sleeps with nothing around them."""

    async def turn() -> str:
        if latency:
            await asyncio.sleep(latency)
        return "ka lo"

    async def main() -> None:
        for _ in range(rounds):
            await asyncio.gather(*[turn() for _ in range(n)])

    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(main())
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        play(10, 1, "scripted", 0, folder)
        print("CPU microseconds a turn, no latency, 1,000 seats, event log on")
        base = median(bare(1000, rounds, 0)[1] for _ in range(ROUNDS)) / rounds / 1000
        print(f"  bare asyncio loop          {base * 1e6:8.1f}")
        for kind, goal in (("scripted", 60), ("llm", 500)):
            cost = median(play(1000, rounds, kind, 0, folder)[1] for _ in range(ROUNDS)) / rounds / 1000
            print(f"  {kind + ' seats':26} {cost * 1e6:8.1f}   {cost / base:6.1f} x bare   (goal: {goal} or less)")
        print("wall clock with latency")
        for n, latency in ((1000, 1.0), (100, 0.05)):
            loops = 3 if latency == 1.0 else 20
            ideal, loop = latency * loops, median(bare(n, loops, latency)[0] for _ in range(ROUNDS))
            for kind in ("asking:Asking", "llm"):
                wall = median(play(n, loops, kind, latency, folder)[0] for _ in range(ROUNDS))
                words = f"{n} {kind.partition(chr(58))[0]} seats, {latency:g} s"
                print(f"  {words:26} {wall:8.2f} s   {wall / ideal:5.2f} x ideal   {wall / loop:5.2f} x bare loop")


if __name__ == "__main__":
    main()
