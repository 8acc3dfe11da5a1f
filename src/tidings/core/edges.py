"""The action spec of a graph: who reads whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from tidings.core.errors import ReplyError, RequestError

__all__ = ["EdgesSpec"]


@dataclass(frozen=True)
class EdgesSpec:
    """A directed graph over named nodes: a list of pairs `[from, to]`.

    Attributes:
        nodes: All nodes, in order; all different.
        question: What is asked, in words.
        allowed: The pairs that may be chosen; None allows every pair of different nodes.
        is_acyclic: Whether a graph with a cycle is refused.
    """

    nodes: tuple[str, ...]
    question: str = ""
    allowed: frozenset[tuple[str, str]] | None = None
    is_acyclic: bool = False

    def __post_init__(self) -> None:
        if len(set(self.nodes)) != len(self.nodes):
            raise RequestError("EdgesSpec.nodes", f"found {self.nodes!r}", "need different names")

    def check(self, value: object) -> list[list[str]]:
        """Returns the pairs in the order of the nodes, so that equal graphs are equal values.

        Raises:
            ReplyError: `not_edges`, `unknown_node`, `loop`, `repeated_edge`, `forbidden_edge` or `cycle`.
        """
        if not isinstance(value, list | tuple):
            raise ReplyError("not_edges", f"{type(value).__name__} is no list of pairs [from, to]")
        place = {node: i for i, node in enumerate(self.nodes)}
        pairs: list[tuple[str, str]] = []
        for item in value:
            if not isinstance(item, list | tuple) or len(item) != 2 or not all(isinstance(x, str) for x in item):
                raise ReplyError("not_edges", f"{item!r} is no pair [from, to]")
            pair = (item[0], item[1])
            self._check_pair(pair, place)
            if pair in pairs:
                raise ReplyError("repeated_edge", f"{list(pair)} stands there twice")
            pairs.append(pair)
        if self.is_acyclic and has_cycle(pairs):
            raise ReplyError("cycle", "the pairs form a cycle; each must run from an earlier to a later speaker")
        return [list(pair) for pair in sorted(pairs, key=lambda pair: (place[pair[0]], place[pair[1]]))]

    def _check_pair(self, pair: tuple[str, str], place: dict[str, int]) -> None:
        if unknown := [node for node in pair if node not in place]:
            raise ReplyError("unknown_node", f"{unknown[0]!r} is none of {list(self.nodes)}")
        if pair[0] == pair[1]:
            raise ReplyError("loop", f"{pair[0]!r} cannot read itself")
        if self.allowed is not None and pair not in self.allowed:
            raise ReplyError("forbidden_edge", f"{pair[1]} does not hear {pair[0]}")

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of an answer."""
        node = {"type": "string", "enum": list(self.nodes)}
        return {"type": "array", "items": {"type": "array", "items": node, "minItems": 2, "maxItems": 2}}

    def pairs(self) -> list[tuple[str, str]]:
        """Returns every pair that may be chosen, in the order of the nodes."""
        every = ((u, v) for u in self.nodes for v in self.nodes if u != v)
        return [pair for pair in every if self.allowed is None or pair in self.allowed]

    def draw(self, rng: Random) -> list[list[str]]:
        """Returns a random graph that is allowed: each pair with chance 1/2, along a random order if acyclic."""
        order = {node: rng.random() for node in self.nodes}
        drawn = [pair for pair in self.pairs() if rng.random() < 0.5]
        return [list(pair) for pair in drawn if not self.is_acyclic or order[pair[0]] < order[pair[1]]]


def has_cycle(pairs: Iterable[tuple[str, str]]) -> bool:
    """Returns whether the pairs hold a directed cycle."""
    left = set(pairs)
    while left:
        readers = {v for _, v in left}
        kept = {(u, v) for u, v in left if u in readers}
        if len(kept) == len(left):
            return True
        left = kept
    return False
