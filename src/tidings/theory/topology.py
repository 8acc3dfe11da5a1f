"""Who reads whom: communication graphs from contributions, fixed families, order of speaking, and the final choice.

An edge (u, v) means *v reads u*. Graphs are sorted lists of such pairs over agents 0..n-1. The rule of the paper is
`contribution_dag`; that of the released code is in `topology_released`, the fixed families in `topology_families`, and
both are re-exported here.

Source: "Stochastic Self-Organization in Multi-Agent Systems", arXiv 2510.00685; tie rules are ours.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from tidings.theory.cosine import check_embeddings, check_values, cosines_to_sum, pairwise_cosines
from tidings.theory.shapley import cosine_contributions
from tidings.theory.topology_families import FAMILIES, family
from tidings.theory.topology_released import ReleasedDag, released_dag, trace_released_dag

__all__ = [
    "FAMILIES",
    "TIE",
    "Edge",
    "ReleasedDag",
    "ScheduleEntry",
    "contribution_dag",
    "count_calls",
    "family",
    "is_consensus",
    "longest_path",
    "propagation_order",
    "propagation_schedule",
    "released_dag",
    "select_contributor",
    "select_response",
    "trace_released_dag",
]

Edge: TypeAlias = tuple[int, int]
Mode: TypeAlias = Literal["self_refine", "read_parents", "skip"]

TIE = 1e-9
_SELECTION_TIE = 1e-12


class ScheduleEntry(NamedTuple):
    """What one agent does in a round.

    Attributes:
        agent: Its id.
        mode: `self_refine` (the first of the order reviews its own answer), `read_parents`, or `skip` (an agent
            without parents that is not first: no call).
        reads: Ids of the parents whose answers it reads, ascending.
    """

    agent: int
    mode: Mode
    reads: tuple[int, ...]


def contribution_dag(embeddings: ArrayLike, tau: float, top_k: int | None = None) -> list[Edge]:
    """Returns the paper's graph: v reads u when their answers are close and u contributed clearly more.

    Edge (u, v) iff cos(r_u, r_v) >= tau and psi_u > psi_v + 1e-9; then at most `top_k` parents per reader, those of
    highest cosine (ties: higher psi, lower id; both compared on 9 decimals). Every edge runs downhill in psi, so
    there is no cycle. A cosine equal to tau is decided by rounding noise.

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.
        tau: Least cosine, inclusive; -1 turns the threshold off.
        top_k: Cap on parents per reader; `None` for no cap.

    Returns:
        Edges, sorted.

    Raises:
        ValueError: If the embeddings are no finite matrix, tau is NaN, or `top_k` is below 1.

    Source: arXiv 2510.00685, graph formation; the cap is that of its released code, applied per reader.
    """
    matrix = check_embeddings("contribution_dag", embeddings)
    if np.isnan(tau):
        raise ValueError(f"contribution_dag.tau: found {tau!r}; need a cosine; use -1 to turn the threshold off")
    if top_k is not None and top_k < 1:
        raise ValueError(f"contribution_dag.top_k: found {top_k!r}; need 1 or more, or None for no cap")
    cosines, psi = pairwise_cosines(matrix), cosine_contributions(matrix)
    allowed = (cosines >= tau) & (psi[:, None] > psi[None, :] + TIE)
    if top_k is not None:
        allowed &= _is_among_closest(np.where(allowed, cosines, -np.inf), psi, top_k)
    sources, readers = allowed.nonzero()
    return list(zip(sources.tolist(), readers.tolist(), strict=True))


def _is_among_closest(cosines: np.ndarray, psi: np.ndarray, top_k: int) -> np.ndarray:
    """Returns for each (parent, reader) whether the parent is among the reader's first `top_k` `[n, n]`."""
    n = len(psi)
    by_psi = np.lexsort((np.arange(n), -psi.round(9)))
    ranked = by_psi[np.argsort(-cosines[by_psi].round(9), axis=0, kind="stable")[:top_k]]
    chosen = np.zeros((n, n), dtype=bool)
    np.put_along_axis(chosen, ranked, True, axis=0)
    return chosen


def _parents(where: str, n: int, edges: Iterable[Edge]) -> list[set[int]]:
    """Returns the parents of each agent.

    Raises:
        ValueError: If an edge leaves 0..n-1 or is a loop.
    """
    parents: list[set[int]] = [set() for _ in range(n)]
    for u, v in edges:
        if not (0 <= u < n and 0 <= v < n) or u == v:
            raise ValueError(f"{where}.edges: found {(u, v)!r}; need two different agents from 0 to {n - 1}")
        parents[v].add(u)
    return parents


def _pairs(edges: Iterable[Edge] | object) -> list[Edge]:
    """Returns the edges as pairs; takes a networkx graph too, whose own iterator gives nodes."""
    listed = edges.edges() if hasattr(edges, "edges") else edges  # type: ignore[union-attr]
    return [(int(u), int(v)) for u, v in listed]  # type: ignore[union-attr]


def propagation_order(n: int, edges: Iterable[Edge], contributions: ArrayLike) -> list[int]:
    """Returns the order of speaking: topological, higher contribution first, then lower id.

    Args:
        n: Number of agents.
        edges: Pairs (u, v), v reads u, or a networkx DiGraph.
        contributions: One number per agent `[n]`; compared on 9 decimals.

    Returns:
        A permutation of 0..n-1 in which every parent comes before its readers.

    Raises:
        ValueError: If an edge names no agent, the graph has a cycle, or the contributions do not fit.

    Source: Kahn 1962, with a heap; arXiv 2510.00685, "higher contribution first".
    """
    parents = _parents("propagation_order", n, _pairs(edges))
    rounded = check_values("propagation_order.contributions", contributions, n).round(9)
    readers: list[list[int]] = [[] for _ in range(n)]
    for reader, above in enumerate(parents):
        for parent in above:
            readers[parent].append(reader)
    n_waiting = [len(above) for above in parents]
    ready = [(-rounded[agent], agent) for agent in range(n) if not n_waiting[agent]]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        agent = heapq.heappop(ready)[1]
        order.append(agent)
        for reader in readers[agent]:
            n_waiting[reader] -= 1
            if not n_waiting[reader]:
                heapq.heappush(ready, (-rounded[reader], reader))
    if len(order) < n:
        stuck = sorted(set(range(n)) - set(order))
        raise ValueError(f"propagation_order.edges: found a cycle at or above agents {stuck!r}; need an acyclic graph")
    return order


def propagation_schedule(order: Sequence[int], edges: Iterable[Edge]) -> list[ScheduleEntry]:
    """Returns what each agent does in a round, in speaking order.

    The first of the order reviews its own answer, every other agent with parents reads them (their new texts of this
    round), and every other agent without parents is skipped.

    Args:
        order: A permutation of 0..n-1, parents before readers.
        edges: Pairs (u, v), v reads u, or a networkx DiGraph.

    Raises:
        ValueError: If the order is no permutation, or a reader comes before one of its parents.
    """
    agents = [int(agent) for agent in order]
    if sorted(agents) != list(range(len(agents))):
        raise ValueError(f"propagation_schedule.order: found {order!r}; need each agent from 0 up exactly once")
    parents, place = _parents("propagation_schedule", len(agents), _pairs(edges)), np.argsort(agents)
    schedule: list[ScheduleEntry] = []
    for position, agent in enumerate(agents):
        late = [parent for parent in parents[agent] if place[parent] > position]
        if late:
            raise ValueError(
                f"propagation_schedule.order: agent {agent!r} comes before its parents {sorted(late)!r}; "
                "need parents first; use propagation_order"
            )
        alone: Mode = "skip" if position else "self_refine"
        mode: Mode = "read_parents" if parents[agent] else alone
        schedule.append(ScheduleEntry(agent, mode, tuple(sorted(parents[agent]))))
    return schedule


def count_calls(schedule: Iterable[ScheduleEntry]) -> int:
    """Returns how many model calls a round makes: entries that are not `skip`."""
    return sum(entry.mode != "skip" for entry in schedule)


def longest_path(n: int, edges: Iterable[Edge]) -> int:
    """Returns the depth of a graph: edges on its longest path, so a round takes depth + 1 sequential steps.

    Raises:
        ValueError: If an edge names no agent or the graph has a cycle.
    """
    pairs = _pairs(edges)
    parents, depth = _parents("longest_path", n, pairs), [0] * n
    for agent in propagation_order(n, pairs, np.zeros(n)):
        depth[agent] = max((depth[parent] + 1 for parent in parents[agent]), default=0)
    return max(depth, default=0)


def select_response(embeddings: ArrayLike, weights: ArrayLike) -> int:
    """Returns the agent whose answer is nearest to the weighted centroid: an existing answer, never a new one.

    argmax_n cos(r_n, sum_m w_m r_m); scores within 1e-12 tie and the lowest id wins; a zero sum gives 0. Weights are
    used as they are: negative ones turn the centroid away (clamp at 0 where that is not wanted).

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.
        weights: One number per agent `[n_agents]`: 1 for the mean, psi, or the released contribution.

    Raises:
        ValueError: If the embeddings are no finite matrix or the weights do not fit.

    Source: arXiv 2510.00685, final response.
    """
    matrix = check_embeddings("select_response", embeddings)
    scores = cosines_to_sum(matrix, check_values("select_response.weights", weights, len(matrix)))
    return int(np.flatnonzero(scores >= scores.max() - _SELECTION_TIE)[0])


def select_contributor(contributions: ArrayLike) -> int:
    """Returns the agent with the largest contribution; the lowest id within 1e-9 of the maximum.

    Raises:
        ValueError: If there is no contribution or one is not finite.
    """
    values = np.asarray(contributions, dtype=np.float64)
    if not values.size:
        raise ValueError("select_contributor.contributions: found none; need one or more numbers; count the failure")
    values = check_values("select_contributor.contributions", values, values.size)
    return int(np.flatnonzero(values >= values.max() - TIE)[0])


def is_consensus(
    embeddings: ArrayLike,
    contributions: ArrayLike | None = None,
    min_cosine: float = 0.95,
    max_range: float = 0.05,
) -> bool:
    """Returns whether all answers agree: every pairwise cosine >= min_cosine, contributions within max_range.

    Args:
        embeddings: Answers `[n_agents, dim]`, raw.
        contributions: What max - min is taken of `[n_agents]`; psi if left out. With psi the range never binds at the
            usual numbers (all cosines >= 0.95 keep psi within 0.05); it does with the released contribution.
        min_cosine: Least cosine of any pair.
        max_range: Largest max - min.

    Returns:
        True for one agent.

    Raises:
        ValueError: If the embeddings are no finite matrix or the contributions do not fit.

    Source: the stopping rule of the code released with arXiv 2510.00685.
    """
    matrix = check_embeddings("is_consensus", embeddings)
    n = len(matrix)
    values = cosine_contributions(matrix) if contributions is None else contributions
    values = check_values("is_consensus.contributions", values, n)
    pairs = pairwise_cosines(matrix)[~np.eye(n, dtype=bool)]
    return n == 1 or bool(pairs.min() >= min_cosine and np.ptp(values) <= max_range)
