"""Social graphs: every generator, listed edges, seats, and what is refused."""

import inspect
from typing import Any

import networkx as nx
import pytest

from tidings.core import DataError, RequestError, ScenarioError, SeedPath
from tidings.spec.errors import validate
from tidings.spec.generators import GENERATORS, generator_params
from tidings.spec.graphs import GraphSpec, build_graph, seat_name, to_social_graph
from tidings.spec.yaml_source import load_yaml

SEED = SeedPath.root(7)

ARGUMENTS: dict[str, dict[str, Any]] = {
    "complete": {"n": 5},
    "empty": {"n": 4},
    "cycle": {"n": 5},
    "path": {"n": 5},
    "star": {"n": 4},
    "wheel": {"n": 5},
    "ladder": {"n": 4},
    "circular_ladder": {"n": 4},
    "grid_2d": {"m": 2, "n": 3, "periodic": False},
    "triangular_lattice": {"m": 2, "n": 3},
    "hexagonal_lattice": {"m": 2, "n": 2},
    "circulant": {"n": 6, "offsets": [1, 2]},
    "balanced_tree": {"r": 2, "h": 3},
    "full_rary_tree": {"r": 3, "n": 9},
    "binomial_tree": {"n": 3},
    "hypercube": {"n": 3},
    "turan": {"n": 7, "r": 3},
    "complete_bipartite": {"n1": 2, "n2": 3},
    "complete_multipartite": {"subset_sizes": [1, 2, 3]},
    "barbell": {"m1": 3, "m2": 1},
    "lollipop": {"m": 3, "n": 2},
    "tadpole": {"m": 3, "n": 2},
    "windmill": {"n": 3, "k": 3},
    "caveman": {"l": 2, "k": 3},
    "connected_caveman": {"l": 2, "k": 3},
    "ring_of_cliques": {"num_cliques": 3, "clique_size": 3},
    "karate_club": {},
    "les_miserables": {},
    "florentine_families": {},
    "davis_southern_women": {},
    "relaxed_caveman": {"l": 3, "k": 4, "p": 0.3},
    "erdos_renyi": {"n": 12, "p": 0.4, "directed": True},
    "fast_gnp_random": {"n": 12, "p": 0.4},
    "gnm_random": {"n": 12, "m": 20},
    "watts_strogatz": {"n": 12, "k": 4, "p": 0.5},
    "newman_watts_strogatz": {"n": 12, "k": 4, "p": 0.5},
    "connected_watts_strogatz": {"n": 12, "k": 4, "p": 0.5},
    "navigable_small_world": {"n": 4},
    "barabasi_albert": {"n": 12, "m": 2},
    "extended_barabasi_albert": {"n": 12, "m": 2, "p": 0.2, "q": 0.2},
    "powerlaw_cluster": {"n": 12, "m": 2, "p": 0.5},
    "duplication_divergence": {"n": 12, "p": 0.5},
    "random_regular": {"d": 3, "n": 12},
    "random_labeled_tree": {"n": 12},
    "random_geometric": {"n": 12, "radius": 0.5},
    "waxman": {"n": 20, "beta": 0.9, "alpha": 0.9},
    "stochastic_block": {"sizes": [4, 5], "p": [[0.8, 0.2], [0.2, 0.7]]},
    "planted_partition": {"l": 3, "k": 4, "p_in": 0.8, "p_out": 0.2},
    "random_partition": {"sizes": [4, 5], "p_in": 0.8, "p_out": 0.2},
    "scale_free": {"n": 20},
    "gn": {"n": 12},
    "gnr": {"n": 12, "p": 0.5},
    "gnc": {"n": 12},
}


def graph_of(path: SeedPath = SEED, /, **data: Any) -> nx.Graph:
    return build_graph(validate(GraphSpec, data, "graph"), path)


def edges_of(graph: nx.Graph) -> set[Any]:
    return set(graph.edges) if graph.is_directed() else {frozenset(edge) for edge in graph.edges}


def test_the_table_is_covered_here() -> None:
    assert list(ARGUMENTS) == list(GENERATORS)


@pytest.mark.parametrize("kind", GENERATORS)
def test_arguments_are_those_of_networkx(kind: str) -> None:
    generator = GENERATORS[kind]
    signature = inspect.signature(generator.make()).parameters
    assert set(generator.arguments) <= set(signature)
    assert generator.is_random == ("seed" in signature)
    ignored = {"create_using", "backend", "backend_kwargs", "seed"}
    needed = {name for name, parameter in signature.items() if parameter.default is inspect.Parameter.empty}
    assert needed - ignored <= set(generator.arguments)
    assert all(field.description for field in generator_params(kind).model_fields.values())


@pytest.mark.parametrize("kind", GENERATORS)
def test_every_generator_builds_what_networkx_builds(kind: str) -> None:
    generator, arguments = GENERATORS[kind], dict(ARGUMENTS[kind])
    ours = graph_of(kind=kind, **arguments, **({"seed": 3} if generator.is_random else {}))
    lists = {name: tuple(value) if name == "offsets" else value for name, value in arguments.items()}
    seed = {"seed": 3} if generator.is_random else {}
    theirs = generator.make()(*lists.pop("subset_sizes", ()), **lists, **seed)
    assert set(ours) == set(theirs)
    assert ours.is_directed() == theirs.is_directed()
    assert edges_of(ours) == edges_of(nx.DiGraph(theirs) if theirs.is_multigraph() else theirs) - {
        loop for node in theirs for loop in ((node, node), frozenset([node]))
    }
    social = to_social_graph(ours)
    assert len(social.seats) == len(theirs)
    assert social.is_directed == theirs.is_directed()


@pytest.mark.parametrize("kind", [kind for kind, generator in GENERATORS.items() if generator.is_random])
def test_random_graphs_follow_the_seed(kind: str) -> None:
    graphs = [graph_of(SeedPath.root(seed), kind=kind, **ARGUMENTS[kind]) for seed in range(12)]
    again = [graph_of(SeedPath.root(seed), kind=kind, **ARGUMENTS[kind]) for seed in range(12)]
    assert [(list(a), edges_of(a)) for a in graphs] == [(list(a), edges_of(a)) for a in again]
    assert len({frozenset(edges_of(graph)) for graph in graphs}) > 1
    fixed = [graph_of(SeedPath.root(seed), kind=kind, seed=4, **ARGUMENTS[kind]) for seed in range(2)]
    assert edges_of(fixed[0]) == edges_of(fixed[1])


def test_seats() -> None:
    assert [seat_name(node) for node in (3, -1, "bob", (0, 1), True)] == ["a3", "a-1", "bob", "(0, 1)", "True"]
    assert to_social_graph(graph_of(kind="path", n=3)).seats == ("a0", "a1", "a2")
    assert to_social_graph(graph_of(kind="grid_2d", m=1, n=2)).seats == ("(0, 0)", "(0, 1)")
    assert to_social_graph(graph_of(kind="star", n=2)).hearers == {"a0": ("a1", "a2"), "a1": ("a0",), "a2": ("a0",)}


def test_listed_edges() -> None:
    directed = to_social_graph(graph_of(edges=[["bob", "ann"], [7, "bob", {"weight": 0.5}]], directed=True))
    assert directed.seats == ("bob", "ann", "a7")
    assert directed.hearers == {"bob": ("ann",), "ann": (), "a7": ("bob",)}
    assert directed.attributes == {("a7", "bob"): {"weight": 0.5}}
    both = to_social_graph(graph_of(nodes=["c", "b", "a"], edges=[["a", "b", {"weight": 2}]]))
    assert both.seats == ("c", "b", "a")
    assert both.hearers == {"c": (), "b": ("a",), "a": ("b",)}
    assert both.attributes == {("a", "b"): {"weight": 2}, ("b", "a"): {"weight": 2}}


def test_order_of_integer_nodes() -> None:
    assert to_social_graph(graph_of(edges=[[3, 1], [0, 10]])).seats == ("a0", "a1", "a3", "a10")
    assert to_social_graph(graph_of(nodes=[3, 1, 2], edges=[])).seats == ("a3", "a1", "a2")


def test_attributes_are_plain() -> None:
    graph = graph_of(kind="stochastic_block", **ARGUMENTS["stochastic_block"])
    assert graph.graph == {}
    assert graph.nodes[0] == {"block": 0}
    assert graph_of(kind="karate_club").edges[0, 1] == {"weight": 4}
    assert all(isinstance(x, float) for x in graph_of(kind="random_geometric", n=3, radius=0.5).nodes[0]["pos"])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "graph: found no source; need one of kind, file, edges"),
        ({"kind": "path", "n": 2, "file": "x"}, "graph: found kind and file; need one of kind, file, edges"),
        ({"kind": "erdos_reny", "n": 2}, "graph.kind: found 'erdos_reny'; did you mean 'erdos_renyi'?"),
        ({"kind": "complete_graph", "n": 2}, "graph.kind: found 'complete_graph'; did you mean 'complete'?"),
        ({"kind": "path"}, "graph.n: 'n' is missing; need a whole number in [1, 10000000]"),
        ({"kind": "path", "n": 0}, "graph.n: found 0; allowed: a whole number in [1, 10000000]"),
        ({"kind": "path", "n": "2"},
         "graph.n: found '2', text; allowed: a whole number in [1, 10000000]; write 2 without quotes"),
        ({"kind": "path", "n": 2, "k": 3}, "graph.k: found 'k'; allowed: n, kind"),
        ({"kind": "path", "n": 2, "directed": True}, "graph.directed: found 'directed'; allowed: n, kind"),
        ({"kind": "erdos_renyi", "n": 2, "p": 1.5}, "graph.p: found 1.5; allowed: a number in [0.0, 1.0]"),
        ({"kind": "erdos_renyi", "n": 2, "p": 0.5, "seed": -1},
         "graph.seed: found -1; allowed: a whole number in [0, 4294967296)"),
        ({"kind": "hypercube", "n": 40}, "graph.n: found 40; allowed: a whole number in [0, 20]"),
        ({"kind": "random_geometric", "n": 5, "raduis": 0.3, "radius": 0.1},
         "graph.raduis: found 'raduis'; allowed: n, radius, dim, p, seed, kind; did you mean 'radius'?"),
        ({"kind": "random_regular", "n": 5, "d": 3},
         "graph: no random_regular graph with n 5, d 3; n * d must be even"),
        ({"kind": "watts_strogatz", "n": 3, "k": 9, "p": 0.1},
         "graph: no watts_strogatz graph with n 3, k 9, p 0.1; k>n, choose smaller k or larger n"),
        ({"edges": [["a", "a"]]}, "graph.edges.0: found an edge from 'a' to itself; need two different nodes"),
        ({"edges": [["a", "b"], ["b", "a"]]}, "graph.edges.1: found the edge 'b', 'a' twice; need each edge once"),
        ({"edges": [["a", "bbob"]], "nodes": ["a", "bob"]},
         "graph.edges.0: found node 'bbob', which is not in graph.nodes; did you mean 'bob'?"),
        ({"edges": [], "nodes": ["a", "a"]}, "graph.nodes: found a node twice; need each node once"),
        ({"edges": [["a"]]},
         "graph.edges.0: found ['a']; allowed: an edge [from, to] or [from, to, {attribute: value}]"),
        ({"edges": [["a", 1.5]]},
         "graph.edges.0: found ['a', 1.5]; allowed: an edge [from, to] or [from, to, {attribute: value}]"),
        ({"edges": []}, "graph.edges: the graph has no nodes; need at least one"),
        ({"edges": [["a", "b"]], "format": "csv"}, "graph.format: found format with edges; allowed: only with file"),
        ({"kind": "path", "n": 2, "nodes": ["a"]}, "graph.nodes: found nodes with kind; allowed: only with edges"),
        ({"edges": [["a", "b"]], "drected": True}, "graph.drected: found 'drected'; allowed: kind, file, format, "
         "edges, nodes, directed; did you mean 'directed'?"),
        ({"edges": [[1, "a1"]]}, "graph.edges: nodes 1 and 'a1' would both sit in seat 'a1'; need one node a seat; "
         "rename one"),
        ({"edges": [["planner", "b"]]}, "graph.edges: found a node named 'planner'; "
         "allowed: printable text but '*' and 'planner', without blanks at its ends; rename it"),
    ],
)  # fmt: skip
def test_refused(data: dict[str, Any], text: str) -> None:
    with pytest.raises(RequestError) as caught:
        graph_of(**data)
    assert str(caught.value) == text


@pytest.mark.parametrize("name", ["*", "planner", "", " a", "a ", "a\nb", "a\x00"])
def test_names_that_would_break_the_barrier(name: str) -> None:
    with pytest.raises(DataError, match="found a node named"):
        graph_of(edges=[[name, "b"]])
    with pytest.raises(DataError, match="found a node named"):
        to_social_graph(nx.Graph([(name, "b")]))


def test_foreign_graphs() -> None:
    with pytest.raises(DataError, match="parallel edges"):
        to_social_graph(nx.MultiGraph([(0, 1), (0, 1)]))
    with pytest.raises(DataError, match="would both sit in seat 'a1'"):
        to_social_graph(nx.Graph([(1, "a1")]))
    assert to_social_graph(nx.DiGraph([(0, 1), (1, 1)])).hearers == {"a0": ("a1",), "a1": ()}


def test_lines() -> None:
    source = load_yaml("graph:\n  kind: path\n  m: 3\n", "s.yaml")
    spec = validate(GraphSpec, source.data["graph"], "graph", source)
    with pytest.raises(ScenarioError) as caught:
        build_graph(spec, SEED, source)
    assert str(caught.value).splitlines()[0].startswith("s.yaml:1 graph.n: 'n' is missing")
    assert str(caught.value).splitlines()[1].startswith("s.yaml:3 graph.m: found 'm'")
