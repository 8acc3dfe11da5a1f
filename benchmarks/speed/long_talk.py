"""Memory of a long run: 10,000 agents talk for 100 rounds on a graph with mean degree 8, every event logged."""

import resource
import sys
import tempfile
import time
from pathlib import Path

import tidings

N_AGENTS, N_ROUNDS = 10_000, 100

SCENARIO = f"""
name: long-talk
graph: {{kind: random_regular, d: 8, n: {N_AGENTS}, seed: 1}}
agents: [{{kind: scripted, count: {N_AGENTS}, policy: talk, text: "{{seat}} has nothing new in step {{step}}."}}]
environment: {{kind: talk, rounds: {N_ROUNDS}}}
rollouts: {{count: 1, seed: 1}}
"""


def main() -> None:
    """Plays the run and prints its peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.yaml"
        path.write_text(SCENARIO)
        wall, cpu = time.perf_counter(), time.process_time()
        run = tidings.run(path, out=folder)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(file.stat().st_size for file in (run.path / "events").glob("*.jsonl"))
    unit = 2**10 if sys.platform == "darwin" else 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit / 2**20
    n = N_AGENTS * N_ROUNDS
    print(f"{n:,} turns: peak memory {peak:.2f} GiB (goal: 2 or less), {cpu / n * 1e6:.0f} us CPU a turn, {wall:.0f} s")
    print(f"event log {size / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
