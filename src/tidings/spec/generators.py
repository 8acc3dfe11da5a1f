"""The social graphs networkx can make, by name, with its own argument names.

Adding one is one line in the table. Defaults come from the signature in networkx; a test holds every name against it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple

import networkx as nx
from pydantic import Field, create_model

from tidings.spec.base import Params

__all__ = ["GENERATORS", "Generator", "generator_params"]


class Argument(NamedTuple):
    """Type and meaning of one argument."""

    type: Any
    text: str


class Generator(NamedTuple):
    """One way to make a graph.

    Attributes:
        function: Name of the function in networkx.
        text: What it makes.
        arguments: Name -> type and meaning; those without a default in networkx must be given.
        is_random: Whether it takes a seed.
    """

    function: str
    text: str
    arguments: Mapping[str, Argument]
    is_random: bool

    def make(self) -> Callable[..., Any]:
        """Returns the function in networkx."""
        return getattr(nx, self.function)


_LARGEST = 10_000_000

Size = Annotated[int, Field(ge=1, le=_LARGEST)]
Small = Annotated[int, Field(ge=0, le=20)]
Count = Annotated[int, Field(ge=0, le=_LARGEST)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Sizes = Annotated[tuple[Size, ...], Field(min_length=1)]
Matrix = tuple[tuple[Probability, ...], ...]
MaybeSeed = Annotated[int, Field(ge=0, lt=2**32)] | None

_N = Argument(Size, "Number of nodes.")
_DIRECTED = Argument(bool, "Whether edges have a direction.")
_PERIODIC = Argument(bool, "Whether the borders are joined.")
_CLIQUES = {"l": Argument(Size, "Number of groups."), "k": Argument(Size, "Nodes in each group.")}
_MIXING = {
    "p_in": Argument(Probability, "Probability of an edge inside a group."),
    "p_out": Argument(Probability, "Probability of an edge between groups."),
    "directed": _DIRECTED,
}
_SIZES = Argument(Sizes, "Nodes in each group.")


def _p(text: str) -> Argument:
    return Argument(Probability, text)


def _whole(text: str) -> Argument:
    return Argument(Count, text)


def _fixed(function: str, text: str, **arguments: Argument) -> Generator:
    return Generator(function, text, arguments, is_random=False)


def _random(function: str, text: str, **arguments: Argument) -> Generator:
    return Generator(function, text, arguments, is_random=True)


_EDGE = _p("Probability of each edge.")
_RING = _whole("Nearest neighbours on the ring.")
_REWIRE = _p("Probability of rewiring each edge.")
_BRINGS = _whole("Edges that each new node brings.")
_ROWS, _COLUMNS = Argument(Size, "Rows."), Argument(Size, "Columns.")

GENERATORS: Mapping[str, Generator] = {
    "complete": _fixed("complete_graph", "Everybody hears everybody.", n=_N),
    "empty": _fixed("empty_graph", "Nobody hears anybody.", n=_N),
    "cycle": _fixed("cycle_graph", "A ring.", n=_N),
    "path": _fixed("path_graph", "A line.", n=_N),
    "star": _fixed("star_graph", "A hub and n leaves: n + 1 nodes.", n=Argument(Size, "Number of leaves.")),
    "wheel": _fixed("wheel_graph", "A hub and a ring of n - 1 nodes.", n=_N),
    "ladder": _fixed("ladder_graph", "Two lines with rungs: 2 n nodes.", n=Argument(Size, "Number of rungs.")),
    "circular_ladder": _fixed("circular_ladder_graph", "Two rings with rungs.", n=Argument(Size, "Number of rungs.")),
    "grid_2d": _fixed("grid_2d_graph", "A square lattice.", m=_ROWS, n=_COLUMNS, periodic=_PERIODIC),
    "triangular_lattice": _fixed(
        "triangular_lattice_graph", "A lattice of triangles.", m=_ROWS, n=_COLUMNS, periodic=_PERIODIC
    ),
    "hexagonal_lattice": _fixed(
        "hexagonal_lattice_graph", "A lattice of hexagons.", m=_ROWS, n=_COLUMNS, periodic=_PERIODIC
    ),
    "circulant": _fixed(
        "circulant_graph",
        "A ring in which each node is joined to those at the offsets.",
        n=_N,
        offsets=Argument(Sizes, "Distances on the ring."),
    ),
    "balanced_tree": _fixed(
        "balanced_tree", "Every inner node has r children.", r=Argument(Size, "Children."), h=Argument(Small, "Height.")
    ),
    "full_rary_tree": _fixed("full_rary_tree", "A tree filled row by row.", r=Argument(Size, "Children."), n=_N),
    "binomial_tree": _fixed("binomial_tree", "The binomial tree: 2^n nodes.", n=Argument(Small, "Order.")),
    "hypercube": _fixed("hypercube_graph", "The hypercube: 2^n nodes.", n=Argument(Small, "Dimension.")),
    "turan": _fixed("turan_graph", "r groups with all edges between them.", n=_N, r=Argument(Size, "Groups.")),
    "complete_bipartite": _fixed(
        "complete_bipartite_graph",
        "All edges between two groups.",
        n1=Argument(Size, "First group."),
        n2=Argument(Size, "Second group."),
    ),
    "complete_multipartite": _fixed("complete_multipartite_graph", "All edges between groups.", subset_sizes=_SIZES),
    "barbell": _fixed(
        "barbell_graph", "Two cliques joined by a line.", m1=Argument(Size, "Clique size."), m2=_whole("Line length.")
    ),
    "lollipop": _fixed(
        "lollipop_graph", "A clique with a tail.", m=Argument(Size, "Clique size."), n=_whole("Tail length.")
    ),
    "tadpole": _fixed("tadpole_graph", "A ring with a tail.", m=Argument(Size, "Ring size."), n=_whole("Tail length.")),
    "windmill": _fixed(
        "windmill_graph",
        "Cliques that share one node.",
        n=Argument(Size, "Number of cliques."),
        k=Argument(Size, "Clique size."),
    ),
    "caveman": _fixed("caveman_graph", "Cliques without edges between them.", **_CLIQUES),
    "connected_caveman": _fixed("connected_caveman_graph", "A ring of cliques, one edge of each rewired.", **_CLIQUES),
    "ring_of_cliques": _fixed(
        "ring_of_cliques",
        "Cliques in a ring.",
        num_cliques=Argument(Size, "Number of cliques."),
        clique_size=Argument(Size, "Clique size."),
    ),
    "karate_club": _fixed("karate_club_graph", "Zachary's karate club."),
    "les_miserables": _fixed("les_miserables_graph", "Who meets whom in Les Misérables."),
    "florentine_families": _fixed("florentine_families_graph", "Marriages of Florentine families."),
    "davis_southern_women": _fixed("davis_southern_women_graph", "Women and the events they went to."),
    "relaxed_caveman": _random("relaxed_caveman_graph", "Cliques with some edges rewired.", **_CLIQUES, p=_REWIRE),
    "erdos_renyi": _random("erdos_renyi_graph", "Each edge with probability p.", n=_N, p=_EDGE, directed=_DIRECTED),
    "fast_gnp_random": _random(
        "fast_gnp_random_graph", "As erdos_renyi, fast where edges are few.", n=_N, p=_EDGE, directed=_DIRECTED
    ),
    "gnm_random": _random(
        "gnm_random_graph", "A given number of edges.", n=_N, m=_whole("Number of edges."), directed=_DIRECTED
    ),
    "watts_strogatz": _random("watts_strogatz_graph", "A small world.", n=_N, k=_RING, p=_REWIRE),
    "newman_watts_strogatz": _random(
        "newman_watts_strogatz_graph",
        "A small world by added edges.",
        n=_N,
        k=_RING,
        p=_p("Probability of an added edge."),
    ),
    "connected_watts_strogatz": _random(
        "connected_watts_strogatz_graph",
        "A small world that hangs together.",
        n=_N,
        k=_RING,
        p=_REWIRE,
        tries=Argument(Size, "Most attempts."),
    ),
    "navigable_small_world": _random(
        "navigable_small_world_graph",
        "A directed lattice with long-range edges.",
        n=Argument(Annotated[int, Field(ge=1, le=1000)], "Length of a side."),
        p=Argument(Size, "Reach of the local edges."),
        q=_whole("Long-range edges of each node."),
        r=Argument(Annotated[float, Field(ge=0.0)], "Exponent of their length."),
        dim=Argument(Annotated[int, Field(ge=1, le=4)], "Dimension."),
    ),
    "barabasi_albert": _random("barabasi_albert_graph", "Preferential attachment.", n=_N, m=_BRINGS),
    "extended_barabasi_albert": _random(
        "extended_barabasi_albert_graph",
        "Preferential attachment with added and rewired edges.",
        n=_N,
        m=_BRINGS,
        p=_p("Probability of adding edges."),
        q=_p("Probability of rewiring edges."),
    ),
    "powerlaw_cluster": _random(
        "powerlaw_cluster_graph",
        "Preferential attachment with triangles.",
        n=_N,
        m=_BRINGS,
        p=_p("Probability of a triangle."),
    ),
    "duplication_divergence": _random(
        "duplication_divergence_graph", "Growth by copying nodes.", n=_N, p=_p("Probability of keeping an edge.")
    ),
    "random_regular": _random("random_regular_graph", "Each node has d neighbours.", d=_whole("Degree."), n=_N),
    "random_labeled_tree": _random("random_labeled_tree", "A tree, all equally likely.", n=_N),
    "random_geometric": _random(
        "random_geometric_graph",
        "Points in a unit cube, joined when near.",
        n=_N,
        radius=Argument(Positive, "Largest distance of neighbours."),
        dim=Argument(Annotated[int, Field(ge=1, le=10)], "Dimension."),
        p=Argument(Annotated[float, Field(ge=1.0)], "Which Minkowski distance; 2 is Euclid's."),
    ),
    "waxman": _random(
        "waxman_graph",
        "Points in a unit square, near ones joined more often.",
        n=_N,
        beta=Argument(Positive, "Factor of the probability."),
        alpha=Argument(Positive, "Range of the probability."),
    ),
    "stochastic_block": _random(
        "stochastic_block_model",
        "Groups with a probability of an edge for each pair of groups.",
        sizes=_SIZES,
        p=Argument(Matrix, "Row i, column j: probability of an edge from group i to group j."),
        directed=_DIRECTED,
    ),
    "planted_partition": _random("planted_partition_graph", "Equal groups.", **_CLIQUES, **_MIXING),
    "random_partition": _random("random_partition_graph", "Groups of given sizes.", sizes=_SIZES, **_MIXING),
    "scale_free": _random(
        "scale_free_graph",
        "A directed scale-free graph; parallel edges count once.",
        n=_N,
        alpha=_p("Probability of a new node that hears an old one."),
        beta=_p("Probability of an edge between old nodes."),
        gamma=_p("Probability of a new node that an old one hears."),
        delta_in=Argument(Annotated[float, Field(ge=0.0)], "Bias of the choice by in-degree."),
        delta_out=Argument(Annotated[float, Field(ge=0.0)], "Bias of the choice by out-degree."),
    ),
    "gn": _random("gn_graph", "A growing directed tree, preferential.", n=_N),
    "gnr": _random("gnr_graph", "A growing directed tree with redirection.", n=_N, p=_p("Probability to redirect.")),
    "gnc": _random("gnc_graph", "A growing directed graph by copying.", n=_N),
}
"""Name -> generator. Names are those of networkx without `_graph` and `_model`."""


@cache
def generator_params(name: str) -> type[Params]:
    """Returns the parameter model of a generator; arguments with a default in networkx keep it."""
    generator = GENERATORS[name]
    signature = inspect.signature(generator.make()).parameters
    fields: dict[str, Any] = {}
    for argument, (kind, text) in generator.arguments.items():
        default = signature[argument].default
        is_needed = default is inspect.Parameter.empty
        fields[argument] = (kind, Field(description=text) if is_needed else Field(default, description=text))
    if generator.is_random:
        text = "Seed of the graph alone; drawn from rollouts.seed by default."
        fields["seed"] = (MaybeSeed, Field(None, description=text))
    return create_model(f"{name}_graph", __base__=Params, __doc__=generator.text, **fields)
