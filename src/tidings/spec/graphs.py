"""The social graph of a scenario: made by a networkx generator, read from a file, or listed edge by edge.

An integer node `i` sits in seat `a<i>`, any other node in the seat of its own name. Integer nodes are sorted; otherwise
the order is that of the source. Loops are dropped: a seat always knows what it said itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import networkx as nx
from pydantic import BeforeValidator, model_validator

from tidings.core import EVERYONE, PLANNER, DataError, ScenarioError, SeedPath, SocialGraph, suggest
from tidings.spec.base import Params
from tidings.spec.describe import Phrase
from tidings.spec.errors import InvalidScenarioError, validate
from tidings.spec.generators import GENERATORS, generator_params
from tidings.spec.graph_files import FILE_FORMATS, read_graph
from tidings.spec.problems import join_names, show
from tidings.spec.yaml_source import YamlSource

__all__ = [
    "FILE_FORMATS",
    "GENERATORS",
    "GraphSpec",
    "Seat",
    "argument_problems",
    "build_graph",
    "seat_name",
    "to_social_graph",
]


def seat_name(node: Any) -> str:
    """Returns the seat of a node: `a3` for the integer 3, else its text."""
    return f"a{node}" if type(node) is int else str(node)


def _seat_of(value: Any) -> Any:
    return seat_name(value) if type(value) is int else value


Node = str | int
Seat = Annotated[
    str,
    BeforeValidator(_seat_of, json_schema_input_type=str | int),
    Phrase("the name of a seat, or the whole number of its node"),
]
"""A seat by its name, or by the integer of its node."""
Edge = Annotated[
    tuple[Node, Node] | tuple[Node, Node, dict[str, str | int | float | bool]],
    Phrase("an edge [from, to] or [from, to, {attribute: value}]"),
]


class GraphSpec(Params, extra="allow"):
    """Who can hear whom: one of `kind` with the generator's arguments, `file`, or `edges`."""

    kind: str | None = None
    """Name of a networkx generator; its arguments stand beside it, under their names in networkx."""
    file: str | None = None
    """A graph file; a relative path starts at the scenario file."""
    format: Literal["graphml", "gexf", "node_link", "edge_list", "csv"] | None = None
    """Format of the file; by its extension by default."""
    edges: tuple[Edge, ...] | None = None
    """All edges, as [from, to] or [from, to, {attribute: value}]; `to` hears `from`."""
    nodes: tuple[Node, ...] | None = None
    """All nodes in order, for `edges`; those of the edges by default."""
    directed: bool | None = None
    """Whether an edge is heard in one direction only; for `edges`, edge lists, and generators that take it."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The generator's arguments: every key that is no field here, and `directed` if it is given."""
        own = dict(self.model_extra or {})
        return own if self.directed is None or self.kind is None else own | {"directed": self.directed}

    @property
    def follows_run_seed(self) -> bool:
        """Whether another `rollouts.seed` gives another graph."""
        return self.kind is not None and GENERATORS[self.kind].is_random and self.arguments.get("seed") is None

    @model_validator(mode="after")
    def _check_source(self) -> GraphSpec:
        given = [name for name in ("kind", "file", "edges") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"found {' and '.join(given) or 'no source'}; need one of kind, file, edges")
        complaints = [*self._misplaced(given[0])]
        if self.kind is not None and self.kind not in GENERATORS:
            hint = suggest(self.kind.removesuffix("_graph").removesuffix("_model"), GENERATORS)
            complaints.append(f"kind: found {self.kind!r}; " + (hint or f"allowed: {', '.join(GENERATORS)}"))
        if complaints:
            raise ValueError("\n".join(complaints))
        return self

    def _misplaced(self, source: str) -> Iterable[str]:
        for name, owner in (("format", "file"), ("nodes", "edges")):
            if getattr(self, name) is not None and source != owner:
                yield f"{name}: found {name} with {source}; allowed: only with {owner}"
        if source != "kind":
            fields = GraphSpec.model_fields
            for name in self.model_extra or ():
                hint = suggest(name, fields)
                yield f"{name}: found {name!r}; allowed: {join_names(fields)}" + (f"; {hint}" if hint else "")


_DENSE = ("complete", "erdos_renyi", "fast_gnp_random")
_MOST_EDGES = 10_000_000
_BYTES_AN_EDGE = 330
"""Of an undirected edge as networkx and the rules keep it; measured on a complete graph of 1,000 nodes."""


def build_graph(spec: GraphSpec, seed: SeedPath, source: YamlSource | None = None) -> nx.Graph:
    """Returns the graph, a `DiGraph` where edges have a direction; nodes in seat order, attributes plain, no loops.

    Args:
        spec: What to build.
        seed: Where random generators draw from, unless the spec has a seed of its own.
        source: The scenario file, for line numbers in errors.

    Raises:
        ScenarioError: If an argument is wrong, or no such graph exists.
        DataError: If the graph file is missing, malformed or of another kind.
    """
    source = source or YamlSource({})
    if spec.kind is not None:
        graph, where = _generate(spec, seed, source), source.where("graph")
    elif spec.file is not None:
        graph, where = read_graph(spec.file, spec.format, spec.directed), spec.file
    else:
        graph, where = _list_edges(spec, source), source.where("graph.edges")
    if len(graph) == 0:
        raise DataError(where, "the graph has no nodes", "need at least one")
    _check_seats(graph, where)
    return _clean(graph, where, is_in_order=spec.nodes is not None)


def argument_problems(graph: Any, source: YamlSource) -> tuple[ScenarioError, ...]:
    """Returns what is wrong with the arguments of a generator; empty if the rest of the graph's spec is wrong too."""
    try:
        spec = validate(GraphSpec, graph, "graph", source) if isinstance(graph, Mapping) else None
    except ScenarioError:
        return ()
    try:
        if spec is not None and spec.kind is not None:
            _check_arguments(spec, source)
    except InvalidScenarioError as error:
        return error.problems
    return ()


def to_social_graph(graph: nx.Graph) -> SocialGraph:
    """Returns who hears whom; seats in node order, edge attributes kept for every (sender, hearer).

    Raises:
        DataError: If it is a multigraph, or its nodes do not name seats one to one.
    """
    if graph.is_multigraph():
        raise DataError("graph", "found parallel edges", "allowed: at most one edge a pair", "merge them first")
    _check_seats(graph, "graph")
    names = {node: seat_name(node) for node in graph}
    edges = [(names[u], names[v], data) for u, v, data in graph.edges(data=True)]
    social = SocialGraph.from_edges(names.values(), ((u, v) for u, v, _ in edges), directed=graph.is_directed())
    attributes = {(u, v): data for u, v, data in edges if data and u != v}
    if not graph.is_directed():
        attributes |= {(v, u): data for (u, v), data in attributes.items()}
    return replace(social, attributes=attributes) if attributes else social


def _generate(spec: GraphSpec, seed: SeedPath, source: YamlSource) -> nx.Graph:
    assert spec.kind is not None
    generator = GENERATORS[spec.kind]
    params = _check_arguments(spec, source)
    _refuse_too_many_edges(spec.kind, params, source)
    arguments = {name: getattr(params, name) for name in generator.arguments}
    if generator.is_random:
        own_seed: int | None = getattr(params, "seed", None)
        arguments["seed"] = seed.key & 0xFFFFFFFF if own_seed is None else own_seed
    try:
        graph = generator.make()(*arguments.pop("subset_sizes", ()), **arguments)
    except (nx.NetworkXException, ValueError, ArithmeticError, LookupError) as error:
        given = ", ".join(f"{name} {show(value)}" for name, value in spec.arguments.items())
        said = " ".join(str(error).split()) or type(error).__name__
        raise ScenarioError(source.where("graph"), f"no {spec.kind} graph with {given}", said) from None
    return nx.DiGraph(graph) if graph.is_multigraph() else graph


def _refuse_too_many_edges(kind: str, params: Params, source: YamlSource) -> None:
    """Checks the number of edges of the dense kinds before minutes and gigabytes are spent on them."""
    if kind not in _DENSE:
        return
    n, p = getattr(params, "n", 0), getattr(params, "p", 1.0)
    n_edges = round(p * n * (n - 1) / (1 if getattr(params, "directed", False) else 2))
    if n_edges > _MOST_EDGES:
        found = f"found {n_edges:,} edges, about {n_edges * _BYTES_AN_EDGE / 1e9:,.0f} GB"
        allowed = f"allowed: {_MOST_EDGES:,} edges"
        raise ScenarioError(source.where("graph"), found, allowed, "take fewer nodes, or a sparse kind of graph")


def _check_arguments(spec: GraphSpec, source: YamlSource) -> Params:
    assert spec.kind is not None
    return validate(generator_params(spec.kind), spec.arguments, "graph", source, also_allowed=("kind",))


def _list_edges(spec: GraphSpec, source: YamlSource) -> nx.Graph:
    graph = nx.DiGraph() if spec.directed else nx.Graph()
    graph.add_nodes_from(spec.nodes or ())
    if spec.nodes is not None and len(graph) < len(spec.nodes):
        raise ScenarioError(source.where("graph.nodes"), "found a node twice", "need each node once")
    for i, (sender, hearer, *attributes) in enumerate(spec.edges or ()):
        where = source.where(f"graph.edges.{i}")
        for node in (sender, hearer):
            if spec.nodes is not None and node not in graph:
                hint = suggest(node, map(str, spec.nodes))
                raise ScenarioError(where, f"found node {node!r}, which is not in graph.nodes", hint)
        if sender == hearer:
            raise ScenarioError(where, f"found an edge from {sender!r} to itself", "need two different nodes")
        if graph.has_edge(sender, hearer):
            raise ScenarioError(where, f"found the edge {sender!r}, {hearer!r} twice", "need each edge once")
        graph.add_edge(sender, hearer)
        graph.edges[sender, hearer].update(*attributes)
    return graph


def _check_seats(graph: nx.Graph, where: str) -> None:
    taken: dict[str, Any] = {}
    for node in graph:
        seat = seat_name(node)
        if seat in taken:
            found = f"nodes {taken[seat]!r} and {node!r} would both sit in seat {seat!r}"
            raise DataError(where, found, "need one node a seat", "rename one")
        if seat in (*EVERYONE, PLANNER) or not seat.isprintable() or seat != seat.strip() or not seat:
            allowed = f"allowed: printable text but {EVERYONE[0]!r} and {PLANNER!r}, without blanks at its ends"
            raise DataError(where, f"found a node named {seat!r}", allowed, "rename it")
        taken[seat] = node


def _clean(graph: nx.Graph, where: str, is_in_order: bool) -> nx.Graph:
    """Returns a copy with nodes in seat order, plain attributes and no loops."""
    clean = nx.DiGraph() if graph.is_directed() else nx.Graph()
    is_sorted = not is_in_order and all(type(node) is int for node in graph)
    for node in sorted(graph) if is_sorted else graph:
        clean.add_node(node)
        if graph.nodes[node]:
            clean.nodes[node].update(_plain(graph.nodes[node], f"{where}: node {node!r}"))
    clean.add_edges_from(
        (sender, hearer, _plain(data, f"{where}: edge {sender!r}, {hearer!r}") if data else {})
        for sender, hearer, data in graph.edges(data=True)
        if sender != hearer
    )
    return clean


def _plain(attributes: dict[Any, Any], where: str) -> dict[str, Any]:
    """Returns the attributes that JSON can hold; an undefined number is an error, never a value."""
    plain: dict[str, Any] = {}
    for name, value in attributes.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise DataError(where, f"found {name} = {value}", "allowed: finite numbers", "correct or drop it")
        if isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
            plain[str(name)] = list(value)
        elif isinstance(value, str | int | float) or value is None:
            plain[str(name)] = value
    return plain
