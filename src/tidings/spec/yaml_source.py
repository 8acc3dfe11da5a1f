"""Scenario files as plain values with line numbers: safe, small, and with one meaning.

Anchors, aliases and merge keys work. Refused before anything is built: files, nestings and alias expansions past a size
that no scenario needs (a *YAML bomb*), keys that occur twice, tags, and scalars that YAML readers disagree on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tidings.core import ScenarioError
from tidings.spec.problems import dotted, raise_problems
from tidings.spec.yaml_scalars import STR_TAG, read_plain

__all__ = ["MAX_BYTES", "MAX_CHARS", "MAX_DEPTH", "MAX_NODES", "Mark", "YamlSource", "load_yaml", "read_yaml"]

MAX_BYTES = 4 * 2**20
"""Largest scenario file, in bytes."""
MAX_NODES = 100_000
"""Most values in a scenario after its aliases are written out."""
MAX_CHARS = 16 * 2**20
"""Most characters of text in a scenario after its aliases are written out."""
MAX_DEPTH = 50
"""Deepest nesting after aliases are written out."""

_MERGE_TAG = "tag:yaml.org,2002:merge"
_MAP_TAG = "tag:yaml.org,2002:map"
_SEQ_TAG = "tag:yaml.org,2002:seq"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_Path = tuple[str | int, ...]


class Mark(NamedTuple):
    """Where a value stands in its file: the line, and a plain scalar as it was written (else None)."""

    line: int
    text: str | None


@dataclass(frozen=True)
class YamlSource:
    """A mapping as it came from a file or a caller, before it is checked.

    Attributes:
        data: The values.
        name: The file as the user named it; empty for values that come from Python.
        folder: Where relative paths in it start; None for the working directory.
        marks: Dotted path -> where it stands.
        changed: Dotted path -> what changed it after reading (an override, a sweep).
    """

    data: dict[str, Any]
    name: str = ""
    folder: Path | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)

    def where(self, path: str) -> str:
        """Returns the place of a dotted path for an error: `scenarios/x.yaml:12 environment.precision`."""
        for prefix in _prefixes(path):
            if prefix in self.changed:
                return f"{self.changed[prefix]} {path}"
        return " ".join(part for part in (self.place(path), path) if part)

    def place(self, path: str) -> str:
        """Returns file and line of a dotted path, or of the nearest thing above it: `scenarios/x.yaml:12`."""
        line = self.line(path)
        return f"{self.name}:{line}" if line and self.name else self.name

    def line(self, path: str) -> int:
        """Returns the line of a dotted path, or of the nearest thing above it; 0 if it has none."""
        return next((self.marks[prefix].line for prefix in _prefixes(path) if prefix in self.marks), 0)

    def written(self, path: str) -> str | None:
        """Returns a plain scalar as it was written, for example `no` for False."""
        mark = self.marks.get(path)
        return None if mark is None or any(prefix in self.changed for prefix in _prefixes(path)) else mark.text


def read_yaml(path: str | Path) -> YamlSource:
    """Returns the mapping in a YAML file.

    Raises:
        ScenarioError: If the file is missing, too large, not UTF-8, not YAML, or no mapping of plain values.
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ScenarioError(str(path), f"cannot read the file ({error.strerror})", fix="check the path") from None
    except UnicodeDecodeError as error:
        fix = "save it as UTF-8"
        raise ScenarioError(str(path), f"byte {error.start} is not UTF-8", "allowed: UTF-8 text", fix) from None
    if len(content) > MAX_BYTES:
        fix = "put large graphs in a file of their own (graph.file)"
        raise ScenarioError(str(path), "the file is too large", f"allowed: {MAX_BYTES:,} bytes", fix)
    return load_yaml(text, str(path), file.resolve().parent)


def load_yaml(text: str, name: str = "", folder: Path | None = None) -> YamlSource:
    """Returns the mapping in a YAML text.

    Args:
        text: One YAML document.
        name: What to call it in errors.
        folder: Where relative paths in it start.

    Raises:
        ScenarioError: If it is not YAML, too large when written out, or no mapping of plain values.
    """
    root = compose(text, name)
    if not isinstance(root, yaml.MappingNode):
        found = "the file is empty" if root is None else f"found a {_noun(root)} at the top"
        raise ScenarioError(name or "scenario", found, "need a mapping with graph, agents, environment, ...")
    reader = NodeReader(name)
    data = reader.read(root)
    raise_problems(reader.problems)
    return YamlSource(data, name, folder, reader.marks)


def compose(text: str, name: str) -> yaml.Node | None:
    """Returns the node tree of one YAML document after its size is known to be harmless.

    Raises:
        ScenarioError: If it is not YAML or too large.
    """
    try:
        _check_events(text, name)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = " ".join(f"{error.problem or error.context}".split())
        has_tab = mark is not None and "\t" in "".join(text.splitlines()[mark.line : mark.line + 1])[: mark.column + 1]
        hint = "indent with spaces, not tabs" if has_tab else ""
        raise ScenarioError(place.strip(":"), f"not YAML: {problem}", fix=hint) from None
    except yaml.YAMLError as error:
        raise ScenarioError(name or "scenario", f"not YAML: {' '.join(str(error).split())}") from None
    if root is not None:
        _weigh(root, {}, name)
    return root


def _check_events(text: str, name: str) -> None:
    """Bounds nesting and number of written values, with a parser that does not recurse."""
    depth = n_nodes = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        n_nodes += isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH or n_nodes > MAX_NODES:
            _refuse_size(name, event, depth > MAX_DEPTH)


class _Weight(NamedTuple):
    n_nodes: int
    n_chars: int
    depth: int


def _weigh(node: yaml.Node, known: dict[int, _Weight | None], name: str) -> _Weight:
    """Returns the size of a node with its aliases written out, each node of the alias graph visited once."""
    if id(node) in known:
        weight = known[id(node)]
        if weight is None:
            raise ScenarioError(
                f"{name}:{_line(node)}".lstrip(":"), "found an alias that contains itself", "need a finite value"
            )
        return weight
    known[id(node)] = None
    below = [_weigh(child, known, name) for child in _children(node)]
    n_chars = len(node.value) if isinstance(node, yaml.ScalarNode) else 0
    weight = _Weight(
        1 + sum(w.n_nodes for w in below),
        n_chars + sum(w.n_chars for w in below),
        1 + max((w.depth for w in below), default=0),
    )
    if weight.n_nodes > MAX_NODES or weight.n_chars > MAX_CHARS or weight.depth > MAX_DEPTH + 1:
        _refuse_size(name, node, weight.depth > MAX_DEPTH + 1)
    known[id(node)] = weight
    return weight


def _refuse_size(name: str, at: Any, is_deep: bool) -> None:
    where = f"{name}:{at.start_mark.line + 1}".lstrip(":")
    if is_deep:
        raise ScenarioError(where, "the file is nested too deeply", f"allowed: {MAX_DEPTH} levels")
    allowed = f"allowed: {MAX_NODES:,} values and {MAX_CHARS:,} characters"
    raise ScenarioError(where, "the file is too large once its aliases are written out", allowed)


def _children(node: yaml.Node) -> Iterable[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else ()


class NodeReader:
    """Turns a node tree into values that share nothing, and notes where each stands.

    Attributes:
        marks: Dotted path -> where it stands.
        problems: What could not be read.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.marks: dict[str, Mark] = {}
        self.problems: list[ScenarioError] = []

    def read(self, node: yaml.Node, path: _Path = ()) -> Any:
        """Returns the value of a node."""
        is_plain = isinstance(node, yaml.ScalarNode) and not node.style
        self.marks[".".join(map(str, path))] = Mark(_line(node), node.value if is_plain else None)
        if isinstance(node, yaml.MappingNode) and node.tag == _MAP_TAG:
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQ_TAG:
            return [self.read(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: _Path) -> Any:
        if isinstance(node, yaml.ScalarNode) and node.tag == STR_TAG and node.style:
            return node.value
        try:
            return read_plain(node.tag, node.value if isinstance(node, yaml.ScalarNode) else "")
        except ValueError as error:
            return self._complain(node, path, str(error))

    def _mapping(self, node: yaml.MappingNode, path: _Path) -> dict[str, Any]:
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in self._own_pairs(node, path):
            if key.value in pairs:
                first = _line(pairs[key.value][0])
                self._complain(key, (*path, key.value), f"the key {key.value!r} occurs twice (first in line {first})")
            pairs[key.value] = (key, value)
        for key, value in self._merged_pairs(node, path):
            pairs.setdefault(key.value, (key, value))
        result = {}
        if stuck := [name for name, (key, value) in pairs.items() if _is_stuck(key, value)]:
            apart = stuck[0].replace(":", ": ", 1)
            self._complain(node, path, f"found {stuck[0]!r} without a value; write a space after the colon: {apart}")
        for name, (key, value) in pairs.items():
            result[name] = self.read(value, (*path, name))
            # A block begins on the line below its key, and the key is where people look.
            dotted_path = ".".join(map(str, (*path, name)))
            self.marks[dotted_path] = self.marks[dotted_path]._replace(line=_line(key))
        return result

    def _own_pairs(self, node: yaml.MappingNode, path: _Path) -> Iterable[tuple[yaml.Node, yaml.Node]]:
        for key, value in node.value:
            if key.tag == _MERGE_TAG:
                continue
            if isinstance(key, yaml.ScalarNode) and key.tag == STR_TAG:
                yield key, value
            else:
                found = f"found the key {key.value!r}" if isinstance(key, yaml.ScalarNode) else f"a {_noun(key)} as key"
                self._complain(key, path, f"{found}, which is no text; put it in quotes")

    def _merged_pairs(self, node: yaml.MappingNode, path: _Path) -> Iterable[tuple[yaml.Node, yaml.Node]]:
        merges = [(key, value) for key, value in node.value if key.tag == _MERGE_TAG]
        for key, value in merges:
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            if len(merges) > 1 or not all(isinstance(source, yaml.MappingNode) for source in sources):
                self._complain(key, path, "found a merge key `<<`; allowed: one, with a mapping or a list of mappings")
                return
            for source in sources:
                yield from self._own_pairs(source, path)
                yield from self._merged_pairs(source, path)

    def _complain(self, node: yaml.Node, path: _Path, text: str) -> None:
        place = f"{self._name}:{_line(node)}" if self._name else ""
        self.problems.append(ScenarioError(f"{place} {dotted(path)}".strip() or "scenario", text))


def _is_stuck(key: yaml.Node, value: yaml.Node) -> bool:
    """Whether a key without a value is a pair whose colon has no space behind it: `{n:5}`."""
    is_plain = isinstance(key, yaml.ScalarNode) and not key.style
    return is_plain and ":" in key.value and value.start_mark.index == value.end_mark.index


def _prefixes(path: str) -> Iterable[str]:
    """Yields a dotted path, then everything above it, down to the empty path."""
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _noun(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "mapping"
    return "list" if isinstance(node, yaml.SequenceNode) else "single value"
