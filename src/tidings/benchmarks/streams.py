"""The random stream of one generated item: a function of its path and of nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

import numpy as np

__all__ = ["Draws", "stream_generator"]

T = TypeVar("T")


def stream_generator(*path: int | str) -> np.random.Generator:
    """Returns the generator of a path such as `(seed, set, level, id)`; a text and its number are different parts."""
    digest = blake2b(json.dumps(path).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


class Draws:
    """Draws of one item, all made from the uniforms of its own stream.

    Only `Generator.random` is used, because numpy keeps its bit stream between versions but not its `integers`,
    `choice` or `shuffle`: a generated file must not change with the installed numpy.
    """

    def __init__(self, *path: int | str) -> None:
        self._generator = stream_generator(*path)
        self._buffer: list[float] = []

    def uniform(self) -> float:
        """Returns the next uniform draw in [0, 1)."""
        if not self._buffer:
            self._buffer = self._generator.random(64).tolist()[::-1]
        return self._buffer.pop()

    def below(self, n: int) -> int:
        """Returns a uniform integer in 0..n-1."""
        return int(self.uniform() * n)

    def between(self, low: int, high: int) -> int:
        """Returns a uniform integer in low..high, both included."""
        return low + self.below(high - low + 1)

    def coin(self, p: float = 0.5) -> bool:
        """Returns whether an event of probability `p` happened."""
        return self.uniform() < p

    def pick(self, options: Sequence[T]) -> T:
        """Returns one of the options, each equally likely."""
        return options[self.below(len(options))]

    def sample(self, options: Sequence[T], n: int) -> list[T]:
        """Returns `n` different entries in random order.

        Raises:
            ValueError: There are fewer than `n`.
        """
        pool = list(options)
        if n > len(pool):
            raise ValueError(f"sample: {n} of {len(pool)} entries asked for")
        for i in range(n):
            j = i + self.below(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:n]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """Returns all entries in random order."""
        return self.sample(options, len(options))

    def weighted(self, options: Sequence[T], weights: Sequence[float]) -> T:
        """Returns one of the options with probability proportional to its weight."""
        target = self.uniform() * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            target -= weight
            if target < 0:
                return option
        return options[-1]
