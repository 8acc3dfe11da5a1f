"""Estimates from samples against counting by hand; nearest neighbours; emergence."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.theory.information import (
    coalition_synergy,
    emergence_decomposition,
    gaussian_mutual_information,
    identity_surrogate,
    macro_synergy,
    mutual_information,
    mutual_information_ksg,
    mutual_information_miller_madow,
    mutual_information_plugin,
    shift_surrogate,
    transfer_entropy_exact,
    transfer_entropy_miller_madow,
    transfer_entropy_plugin,
)
from tidings.theory.information.samples import merge_codes

labels = st.lists(st.tuples(st.integers(-5, 5), st.integers(10**9, 10**9 + 2)), min_size=1, max_size=60)


def counted_entropy(items, miller_madow=False):
    counts = Counter(items)
    n = sum(counts.values())
    plug_in = -sum(c / n * math.log2(c / n) for c in counts.values())
    return plug_in + (len(counts) - 1) / (2 * n * math.log(2)) * miller_madow


def counted_te(x, y, k, l_, mm):
    rows = [
        (y[t + 1], tuple(x[t - lag] for lag in range(l_)), tuple(y[t - lag] for lag in range(k)))
        for t in range(max(k, l_) - 1, len(x) - 1)
    ]
    return (
        counted_entropy([(f, p) for f, _, p in rows], mm)
        + counted_entropy([(s, p) for _, s, p in rows], mm)
        - counted_entropy(rows, mm)
        - counted_entropy([p for _, _, p in rows], mm)
    )


@given(labels)
def test_mutual_information_by_counting(pairs):
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    for mm, function in ((False, mutual_information_plugin), (True, mutual_information_miller_madow)):
        expected = counted_entropy(x, mm) + counted_entropy(y, mm) - counted_entropy(pairs, mm)
        assert function(x, y) == pytest.approx(expected, abs=1e-12)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 1)), min_size=5, max_size=80),
    st.integers(0, 3),
    st.integers(1, 3),
)
def test_transfer_entropy_by_counting(pairs, k, l_):
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    assert transfer_entropy_plugin(x, y, k, l_) == pytest.approx(counted_te(x, y, k, l_, False), abs=1e-12)
    assert transfer_entropy_miller_madow(x, y, k, l_) == pytest.approx(counted_te(x, y, k, l_, True), abs=1e-12)


def test_direction_and_window_by_hand():
    x = [0, 1, 1, 0, 1, 0, 0, 1, 1]
    y = [0, *x[:-1]]
    assert transfer_entropy_plugin(x, y) == pytest.approx(counted_te(x, y, 1, 1, False), abs=1e-15)
    assert transfer_entropy_plugin(x, y) > 0.9 > transfer_entropy_plugin(y, x)


def test_long_sample_finds_the_exact_value():
    rng = np.random.default_rng(5)
    x = np.zeros(200_001, dtype=int)
    y = np.zeros(200_001, dtype=int)
    stay, follow = rng.random(200_001) < 0.8, rng.random(200_001) < 0.9
    for t in range(200_000):
        x[t + 1] = x[t] if stay[t] else 1 - x[t]
        y[t + 1] = x[t] if follow[t] else y[t]
    kernel = np.zeros((2, 2, 2, 2))
    for a, b, a1, b1 in np.ndindex(2, 2, 2, 2):
        kernel[a, b, a1, b1] = (0.8 if a1 == a else 0.2) * (0.9 * (b1 == a) + 0.1 * (b1 == b))
    for k, l_ in ((1, 1), (2, 1), (2, 2)):
        assert transfer_entropy_plugin(x, y, k, l_) == pytest.approx(
            transfer_entropy_exact(kernel, "x", k, l_), abs=0.01
        )


def test_unclipped_and_undefined():
    assert mutual_information_miller_madow([0, 0, 1, 1], [0, 1, 0, 1]) < 0.0
    assert math.isnan(mutual_information_plugin([], []))
    assert math.isnan(transfer_entropy_plugin([0, 1], [0, 1], 2, 1))
    assert math.isnan(transfer_entropy_miller_madow([0], [1], 3, 3))
    assert mutual_information_plugin([3], [-3]) == 0.0


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: mutual_information_plugin([0.5, 1.0], [0, 1]), "x: labels of type float64"),
        (lambda: mutual_information_plugin(["a"], [0]), "x: labels of type <U1"),
        (lambda: mutual_information_plugin([0, 1], [0]), "y: 1 labels"),
        (lambda: mutual_information_plugin([[0]], [0]), "x: 2 axes"),
        (lambda: transfer_entropy_plugin([0, 1], [0, 1], -1, 1), "k: -1"),
        (lambda: transfer_entropy_plugin([0, 1], [0, 1], 1, 0), "l: 0"),
        (lambda: mutual_information_ksg([0.0, 0.0, 0.0, 1.0, 2.0], [1.0, 1.0, 1.0, 1.0, 2.0], 2), "repeated points"),
        (lambda: mutual_information_ksg([0.0, math.nan], [1.0, 1.0], 1), "not finite"),
        (lambda: macro_synergy([[0, 1]], [0], 1), "macro: 1 times"),
        (lambda: emergence_decomposition([0, 1], [0, 1], 2), "lag: 2"),
        (lambda: coalition_synergy([0], [0], [0], [0, 1]), "series: shapes"),
    ],
)
def test_bad_input_is_named(call, line):
    with pytest.raises(ValueError, match=line):
        call()


@given(st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=1, max_size=12))
def test_codes_tell_tuples_apart_and_only_those(columns):
    codes = merge_codes([np.array(column, dtype=np.int64) for column in columns])
    rows = list(zip(*columns, strict=True))
    for i, j in np.ndindex(6, 6):
        assert (codes[i] == codes[j]) == (rows[i] == rows[j])


def test_codes_of_long_histories_keep_the_oldest_value():
    """Seventy binary columns do not fit into 64 bits."""
    columns = [np.array([0, 1, 0]), *[np.array([0, 0, 1])] * 70]
    assert len(set(merge_codes(columns).tolist())) == 3


def test_nearest_neighbours_on_gaussians():
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(2, 3000))
    x, y = noise[0], 0.6 * noise[0] + 0.8 * noise[1]
    assert mutual_information_ksg(x, y) == pytest.approx(gaussian_mutual_information(0.6), abs=0.05)
    both = np.column_stack([y, rng.normal(size=3000)])
    assert mutual_information_ksg(x[:, None], both) == pytest.approx(gaussian_mutual_information(0.6), abs=0.08)
    assert mutual_information_ksg(y, x) == pytest.approx(mutual_information_ksg(x, y), abs=1e-12)
    assert math.isnan(mutual_information_ksg([1.0, 2.0], [1.0, 2.0], 2))


def test_nearest_neighbours_by_hand():
    """Three points, k = 1: psi(1) + psi(3) - mean(psi(n_x + 1) + psi(n_y + 1)) with the counts written out."""
    x, y = [0.0, 1.0, 3.0], [0.0, 0.5, 5.0]
    psi = {1: -0.5772156649015329, 2: 0.42278433509846713, 3: 0.9227843350984671}
    # radii 1, 1, 4.5; in x: 0, 0, 2 closer points; in y: 1, 1, 0
    expected = psi[1] + psi[3] - (psi[1] + psi[2] + psi[1] + psi[2] + psi[3] + psi[1]) / 3
    assert mutual_information_ksg(x, y, 1) == pytest.approx(expected / math.log(2), abs=1e-12)


def test_nearest_neighbours_scatter_around_zero():
    rng = np.random.default_rng(4)
    values = [mutual_information_ksg(*rng.normal(size=(2, 50))) for _ in range(200)]
    assert min(values) < 0.0
    assert abs(np.mean(values)) < 0.03


def test_emergence_of_a_parity():
    """The parity of three coins foretells the parity one step later; no single coin or pair does."""
    rng = np.random.default_rng(1)
    parity = 0
    series = np.zeros((3, 4001), dtype=int)
    for t in range(4001):
        series[:2, t] = rng.integers(0, 2, 2)
        series[2, t] = series[0, t] ^ series[1, t] ^ parity
        parity = parity if rng.random() < 0.95 else 1 - parity
    macro = series.sum(axis=0) % 2
    assert macro_synergy(series, macro) == pytest.approx(1 - 0.28639695711595625, abs=0.05)
    assert coalition_synergy(series[0], series[1], series[2], macro) == pytest.approx(1.0, abs=0.02)
    assert macro_synergy(shift_surrogate(series, rng), macro) == pytest.approx(macro_synergy(series, macro), abs=0.01)


def test_emergence_of_a_shared_parity_pair():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, (2, 3000))
    for t in range(2999):
        x[0, t + 1] = x[0, t] ^ x[1, t]
    synergies = [emergence_decomposition(x[0], x[1], 1, measure).S for measure in ("mmi", "broja")]
    assert synergies == pytest.approx([1.0, 1.0], abs=0.01)


def test_what_a_pair_says_is_not_said_by_three():
    x = np.random.default_rng(0).integers(0, 2, (3, 400))
    assert coalition_synergy(x[0], x[1], x[2], x[0] ^ x[1]) == pytest.approx(0.0, abs=1e-12)


def test_negative_macro_synergy_is_redundancy():
    copy = np.tile(np.random.default_rng(0).integers(0, 2, 500), (3, 1))
    copy[:, 1::2] = copy[:, ::2]
    assert macro_synergy(copy, copy[0]) < 0.0


def test_surrogates_keep_what_they_promise():
    rng = np.random.default_rng(6)
    series = rng.integers(0, 4, (5, 40))
    by_identity, by_shift = identity_surrogate(series, rng), shift_surrogate(series, rng)
    assert np.array_equal(np.sort(by_identity, axis=0), np.sort(series, axis=0))
    assert not np.array_equal(by_identity, series)
    assert all(
        any(np.array_equal(np.roll(old, s), new) for s in range(40)) for old, new in zip(series, by_shift, strict=True)
    )
    assert not np.array_equal(by_shift, series)


def test_plug_in_of_exact_frequencies_is_the_law():
    x, y = np.repeat([0, 0, 1, 1], [4, 1, 2, 3]), np.repeat([0, 1, 0, 1], [4, 1, 2, 3])
    assert mutual_information_plugin(x, y) == pytest.approx(mutual_information([[0.4, 0.1], [0.2, 0.3]]), abs=1e-14)


def test_labels_of_any_size_are_told_apart():
    """As floats, the first two would be one label; hashes are as large."""
    x, y = [2**63 + 1, 2**63, -1, -1], [1, 2, 3, 3]
    assert mutual_information_plugin(x, y) == pytest.approx(1.5)
    assert mutual_information_plugin([2**70, 3], [1, 2]) == pytest.approx(1.0)
