"""100,000 rational herds of 100 agents through `tidings.run`, against a hand-written NumPy loop, in one process.

The NumPy loop is what a careful researcher would write for this one case: all rollouts side by side, one step an agent,
float32 draws, a count of net public signals as the whole state. Both report correct decisions and cascades.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

import tidings

N_ROLLOUTS, N_AGENTS, P, ROUNDS = 100_000, 100, 0.7, 5

SCENARIO = f"""
name: herds
graph: {{kind: complete, n: {N_AGENTS}}}
agents: [{{kind: bayesian, count: {N_AGENTS}}}]
environment: {{kind: social_learning, precision: {P}}}
rollouts: {{count: {N_ROLLOUTS}, seed: 1}}
"""


def numpy_loop(seed: int) -> tuple[float, float]:
    """Returns the share of right decisions and of correct cascades."""
    rng = np.random.default_rng(seed)
    truth = rng.random(N_ROLLOUTS, dtype=np.float32) < 0.5
    net = np.zeros(N_ROLLOUTS, dtype=np.int8)
    n_correct = np.zeros(N_ROLLOUTS, dtype=np.int32)
    for _ in range(N_AGENTS):
        signal = (rng.random(N_ROLLOUTS, dtype=np.float32) < P) == truth
        action = np.where(net >= 2, True, np.where(net <= -2, False, signal))
        net += np.where(np.abs(net) < 2, np.where(action, 1, -1), 0).astype(np.int8)
        n_correct += action == truth
    return float(n_correct.mean() / N_AGENTS), float((np.where(truth, net, -net) >= 2).mean())


def timed(work: object) -> tuple[float, float, object]:
    """Returns (wall seconds, CPU seconds, result)."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()  # type: ignore[operator]
    return time.perf_counter() - wall, time.process_time() - cpu, result


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "herds.yaml"
        path.write_text(SCENARIO)
        scenario = tidings.load_scenario(path)
        ours, theirs = [], []
        for k in range(ROUNDS + 1):
            ours.append(timed(lambda: tidings.run(scenario, out=folder)))
            theirs.append(timed(lambda k=k: numpy_loop(k)))
        metrics = {row["name"]: row["value"] for row in ours[-1][2].metrics().to_dicts()}
    ours, theirs = ours[1:], theirs[1:]
    print(f"{N_ROLLOUTS} rollouts of {N_AGENTS} agents, {ROUNDS} rounds, medians")
    for name, rows in (("tidings.run, summary log", ours), ("hand-written NumPy loop", theirs)):
        wall, cpu = median(row[0] for row in rows), median(row[1] for row in rows)
        print(f"  {name:28} {N_ROLLOUTS / wall:12,.0f} rollouts/s  {wall:7.3f} s wall  {cpu:7.3f} s CPU")
    ratio = median(b[1] / a[1] for a, b in zip(ours, theirs, strict=True))
    print(f"  tidings / NumPy, rollouts per CPU second: {ratio:.2f}   (goal: 0.7 or more)")
    print(f"  share correct {metrics['p_correct']:.4f} and {theirs[-1][2][0]:.4f}")  # type: ignore[index]


if __name__ == "__main__":
    main()
