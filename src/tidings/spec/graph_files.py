"""Graph files: GraphML, GEXF, node-link JSON, edge lists. Every defect is one line that names the file.

GraphML, GEXF and edge lists know node names as text only; where all of them are whole numbers, they are read as such,
so that a graph written by networkx comes back with the same seats.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx

from tidings.core import DataError, RequestError
from tidings.spec.yaml_source import load_yaml

__all__ = ["FILE_FORMATS", "read_graph"]

FILE_FORMATS: Mapping[str, str] = {
    ".graphml": "graphml",
    ".gexf": "gexf",
    ".json": "node_link",
    ".edgelist": "edge_list",
    ".edges": "edge_list",
    ".txt": "edge_list",
    ".csv": "csv",
}
"""Extension -> format."""

_DEFECTS = (
    nx.NetworkXException,
    ParseError,
    csv.Error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What readers raise on files that are not what they claim to be."""

_HEADS = frozenset({("source", "target"), ("from", "to"), ("u", "v")})


def read_graph(file: str | Path, file_format: str | None = None, directed: bool | None = None) -> nx.Graph:
    """Returns the graph in a file.

    Args:
        file: Path of the file.
        file_format: One of `graphml`, `gexf`, `node_link`, `edge_list`, `csv`; by the extension by default.
        directed: Whether edges have a direction. Edge lists do not say (False by default); for the other formats it
            must agree with the file.

    Raises:
        DataError: If the file is missing, malformed, has parallel edges, or says otherwise about direction.
    """
    path = Path(file).expanduser()
    name = file_format or FILE_FORMATS.get(path.suffix.lower())
    if name is None:
        allowed = f"allowed: {', '.join(FILE_FORMATS)}"
        raise DataError(str(file), f"found the extension {path.suffix!r}", allowed, "or name it with graph.format")
    try:
        graph = _READERS[name](path.read_bytes(), bool(directed))
    except OSError as error:
        raise DataError(str(file), f"cannot read the graph file ({error.strerror})", fix="check graph.file") from None
    except RequestError as error:
        raise DataError(str(file), f"no {name} file: {error}") from None
    except _DEFECTS as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(str(file), f"no {name} file: {said}", fix="check the file, or graph.format") from None
    if graph.is_multigraph():
        raise DataError(str(file), "found parallel edges", "allowed: at most one edge a pair", "merge them first")
    if directed is not None and directed != graph.is_directed():
        is_so = "directed" if graph.is_directed() else "undirected"
        raise DataError(str(file), f"the graph in it is {is_so}", f"graph.directed is {str(directed).lower()}")
    return graph


def _read_graphml(content: bytes, directed: bool) -> nx.Graph:
    return _with_whole_numbers(nx.read_graphml(BytesIO(_without_entities(content))))


def _read_gexf(content: bytes, directed: bool) -> nx.Graph:
    return _with_whole_numbers(nx.read_gexf(BytesIO(_without_entities(content))))


def _without_entities(content: bytes) -> bytes:
    """Returns the content unless it declares entities, by which a small file could become a huge one."""
    if b"<!" in content.replace(b"<!--", b"").replace(b"<![CDATA[", b"").replace(b"\0", b""):
        raise ValueError("found a document type declaration; remove it")
    return content


def _read_node_link(content: bytes, directed: bool) -> nx.Graph:
    data = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    links = data.get("links", data.get("edges")) if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("nodes"), list) or not isinstance(links, list):
        raise ValueError("need an object with the lists nodes and links (or edges)")
    if data.get("multigraph"):
        raise ValueError("found a multigraph; merge parallel edges first")
    graph = nx.DiGraph() if data.get("directed") else nx.Graph()
    for i, node in enumerate(data["nodes"]):
        name = _node_of(node, "id", f"nodes[{i}]")
        if name in graph:
            raise ValueError(f"nodes[{i}]: {name!r} occurs twice")
        graph.add_node(name)
        graph.nodes[name].update((key, value) for key, value in node.items() if key != "id")
    for i, link in enumerate(links):
        ends = [_node_of(link, end, f"links[{i}]") for end in ("source", "target")]
        for end in ends:
            if end not in graph:
                raise ValueError(f"links[{i}]: no node {end!r}")
        if graph.has_edge(*ends):
            raise ValueError(f"links[{i}]: the edge {ends[0]!r}, {ends[1]!r} occurs twice")
        graph.add_edge(*ends)
        graph.edges[*ends].update((key, value) for key, value in link.items() if key not in ("source", "target", "key"))
    return graph


def _node_of(entry: Any, key: str, where: str) -> Any:
    name = entry.get(key) if isinstance(entry, dict) else None
    name = tuple(name) if isinstance(name, list) else name
    if name is None or isinstance(name, bool | float | dict):
        raise ValueError(f"{where}: found {key} {name!r}; need a text or a whole number")
    return name


def _refuse_constant(text: str) -> None:
    raise ValueError(f"found {text}; allowed: finite numbers")


def _read_edge_list(content: bytes, directed: bool) -> nx.Graph:
    return _from_rows(_edge_rows(content.decode("utf-8-sig")), directed)


def _edge_rows(text: str) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
    """Yields (line number, sender, hearer, attributes) of lines like `a b`, `a b 0.5` and `a b {'weight': 0.5}`."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#%":
            continue
        parts = stripped.split(None, 2)
        if len(parts) < 2:
            raise ValueError(f"line {number}: found {stripped!r}; need two nodes")
        rest = parts[2] if len(parts) == 3 else "{}"
        if rest.startswith("{"):
            # The braces that networkx writes are YAML too, and YAML is read without evaluating anything.
            attributes = {} if rest == "{}" else load_yaml(rest, f"line {number}").data
            yield number, parts[0], parts[1], attributes
        else:
            yield number, parts[0], parts[1], {"weight": _number(rest, number)}


def _read_csv(content: bytes, directed: bool) -> nx.Graph:
    return _from_rows(_csv_rows(content.decode("utf-8-sig")), directed)


def _csv_rows(text: str) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
    """Yields (line number, sender, hearer, attributes); a head line `source,target,...` names the attributes."""
    reader = csv.reader(StringIO(text), strict=True)
    columns: list[str] | None = None
    for row in reader:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if columns is None:
            is_head = tuple(cell.lower() for cell in cells[:2]) in _HEADS
            columns = cells[2:] if is_head else ["weight"][: len(cells) - 2]
            if is_head:
                continue
        if len(cells) != len(columns) + 2 or not all(cells[:2]):
            raise ValueError(f"line {reader.line_num}: found {cells}; need {len(columns) + 2} cells, two nodes first")
        attributes = {name: _cell(cell) for name, cell in zip(columns, cells[2:], strict=True) if cell}
        yield reader.line_num, cells[0], cells[1], attributes


def _cell(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _number(text: str, line: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"line {line}: found {text!r} after the two nodes; need a weight or {{...}}") from None


def _from_rows(rows: Iterable[tuple[int, str, str, dict[str, Any]]], directed: bool) -> nx.Graph:
    """Returns the graph of the rows; without direction, the same edge may be listed once from either end."""
    graph = nx.DiGraph() if directed else nx.Graph()
    listed: set[tuple[str, str]] = set()
    for number, sender, hearer, attributes in rows:
        is_other = graph.has_edge(sender, hearer) and graph.edges[sender, hearer] != attributes
        if (sender, hearer) in listed or is_other:
            raise ValueError(f"line {number}: the edge {sender!r}, {hearer!r} occurs twice; merge parallel edges first")
        listed.add((sender, hearer))
        graph.add_edge(sender, hearer)
        graph.edges[sender, hearer].update(attributes)
    return _with_whole_numbers(graph)


def _with_whole_numbers(graph: nx.Graph) -> nx.Graph:
    """Returns the graph with integer nodes if all names are plain whole numbers, else unchanged."""
    if all(isinstance(node, str) and _is_whole(node) for node in graph):
        return nx.relabel_nodes(graph, {node: int(node) for node in graph})
    return graph


def _is_whole(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 19 and str(int(text)) == text


_READERS: Mapping[str, Callable[[bytes, bool], nx.Graph]] = {
    "graphml": _read_graphml,
    "gexf": _read_gexf,
    "node_link": _read_node_link,
    "edge_list": _read_edge_list,
    "csv": _read_csv,
}
