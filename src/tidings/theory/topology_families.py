"""Fixed communication graphs: chain, star, tree, complete, layered, random.

All edges (u, v) have u < v, so every family is acyclic and agent 0 comes first when contributions are equal.

Source: the families of MacNet, arXiv 2406.07155 (released code).
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from itertools import pairwise

import numpy as np

from tidings.core.seeds import SeedPath
from tidings.theory.draws import uniforms

__all__ = ["FAMILIES", "family"]

Edges = list[tuple[int, int]]


def _chain(n: int) -> Edges:
    return [(i, i + 1) for i in range(n - 1)]


def _star(n: int) -> Edges:
    return [(0, i) for i in range(1, n)]


def _tree(n: int) -> Edges:
    return [((i - 1) // 2, i) for i in range(1, n)]


def _complete(n: int) -> Edges:
    return [(u, v) for u in range(n) for v in range(u + 1, n)]


def _layered(n: int) -> Edges:
    n_layers = n.bit_length() - 1
    if n_layers < 2:
        return []
    size = n // n_layers
    bounds = [0, *range(size + n % n_layers, n + 1, size)]
    layers = [range(start, stop) for start, stop in pairwise(bounds)]
    return [(u, v) for above, below in pairwise(layers) for u in above for v in below]


def _random(n: int, seed: int) -> Edges:
    path, pairs = SeedPath.root(seed).child("topology", "random", n), _complete(n)
    n_edges = (n - 1) + int(path.uniform("n_edges") * (len(pairs) - (n - 1) + 1))
    keys = uniforms(np.full(len(pairs), path.key, dtype=np.uint64), "edge", np.arange(len(pairs)))
    return [pairs[i] for i in np.sort(np.argsort(keys, kind="stable")[:n_edges])]


_FIXED: dict[str, Callable[[int], Edges]] = {
    "chain": _chain,
    "complete": _complete,
    "layered": _layered,
    "star": _star,
    "tree": _tree,
}

FAMILIES = (*_FIXED, "random")


def family(name: str, n: int, seed: int | None = None) -> Edges:
    """Returns the edges of a fixed communication graph over agents 0..n-1.

    * `chain`: i -> i+1. `star`: 0 -> i. `tree`: (i-1)//2 -> i. `complete`: all u < v.
    * `layered`: L = floor(log2 n) layers of n//L agents, the remainder joins the first layer; neighbouring layers are
      fully joined. With n = 2 or 3 there is one layer, so *no edge*.
    * `random`: m uniform on n-1 .. n(n-1)/2, then m edges of `complete` without replacement. The same seed gives the
      same graph on every machine. An agent may have no parent.

    Args:
        name: One of `FAMILIES`.
        n: Number of agents, 1 or more; one agent has no edge in any family.
        seed: Needed by `random`, unused by the others.

    Returns:
        Edges (u, v), v reads u, sorted.

    Raises:
        ValueError: If the name is unknown, `n` is below 1, or `random` has no seed.

    Source: arXiv 2406.07155; `random` with our own draws.
    """
    if n < 1:
        raise ValueError(f"family.n: found {n!r}; need 1 agent or more")
    if name in _FIXED:
        return _FIXED[name](n)
    if name != "random":
        close = get_close_matches(str(name), FAMILIES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"family.name: found {name!r}; need one of {', '.join(FAMILIES)}{hint}")
    if seed is None:
        raise ValueError("family.seed: found None; the random family needs an integer; give one, so that it can repeat")
    return _random(n, seed)
