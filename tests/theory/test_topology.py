import json
import math
import time
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tidings.core.seeds import SeedPath
from tidings.theory import shapley, topology
from tidings.theory.cosine import pairwise_cosines
from tidings.theory.topology_released import find_cycle

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "self_organisation.json").read_text())
CASES = sorted(GOLDEN["golden"])
RELEASED = "released_graph(k=2,thr=-1)"

# Few different values on purpose: duplicates, zero rows and ties are frequent.
matrices = st.tuples(st.integers(1, 7), st.integers(1, 4)).flatmap(
    lambda shape: arrays(float, shape, elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.7]))
)
caps = st.one_of(st.none(), st.integers(1, 4))
thresholds = st.sampled_from([-1.0, 0.0, 0.3, 0.51, 0.76])


def graph(n, edges):
    result = nx.DiGraph()
    result.add_nodes_from(range(n))
    result.add_edges_from(edges)
    return result


def pairs(listed):
    return [tuple(edge) for edge in listed]


def plain_contribution_dag(rows, tau, top_k):
    """The rule of the sheet, reader by reader, in plain loops."""
    n, psi, edges = len(rows), shapley.cosine_contributions(rows), []
    lengths = np.linalg.norm(rows, axis=1)

    def cosine(u, v):
        return float(rows[u] @ rows[v] / (lengths[u] * lengths[v])) if lengths[u] * lengths[v] else 0.0

    for v in range(n):
        above = [u for u in range(n) if u != v and psi[u] > psi[v] + 1e-9 and max(cosine(u, v), -1.0) >= tau]
        above.sort(key=lambda u: (-round(cosine(u, v), 9), -round(psi[u], 9), u))
        edges += [(u, v) for u in above[:top_k]]
    return sorted(edges)


@pytest.mark.parametrize("case", CASES)
def test_golden_paper_graphs(case):
    rows = np.array(GOLDEN["golden"][case]["embeddings"])
    for key, golden in GOLDEN["golden"][case]["paper_graph"].items():
        tau, cap = (part.split("=")[1] for part in key.split(","))
        edges = topology.contribution_dag(rows, float(tau), None if cap == "None" else int(cap))
        order = topology.propagation_order(len(rows), edges, shapley.cosine_contributions(rows))
        schedule = topology.propagation_schedule(order, edges)
        assert edges == pairs(golden["edges"]), key
        assert order == golden["order"], key
        assert [entry._asdict() | {"reads": list(entry.reads)} for entry in schedule] == golden["schedule"], key
        assert topology.count_calls(schedule) == golden["calls"], key


@pytest.mark.parametrize("case", CASES)
def test_golden_selection(case):
    golden, rows = GOLDEN["golden"][case]["selection"], np.array(GOLDEN["golden"][case]["embeddings"])
    assert topology.select_response(rows, np.ones(len(rows))) == golden["mean_centroid"]
    assert topology.select_response(rows, shapley.cosine_contributions(rows)) == golden["psi_weighted"]
    assert topology.select_response(rows, shapley.released_contributions(rows)) == golden["released_weighted"]
    assert topology.select_contributor(shapley.exact_shapley(rows)) == golden["argmax_phi"]
    assert topology.is_consensus(rows) == golden["consensus_0.95_0.05"]


@pytest.mark.parametrize("case", CASES)
def test_golden_released_graph(case):
    golden, rows = GOLDEN["golden"][case][RELEASED], np.array(GOLDEN["golden"][case]["embeddings"])
    found = topology.trace_released_dag(rows, top_k=2, threshold=-1)
    assert found.edges_before == tuple(pairs(golden["edges_before"]))
    assert found.is_cyclic_before == golden["cyclic_before"]
    assert found.removed == tuple(pairs(golden["removed"]))
    assert topology.released_dag(rows) == pairs(golden["edges"])
    order = topology.propagation_order(len(rows), found.edges, found.contributions)
    assert order == golden["order"]
    assert topology.count_calls(topology.propagation_schedule(order, found.edges)) == golden["calls"]


@pytest.mark.parametrize("key", sorted(GOLDEN["topologies"]))
def test_golden_families(key):
    (name, n), golden = key.split("|n="), GOLDEN["topologies"][key]
    edges = topology.family(name, int(n))
    assert edges == pairs(golden["edges"])
    assert len(edges) == golden["count"]
    assert topology.longest_path(int(n), edges) == golden["depth"]


@given(matrices, thresholds, caps)
@settings(max_examples=150, deadline=None)
def test_paper_graph_equals_plain_loops_and_runs_downhill(rows, tau, top_k):
    edges, psi = topology.contribution_dag(rows, tau, top_k), shapley.cosine_contributions(rows)
    assert edges == plain_contribution_dag(rows, tau, top_k)
    assert nx.is_directed_acyclic_graph(graph(len(rows), edges))
    assert all(psi[u] > psi[v] for u, v in edges)
    if top_k is not None:
        assert max(dict(graph(len(rows), edges).in_degree).values()) <= top_k


@given(matrices, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_paper_graph_is_permutation_equivariant(rows, random):
    order = random.sample(range(len(rows)), len(rows))
    moved = topology.contribution_dag(rows[order], -1.0)
    assert sorted((order[u], order[v]) for u, v in moved) == topology.contribution_dag(rows, -1.0)


def test_cosines_stay_inside_their_range_and_have_no_diagonal():
    rows = np.random.default_rng(3).normal(size=(50, 3))
    cosines = pairwise_cosines(np.vstack([rows, -rows]))
    assert cosines.min() == -1.0
    assert not np.diag(cosines).any()


def test_threshold_off_is_off_for_opposite_answers():
    rows = np.array([[3.0, 1.0, 0.3], [-3.0, -1.0, -0.3], [0.3, 0.1, 0.7]])
    edges = topology.contribution_dag(rows, -1.0)
    assert edges == [(0, 1), (2, 0), (2, 1)]


def test_threshold_counts_equality_and_comes_before_the_cap():
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert topology.contribution_dag(rows, 0.0) == [(2, 0), (2, 1)]
    assert topology.contribution_dag(np.array([[2.0, 0.0], [0.0, 1.0]]), 0.0) == [(0, 1)]
    assert topology.contribution_dag(np.array([[2.0, 0.0], [0.0, 1.0]]), 1e-9) == []


def test_cap_prefers_closer_then_stronger_then_lower_id():
    rows = np.array([[2.0, 0.0], [2.0, 0.0], [1.0, 0.4], [0.0, 1.0]])
    assert topology.contribution_dag(rows, -1.0, 1) == [(2, 0), (2, 1), (2, 3)]
    twins = np.array([[1.0, 0.2], [1.0, 0.2], [0.2, 1.0]])
    assert (0, 2) in topology.contribution_dag(twins, -1.0, 1)
    assert (1, 2) not in topology.contribution_dag(twins, -1.0, 1)
    assert {(0, 2), (1, 2)} <= set(topology.contribution_dag(twins, -1.0, 2))


def test_cap_takes_the_stronger_of_two_equally_close():
    rows = np.array([[0.6, 0.8, 0.0], [0.6, 0.0, 0.8], [1.0, 0.0, 0.0], [0.0, 0.5, 1.0]])
    assert [edge for edge in topology.contribution_dag(rows, -1.0, 1) if edge[1] == 2] == [(1, 2)]


def plain_released(rows, top_k, threshold):
    """The released rule of the sheet in plain loops, recursion for the search: (edges before, removed)."""
    n, shares = len(rows), [float(c) for c in shapley.released_contributions(rows)]
    lengths = np.linalg.norm(rows, axis=1)

    def cosine(u, v):
        return float(rows[u] @ rows[v] / (lengths[u] * lengths[v])) if lengths[u] * lengths[v] else 0.0

    def adjusted(u, v):
        return cosine(u, v) * (1 + n * (shares[u] - shares[v]))

    edges = []
    for v in range(n):
        parents = [u for u in range(n) if u != v and max(cosine(u, v), -1.0) >= threshold]
        parents.sort(key=lambda u: (-round(adjusted(u, v), 9), -round(shares[u], 9), u))
        edges += [(u, v) for u in parents[:top_k]]
    before, removed = sorted(edges), []

    def walk(u, path, done):
        for v in sorted(b for a, b in edges if a == u):
            if v in path:
                cycle = [*path[path.index(v) :], v]
                return list(pairwise(cycle))
            found = None if v in done else walk(v, [*path, v], done)
            if found:
                return found
        done.add(u)
        return None

    def first_cycle():
        done: set[int] = set()
        found = (walk(root, [root], done) for root in range(n) if root not in done)
        return next((cycle for cycle in found if cycle), None)

    while cycle := first_cycle():
        lightest = min(cycle, key=lambda edge: (round(max(0.0, adjusted(*edge)), 9), *edge))
        edges.remove(lightest)
        removed.append(lightest)
    return before, removed


@given(matrices, thresholds, st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_released_graph_equals_plain_loops(rows, threshold, top_k):
    found = topology.trace_released_dag(rows, top_k, threshold)
    before, removed = plain_released(rows, top_k, threshold)
    assert found.edges_before == tuple(before)
    assert found.removed == tuple(removed)


@given(matrices, thresholds, st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_released_graph_properties(rows, threshold, top_k):
    found = topology.trace_released_dag(rows, top_k, threshold)
    before, after = graph(len(rows), found.edges_before), graph(len(rows), found.edges)
    assert nx.is_directed_acyclic_graph(after)
    assert nx.is_directed_acyclic_graph(before) != found.is_cyclic_before
    assert sorted(found.edges + found.removed) == list(found.edges_before)
    assert max(dict(before.in_degree).values()) <= top_k
    for u, v in found.removed:
        assert nx.has_path(before, v, u)


def test_released_graph_of_one_and_two_agents():
    assert topology.released_dag([[1.0, 2.0]]) == []
    assert topology.trace_released_dag([[1.0, 0.0], [0.0, 1.0]]).removed == ((0, 1),)


def test_first_cycle_is_that_of_the_lowest_start():
    assert find_cycle(4, [(2, 3), (3, 2), (0, 1)]) == [(2, 3), (3, 2)]
    assert find_cycle(4, [(0, 1), (1, 2), (2, 1), (2, 0)]) == [(0, 1), (1, 2), (2, 0)]
    assert find_cycle(3, [(0, 1), (0, 2), (1, 2)]) is None


def random_dag(data, n):
    candidates = [(u, v) for u in range(n) for v in range(u + 1, n)]
    names = data.draw(st.permutations(range(n)))
    chosen = data.draw(st.lists(st.sampled_from(candidates), unique=True)) if candidates else []
    return [(names[u], names[v]) for u, v in chosen]


@given(st.data(), st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_order_is_the_linear_extension_by_contribution_then_id(data, n):
    edges = random_dag(data, n)
    contributions = data.draw(st.lists(st.sampled_from([-0.5, 0.0, 1e-12, 0.25, 0.9]), min_size=n, max_size=n))
    order = topology.propagation_order(n, edges, contributions)
    expected = nx.lexicographical_topological_sort(graph(n, edges), key=lambda a: (-round(contributions[a], 9), a))
    assert order == list(expected)


@given(st.data(), st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_schedule_reads_parents_and_nobody_else(data, n):
    edges = random_dag(data, n)
    schedule = topology.propagation_schedule(topology.propagation_order(n, edges, [0.0] * n), edges)
    assert sorted((u, entry.agent) for entry in schedule for u in entry.reads) == sorted(edges)
    has_parents = {v for _, v in edges}
    for position, (agent, mode, reads) in enumerate(schedule):
        expected = "read_parents" if agent in has_parents else "skip" if position else "self_refine"
        assert mode == expected
        assert list(reads) == sorted(reads)
    assert topology.count_calls(schedule) == sum(entry.mode != "skip" for entry in schedule) <= n


@pytest.mark.parametrize("name", topology.FAMILIES)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 11, 16])
def test_text_moves_along_each_edge_and_no_other(name, n):
    """A stub model answers with its own name and all it read: who stands in whose text is known in advance."""
    edges = topology.family(name, n, seed=5)
    order = topology.propagation_order(n, edges, np.ones(n))
    texts = {agent: {("old", agent)} for agent in range(n)}
    prompts = {}
    for entry in topology.propagation_schedule(order, edges):
        prompts[entry.agent] = {parent: set(texts[parent]) for parent in entry.reads}
        if entry.mode != "skip":
            texts[entry.agent] = {("new", entry.agent)}.union(*prompts[entry.agent].values())
    assert {(u, v) for v, read in prompts.items() for u in read} == set(edges)
    for u, v in edges:
        starts = u == 0 or any(reader == u for _, reader in edges)
        assert (("new", u) in prompts[v][u]) == starts
    ancestors = {v: nx.ancestors(graph(n, edges), v) for v in range(n)}
    assert all({agent for _, agent in texts[v]} <= ancestors[v] | {v} for v in range(n))


@pytest.mark.parametrize("n", range(1, 10))
def test_families_against_networkx(n):
    star = nx.star_graph(n - 1)
    assert {frozenset(edge) for edge in topology.family("star", n)} == {frozenset(edge) for edge in star.edges}
    assert topology.family("chain", n) == sorted(nx.path_graph(n, create_using=nx.DiGraph).edges)
    assert len(topology.family("complete", n)) == n * (n - 1) // 2
    for name in topology.FAMILIES:
        edges = topology.family(name, n, seed=1)
        assert edges == sorted(edges)
        assert all(0 <= u < v < n for u, v in edges)


@pytest.mark.parametrize(
    ("n", "sizes"), [(2, [2]), (3, [3]), (5, [3, 2]), (9, [3, 3, 3]), (11, [5, 3, 3]), (16, [4] * 4)]
)
def test_layered_sizes_and_full_joins(n, sizes):
    bounds = np.cumsum([0, *sizes])
    layers = [range(a, b) for a, b in pairwise(bounds)]
    expected = [(u, v) for above, below in pairwise(layers) for u in above for v in below]
    assert topology.family("layered", n) == sorted(expected)


def test_random_family_repeats_covers_its_range_and_stays_inside():
    n, drawn = 5, [tuple(topology.family("random", 5, seed=seed)) for seed in range(700)]
    assert drawn[3] == tuple(topology.family("random", 5, seed=3))
    assert len(set(drawn)) > 300
    counts = np.bincount([len(edges) for edges in drawn], minlength=11)
    assert counts[:4].sum() == 0
    assert counts[4:].min() > 60  # uniform on 4..10: 100 expected each
    assert all(len(set(edges)) == len(edges) and set(edges) <= set(topology.family("complete", n)) for edges in drawn)
    shares = np.mean([[edge in edges for edge in topology.family("complete", n)] for edges in drawn], axis=0)
    assert np.abs(shares - 0.7).max() < 0.08


def test_random_family_is_made_of_seed_path_draws():
    """Own draws, one path per edge: the same graph on every machine and under every numpy."""
    path, pool = SeedPath.root(1).child("topology", "random", 4), topology.family("complete", 4)
    n_edges = 3 + int(path.uniform("n_edges") * 4)
    first = sorted(range(6), key=lambda i: path.uniform("edge", i))[:n_edges]
    expected = [pool[i] for i in sorted(first)]
    assert topology.family("random", 4, seed=1) == expected == [(0, 1), (0, 3), (2, 3)]


def plain_selection(rows, weights):
    target, best = (np.asarray(weights)[:, None] * rows).sum(axis=0), []
    for row in rows:
        lengths = np.linalg.norm(row) * np.linalg.norm(target)
        best.append(float(row @ target / lengths) if lengths > 1e-9 else 0.0)
    return next(i for i, score in enumerate(best) if score >= max(best) - 1e-12)


@given(matrices, st.data())
@settings(max_examples=100, deadline=None)
def test_selection_equals_plain_loops_and_is_an_existing_answer(rows, data):
    n = len(rows)
    weights = data.draw(st.lists(st.sampled_from([-0.5, 0.0, 0.25, 1.0]), min_size=n, max_size=n))
    chosen = topology.select_response(rows, weights)
    assert chosen == plain_selection(rows, weights)
    assert 0 <= chosen < n


def test_selection_of_a_zero_sum_and_of_twins_is_the_lowest_id():
    angles = np.radians([10, 130, 250])
    assert topology.select_response(np.stack([np.cos(angles), np.sin(angles)], axis=1), [1, 1, 1]) == 0
    assert topology.select_response([[0.0, 1.0], [1.0, 0.1], [2.0, 0.2]], [0, 1, 1]) == 1
    assert topology.select_response([[0.0], [0.0]], [1, 1]) == 0
    assert topology.select_response([[1.0, 0.0], [1.0, 1e-7]], [0, 1]) == 0  # scores 5e-15 apart
    assert topology.select_response([[1.0, 0.0], [1.0, 1e-5]], [0, 1]) == 1  # scores 5e-11 apart


def test_consensus():
    close = np.array([[1.0, 0.0], [1.0, 0.1]])
    assert topology.is_consensus(close)
    assert topology.is_consensus(close, contributions=[0.5, 0.45])
    assert not topology.is_consensus(close, contributions=[0.6, 0.4])
    assert not topology.is_consensus([[1.0, 0.0], [0.9, 0.9]])
    assert topology.is_consensus([[0.0, 0.0]])
    assert topology.is_consensus([[1.0, 0.0]], contributions=[1.0])
    assert not topology.is_consensus([[0.0], [0.0]])
    wide = np.array([[1.0, 0.0], [0.9, 0.9]])
    assert topology.is_consensus(wide, min_cosine=0.7)


def test_networkx_graphs_are_taken_as_edges():
    edges = topology.family("tree", 6)
    order = topology.propagation_order(6, graph(6, edges), np.ones(6))
    assert order == topology.propagation_order(6, edges, np.ones(6))
    assert topology.propagation_schedule(order, graph(6, edges)) == topology.propagation_schedule(order, edges)
    assert topology.longest_path(6, graph(6, edges)) == 2


def test_contributor_ties_within_a_billionth():
    assert topology.select_contributor([0.2, 0.5, 0.5 + 5e-10]) == 1
    assert topology.select_contributor([0.2, 0.5, 0.5 + 5e-9]) == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: topology.family("ring", 4), r"family\.name: found 'ring'; need one of chain"),
        (lambda: topology.family("chian", 4), "did you mean 'chain'"),
        (lambda: topology.family("chain", 0), r"family\.n: found 0"),
        (lambda: topology.family("random", 4), r"family\.seed: found None"),
        (lambda: topology.contribution_dag([[1.0]], math.nan), r"tau: found nan"),
        (lambda: topology.contribution_dag([[1.0]], 0.5, 0), r"top_k: found 0"),
        (lambda: topology.released_dag([[1.0]], 0), r"found top_k 0"),
        (lambda: topology.propagation_order(2, [(0, 1), (1, 0)], [0, 0]), r"found a cycle at or above agents \[0, 1\]"),
        (lambda: topology.propagation_order(2, [(0, 2)], [0, 0]), r"edges: found \(0, 2\)"),
        (lambda: topology.propagation_order(2, [(1, 1)], [0, 0]), r"edges: found \(1, 1\)"),
        (lambda: topology.propagation_order(2, [], [0]), r"contributions: found \[0\]"),
        (lambda: topology.propagation_order(1, [], [math.nan]), r"need 1 finite numbers"),
        (lambda: topology.propagation_schedule([1, 0], [(0, 1)]), r"agent 1 comes before its parents \[0\]"),
        (lambda: topology.propagation_schedule([0, 0], []), r"order: found \[0, 0\]"),
        (lambda: topology.select_response([[1.0]], [1.0, 2.0]), r"weights: found \[1.0, 2.0\]"),
        (lambda: topology.select_contributor([]), "found none"),
        (lambda: topology.is_consensus([[1.0]], [1.0, 2.0]), r"contributions: found"),
    ],
)
def test_bad_requests_say_what_is_allowed(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_a_thousand_agents_are_no_trouble():
    rows = np.random.default_rng(0).normal(size=(1000, 384)) + 0.1
    start = time.perf_counter()
    edges = topology.contribution_dag(rows, -1.0, 3)
    order = topology.propagation_order(1000, edges, shapley.cosine_contributions(rows))
    assert time.perf_counter() - start < 2
    assert sorted(order) == list(range(1000))
