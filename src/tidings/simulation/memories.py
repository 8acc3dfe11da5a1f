"""Which seat looks things up where: one index of the archive for all groups with the same settings."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.core import Archive, Environment, Memory, ScenarioError
from tidings.core.memory import MemorySettings
from tidings.memory.archive import ArchiveMemory
from tidings.simulation.embedders import make_embedder
from tidings.spec.embedders import EmbedderChoice
from tidings.spec.scenario import AgentGroup, MemorySpec, Scenario

__all__ = ["SeatMemories", "check_memories"]


def check_memories(scenario: Scenario) -> None:
    """Checks that groups with a memory have something to look up.

    Raises:
        ScenarioError: If the scenario has no archive.
    """
    for i, group in enumerate(scenario.agents):
        if group.memory is not None and scenario.environment.archive is None:
            fix = "name the file in environment.archive, or leave memory out"
            raise ScenarioError(f"agents.{i}.memory", "found a memory, but nothing to look up", "an archive", fix)


class SeatMemories:
    """Hands out the memories of seats."""

    def __init__(self, scenario: Scenario, archive: Archive, seats: Sequence[str], environment: Environment) -> None:
        """Remembers what they rest on; nothing is indexed before somebody looks something up.

        Args:
            scenario: The scenario.
            archive: Its archive.
            seats: All seats.
            environment: May have `archive` (what seats read instead of the scenario's, with other names in it) and
                `reads_archive(seat)`: `own` (the seat's share, as without it) or `all`.
        """
        check_memories(scenario)
        self._archive, self._seats = getattr(environment, "archive", archive), tuple(seats)
        self._reads = getattr(environment, "reads_archive", lambda seat: "own")
        self._indexes: dict[tuple[int, EmbedderChoice | None], ArchiveMemory] = {}

    def of(self, seat: str, group: AgentGroup) -> Memory | None:
        """Returns the memory of a seat; None if its group has none."""
        spec = group.memory_spec()
        if spec is None:
            return None
        settings = MemorySettings(spec.kind, spec.window, spec.limit, spec.top_k)
        return self._index(spec).seat(seat, settings, reads_all=self._reads(seat) == "all")

    def all(self) -> tuple[ArchiveMemory, ...]:
        """Returns every index, to be closed in the end."""
        return tuple(self._indexes.values())

    def _index(self, spec: MemorySpec) -> ArchiveMemory:
        choice = None if spec.kind == "clear" else spec.embedder
        key = (spec.max_lines, choice)
        if key not in self._indexes:
            embedder = make_embedder(choice) if choice else None
            self._indexes[key] = ArchiveMemory(self._archive, self._seats, spec.max_lines, embedder)
        return self._indexes[key]
