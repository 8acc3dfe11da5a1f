"""The figures behind docs/scale.md, in CPU time: the writer, the driver's share of a model call, memory of a seat.

python benchmarks/speed/scale.py
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import tracemalloc
from pathlib import Path

import tidings
from tidings.core import Event
from tidings.log.codec import encode_step
from tidings.log.store import EventStore
from tidings.models.session import ModelSession
from tidings.runner.desk import Desk
from tidings.simulation.compile import compile_scenario
from tidings.spec.io import make_scenario

N = 200_000


def writer(folder: Path) -> dict[str, float]:
    """Events a CPU second: encoding and appending step by step here, and appending what players have encoded."""
    steps = [
        [Event("message", ("a0", "a1"), {"text": "ka lo"}, "a0", s, 2 * s + k) for k in range(2)] for s in range(500)
    ]
    store, began = EventStore(folder / "a"), time.process_time()
    for rollout in range(N // 1000):
        for step in steps:
            store.append(rollout, step)
        store.finish(rollout)
    local = N / (time.process_time() - began)
    lines = b"".join(encode_step(7, step) for step in steps)
    elsewhere, began = EventStore(folder / "b"), time.process_time()
    for rollout in range(N // 1000):
        elsewhere.append_lines(rollout, lines)
        elsewhere.finish(rollout)
    return {
        "events_per_cpu_s_local": local,
        "events_per_cpu_s_of_players": N / (time.process_time() - began),
        "bytes_per_event": len(lines) / 1000,
    }


SETTING = {
    "name": "calls",
    "graph": {"kind": "cycle", "n": 4},
    "models": {"m": {"use": "scripted/m", "answers": ["ka lo"]}},
    "agents": [{"kind": "llm", "count": 4, "model": "m"}],
    "environment": {"kind": "talk", "rounds": 5},
}


def desk(folder: Path, n_calls: int = 2000) -> float:
    """CPU seconds of the driver for one model call of a player: guard, account and record, without the wire."""
    from tidings.core import CallKey, ModelRequest, ModelResponse, PromptMessage
    from tidings.runner.desk import Line, PlayerModel
    from tidings.runner.parcels import Ask, Go, Outcome

    session = ModelSession(make_scenario(SETTING))
    compile_scenario(make_scenario(SETTING), session.make)
    session.open(folder / "calls")
    guard = session.guards["m"]
    guard.model = PlayerModel(guard.model)
    service = Desk(session.guards, print)
    left, is_over = n_calls, asyncio.Event()

    class Answering:
        def hear(self, orders):
            nonlocal left
            for order in orders:
                if isinstance(order, Go):
                    answer = ModelResponse("ka lo", "scripted/m", 400, 3)
                    service.take(line, Outcome(order.id, order.attempt, answer))
                else:
                    left -= 1
                    if not left:
                        is_over.set()

    line = Line(Answering())  # pyright: ignore[reportArgumentType]

    async def main() -> float:
        prompt = (PromptMessage("system", "x" * 800), PromptMessage("user", "y" * 800))
        began = time.process_time()
        for i in range(n_calls):
            service.take(line, Ask(i, "m", ModelRequest(CallKey(i, "a0", 1, 0), prompt)))
            if i % 16 == 15:
                await asyncio.sleep(0)
        await is_over.wait()
        return (time.process_time() - began) / n_calls

    return asyncio.run(main())


def seat_bytes(n: int, rounds: int = 10) -> float:
    """Peak bytes for a seat of a rollout of `talk` on a graph of degree 4, messages included."""
    data = {
        "name": "seats",
        "graph": {"kind": "random_regular", "n": n, "d": 4, "seed": 1},
        "agents": [{"kind": "scripted", "policy": "talk", "count": n}],
        "environment": {"kind": "talk", "rounds": rounds},
    }
    with tempfile.TemporaryDirectory() as folder:
        scenario = make_scenario(data)
        tracemalloc.start()
        tidings.run(scenario, out=folder)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak / n


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = {**writer(Path(folder)), "driver_cpu_ms_per_call": desk(Path(folder)) * 1e3}
    found |= {f"bytes_per_seat_{n}": seat_bytes(n) for n in (100, 1000)}
    print(json.dumps({name: float(f"{value:.3g}") for name, value in found.items()}, indent=2))


if __name__ == "__main__":
    main()
