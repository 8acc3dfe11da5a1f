"""Planners with a fixed idea of who reads whom, and the controls that ask for answers only.

`static`: one graph for every round. `debate`: all read the last answers of all. `single`: one answer.
`self_consistency`: many independent answers. They look at no answer's content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tidings.core import ActionSpec, Observation, Reply, ScenarioError, SeatContext, SeedPath, suggest
from tidings.planners.table import (
    Pairs,
    Table,
    allowed_edges,
    ask_samples,
    has_rounds,
    plan_action,
    read_table,
    stop_action,
)
from tidings.spec.base import Params
from tidings.spec.graph_files import read_graph
from tidings.spec.graphs import seat_name
from tidings.theory.topology import FAMILIES, family

__all__ = [
    "DebatePlanner",
    "SelfConsistencyPlanner",
    "SinglePlanner",
    "StaticPlanner",
    "draw_graph",
    "first_answers",
    "refuse_judging",
]

Rounds = Annotated[int, Field(ge=0)]


def refuse_judging(context: SeatContext, kind: str) -> None:
    """Checks that the scenario does not ask this planner to judge.

    Raises:
        ScenarioError: If it does: only a language model can say which answer is right.
    """
    if context.settings.get("judge") == context.seat:
        found = f"found the planner, which is {kind!r}"
        raise ScenarioError("environment.judge", found, "a seat, or a planner of kind llm", "name a seat")


def first_answers(observation: Observation) -> Reply:
    """Returns the reply that asks every seat for one answer."""
    return Reply({"samples": len(read_table(observation).question["answerers"])})


def draw_graph(seats: Sequence[str], seed: SeedPath, n_edges: int | None) -> Pairs:
    """Returns a random acyclic graph: the family `random` over seats in random order.

    Args:
        seats: Who may be in it.
        seed: Where the draws come from.
        n_edges: So many edges, as far as there are pairs; drawn as the family does by default.
    """
    order = sorted(seats, key=lambda seat: seed.uniform("order", seat))
    if n_edges is None:
        edges = family("random", len(order), seed.child("graph").key) if order else []
    else:
        every = family("complete", len(order)) if order else []
        edges = sorted(every, key=lambda edge: seed.uniform("edge", *edge))[:n_edges]
    return [(order[u], order[v]) for u, v in edges]


class StaticParams(Params):
    """Settings of the planner `static`."""

    family: Literal["chain", "star", "tree", "complete", "layered", "random"] | None = None
    """One of the fixed graphs; `random` is drawn once a rollout."""
    edges: tuple[tuple[str, str], ...] | None = None
    """The graph itself: pairs [from, to], the second reads the first."""
    file: str | None = None
    """A graph file, directed: an edge u -> v means that v reads u."""
    reads: Literal["new", "last"] = "new"
    """Whether readers wait for the new text of the round, or read what was said before it."""
    rounds: Rounds | None = None
    """Rounds of reading; as many as the environment allows by default."""


@dataclass(frozen=True)
class StaticPlanner:
    """Plays one graph in every round."""

    params: StaticParams
    graph: Callable[[Table, SeedPath], Pairs]

    Params: ClassVar[type[Params]] = StaticParams
    plays: ClassVar[tuple[str, ...]] = ("deliberation",)

    @classmethod
    def build(cls, params: StaticParams, context: SeatContext) -> StaticPlanner:
        """Returns the planner.

        Raises:
            ScenarioError: If not exactly one of family, edges and file is given, or an edge names no seat.
            DataError: If the file is no graph.
        """
        refuse_judging(context, "static")
        given = [name for name in ("family", "edges", "file") if getattr(params, name) is not None]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found no graph"
            raise ScenarioError("planner.family", found, f"need one of family ({', '.join(FAMILIES)}), edges, file")
        if params.family is not None:
            return cls(params, partial(_of_family, params.family))
        edges = list(params.edges) if params.edges is not None else _from_file(str(params.file))
        seats = context.graph.seats if context.graph is not None else ()
        for seat in (seat for edge in edges for seat in edge):
            if seats and seat not in seats:
                raise ScenarioError("planner.edges", f"found {seat!r}", "seats of the graph", suggest(seat, seats))
        return cls(params, partial(_of_edges, edges))

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the graph, as far as the social graph allows it and the seats' answers stand."""
        if ask_samples(spec):
            return first_answers(observation)
        table = read_table(observation)
        if not has_rounds(spec) or _is_over(self.params.rounds, table):
            return Reply(stop_action())
        is_new = self.params.reads == "new"
        if table.plans:
            # The same graph again, also where it was drawn.
            drawn = table.plans[0]["edges" if is_new else "last_edges"]
            edges = [(u, v) for u, v in drawn if u in table.seats and v in table.seats]
        else:
            edges = allowed_edges(spec, self.graph(table, observation.seed.child("graph")))
        return Reply(plan_action(edges) if is_new else plan_action([], edges))


class DebateParams(Params):
    """Settings of the planner `debate`."""

    rounds: Rounds | None = None
    """Rounds of debate; as many as the environment allows by default."""


@dataclass(frozen=True)
class DebatePlanner:
    """Lets all read the last answers of all, at the same time: N (1 + rounds) answers.

    Source: Du et al. 2023, arXiv 2305.14325.
    """

    params: DebateParams

    Params: ClassVar[type[Params]] = DebateParams
    plays: ClassVar[tuple[str, ...]] = ("deliberation",)

    @classmethod
    def build(cls, params: DebateParams, context: SeatContext) -> DebatePlanner:
        """Returns the planner."""
        refuse_judging(context, "debate")
        return cls(params)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the complete graph of last answers, as far as the social graph allows it."""
        if ask_samples(spec):
            return first_answers(observation)
        table = read_table(observation)
        if not has_rounds(spec) or _is_over(self.params.rounds, table):
            return Reply(stop_action())
        every = [(u, v) for u in table.seats for v in table.seats if u != v]
        return Reply(plan_action([], allowed_edges(spec, every)))


class SelfConsistencyParams(Params):
    """Settings of the planner `self_consistency`."""

    samples: Annotated[int, Field(ge=1)] | Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    """Independent answers to each question; a list gives rollout r its entry r (from its start again after its end)."""


@dataclass(frozen=True)
class SelfConsistencyPlanner:
    """Asks for so many independent answers and nothing else; use it with aggregation majority.

    Source: Wang et al. 2023, arXiv 2203.11171.
    """

    params: SelfConsistencyParams

    Params: ClassVar[type[Params]] = SelfConsistencyParams
    plays: ClassVar[tuple[str, ...]] = ("deliberation",)

    @classmethod
    def build(cls, params: SelfConsistencyParams, context: SeatContext) -> SelfConsistencyPlanner:
        """Returns the planner."""
        refuse_judging(context, "self_consistency")
        return cls(params)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the number of answers for this rollout; the spec refuses more than the environment allows."""
        if ask_samples(spec):
            asked = self.params.samples
            return Reply({"samples": asked if isinstance(asked, int) else asked[observation.rollout % len(asked)]})
        has_rounds(spec)
        return Reply(stop_action())


class SingleParams(Params):
    """Settings of the planner `single`: none."""


@dataclass(frozen=True)
class SinglePlanner:
    """Asks the first seat, once."""

    Params: ClassVar[type[Params]] = SingleParams
    plays: ClassVar[tuple[str, ...]] = ("deliberation",)

    @classmethod
    def build(cls, params: SingleParams, context: SeatContext) -> SinglePlanner:
        """Returns the planner."""
        refuse_judging(context, "single")
        return cls()

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns one answer's worth."""
        if ask_samples(spec):
            return Reply({"samples": 1})
        has_rounds(spec)
        return Reply(stop_action())


def _is_over(rounds: int | None, table: Table) -> bool:
    return rounds is not None and table.round >= rounds


def _of_family(name: str, table: Table, seed: SeedPath) -> Pairs:
    seats = table.seats
    return [(seats[u], seats[v]) for u, v in family(name, len(seats), seed.key)]


def _of_edges(edges: Pairs, table: Table, seed: SeedPath) -> Pairs:
    return [(u, v) for u, v in edges if u in table.seats and v in table.seats]


def _from_file(path: str) -> Pairs:
    graph: Any = read_graph(path, directed=True)
    return [(seat_name(u), seat_name(v)) for u, v in graph.edges]
