"""Graph files in every format: what comes back, and one line for every defect."""

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from tidings.core import DataError, SeedPath
from tidings.spec.errors import validate
from tidings.spec.graph_files import read_graph
from tidings.spec.graphs import GraphSpec, build_graph, to_social_graph

TRIANGLE = [(0, 1, 0.5), (1, 2, 1.5), (2, 0, 2.5)]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def sample(directed: bool) -> nx.Graph:
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_weighted_edges_from(TRIANGLE)
    graph.add_node(10)
    return graph


def save(graph: nx.Graph, path: Path) -> Path:
    if path.suffix == ".graphml":
        nx.write_graphml(graph, path)
    elif path.suffix == ".gexf":
        nx.write_gexf(graph, path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(nx.node_link_data(graph, edges="links")))
    else:
        nx.write_edgelist(graph, path)
    return path


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".json", ".edgelist", ".txt"])
def test_what_networkx_writes_comes_back(suffix: str, directed: bool, tmp_path: Path) -> None:
    graph = sample(directed)
    if suffix in (".edgelist", ".txt"):
        graph.remove_node(10)
    file = save(graph, tmp_path / f"net{suffix}")
    spec = validate(GraphSpec, {"file": str(file), "directed": directed})
    built = build_graph(spec, SeedPath.root(0))
    assert list(built) == sorted(graph)
    assert built.is_directed() == directed
    assert {edge: data["weight"] for *edge, data in built.edges(data=True) for edge in [frozenset(edge)]} == {
        frozenset((u, v)): w for u, v, w in TRIANGLE
    }
    social = to_social_graph(built)
    assert social.hearers["a0"] == (("a1",) if directed else ("a1", "a2"))
    assert social.attributes["a1", "a2"]["weight"] == 1.5


def test_names_stay_names(tmp_path: Path) -> None:
    graph = nx.Graph([("ann", "bob"), ("bob", "1")])
    for suffix in (".graphml", ".gexf", ".json", ".edgelist"):
        assert set(read_graph(save(graph, tmp_path / f"net{suffix}"))) == {"ann", "bob", "1"}
    padded = write(tmp_path / "padded.txt", "01 2\n")
    assert set(read_graph(padded)) == {"01", "2"}, "01 is no whole number as people write it"


def test_edge_lists(tmp_path: Path) -> None:
    file = write(tmp_path / "net.txt", "# head\n% other\n\nann bob\nbob cy 0.25\ncy dan {'weight': 2, 'kind': 'x'}\n")
    graph = read_graph(file)
    assert {(u, v): data for u, v, data in graph.edges(data=True)} == {
        ("ann", "bob"): {},
        ("bob", "cy"): {"weight": 0.25},
        ("cy", "dan"): {"weight": 2, "kind": "x"},
    }
    assert read_graph(write(tmp_path / "net.dat", "a b\n"), "edge_list", directed=True).is_directed()
    assert nx.utils.edges_equal(read_graph(write(tmp_path / "two.txt", "a b\nb a\n")).edges, [("a", "b")])


def test_csv(tmp_path: Path) -> None:
    with_head = write(tmp_path / "a.csv", '\ufeffSource,Target,weight,note\n"Ann, dear",bob,0.5,x\nbob,cy,,\n\n')
    assert list(read_graph(with_head).edges(data=True)) == [
        ("Ann, dear", "bob", {"weight": 0.5, "note": "x"}),
        ("bob", "cy", {}),
    ]
    assert list(read_graph(write(tmp_path / "b.csv", "1,2\n2,3\n"), directed=True).edges) == [(1, 2), (2, 3)]
    assert list(read_graph(write(tmp_path / "c.csv", "1,2,0.5\n")).edges(data=True)) == [(1, 2, {"weight": 0.5})]


def node_link(**changes: Any) -> str:
    data = {"nodes": [{"id": "a", "age": 3}, {"id": "b"}], "links": [{"source": "a", "target": "b"}]}
    return json.dumps(data | changes)


def test_node_link(tmp_path: Path) -> None:
    graph = read_graph(write(tmp_path / "a.json", node_link(directed=True)))
    assert graph.is_directed()
    assert graph.nodes["a"] == {"age": 3}
    text = node_link().replace('"links"', '"edges"')
    assert list(read_graph(write(tmp_path / "b.json", text)).edges) == [("a", "b")]
    tuples = nx.node_link_data(nx.grid_2d_graph(1, 2), edges="links")
    assert list(read_graph(write(tmp_path / "c.json", json.dumps(tuples)))) == [(0, 0), (0, 1)]


GRAPHML = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected">{}</graph></graphml>'
TWO = '<node id="a"/><node id="b"/>'
BOMB = '<!DOCTYPE x [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + GRAPHML.format("")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.graphml", "not xml", "no graphml file: syntax error: line 1"),
        ("a.graphml", "<graphml>", "no graphml file: "),
        ("a.graphml", "<x/>", "no graphml file: "),
        ("a.graphml", BOMB, "document type declaration"),
        ("a.graphml", GRAPHML.format(TWO + '<edge source="a" target="b"/>' * 2), "parallel edges"),
        ("a.graphml", GRAPHML.format(TWO + '<edge id="1" source="a" target="b"/><edge id="2" source="a" target="b"/>'),
         "parallel edges"),
        ("a.gexf", "<x/>", "no gexf file: "),
        ("a.gexf", "", "no gexf file: "),
        ("a.json", "{", "no node_link file: "),
        ("a.json", "[]", "need an object with the lists nodes and links"),
        ("a.json", '{"nodes": []}', "need an object with the lists nodes and links"),
        ("a.json", "[" * 100_000, "no node_link file: "),
        ("a.json", node_link(multigraph=True), "found a multigraph"),
        ("a.json", node_link(nodes=[{"id": "a"}, {"id": "a"}]), "nodes[1]: 'a' occurs twice"),
        ("a.json", node_link(nodes=[{"name": "a"}]), "nodes[0]: found id None"),
        ("a.json", node_link(nodes=[{"id": 1.5}]), "nodes[0]: found id 1.5"),
        ("a.json", node_link(nodes=["a"]), "nodes[0]: found id None"),
        ("a.json", node_link(links=[{"source": "a", "target": "c"}]), "links[0]: no node 'c'"),
        ("a.json", node_link(links=[{"source": "a", "target": "b"}] * 2), "occurs twice"),
        ("a.json", node_link(links=[{"source": "a", "target": "b", "weight": float("nan")}]), "found NaN"),
        ("a.txt", "a\n", "line 1: found 'a'; need two nodes"),
        ("a.txt", "a b\na c many words\n", "line 2: found 'many words' after the two nodes"),
        ("a.txt", "a b {weight: [}\n", "line 1"),
        ("a.txt", "a b nan\n", "found weight = nan; allowed: finite numbers"),
        ("a.txt", "a b\na b\n", "line 2: the edge 'a', 'b' occurs twice"),
        ("a.txt", "a b 1\nb a 2\n", "line 2: the edge 'b', 'a' occurs twice"),
        ("a.csv", "a,b\nc\n", "line 2: found ['c']; need 2 cells"),
        ("a.csv", "source,target,weight\na,b\n", "line 2: found ['a', 'b']; need 3 cells"),
        ("a.csv", "a,\n", "line 1"),
        ("a.csv", 'a,"b\n', "no csv file: "),
        ("a.csv", "a,b\na,b\n", "occurs twice"),
        ("a.txt", "# nothing\n", "the graph has no nodes"),
        ("a.json", node_link(nodes=[{"id": 1}, {"id": "a1"}], links=[]),
         "nodes 1 and 'a1' would both sit in seat 'a1'"),
        ("a.txt", "planner b\n", "found a node named 'planner'"),
        ("a.xyz", "a b\n", "found the extension '.xyz'; allowed: .graphml, .gexf, .json"),
    ],
)  # fmt: skip
def test_refused(name: str, text: str, words: str, tmp_path: Path) -> None:
    file = write(tmp_path / name, text)
    with pytest.raises(DataError) as caught:
        build_graph(GraphSpec(file=str(file)), SeedPath.root(0))
    message = str(caught.value)
    assert words in message
    assert message.startswith(str(file))
    assert "\n" not in message


def test_missing_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the graph file"):
        read_graph(tmp_path / "nobody.graphml")
    with pytest.raises(DataError, match="cannot read the graph file"):
        read_graph(tmp_path, "csv")
    (tmp_path / "latin.txt").write_bytes(b"\xe9 b\n")
    with pytest.raises(DataError, match="no edge_list file"):
        read_graph(tmp_path / "latin.txt")


def test_direction_must_agree(tmp_path: Path) -> None:
    file = save(sample(directed=True), tmp_path / "net.graphml")
    with pytest.raises(DataError, match=r"the graph in it is directed; graph.directed is false"):
        read_graph(file, directed=False)
    assert read_graph(file, directed=True).is_directed()
