"""One million message events become the full provenance frame: time, CPU time and memory, on one core.

    python benchmarks/speed/provenance.py [MESSAGES] [ROLLOUTS]

Twenty seats, each heard by four; five facts a rollout; half of the messages claim one in their side field, a quarter in
their texts, the others chat. The log is written first and read like that of any run.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import tidings
from tidings.core import EVERYONE, NOBODY, Event
from tidings.log.codec import encode_step

SCENARIO = """
name: provenance
graph: {kind: watts_strogatz, n: 20, k: 4, p: 0.1}
agents: [{kind: scripted, nodes: rest, policy: talk}]
environment: {kind: talk, rounds: 1}
"""
N_FACTS = 5


def main(n_messages: int, n_rollouts: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.yaml"
        path.write_text(SCENARIO)
        run = tidings.run(path, out=folder)
        graph = run.evidence().graph
        with (run.path / "events" / "00000000.jsonl").open("wb") as file:
            for rollout in range(n_rollouts):
                _write(file, rollout, n_messages // n_rollouts, graph.seats, graph.hearers)
        size = (run.path / "events" / "00000000.jsonl").stat().st_size
        wall, cpu = time.perf_counter(), time.process_time()
        frame = run.exposures()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024) / 1024
        print(
            f"{n_messages:,} messages in {n_rollouts} rollouts, {size / 2**20:.0f} MiB of log: "
            f"{len(frame):,} exposures, {int(frame['is_first'].sum()):,} first, {int(frame['is_leak'].sum()):,} leaks; "
            f"{wall:.1f} s ({cpu:.1f} s CPU), peak {peak:.2f} GiB"
        )


def _write(file, rollout: int, n_messages: int, seats: tuple[str, ...], hearers) -> None:
    rng, index, step = Random(rollout), 0, 0
    opening = [Event("topic", EVERYONE, {"text": "well"})]
    for i in range(N_FACTS):
        seat = rng.choice(seats)
        visible = [seat, *hearers[seat]] if i == 0 else ["*"]
        value = f"code-{rollout}-{i}"
        data = {"fact": f"f{i}", "value": value, "owners": [seat], "visibility": visible, "prior_p": 0.1}
        opening += [
            Event("fact_declared", NOBODY, data),
            Event("fact", (seat,), {"fact": f"f{i}", "value": value}, seat),
        ]
    batch = [event._replace(step=0, index=i) for i, event in enumerate(opening)]
    index = len(batch)
    file.write(encode_step(rollout, batch))
    for first in range(0, n_messages, len(seats)):
        step += 1
        batch = []
        for k in range(first, min(first + len(seats), n_messages)):
            seat, fact = seats[k % len(seats)], rng.randrange(N_FACTS)
            value = f"code-{rollout}-{fact if rng.random() < 0.9 else 9}"
            data: dict = {
                "text": "Nothing new at the market, the weather is fine and the bread is warm.",
                "round": step,
            }
            if k % 2:
                data["claims"] = [{"fact": f"f{fact}", "value": value, "polarity": 1, "hedged": False}]
            elif k % 4 == 0:
                data["text"] = f"They say that it opens with {value}, but do not tell anyone."
            batch.append(Event("message", (seat, *hearers[seat]), data, seat, step, index))
            index += 1
        file.write(encode_step(rollout, batch))
    file.write(encode_step(rollout, [Event("end", NOBODY, {"status": "ok"}, None, step + 1, index)]))


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    main(words[0] if words else 1_000_000, words[1] if len(words) > 1 else 100)
