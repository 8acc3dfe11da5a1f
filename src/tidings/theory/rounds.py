"""One round of reading as steps: who may speak at the same time when readers wait for their parents' new texts.

Two kinds of edge (u, v), both *v reads u*: a `new` edge carries what u says in this round, so v waits for u; a `last`
edge carries what u said before the round, so nobody waits and cycles are no trouble (a synchronous debate).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from tidings.theory.topology import Edge, ScheduleEntry, count_calls, propagation_order, propagation_schedule

__all__ = ["Round", "plan_round"]


@dataclass(frozen=True)
class Round:
    """What happens in a round.

    Attributes:
        order: Agents in speaking order, parents first.
        schedule: What each agent does, in that order; `reads` holds its parents over `new` edges.
        levels: Agents that are asked at the same time, step by step, each in speaking order; skipped agents in none.
    """

    order: tuple[int, ...]
    schedule: tuple[ScheduleEntry, ...]
    levels: tuple[tuple[int, ...], ...]

    @property
    def n_calls(self) -> int:
        """How many answers are asked for."""
        return count_calls(self.schedule)

    @property
    def depth(self) -> int:
        """How many of them must wait for each other: the sequential steps of the round."""
        return len(self.levels)


def plan_round(n: int, new: Sequence[Edge], last: Iterable[Edge], contributions: ArrayLike) -> Round:
    """Returns the round in which agents read along these edges.

    The order and the schedule are those of `propagation_order` and `propagation_schedule` over the `new` edges; an
    agent that is skipped there but has parents over `last` edges reads them. An agent speaks one step after the last
    of its `new` parents that speaks; a skipped parent has nothing new to say and nobody waits for it.

    Args:
        n: Number of agents.
        new: Edges of new texts; acyclic.
        last: Edges of earlier texts.
        contributions: One number per agent `[n]`; the higher one speaks first.

    Raises:
        ValueError: If an edge names no agent or the `new` edges have a cycle.
    """
    order = propagation_order(n, new, contributions)
    readers = {v for _, v in last}
    schedule = tuple(
        entry._replace(mode="read_parents") if entry.agent in readers else entry
        for entry in propagation_schedule(order, new)
    )
    step: dict[int, int] = {}
    for entry in schedule:
        if entry.mode != "skip":
            step[entry.agent] = max((step[parent] + 1 for parent in entry.reads if parent in step), default=0)
    levels: list[list[int]] = [[] for _ in range(max(step.values(), default=-1) + 1)]
    for agent, number in step.items():
        levels[number].append(agent)
    return Round(tuple(order), schedule, tuple(map(tuple, levels)))
