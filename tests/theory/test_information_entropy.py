"""Known laws: closed forms, chain rules, symmetry, undefined cases; Gaussian formulas against sampling-free algebra."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.theory.information import (
    channel_mutual_information,
    conditional_mutual_information,
    entropy,
    gaussian_conditional_mutual_information,
    gaussian_mutual_information,
    kl_divergence,
    mutual_information,
    transfer_entropy_var1,
)

seeds = st.integers(0, 2**32 - 1)


def random_law(seed, shape, zeros=0.3):
    rng = np.random.default_rng(seed)
    law = rng.exponential(size=shape) * (rng.random(shape) >= zeros)
    law.flat[0] += 0.1
    return law / law.sum()


def h2(p):
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def test_binary_symmetric_channel():
    assert channel_mutual_information([[0.9, 0.1], [0.1, 0.9]]) == pytest.approx(1 - h2(0.1), abs=1e-15)
    assert channel_mutual_information([[0.9, 0.1], [0.1, 0.9]]) == pytest.approx(0.5310044064107188, abs=1e-15)


def test_z_channel_by_hand():
    assert mutual_information([[0.5, 0.0], [0.25, 0.25]]) == pytest.approx(h2(0.25) - 0.5, abs=1e-15)


def test_product_of_tiny_marginals_does_not_underflow():
    law = [[1.0 - 1e-200, 0.0], [0.0, 1e-200]]
    assert mutual_information(law) == pytest.approx(1e-200 * 200 * math.log2(10), rel=1e-9)


@given(seeds)
def test_chain_rule_and_symmetry(seed):
    law = random_law(seed, (2, 3, 2, 2))
    whole = conditional_mutual_information(law, [0, 1], [2], [3])
    parts = conditional_mutual_information(law, [0], [2], [3]) + conditional_mutual_information(law, [1], [2], [0, 3])
    assert whole == pytest.approx(parts, abs=1e-12)
    assert whole == pytest.approx(conditional_mutual_information(law, [2], [1, 0], [3]), abs=1e-12)
    assert whole >= -1e-12


@given(seeds)
def test_two_ways_to_mutual_information(seed):
    law = random_law(seed, (3, 4))
    product = np.outer(law.sum(axis=1), law.sum(axis=0))
    assert mutual_information(law) == pytest.approx(kl_divergence(law, product), abs=1e-12)
    assert mutual_information(law) == pytest.approx(conditional_mutual_information(law, [0], [1], []), abs=1e-12)
    assert mutual_information(law) == pytest.approx(mutual_information(law.T), abs=1e-12)


def test_entropy_of_edges():
    assert entropy([1.0, 0.0]) == 0.0
    assert math.copysign(1.0, entropy([1.0, 0.0])) == 1.0
    assert entropy(np.full((2, 4), 0.125)) == 3.0
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == 1.0


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: mutual_information([[0.5, 0.4]]), "joint: probabilities that sum to 0.9"),
        (lambda: mutual_information([0.5, 0.5]), "joint: 1 axes"),
        (lambda: mutual_information([[1.5, -0.5]]), "joint: entry -0.5"),
        (lambda: mutual_information([[math.nan, 1.0]]), "joint: entry nan"),
        (lambda: mutual_information([[0.5], [0.25, 0.25]]), "joint: list that is no array"),
        (lambda: channel_mutual_information([[1.0, 0.0], [0.5, 0.4]]), r"channel\[1\]: probabilities that sum to 0.9"),
        (lambda: conditional_mutual_information([[0.5, 0.5]], [0], [0], []), "allowed is each axis once"),
        (lambda: conditional_mutual_information([[0.5, 0.5]], [0], [2], []), "b: 2; allowed are the indices 0..1"),
        (lambda: kl_divergence([1.0], [0.5, 0.5]), "q: shape"),
        (lambda: gaussian_mutual_information(1.5), "rho: 1.5"),
        (lambda: gaussian_conditional_mutual_information([[1, 2], [2, 1]], [0], [1], []), "cov: eigenvalue"),
        (lambda: gaussian_conditional_mutual_information([[1, 0.5], [0, 1]], [0], [1], []), "asymmetric"),
        (lambda: transfer_entropy_var1(0.5, 0.5, 0.5, 1, 0), "l: 0; allowed are integers from 1 up"),
    ],
)
def test_bad_input_is_named(call, line):
    with pytest.raises(ValueError, match=line):
        call()


def test_gaussian_edges():
    assert gaussian_mutual_information(1.0) == gaussian_mutual_information(-1.0) == math.inf
    assert gaussian_mutual_information(0.0) == 0.0
    assert gaussian_mutual_information(1e-9) == pytest.approx(1e-18 / 2 / math.log(2), rel=1e-12)
    copy = [[1.0, 1.0], [1.0, 1.0]]
    assert gaussian_conditional_mutual_information(copy, [0], [1], []) == math.inf
    assert math.isnan(gaussian_conditional_mutual_information([[1.0, 0.0], [0.0, 0.0]], [0], [1], []))


@given(seeds)
def test_gaussian_chain_rule_and_units(seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, 4))
    cov = root @ root.T + 0.1 * np.eye(4)
    whole = gaussian_conditional_mutual_information(cov, [0, 1], [2], [3])
    parts = gaussian_conditional_mutual_information(cov, [0], [2], [3])
    parts += gaussian_conditional_mutual_information(cov, [1], [2], [0, 3])
    assert whole == pytest.approx(parts, abs=1e-10)
    units = np.diag(10.0 ** rng.integers(-6, 6, 4))
    assert gaussian_conditional_mutual_information(units @ cov @ units, [0, 1], [2], [3]) == pytest.approx(
        whole, abs=1e-8
    )
    rho = cov[0, 1] / math.sqrt(cov[0, 0] * cov[1, 1])
    assert gaussian_conditional_mutual_information(cov, [0], [1], []) == pytest.approx(
        gaussian_mutual_information(rho), abs=1e-10
    )


def filtered_var1(ax, by, cxy, n_steps=400):
    """TE for endless target history: half the log of the innovation variance of Y alone, by the Riccati recursion."""
    variance = 1.0 / (1.0 - ax * ax)
    for _ in range(n_steps):
        seen = cxy * cxy * variance + 1.0
        variance = ax * ax * (variance - (cxy * variance) ** 2 / seen) + 1.0
    return 0.5 * math.log2(cxy * cxy * variance + 1.0)


@pytest.mark.parametrize(("ax", "by", "cxy"), [(0.5, 0.5, 0.5), (0.9, 0.2, 1.0), (-0.7, 0.95, 0.3), (0.99, -0.5, 2.0)])
def test_var1_with_long_history_is_the_filter(ax, by, cxy):
    assert transfer_entropy_var1(ax, by, cxy, 40, 1) == pytest.approx(filtered_var1(ax, by, cxy), abs=1e-9)


def test_var1_white_source_closed_form():
    assert transfer_entropy_var1(0.0, 0.8, 0.3, 2, 2) == pytest.approx(0.5 * math.log2(1.09), abs=1e-12)
    assert transfer_entropy_var1(0.0, 0.0, 1.0, 0, 1) == pytest.approx(0.5, abs=1e-12)
    assert transfer_entropy_var1(0.5, 0.5, 0.0, 1, 1) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("ax", "by"), [(1.0, 0.5), (0.5, -1.0), (2.0, 0.0)])
def test_var1_without_stationary_state(ax, by):
    assert math.isnan(transfer_entropy_var1(ax, by, 0.5, 1, 1))
