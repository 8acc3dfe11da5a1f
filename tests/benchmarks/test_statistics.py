"""Intervals and tests against closed forms, enumeration and other software."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tidings.benchmarks.statistics import (
    bootstrap_mean,
    gap_closed,
    holm,
    mcnemar_exact,
    score_interval,
    sign_flip_test,
)
from tidings.core.errors import RequestError

RNG = np.random.default_rng(7)


def test_bootstrap_agrees_with_the_normal_interval_of_a_large_sample():
    scores = (RNG.random(400) < 0.3).astype(float)
    interval = bootstrap_mean(scores)
    error = scores.std() / 20
    assert interval.mean == scores.mean()
    assert interval.low == pytest.approx(scores.mean() - 1.96 * error, abs=0.004)
    assert interval.high == pytest.approx(scores.mean() + 1.96 * error, abs=0.004)


def test_bootstrap_agrees_with_scipy():
    scores = RNG.random(60)
    interval = bootstrap_mean(scores, n_draws=20_000)
    theirs = stats.bootstrap((scores,), np.mean, n_resamples=20_000, method="percentile", rng=1).confidence_interval
    assert interval.low == pytest.approx(theirs.low, abs=0.004)
    assert interval.high == pytest.approx(theirs.high, abs=0.004)


def test_seeds_are_averaged_per_question_before_anything_else():
    scores = (RNG.random((50, 3)) < 0.5).astype(float)
    assert bootstrap_mean(scores) == bootstrap_mean(scores.mean(axis=1))
    assert bootstrap_mean(np.repeat(scores, 4, axis=1)) == pytest.approx(bootstrap_mean(scores))


def test_questions_that_share_facts_are_resampled_together():
    per_group = RNG.random(30)
    repeated, groups = np.repeat(per_group, 12), np.repeat(np.arange(30), 12).tolist()
    clustered, alone = bootstrap_mean(repeated, groups), bootstrap_mean(per_group)
    assert (clustered.mean, clustered.low, clustered.high) == pytest.approx((alone.mean, alone.low, alone.high))
    assert (clustered.n_questions, clustered.n_groups) == (360, 30)
    naive = bootstrap_mean(repeated)
    assert naive.high - naive.low < 0.5 * (clustered.high - clustered.low)


def test_groups_of_unequal_size_weigh_by_their_questions():
    interval = bootstrap_mean([1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"])
    assert interval.mean == 0.75
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_bootstrap_is_a_function_of_its_seed_and_wider_for_a_higher_level():
    scores = RNG.random(40)
    assert bootstrap_mean(scores, seed=1) == bootstrap_mean(scores, seed=1)
    assert bootstrap_mean(scores, seed=1) != bootstrap_mean(scores, seed=2)
    assert bootstrap_mean(scores, level=0.99).low < bootstrap_mean(scores, level=0.9).low


def test_one_group_has_no_interval():
    interval = bootstrap_mean([0.0, 1.0], ["a", "a"])
    assert interval.mean == 0.5
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@pytest.mark.slow
def test_bootstrap_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(400):
        interval = bootstrap_mean((rng.random(150) < 0.4).astype(float), seed=seed, n_draws=1000)
        hits += interval.low <= 0.4 <= interval.high
    assert 0.92 < hits / 400 < 0.98


def test_sign_flip_counts_all_patterns_of_a_small_sample():
    a, b = np.array([0.9, 0.4, 0.7, 0.5, 0.8]), np.array([0.2, 0.6, 0.1, 0.4, 0.8])
    differences = a - b
    sums = [sum(s * d for s, d in zip(signs, differences, strict=True)) for signs in product((-1, 1), repeat=5)]
    expected = np.mean([abs(total) >= abs(differences.sum()) - 1e-9 for total in sums])
    assert sign_flip_test(a, b) == pytest.approx(expected)
    assert sign_flip_test(np.ones(5), np.zeros(5)) == 2 / 2**5
    assert sign_flip_test(b, a) == sign_flip_test(a, b)


def test_sign_flip_agrees_with_scipy_on_a_larger_sample():
    a, b = RNG.random(40), RNG.random(40) - 0.1
    theirs = stats.permutation_test(
        (a, b), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", n_resamples=50_000, rng=2
    )
    assert sign_flip_test(a, b) == pytest.approx(theirs.pvalue, abs=0.012)


def test_exact_and_sampled_sign_flip_agree():
    a, b = RNG.random(14), RNG.random(14) - 0.25
    exact = sign_flip_test(a, b)
    # Three more questions with a difference too small to matter make the test sample.
    sampled = sign_flip_test(np.append(a, [1e-6] * 3), np.append(b, [0.0] * 3))
    assert sampled == pytest.approx(exact, abs=0.01)


def test_sign_flip_flips_groups_as_a_whole():
    a, groups = np.ones(20), np.repeat(np.arange(5), 4).tolist()
    assert sign_flip_test(a, np.zeros(20), groups) == 2 / 2**5
    assert sign_flip_test(a, np.zeros(20)) < 1e-4


def test_sign_flip_of_equal_variants_is_one_and_p_is_never_zero():
    assert sign_flip_test([1.0, 0.0], [1.0, 0.0]) == 1.0
    assert sign_flip_test(np.ones(100), np.zeros(100), n_draws=1000) == 1 / 1001


def test_sign_flip_holds_its_level_when_nothing_differs():
    rng = np.random.default_rng(5)
    hits = sum(sign_flip_test(rng.random(12), rng.random(12)) <= 0.05 for _ in range(200))
    assert hits <= 20


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (5, 0), (1, 8), (10, 10), (3, 17)])
def test_mcnemar_is_the_binomial_test_of_the_discordant_pairs(only_a, only_b):
    a = [True] * only_a + [False] * only_b + [True] * 7 + [False] * 4
    b = [False] * only_a + [True] * only_b + [True] * 7 + [False] * 4
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar_exact(a, b) == pytest.approx(expected)


def test_mcnemar_equals_sign_flip_on_right_and_wrong_answers():
    a = [1] * 9 + [0] * 2 + [1] * 5
    b = [0] * 9 + [1] * 2 + [1] * 5
    assert mcnemar_exact([bool(x) for x in a], [bool(x) for x in b]) == pytest.approx(sign_flip_test(a, b))


def test_holm_worked_by_hand():
    # Sorted .005 .01 .03 .04 times 4 3 2 1 = .02 .03 .06 .04; the last may not fall below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
    assert holm([0.02]) == [0.02]


def test_gap_closed_and_when_it_is_undefined():
    assert gap_closed(0.6, 0.2, 1.0) == pytest.approx(0.5)
    assert gap_closed(0.1, 0.2, 1.0) == pytest.approx(-0.125)
    assert math.isnan(gap_closed(0.5, 0.5, 0.549))
    assert gap_closed(0.55, 0.5, 0.55) == pytest.approx(1.0)
    assert math.isnan(gap_closed(0.5, 0.6, 0.5))
    assert math.isnan(gap_closed(0.5, math.nan, 1.0))


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: bootstrap_mean([]), r"scores: an array of shape \(0,\)"),
        (lambda: bootstrap_mean([0.5, math.nan]), r"scores: 1 of 2 are NaN; numbers; leave failed answers out"),
        (lambda: bootstrap_mean(np.zeros((2, 2, 2))), r"\[n_questions\] or \[n_questions, n_seeds\]"),
        (lambda: bootstrap_mean([0.5, 1.0], ["a"]), r"groups: 1 for 2 questions"),
        (lambda: sign_flip_test([1.0], [1.0, 2.0]), r"1 and 2 questions"),
        (lambda: mcnemar_exact([True], []), r"1 and 0 answers"),
        (lambda: holm([1.2]), r"found \[1\.2\]"),
    ],
)
def test_bad_input_is_one_line(call, complaint):
    with pytest.raises(RequestError, match=complaint):
        call()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from((0.0, 0.25, 1.0)), min_size=2, max_size=12))
def test_the_interval_of_a_score_lies_between_0_and_1_and_holds_its_mean(scores):
    interval = score_interval(scores)
    assert 0 <= interval.low <= interval.mean <= interval.high <= 1
    assert interval.low < interval.high or set(scores) == {0.25}


@pytest.mark.parametrize(("value", "n"), [(0.0, 4), (1.0, 4), (1.0, 300)])
def test_all_right_or_all_wrong_has_the_interval_of_wilson(value, n):
    theirs = stats.binomtest(int(value * n), n).proportion_ci(0.95, method="wilson")
    assert score_interval([value] * n)[:3] == pytest.approx((value, theirs.low, theirs.high))
    assert score_interval([[value] * 3] * n, groups=range(n))[:3] == pytest.approx((value, theirs.low, theirs.high))


def test_questions_that_share_facts_count_once_for_wilson():
    assert score_interval([1.0] * 40, groups=[i // 10 for i in range(40)])[1:3] == score_interval([1.0] * 4)[1:3]
    assert math.isnan(score_interval([1.0, 1.0], groups=["a", "a"]).low)


@pytest.mark.parametrize("wrong", [1.05, -0.2])
def test_what_is_no_score_is_refused(wrong):
    with pytest.raises(RequestError, match=r"scores in \[0, 1\]"):
        score_interval([0.5, wrong])
