"""The seam to LangGraph: the only module that imports it, and only when a graph is built, loaded or run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from tidings.core import ReplyError, ScenarioError

__all__ = ["RECURSION_LIMIT", "Node", "compile_graph", "jump", "load_compiled", "run_graph"]

RECURSION_LIMIT = 64
"""Most supersteps of one graph run. Always passed on, since LangGraph's own default differs between versions."""

Node = Callable[[Any], Awaitable[Any]]
"""A node: reads the state, returns what changes in it, or what `jump` gives, or None."""


def compile_graph(
    state: type, nodes: Mapping[str, Node], edges: Iterable[tuple[str, str]], jumps: Mapping[str, tuple[str, ...]]
) -> Any:
    """Returns a compiled graph without checkpointer; it starts at the first node.

    Args:
        state: A TypedDict class, the graph's state.
        nodes: Name -> node, in the order in which they are usually run.
        edges: Pairs (node, next node) that are always followed.
        jumps: Node -> the nodes it may `jump` to.
    """
    from langgraph.graph import START, StateGraph

    graph: Any = StateGraph(state)  # pyright: ignore[reportArgumentType]
    for name, node in nodes.items():
        graph.add_node(name, node, destinations=jumps.get(name))
    graph.add_edge(START, next(iter(nodes)))
    for source, target in edges:
        graph.add_edge(source, target)
    return graph.compile(checkpointer=False)


def jump(node: str) -> Any:
    """Returns what a node returns to have another node run next, beside those its edges lead to."""
    from langgraph.types import Command

    return Command(goto=node)


async def run_graph(graph: Any, given: Mapping[str, Any]) -> Any:
    """Returns the final state of a graph run with the fixed recursion limit.

    Raises:
        ReplyError: `recursion_limit` if the graph does not come to an end; `interrupted` if it waits for somebody.
    """
    from langgraph.errors import GraphRecursionError

    try:
        state = await graph.ainvoke(given, {"recursion_limit": RECURSION_LIMIT})
    except GraphRecursionError:
        raise ReplyError("recursion_limit", f"the graph is not at its end after {RECURSION_LIMIT} supersteps") from None
    if isinstance(state, dict) and state.get("__interrupt__"):
        raise ReplyError("interrupted", "the graph interrupted itself; nobody can resume it in the middle of a turn")
    return state


def load_compiled(path: str, where: str = "graph") -> Any:
    """Returns the compiled graph that a scenario names.

    Args:
        path: `package.module:graph`, where `graph` is a compiled graph.
        where: Name of the parameter, for the error.

    Raises:
        ScenarioError: If there is no such graph, it is not compiled, or it was compiled with a checkpointer: what it
            would remember between turns is not in the log and would not survive `resume`.
    """
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        raise ScenarioError(where, f"found {path!r}", "need package.module:graph")
    graph = _attribute(module_name, name, where)
    if not hasattr(graph, "ainvoke"):
        fix = f"end it with `{name} = builder.compile()`" if hasattr(graph, "compile") else ""
        raise ScenarioError(where, f"{path} is a {type(graph).__name__}", "need a compiled LangGraph graph", fix)
    if getattr(graph, "checkpointer", None):
        fix = "compile it without one and return what it shall remember as `thoughts`"
        raise ScenarioError(where, f"{path} has a checkpointer", "a seat remembers only what is in the event log", fix)
    return graph


def _attribute(module_name: str, name: str, where: str) -> Any:
    try:
        return getattr(import_module(module_name), name)
    except AttributeError:
        raise ScenarioError(where, f"{module_name} has no {name!r}", "need package.module:graph") from None
    except ModuleNotFoundError as error:
        fix = "is it installed, or on PYTHONPATH?"
        raise ScenarioError(
            where, f"cannot import {module_name!r} ({error})", "need package.module:graph", fix
        ) from None
