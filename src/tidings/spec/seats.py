"""Which agent group sits where: every node of the graph gets exactly one agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidings.core import ScenarioError, suggest
from tidings.spec.problems import join_names
from tidings.spec.scenario import AgentGroup
from tidings.spec.yaml_source import YamlSource

__all__ = ["Place", "deal_groups", "persona_at"]


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a seat.

    Attributes:
        group: Position of its group in the scenario.
        index: Position of the seat within the group.
    """

    group: int
    index: int


def deal_groups(
    groups: Sequence[AgentGroup], seats: Sequence[str], source: YamlSource | None = None
) -> dict[str, Place]:
    """Returns the place of every seat, in seat order.

    Named nodes are taken first; then counts take the first free seats, group by group; `rest` takes what is left.

    Args:
        groups: Agent groups of a scenario.
        seats: Seats of the graph, in order.
        source: The scenario file, for line numbers in errors.

    Raises:
        ScenarioError: If a named node does not exist, there are more agents than nodes, or a node has no agent.
    """
    dealer = _Dealer(seats, source or YamlSource({}))
    for i, group in enumerate(groups):
        if isinstance(group.nodes, tuple):
            dealer.take_named(i, group.nodes)
    for i, group in enumerate(groups):
        if group.count is not None:
            dealer.take_count(i, group.count)
    for i, group in enumerate(groups):
        if group.nodes == "rest":
            dealer.take_rest(i)
    return dealer.places()


def persona_at(group: AgentGroup, index: int) -> str:
    """Returns the persona of the seat at this position of its group; lists are dealt round robin."""
    return group.persona if isinstance(group.persona, str) else group.persona[index % len(group.persona)]


class _Dealer:
    def __init__(self, seats: Sequence[str], source: YamlSource) -> None:
        self._seats, self._known, self._source = seats, frozenset(seats), source
        self._taken: dict[str, Place] = {}

    def take_named(self, group: int, nodes: Sequence[str]) -> None:
        for j, seat in enumerate(nodes):
            where = self._source.where(f"agents.{group}.nodes.{j}")
            if seat not in self._known:
                raise ScenarioError(
                    where, f"found {seat!r}", f"nodes: {join_names(self._seats)}", suggest(seat, self._seats)
                )
            if seat in self._taken:
                raise ScenarioError(where, f"{seat!r} already has an agent", "one agent a node")
            self._taken[seat] = Place(group, j)

    def take_count(self, group: int, count: int) -> None:
        free = self._free()
        if count > len(free):
            where = self._source.where(f"agents.{group}.count")
            found = f"found {count} agents for {len(free)} free nodes"
            raise ScenarioError(
                where, found, f"the graph has {len(self._seats)} nodes", "lower it, or enlarge the graph"
            )
        self._taken |= {seat: Place(group, j) for j, seat in enumerate(free[:count])}

    def take_rest(self, group: int) -> None:
        free = self._free()
        if not free:
            where = self._source.where(f"agents.{group}.nodes")
            raise ScenarioError(where, "found 'rest', but no node is left", f"the graph has {len(self._seats)} nodes")
        self._taken |= {seat: Place(group, j) for j, seat in enumerate(free)}

    def places(self) -> dict[str, Place]:
        if free := self._free():
            found = f"{len(free)} of {len(self._seats)} nodes have no agent ({join_names(free)})"
            raise ScenarioError(
                self._source.where("agents"), found, fix="raise a count, or give one group `nodes: rest`"
            )
        return {seat: self._taken[seat] for seat in self._seats}

    def _free(self) -> list[str]:
        return [seat for seat in self._seats if seat not in self._taken]
