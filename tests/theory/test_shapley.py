import json
import math
import time
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tidings.theory import shapley

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "self_organisation.json").read_text())["golden"]
CASES = sorted(GOLDEN)

entries = st.floats(-3, 3, allow_subnormal=False).map(lambda x: round(x, 3))
matrices = st.tuples(st.integers(1, 6), st.integers(1, 8)).flatmap(lambda shape: arrays(float, shape, elements=entries))


def plain_cosine(a, b):
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / lengths) if np.linalg.norm(a) > 1e-9 and np.linalg.norm(b) > 1e-9 else 0.0


def plain_shapley(rows):
    """The definition over orders, one coalition at a time."""
    total, phi = rows.sum(axis=0), np.zeros(len(rows))
    for order in permutations(range(len(rows))):
        before = 0.0
        for size, agent in enumerate(order, start=1):
            after = plain_cosine(rows[list(order[:size])].sum(axis=0), total)
            phi[agent] += after - before
            before = after
    return phi / math.factorial(len(rows))


@pytest.mark.parametrize("case", CASES)
def test_golden_contributions(case):
    golden, rows = GOLDEN[case], np.array(GOLDEN[case]["embeddings"])
    expected = {
        "phi_exact_cos_game": shapley.exact_shapley(rows),
        "phi_exact_additive_game": shapley.additive_shapley(rows),
        "psi": shapley.cosine_contributions(rows),
        "released_contrib_softmax0.1": shapley.released_contributions(rows),
        "v_grand": shapley.coalition_values(rows)[-1],
    }
    for key, found in expected.items():
        np.testing.assert_allclose(found, golden[key], rtol=0, atol=1e-8, err_msg=key)


@pytest.mark.parametrize("case", CASES)
def test_golden_error_bound(case):
    golden, bound = GOLDEN[case]["theorem"], shapley.error_bound(GOLDEN[case]["embeddings"])
    assert bound.has_equal_norms == golden["equal_norms"]
    assert bound.gamma == pytest.approx(golden["Gamma"], abs=1e-8)
    assert bound.inverse_product == pytest.approx(golden["I"] or math.inf, abs=1e-8)
    assert bound.bound == pytest.approx(golden["bound"] or math.inf, abs=1e-8)


@given(matrices)
@settings(max_examples=40, deadline=None)
def test_enumeration_equals_the_definition_over_orders(rows):
    np.testing.assert_allclose(shapley.exact_shapley(rows), plain_shapley(rows), atol=1e-8)


def test_reduced_coordinates_change_nothing():
    rows = np.random.default_rng(1).normal(size=(5, 300)) + 0.3
    np.testing.assert_allclose(shapley.exact_shapley(rows), plain_shapley(rows), atol=1e-12)


def test_blocks_of_the_table_join_in_order():
    rows = np.random.default_rng(2).normal(size=(14, 6))
    values = shapley.coalition_values(rows)
    for mask in (0, 1, 4095, 4096, 4097, 12345, 16383):
        members = [i for i in range(14) if mask >> i & 1]
        assert values[mask] == pytest.approx(plain_cosine(rows[members].sum(axis=0), rows.sum(axis=0)), abs=1e-12)


@given(matrices)
@settings(max_examples=60, deadline=None)
def test_efficiency(rows):
    phi, has_sum = shapley.exact_shapley(rows), np.linalg.norm(rows.sum(axis=0)) > 1e-6
    if has_sum:
        assert phi.sum() == pytest.approx(1.0, abs=1e-9)
        assert shapley.additive_shapley(rows).sum() == pytest.approx(1.0, abs=1e-9)
    assert shapley.released_contributions(rows).sum() == pytest.approx(1.0)


@given(matrices, st.randoms(use_true_random=False), st.floats(1e-6, 1e6))
@settings(max_examples=60, deadline=None)
def test_permutation_equivariance_and_scale_invariance(rows, random, factor):
    order = random.sample(range(len(rows)), len(rows))
    for score in (shapley.exact_shapley, shapley.cosine_contributions, shapley.released_contributions):
        np.testing.assert_allclose(score(rows[order]), score(rows)[order], atol=1e-8)
        np.testing.assert_allclose(score(rows * factor), score(rows), atol=1e-8)


def test_psi_is_the_cosine_with_the_mean_of_raw_rows():
    rows = np.array([[3.0, 4.0], [0.0, 1.0], [0.0, 0.0], [-1.0, 0.0]])
    expected = [plain_cosine(row, np.array([2.0, 5.0])) for row in rows]
    np.testing.assert_allclose(shapley.cosine_contributions(rows), expected, atol=1e-15)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_neither_overflow_nor_underflow(scale):
    rows = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    for score in (shapley.exact_shapley, shapley.additive_shapley, shapley.cosine_contributions):
        np.testing.assert_allclose(score(rows * scale), score(rows), atol=1e-12)


def test_one_agent():
    assert shapley.exact_shapley([[2.0, 1.0]]) == pytest.approx([1.0])
    assert shapley.cosine_contributions([[2.0, 1.0]]) == pytest.approx([1.0])
    assert shapley.released_contributions([[2.0, 1.0]]) == pytest.approx([1.0])
    assert shapley.exact_shapley([[0.0, 0.0]]).tolist() == [0.0]


def test_two_agents_of_equal_length_share_equally():
    phi = shapley.exact_shapley([[0.0, 1.0], [math.sin(1.0), math.cos(1.0)]])
    assert phi == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_identical_answers_share_equally(n):
    rows = np.tile([0.2, 0.1, 0.7], (n, 1))
    assert shapley.exact_shapley(rows) == pytest.approx(np.full(n, 1 / n))
    assert shapley.cosine_contributions(rows) == pytest.approx(np.ones(n))


@pytest.mark.parametrize("angles", [(0, 180), (0, 120, 240), (10, 130, 250), (0, 90, 180, 270)])
def test_a_sum_that_is_only_rounding_noise_counts_as_zero(angles):
    rows = np.array([[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in angles])
    assert not shapley.exact_shapley(rows).any()
    assert not shapley.additive_shapley(rows).any()
    assert not shapley.cosine_contributions(rows).any()
    assert shapley.released_contributions(rows) == pytest.approx(np.full(len(rows), 1 / len(rows)))
    assert not shapley.sampled_shapley(rows, 5, np.random.default_rng(0)).values.any()


def test_a_zero_answer_adds_nothing_and_all_zero_is_uniform_only_in_the_softmax():
    rows = np.array([[1.0, 0.0], [0.0, 0.0], [0.8, 0.6]])
    assert shapley.exact_shapley(rows)[1] == pytest.approx(0.0)
    assert shapley.cosine_contributions(rows)[1] == 0.0
    assert shapley.released_contributions(np.zeros((4, 3))).tolist() == [0.25] * 4


def test_cancelling_coalition_has_value_zero():
    rows = np.array([[0.1, 0.2], [-0.3, -0.6], [0.2, 0.4], [1.0, 0.0]])
    assert shapley.coalition_values(rows)[0b0111] == 0.0
    padded = np.vstack([np.eye(12, 2), rows[:3]])  # the three lie beyond the first block of the table
    assert shapley.coalition_values(padded)[0b111 << 12] == 0.0


@given(arrays(float, st.integers(1, 8), elements=entries))
@settings(max_examples=30, deadline=None)
def test_additive_game_returns_its_weights(weights):
    phi = shapley.exact_shapley_game(lambda members: sum(weights[i] for i in members), len(weights))
    np.testing.assert_allclose(phi, weights, atol=1e-12)


def test_glove_game():
    """One left glove, two right ones: 2/3, 1/6, 1/6 (Shapley and Shubik's textbook example)."""
    phi = shapley.exact_shapley_game(lambda s: float(0 in s and (1 in s or 2 in s)), 3)
    assert phi == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_airport_game():
    """Costs 1, 2, 4: each runway piece is shared by those who need it: 1/3, 1/3 + 1/2, 1/3 + 1/2 + 2."""
    phi = shapley.exact_shapley_game(lambda s: max((1.0, 2.0, 4.0)[i] for i in s) if s else 0.0, 3)
    assert phi == pytest.approx([1 / 3, 5 / 6, 17 / 6])


def test_value_of_the_empty_coalition_is_taken_off():
    assert shapley.exact_shapley_game(lambda s: 5.0 + len(s), 4) == pytest.approx([1.0] * 4)


def test_additive_closed_form_equals_enumeration_of_its_game():
    rows = np.random.default_rng(3).normal(size=(5, 3))
    total = rows.sum(axis=0)

    def value(members):
        return float(sum((rows[i] for i in members), np.zeros(3)) @ total / (total @ total))

    np.testing.assert_allclose(shapley.exact_shapley_game(value, 5), shapley.additive_shapley(rows), atol=1e-12)


def test_sampling_finds_the_exact_values_within_its_error_bars():
    rows = np.random.default_rng(4).normal(size=(7, 5)) + 0.2
    exact, scores = shapley.exact_shapley(rows), []
    for seed in range(60):
        sample = shapley.sampled_shapley(rows, 200, np.random.default_rng(seed))
        scores.append((sample.values - exact) / sample.standard_errors)
    assert abs(np.mean(scores)) < 0.25
    assert 0.85 < np.std(scores) < 1.15


def test_sampling_keeps_efficiency_repeats_and_halves_its_error():
    rows = np.random.default_rng(5).normal(size=(6, 4)) + 0.5
    few, many = (shapley.sampled_shapley(rows, n, np.random.default_rng(1)) for n in (400, 1600))
    assert few.values.sum() == pytest.approx(1.0)
    assert many.standard_errors.mean() == pytest.approx(few.standard_errors.mean() / 2, rel=0.2)
    again = shapley.sampled_shapley(rows, 400, np.random.default_rng(1))
    assert again.values.tolist() == few.values.tolist()
    assert np.isnan(shapley.sampled_shapley(rows, 1, np.random.default_rng(1)).standard_errors).all()


def test_psi_tracks_phi_for_equal_lengths():
    """Sheet, section 5: relative error of psi / sum(psi) is 0.03 to 5.3 %, and the order is nearly the same."""
    rng = np.random.default_rng(6)
    for n in (3, 5, 10):
        rows = rng.normal(size=(n, 32)) * 0.5 + rng.normal(size=32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        psi, phi = shapley.cosine_contributions(rows), shapley.exact_shapley(rows)
        assert np.abs(psi / psi.sum() / phi - 1).max() < 0.053


@given(arrays(float, (4, 3), elements=entries))
@settings(max_examples=60, deadline=None)
def test_the_theorem_is_vacuous_for_equal_lengths(rows):
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if norms.min() > 1e-3:
        assert shapley.error_bound(rows / norms).bound >= 1 - 1e-9


def test_error_bound_is_infinite_for_an_answer_across_the_mean():
    bound = shapley.error_bound([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    assert math.isinf(bound.inverse_product)
    assert math.isinf(bound.bound)
    rows = np.array([[0.1, 0.3], [0.2, 0.6], [-3 * 0.3, 3 * 0.1]])
    rows = np.vstack([rows, -rows[2]])
    assert math.isinf(shapley.error_bound(rows).inverse_product)  # the product is 1e-18, not 0


@pytest.mark.parametrize("bad", [[], [1.0, 2.0], [[]], [[1.0, math.nan]], [[1.0], [math.inf]], [["a"]], [[1 + 2j]]])
def test_bad_embeddings_are_refused_in_one_line(bad):
    for function in (shapley.exact_shapley, shapley.cosine_contributions, shapley.released_contributions):
        with pytest.raises(ValueError, match=r"^\w+\.embeddings.*found .*; need ") as error:
            function(bad)
        assert "\n" not in str(error.value)


def test_other_bad_requests():
    with pytest.raises(ValueError, match="use sampled_shapley"):
        shapley.exact_shapley(np.ones((shapley.MAX_EXACT_AGENTS + 1, 2)))
    with pytest.raises(ValueError, match="n_permutations: found 0"):
        shapley.sampled_shapley([[1.0]], 0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="temperature: found 0"):
        shapley.released_contributions([[1.0]], temperature=0)
    for values in ([1.0], [0.0, 1.0, 2.0], [0.0, math.nan]):
        with pytest.raises(ValueError, match=r"shapley_of_values"):
            shapley.shapley_of_values(values)


def best_seconds(function, argument):
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        function(argument)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def test_speed():
    """Issue: exact n = 16 under 5 s, approximation n = 1000 under 50 ms on one core (measured 0.004 s and 1 ms)."""
    rows = np.random.default_rng(7).normal(size=(1000, 384))
    assert best_seconds(shapley.exact_shapley, rows[:16]) < 5
    assert best_seconds(shapley.cosine_contributions, rows) < 0.05
