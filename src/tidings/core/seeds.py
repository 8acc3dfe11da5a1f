"""Seed paths: every random draw is a pure function of (run, rollout, seat, step, purpose).

A path is a 64-bit key. `child` folds one more part into the key with the finaliser of SplitMix64, so that any draw can
be made alone, in any order, on any machine; `tidings.theory.draws` makes the same draws for whole arrays of rollouts.

Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"; the finaliser's constants are
Stafford's variant 13.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

__all__ = ["GOLDEN", "MASK", "SeedPath", "fold", "mix64", "part_key"]

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix64(x: int) -> int:
    """Returns the SplitMix64 finaliser of a 64-bit integer (a bijection on 64-bit integers)."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


@lru_cache(maxsize=65536)
def _text_key(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def part_key(part: int | str) -> int:
    """Returns the 64-bit key of one path part; an integer and its decimal text have different keys."""
    return part & MASK if isinstance(part, int) else _text_key(part)


def fold(key: int, part: int | str) -> int:
    """Returns the key of the path `key / part`."""
    return mix64((mix64((part_key(part) + GOLDEN) & MASK) ^ key) + GOLDEN & MASK)


@dataclass(frozen=True, slots=True)
class SeedPath:
    """A place in the tree of draws.

    Attributes:
        key: 64-bit key; equal keys give equal draws.
    """

    key: int

    @classmethod
    def root(cls, seed: int) -> SeedPath:
        """Returns the path of a whole run."""
        return cls(fold(0, seed))

    def child(self, *parts: int | str) -> SeedPath:
        """Returns the path below this one, one part after another."""
        key = self.key
        for part in parts:
            key = fold(key, part)
        return SeedPath(key)

    def uniform(self, *parts: int | str) -> float:
        """Returns the one uniform draw in [0, 1) of this path (or of the path below it); 53 random bits."""
        key = self.key
        for part in parts:
            key = fold(key, part)
        return (key >> 11) * 2.0**-53

    def generator(self, *parts: int | str) -> random.Random:
        """Returns a fresh generator for this path, for shuffles and repeated draws."""
        return random.Random(self.child(*parts).key)
