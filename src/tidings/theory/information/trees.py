"""Shapes of first-exposure trees: who heard it first from whom.

A tree is a mapping node -> parent with root -> None. Everything is linear in the number of nodes and safe against loops
(two fabricators can each be the other's parent).

Source: Goel, Anderson, Hofman, Watts 2016 (structural virality).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

__all__ = ["TreeShape", "cascade_depth", "structural_virality", "tree_shapes"]


@dataclass(frozen=True, slots=True)
class TreeShape:
    """The shape of one tree.

    Attributes:
        root: Its root.
        n_nodes: Number of nodes.
        depth: Largest number of hops to the root.
        breadth: Largest number of nodes at one depth.
        virality: Mean distance of node pairs, in hops.
    """

    root: Hashable
    n_nodes: int
    depth: int
    breadth: int
    virality: float


def cascade_depth(parent: Mapping[Hashable, Hashable | None]) -> int | None:
    """Returns the largest number of hops from a node up to its root.

    Args:
        parent: Node -> parent, root -> None; several roots are allowed.

    Undefined: None without nodes, or if a chain loops or leaves the mapping.
    """
    climbed = _climb(parent)
    return max((hops for _, hops in climbed.values()), default=None) if climbed is not None else None


def structural_virality(parent: Mapping[Hashable, Hashable | None]) -> float:
    """Returns the mean distance in hops over all pairs of nodes of one tree.

    A star of n nodes has 2 (n-1) / n, a path (n+1) / 3, a single node 0.0. Each edge lies between s nodes below and
    n - s others, so the sum of distances is the sum of s (n - s).

    Args:
        parent: Node -> parent, root -> None.

    Undefined: NaN if there is not exactly one root, or if a chain loops or leaves the mapping.
    Source: Goel et al. 2016, equation 1.
    """
    shapes = tree_shapes(parent)
    return shapes[0].virality if shapes is not None and len(shapes) == 1 else math.nan


def tree_shapes(parent: Mapping[Hashable, Hashable | None]) -> list[TreeShape] | None:
    """Returns the shape of each tree, in the order in which the roots stand in the mapping.

    Args:
        parent: Node -> parent, roots -> None.

    Undefined: None if a chain loops or leaves the mapping.
    """
    climbed = _climb(parent)
    if climbed is None:
        return None
    n_below = dict.fromkeys(parent, 1)
    for node in sorted(climbed, key=lambda node: -climbed[node][1]):
        above = parent[node]
        if above is not None:
            n_below[above] += n_below[node]
    distances: Counter[Hashable] = Counter()
    levels: dict[Hashable, Counter[int]] = {node: Counter() for node, above in parent.items() if above is None}
    for node, (root, hops) in climbed.items():
        levels[root][hops] += 1
        distances[root] += n_below[node] * (n_below[root] - n_below[node])
    return [_shape(root, n_below[root], level, distances[root]) for root, level in levels.items()]


def _shape(root: Hashable, n_nodes: int, levels: Counter[int], distances: int) -> TreeShape:
    virality = 2 * distances / (n_nodes * (n_nodes - 1)) if n_nodes > 1 else 0.0
    return TreeShape(root, n_nodes, max(levels), max(levels.values()), virality)


def _climb(parent: Mapping[Hashable, Hashable | None]) -> dict[Hashable, tuple[Hashable, int]] | None:
    """Returns root and number of hops to it for each node; None if a chain loops or leaves the mapping."""
    result: dict[Hashable, tuple[Hashable, int]] = {}
    for node in parent:
        chain: list[Hashable] = []
        on_chain: set[Hashable] = set()
        current: Hashable | None = node
        while current is not None and current not in result:
            if current in on_chain or current not in parent:
                return None
            chain.append(current)
            on_chain.add(current)
            current = parent[current]
        root, hops = result[current] if current is not None else (chain[-1], -1)
        for climbed in reversed(chain):
            hops += 1
            result[climbed] = root, hops
    return result
