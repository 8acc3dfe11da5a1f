"""Beliefs, claims, leakage, questions, influence and labels: closed forms, identities, undefined cases."""

import math
from itertools import chain, combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.theory.information import (
    bayes_regret,
    belief_shift,
    best_question,
    brier_score,
    causal_influence_of_communication,
    claim_score,
    conformal_entropy_bound,
    conformal_threshold,
    expected_bayes_regret,
    expected_information_gain,
    information_leakage,
    leave_one_out_influence,
    log_score_gain,
    minimal_labels,
    mutual_information,
    semantic_mutual_information,
    shapley_values,
    social_influence,
    speaker_consistency,
)

seeds = st.integers(0, 2**32 - 1)
INF = math.inf


def subsets(n):
    return chain.from_iterable(combinations(range(n), size) for size in range(n + 1))


def test_log_score_gain():
    assert log_score_gain([0.25, 0.75], [0.5, 0.5], 0) == 1.0
    assert log_score_gain([0.5, 0.5], [0.125, 0.875], 0) == -2.0
    assert log_score_gain([0.5, 0.5], [0.0, 1.0], 0) == -INF
    assert math.isnan(log_score_gain([0.0, 1.0], [0.5, 0.5], 0))
    assert math.isnan(log_score_gain([0.0, 1.0], [0.0, 1.0], 0))


def test_belief_shift_direction():
    assert belief_shift([0.5, 0.5], [1.0, 0.0]) == 1.0
    assert belief_shift([1.0, 0.0], [0.5, 0.5]) == INF
    assert belief_shift([0.25, 0.75], [0.5, 0.5]) == pytest.approx(0.5 + 0.5 * math.log2(2 / 3), abs=1e-15)


def test_brier():
    assert brier_score([0.0, 1.0], 1) == 0.0
    assert brier_score([0.0, 1.0], 0) == 2.0
    assert brier_score([0.7, 0.2, 0.1], 0) == pytest.approx(0.14)


@given(seeds)
def test_regret_is_the_difference_of_gains_and_its_mean_a_divergence(seed):
    rng = np.random.default_rng(seed)
    prior, bayes, post = rng.dirichlet(np.ones(4), size=3)
    regrets = [bayes_regret(bayes, post, x) for x in range(4)]
    for x in range(4):
        gap = log_score_gain(prior, bayes, x) - log_score_gain(prior, post, x)
        assert regrets[x] == pytest.approx(gap, abs=1e-9)
    assert expected_bayes_regret(bayes, post) == pytest.approx(float(bayes @ regrets), abs=1e-9)
    assert expected_bayes_regret(bayes, post) >= 0.0


def test_regret_edges():
    assert bayes_regret([0.5, 0.5], [0.0, 1.0], 0) == INF
    assert math.isnan(bayes_regret([0.0, 1.0], [0.5, 0.5], 0))


@given(seeds)
def test_semantic_information_is_the_mean_score_and_at_most_shannon(seed):
    rng = np.random.default_rng(seed)
    px, claims = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4), size=3)
    truths = rng.uniform(0.05, 1.0, size=(3, 4))
    value = semantic_mutual_information(px, claims, truths)
    mean = sum(px[i] * claims[i, j] * claim_score(truths, px, j, i) for i, j in np.ndindex(3, 4))
    shannon = mutual_information(px[:, None] * claims)
    assert value == pytest.approx(mean, abs=1e-12)
    assert value <= shannon + 1e-12
    assert semantic_mutual_information(px, claims, claims / claims.max(axis=0)) == pytest.approx(shannon, abs=1e-12)


def test_claims_at_the_edge():
    truths = [[1.0, 0.0], [0.0, 0.0]]
    assert claim_score(truths, [0.5, 0.5], 0, 0) == 1.0
    assert claim_score(truths, [0.5, 0.5], 0, 1) == -INF
    assert math.isnan(claim_score(truths, [0.5, 0.5], 1, 0))
    assert semantic_mutual_information([0.5, 0.5], [[1.0, 0.0], [1.0, 0.0]], truths) == -INF
    assert semantic_mutual_information([1.0, 0.0], [[1.0, 0.0], [1.0, 0.0]], truths) == 0.0
    vague_lie = semantic_mutual_information([0.5, 0.5], [[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.5], [0.5, 1.0]])
    assert vague_lie == pytest.approx(math.log2(0.5 / 0.75), abs=1e-15)


@given(seeds)
def test_leakage_relations(seed):
    rng = np.random.default_rng(seed)
    prior, channel = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4), size=3)
    leak = information_leakage(prior, channel)
    guesses = sum(max(prior[s] * channel[s, o] for s in range(3)) for o in range(4))
    assert leak["V_post"] == pytest.approx(guesses, abs=1e-15)
    assert leak["min_entropy_leakage"] == pytest.approx(math.log2(guesses / prior.max()), abs=1e-12)
    assert leak["shannon_leakage"] == pytest.approx(mutual_information(prior[:, None] * channel), abs=1e-12)
    assert -1e-12 <= leak["min_entropy_leakage"] <= leak["maximal_leakage"] + 1e-12
    uniform = information_leakage([1 / 3] * 3, channel)
    assert uniform["min_entropy_leakage"] == pytest.approx(leak["maximal_leakage"], abs=1e-12)


def test_leakage_of_an_impossible_secret():
    leak = information_leakage([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]])
    assert (leak["V_prior"], leak["V_post"], leak["shannon_leakage"]) == (1.0, 1.0, 0.0)
    assert leak["min_entropy_leakage"] == 0.0
    assert leak["maximal_leakage"] == 1.0


def test_questions():
    halves, one = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], *[[0.0, 1.0]] * 3]
    other_halves = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    assert expected_information_gain([0.25] * 4, halves) == 1.0
    assert expected_information_gain([0.25] * 4, one) == pytest.approx(0.8112781244591328, abs=1e-15)
    assert best_question([0.25] * 4, [one, halves, other_halves]) == 1
    assert best_question([0.5, 0.5, 0.0, 0.0], [one, halves, other_halves]) == 0
    assert expected_information_gain([0.5, 0.5, 0.0, 0.0], halves) == 0.0


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [(0.0, -INF), (0.09, -INF), (0.1, 0.1), (0.19, 0.1), (0.2, 0.2), (0.3, 0.3), (0.9, 0.9), (0.99, 0.9), (1.0, INF)],
)
def test_threshold_is_the_corrected_quantile(alpha, expected):
    scores = [0.9, 0.1, 0.5, 0.3, 0.7, 0.2, 0.8, 0.4, 0.6]
    assert conformal_threshold(scores, alpha) == expected


def test_threshold_without_calibration():
    assert conformal_threshold([], 0.5) == -INF


def test_threshold_covers():
    """All n + 1 ranks of a new score are equally likely, so coverage is 1 - floor(alpha (n+1)) / (n+1) exactly."""
    for n in (5, 9, 12):
        scores = np.arange(n + 1)
        covered = np.mean([scores[i] >= conformal_threshold(np.delete(scores, i), 0.25) for i in range(n + 1)])
        assert covered == pytest.approx(1 - math.floor(0.25 * (n + 1)) / (n + 1))
        assert covered >= 0.75


def test_entropy_bound_edges():
    assert math.isnan(conformal_entropy_bound(0.5, 99, 4, 2.0))
    assert math.isnan(conformal_entropy_bound(0.009, 99, 4, 2.0))
    assert math.isnan(conformal_entropy_bound(0.1, 99, 4, 0.0))
    assert not math.isnan(conformal_entropy_bound(0.01, 99, 4, 2.0))
    assert not math.isnan(conformal_entropy_bound(0.1, 9, 4, 2.0))
    a, a_n = 0.1, 0.1 - 1 / 101
    h2 = -a * math.log2(a) - (1 - a) * math.log2(1 - a)
    expected = h2 + a * math.log2(20) - (1 - a_n) * math.log2(1 - a) + (1 - a_n) * math.log2(3.0)
    assert conformal_entropy_bound(0.1, 100, 20, 3.0) == pytest.approx(expected, abs=1e-14)


@given(seeds)
def test_mean_influence_is_the_causal_influence(seed):
    rng = np.random.default_rng(seed)
    policy, p_m = rng.dirichlet(np.full(3, 0.3), size=4), rng.dirichlet(np.full(4, 0.3))
    mean = sum(p_m[m] * social_influence(policy, p_m, m) for m in range(4) if p_m[m] > 0)
    assert causal_influence_of_communication(policy, p_m) == pytest.approx(mean, abs=1e-9)


def test_speaking_is_not_listening():
    assert speaker_consistency([[0.5, 0.0], [0.0, 0.5]]) == 1.0
    assert causal_influence_of_communication([[0.3, 0.7]] * 2, [0.5, 0.5]) == pytest.approx(0.0, abs=1e-15)
    assert social_influence([[1.0, 0.0], [0.0, 1.0]], [0.0, 1.0], 0) == INF
    assert social_influence([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5], 1) == 1.0


@given(seeds, st.integers(1, 5))
def test_shapley_is_the_mean_over_orders_and_efficient(seed, n):
    rng = np.random.default_rng(seed)
    v = {subset: float(rng.normal()) for subset in subsets(n)}
    orders = list(permutations(range(n)))
    expected = [0.0] * n
    for order in orders:
        for place, i in enumerate(order):
            before = tuple(sorted(order[:place]))
            expected[i] += (v[tuple(sorted((*before, i)))] - v[before]) / len(orders)
    values = shapley_values(v, n)
    assert values == pytest.approx(expected, abs=1e-12)
    assert sum(values) == pytest.approx(v[tuple(range(n))] - v[()], abs=1e-12)
    everyone = tuple(range(n))
    assert leave_one_out_influence(v, n) == [v[everyone] - v[tuple(j for j in everyone if j != i)] for i in everyone]


def test_redundancy_is_invisible_to_leave_one_out():
    either = {(): 0, (0,): 1, (1,): 1, (0, 1): 1}
    assert leave_one_out_influence(either, 2) == [0.0, 0.0]
    assert shapley_values(either, 2) == [0.5, 0.5]
    assert shapley_values({(): 3.0}, 0) == leave_one_out_influence({(): 3.0}, 0) == []
    assert leave_one_out_influence({(): -INF, (0,): -1.0}, 1) == [INF]


def brute_force_labels(doc_labels, util, lam):
    """All labels that can be reached from the union through passing labels and from which no step passes."""
    full = util[tuple(range(len(doc_labels)))]

    def passes(label):
        visible = tuple(i for i, atoms in enumerate(doc_labels) if atoms <= label)
        return full - util[visible] <= lam + 1e-12

    reached = {frozenset().union(*doc_labels)}
    while True:
        more = {label - {atom} for label in reached for atom in label if passes(label - {atom})} - reached
        if not more:
            break
        reached |= more
    return sorted(sorted(label) for label in reached if not any(passes(label - {atom}) for atom in label))


@given(seeds, st.integers(0, 5), st.floats(0.0, 2.0))
def test_labels_are_those_of_an_exhaustive_search(seed, n, lam):
    rng = np.random.default_rng(seed)
    doc_labels = [frozenset(str(atom) for atom in np.flatnonzero(rng.random(4) < 0.4)) for _ in range(n)]
    util = {subset: float(rng.normal()) for subset in subsets(n)}
    assert minimal_labels(doc_labels, util, lam) == brute_force_labels(doc_labels, util, lam)


def test_labels_by_hand():
    util = {(0, 1): 0.0, (0,): -1.0, (1,): -2.0, (): -3.0}
    doc_labels = [frozenset("a"), frozenset("b")]
    assert minimal_labels(doc_labels, util, 0.0) == [["a", "b"]]
    assert minimal_labels(doc_labels, util, 1.0) == [["a"]]
    assert minimal_labels(doc_labels, util, 2.0) == [["a"], ["b"]]
    assert minimal_labels(doc_labels, util, 3.0) == [[]]
    assert minimal_labels([], {(): 0.0}, 0.0) == [[]]
    assert minimal_labels(doc_labels, {**util, (0,): -(0.1 + 0.2)}, 0.3) == [["a"]]
    assert minimal_labels(doc_labels, {**util, (1,): -INF, (): -INF}, 5.0) == [["a"]]


def test_one_result_may_contain_another():
    """From {a, b} no step passes, but the way over {a, c} and {c} leads to the empty label."""
    util = {(0, 1, 2): 0.0, (0, 1): 0.0, (0, 2): 0.0, (1, 2): -9.0, (0,): -9.0, (1,): -9.0, (2,): 0.0, (): 0.0}
    assert minimal_labels([frozenset("a"), frozenset("b"), frozenset("c")], util, 0.5) == [[], ["a", "b"]]


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: log_score_gain([0.5, 0.5], [1.0], 0), "post: 1 worlds"),
        (lambda: log_score_gain([0.5, 0.5], [0.5, 0.5], 2), "truth: 2; allowed are the indices 0..1"),
        (lambda: log_score_gain([0.5, 0.5], [0.5, 0.5], True), "truth: True"),
        (lambda: belief_shift([0.5, 0.4], [0.5, 0.5]), "prior: probabilities that sum to 0.9"),
        (lambda: brier_score([0.5, 0.5], -1), "truth: -1"),
        (lambda: claim_score([[1.5]], [1.0], 0, 0), "T: entry 1.5"),
        (lambda: claim_score([[1.0]], [0.5, 0.5], 0, 0), "T: 1 rows"),
        (lambda: semantic_mutual_information([1.0], [[1.0]], [[1.0, 0.0]]), "T: shape"),
        (lambda: information_leakage([0.5, 0.5], [[1.0]]), "chan: 1 rows"),
        (lambda: expected_information_gain([0.5, 0.5], [[1.0]]), "lik: 1 rows"),
        (lambda: best_question([1.0], []), "liks: no question"),
        (lambda: conformal_threshold([0.1], 1.5), "alpha: 1.5"),
        (lambda: conformal_threshold([math.nan], 0.5), "true_probs: a NaN"),
        (lambda: conformal_entropy_bound(0.1, 10, 0, 1.0), "n_labels: 0"),
        (lambda: conformal_entropy_bound(0.1, 10, 2, -1.0), "mean_set_size: -1.0"),
        (lambda: social_influence([[1.0]], [1.0], 1), "m: 1"),
        (lambda: shapley_values({(): 0.0}, 1), r"v: no value for \(0,\)"),
        (lambda: leave_one_out_influence({}, 21), "n: 21"),
        (lambda: minimal_labels([frozenset("a")], {(0,): 0.0, (): 0.0}, -0.1), "lam: -0.1"),
        (lambda: minimal_labels([frozenset("a")], {(0,): 0.0}, 0.1), r"visible inputs \(\)"),
        (lambda: minimal_labels([frozenset("a")], {(0,): -INF, (): 0.0}, 0.1), "util: -inf"),
    ],
)
def test_bad_input_is_named(call, line):
    with pytest.raises(ValueError, match=line):
        call()


def test_an_unknown_utility_is_no_failed_label():
    with pytest.raises(ValueError, match="NaN for the visible inputs"):
        minimal_labels([{"a"}], {(0,): 1.0, (): math.nan}, 0.1)
