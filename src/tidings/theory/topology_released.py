"""The communication graph of the code released with SelfOrg, cycles and their removal included.

It differs from the paper: parents are the top k by a contribution-adjusted cosine, without a strict order, so agents
often read each other and cycles must be cut. Numbers are compared on 9 decimals, so that
rounding noise decides nothing.

Source: the code released with arXiv 2510.00685; order of search and ties as fixed for our golden values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidings.theory.cosine import check_embeddings, pairwise_cosines
from tidings.theory.shapley import released_contributions

__all__ = ["ReleasedDag", "find_cycle", "released_dag", "trace_released_dag"]

Edges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ReleasedDag:
    """The released graph, with what was cut.

    Attributes:
        edges: Edges (u, v), v reads u, after cutting; sorted.
        edges_before: Edges before cutting; sorted.
        removed: Cut edges, in the order of cutting.
        contributions: Released contribution of each agent `[n_agents]`.
    """

    edges: Edges
    edges_before: Edges
    removed: Edges
    contributions: NDArray[np.float64]

    @property
    def is_cyclic_before(self) -> bool:
        """Whether the graph had a cycle before cutting."""
        return bool(self.removed)


def released_dag(embeddings: ArrayLike, top_k: int = 2, threshold: float = -1.0) -> list[tuple[int, int]]:
    """Returns the edges of `trace_released_dag`: the graph of the released code after its cycles are cut."""
    return list(trace_released_dag(embeddings, top_k, threshold).edges)


def trace_released_dag(embeddings: ArrayLike, top_k: int = 2, threshold: float = -1.0) -> ReleasedDag:
    """Returns the graph of the released code, with the edges it cut.

    Reader v takes, among agents u with cos(r_u, r_v) >= threshold, the `top_k` with the largest adjusted cosine
    a_uv = cos(r_u, r_v) * (1 + N (c_u - c_v)), c being the released contribution (ties: larger c_u, lower id). While
    there is a cycle, depth-first search from agent 0 upward (readers ascending) finds the first one, and its lightest
    edge is cut (weight max(0, a_uv), then lower source, then lower target).

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.
        top_k: Parents per reader, 1 or more.
        threshold: Least cosine, inclusive; -1 turns it off.

    Raises:
        ValueError: If the embeddings are no finite matrix, `top_k` is below 1, or the threshold is NaN.
    """
    matrix = check_embeddings("released_dag", embeddings)
    if top_k < 1 or np.isnan(threshold):
        raise ValueError(f"released_dag: found top_k {top_k!r}, threshold {threshold!r}; need top_k >= 1 and a cosine")
    shares, cosines = released_contributions(matrix), pairwise_cosines(matrix)
    adjusted = (cosines * (1.0 + len(matrix) * (shares[:, None] - shares[None, :]))).round(9)
    allowed = (cosines >= threshold) & ~np.eye(len(matrix), dtype=bool)
    before = _strongest_parents(adjusted, allowed, shares.round(9), top_k)
    kept, removed = _cut_cycles(len(matrix), before, np.maximum(0.0, adjusted))
    return ReleasedDag(kept, before, removed, shares)


def _strongest_parents(adjusted: np.ndarray, allowed: np.ndarray, shares: np.ndarray, top_k: int) -> Edges:
    n, edges = len(shares), []
    for reader in range(n):
        ranked = np.lexsort((np.arange(n), -shares, -adjusted[:, reader]))
        edges += [(int(u), reader) for u in ranked[allowed[ranked, reader]][:top_k]]
    return tuple(sorted(edges))


def _cut_cycles(n: int, edges: Edges, weights: np.ndarray) -> tuple[Edges, Edges]:
    """Returns (edges kept, edges cut in order of cutting)."""
    kept, removed = set(edges), []
    while (cycle := find_cycle(n, kept)) is not None:
        lightest = min(cycle, key=lambda edge: (weights[edge], edge))
        kept.remove(lightest)
        removed.append(lightest)
    return tuple(sorted(kept)), tuple(removed)


def find_cycle(n: int, edges: Iterable[tuple[int, int]]) -> list[tuple[int, int]] | None:
    """Returns the edges of the first cycle that depth-first search meets, or None.

    The search starts at agent 0, then at the next one not yet seen, and visits readers in ascending order.
    """
    readers: list[list[int]] = [[] for _ in range(n)]
    for u, v in sorted(edges):
        readers[u].append(v)
    is_done = [False] * n
    for root in range(n):
        cycle = None if is_done[root] else _search(root, readers, is_done)
        if cycle:
            return list(zip(cycle, cycle[1:] + cycle[:1], strict=True))
    return None


def _search(root: int, readers: list[list[int]], is_done: list[bool]) -> list[int] | None:
    """Returns the agents on the first cycle met below `root`; marks what it has left as done."""
    path, place, pending = [root], {root: 0}, [iter(readers[root])]
    while path:
        reader = next((v for v in pending[-1] if not is_done[v]), None)
        if reader is None:
            is_done[path[-1]] = True
            del place[path.pop()]
            pending.pop()
        elif reader in place:
            return path[place[reader] :]
        else:
            place[reader] = len(path)
            path.append(reader)
            pending.append(iter(readers[reader]))
    return None
