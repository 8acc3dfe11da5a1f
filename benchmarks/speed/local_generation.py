"""Tokens per second of the local model: 16 requests at once against the same 16 one by one, in one run.

    python benchmarks/speed/local_generation.py [--requests 16] [--tokens 64] [--rounds 3]

Both go through `TransformersModel.respond`, sampled at temperature 0.8 with a seed of their own each, so what is
compared is what a run does. The texts of both are compared too. The median over the rounds of (one by one, at once),
taken in turn, guards against a busy machine. Goal: at least 5 times.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence

from tidings.core import CallKey, ModelRequest, ModelResponse, PromptMessage
from tidings.models.transformers.model import TransformersModel, TransformersParams

GOAL = 5.0


def requests(n: int, n_tokens: int) -> list[ModelRequest]:
    return [
        ModelRequest(
            CallKey(0, f"a{i}", 0, 0),
            (PromptMessage("user", f"Tell a long story about a traveller who meets {i + 2} strangers."),),
            max_tokens=n_tokens,
            temperature=0.8,
            seed=i,
        )
        for i in range(n)
    ]


async def one_by_one(model: TransformersModel, asked: Sequence[ModelRequest]) -> list[ModelResponse]:
    return [await model.respond(request) for request in asked]


async def at_once(model: TransformersModel, asked: Sequence[ModelRequest]) -> list[ModelResponse]:
    return await asyncio.gather(*(model.respond(request) for request in asked))


async def measure(n: int, n_tokens: int, rounds: int) -> dict[str, object]:
    # Waiting for more requests is right for a run and wrong for the baseline: without it, one by one is as fast as it
    # can be. Requests that are gathered arrive within that wait anyway.
    alone = TransformersModel.build(TransformersParams(max_wait_ms=0.0), "smollm2")
    together = TransformersModel.build(TransformersParams(), "smollm2")
    asked = requests(n, n_tokens)
    for model in (alone, together):
        await at_once(model, asked[:2])
    speeds: dict[str, list[float]] = {"one_by_one": [], "at_once": []}
    texts: dict[str, list[str]] = {}
    for _ in range(rounds):
        for name, run, model in (("one_by_one", one_by_one, alone), ("at_once", at_once, together)):
            began = time.perf_counter()
            answers = await run(model, asked)
            seconds = time.perf_counter() - began
            speeds[name].append(sum(answer.tokens_out for answer in answers) / seconds)
            texts[name] = [answer.text for answer in answers]
    await alone.close()
    await together.close()
    single, batched = (statistics.median(speeds[name]) for name in ("one_by_one", "at_once"))
    return {
        "requests": n,
        "max_tokens": n_tokens,
        "one_by_one_tokens_per_s": round(single, 1),
        "at_once_tokens_per_s": round(batched, 1),
        "ratio": round(batched / single, 2),
        "goal": GOAL,
        "equal_texts": sum(a == b for a, b in zip(texts["one_by_one"], texts["at_once"], strict=True)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(measure(given.requests, given.tokens, given.rounds)), indent=2))


if __name__ == "__main__":
    main()
