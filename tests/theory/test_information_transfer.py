"""Flow between chains against plain enumeration of paths, for alphabets of two and three and longer histories."""

import math
from collections import defaultdict
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.theory.information import (
    conditional_mutual_information,
    directed_information,
    mutual_information,
    time_delayed_mutual_information_exact,
    transfer_entropy_exact,
)
from tidings.theory.information.chains import closed_classes, period, stationary_law

seeds = st.integers(0, 2**32 - 1)


def random_kernel(seed, n_x=2, n_y=2, zeros=0.3):
    """A kernel with some impossible steps; one column is kept positive, so there is one closed class."""
    rng = np.random.default_rng(seed)
    steps = rng.exponential(size=(n_x * n_y, n_x * n_y)) * (rng.random((n_x * n_y, n_x * n_y)) >= zeros)
    steps[:, 0] += 0.05
    return (steps / steps.sum(axis=1, keepdims=True)).reshape(n_x, n_y, n_x, n_y)


def paths(kernel, n):
    """All paths ((x, y), ..) of n points with their stationary probability."""
    n_x, n_y = kernel.shape[:2]
    matrix = kernel.reshape(n_x * n_y, n_x * n_y)
    law = np.linalg.lstsq(
        np.vstack([matrix.T - np.eye(len(matrix)), np.ones(len(matrix))]), np.r_[np.zeros(len(matrix)), 1.0], rcond=None
    )[0]
    for states in product(range(n_x * n_y), repeat=n):
        p = law[states[0]] * math.prod(matrix[a, b] for a, b in pairwise(states))
        if p > 1e-300:
            yield [divmod(state, n_y) for state in states], p


def cmi(triples):
    """I(A;B|C) from ((a, b, c), p) pairs, by the definition."""
    abc, ac, bc, c = (defaultdict(float) for _ in range(4))
    for (a_, b_, c_), p in triples:
        abc[a_, b_, c_] += p
        ac[a_, c_] += p
        bc[b_, c_] += p
        c[c_] += p
    return sum(p * math.log2(p * c[k[2]] / (ac[k[0], k[2]] * bc[k[1], k[2]])) for k, p in abc.items())


def te_by_paths(kernel, src, k, l_):
    s, t = (0, 1) if src == "x" else (1, 0)
    n = max(k, l_)
    return cmi(
        (
            (
                path[n][t],
                tuple(path[n - 1 - lag][s] for lag in range(l_)),
                tuple(path[n - 1 - lag][t] for lag in range(k)),
            ),
            p,
        )
        for path, p in paths(kernel, n + 1)
    )


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from("xy"), st.integers(0, 3), st.integers(1, 3))
def test_transfer_entropy_is_that_of_the_paths(seed, src, k, l_):
    kernel = random_kernel(seed)
    assert transfer_entropy_exact(kernel.tolist(), src, k, l_) == pytest.approx(
        te_by_paths(kernel, src, k, l_), abs=1e-10
    )


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from("xy"), st.sampled_from([(1, 2), (2, 1), (2, 2)]))
def test_larger_alphabets(seed, src, lengths):
    kernel = random_kernel(seed, 3, 2)
    assert transfer_entropy_exact(kernel, src, *lengths) == pytest.approx(te_by_paths(kernel, src, *lengths), abs=1e-10)


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from("xy"), st.integers(1, 3))
def test_time_delayed_information_is_that_of_the_paths(seed, src, lag):
    kernel = random_kernel(seed, 2, 3)
    s, t = (0, 1) if src == "x" else (1, 0)
    expected = cmi(((path[0][s], path[lag][t], 0), p) for path, p in paths(kernel, lag + 1))
    assert time_delayed_mutual_information_exact(kernel, src, lag) == pytest.approx(expected, abs=1e-10)


def di_by_paths(kernel, n, src, with_present=True):
    s, t = (0, 1) if src == "x" else (1, 0)
    total = 0.0
    for time in range(n):
        last = time + 1 if with_present else time
        total += cmi(
            (((tuple(q[s] for q in path[:last])), path[time][t], tuple(q[t] for q in path[:time])), p)
            for path, p in paths(kernel, time + 1)
        )
    return total


@settings(max_examples=6, deadline=None)
@given(seeds, st.sampled_from("xy"), st.integers(1, 4))
def test_directed_information_is_that_of_the_paths(seed, src, n):
    kernel = random_kernel(seed)
    assert directed_information(kernel, n, src) == pytest.approx(di_by_paths(kernel, n, src), abs=1e-10)


@settings(max_examples=6, deadline=None)
@given(seeds, st.integers(2, 4))
def test_directed_information_is_conserved(seed, n):
    kernel = random_kernel(seed)
    joint = defaultdict(float)
    for path, p in paths(kernel, n):
        joint[tuple(x for x, _ in path), tuple(y for _, y in path)] += p
    law = np.zeros((2**n, 2**n))
    for (x, y), p in joint.items():
        law[int("".join(map(str, x)), 2), int("".join(map(str, y)), 2)] = p
    both = directed_information(kernel, n) + di_by_paths(kernel, n, "y", with_present=False)
    assert mutual_information(law / law.sum()) == pytest.approx(both, abs=1e-9)


def test_xor_is_seen_by_transfer_entropy_only():
    kernel = np.zeros((2, 2, 2, 2))
    for x, y, x1, y1 in product(range(2), repeat=4):
        kernel[x, y, x1, y1] = 0.5 * (0.9 if y1 == x ^ y else 0.1)
    assert transfer_entropy_exact(kernel, "x", 1, 1) == pytest.approx(0.5310044064107188, abs=1e-12)
    assert time_delayed_mutual_information_exact(kernel, "x", 1) == pytest.approx(0.0, abs=1e-12)
    assert transfer_entropy_exact(kernel, "y", 1, 1) == pytest.approx(0.0, abs=1e-12)


def test_periodic_chain_has_a_stationary_law():
    """X alternates, Y copies the last X: the phase, one bit, goes over at the start and never again."""
    kernel = np.zeros((2, 2, 2, 2))
    for x, y in product(range(2), repeat=2):
        kernel[x, y, 1 - x, x] = 1.0
    assert time_delayed_mutual_information_exact(kernel, "x", 1) == pytest.approx(1.0, abs=1e-12)
    assert transfer_entropy_exact(kernel, "x", 1, 1) == pytest.approx(0.0, abs=1e-12)
    assert transfer_entropy_exact(kernel, "x", 0, 1) == pytest.approx(1.0, abs=1e-12)
    assert directed_information(kernel, 7) == pytest.approx(1.0, abs=1e-12)


def test_several_stationary_laws_are_undefined():
    frozen = np.eye(4).reshape(2, 2, 2, 2)
    assert math.isnan(transfer_entropy_exact(frozen, "x", 1, 1))
    assert math.isnan(time_delayed_mutual_information_exact(frozen, "x", 1))
    assert math.isnan(directed_information(frozen, 3))


def test_transient_states_carry_no_mass():
    kernel = np.zeros((2, 2, 2, 2))
    kernel[..., 1, 1] = 1.0
    assert transfer_entropy_exact(kernel, "x", 2, 2) == 0.0
    assert stationary_law(kernel.reshape(4, 4)).tolist() == [0.0, 0.0, 0.0, 1.0]


@given(seeds, st.integers(1, 6))
def test_stationary_law_stays(seed, n):
    rng = np.random.default_rng(seed)
    steps = rng.dirichlet(np.full(n, 0.3), size=n) + 1e-12
    steps /= steps.sum(axis=1, keepdims=True)
    law = stationary_law(steps)
    assert law @ steps == pytest.approx(law, abs=1e-12)
    assert law.sum() == pytest.approx(1.0)


def test_stationary_law_of_a_nearly_decomposable_chain_keeps_its_digits():
    steps = np.array([[1 - 1e-14, 1e-14], [3e-14, 1 - 3e-14]])
    assert stationary_law(steps) == pytest.approx([0.75, 0.25], rel=1e-12)


def test_classes_and_periods():
    ring = np.roll(np.eye(6), 1, axis=1)
    assert period(ring, closed_classes(ring)[0]) == 6
    ring[0] = [0.0, 0.5, 0.0, 0.5, 0.0, 0.0]
    assert period(ring, closed_classes(ring)[0]) == 2
    ring[0, 0], ring[0, 1] = 0.25, 0.25
    assert period(ring, closed_classes(ring)[0]) == 1
    two = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert sorted(members.tolist() for members in closed_classes(two)) == [[1], [2]]


def test_common_driver_is_apparent_flow_only():
    law = np.zeros((2, 2, 2))
    law[0, 0, 0] = law[1, 1, 1] = 0.5
    assert conditional_mutual_information(law, [0], [1], []) == 1.0
    assert conditional_mutual_information(law, [0], [1], [2]) == 0.0


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda k: transfer_entropy_exact(k, "z", 1, 1), "src: 'z'"),
        (lambda k: transfer_entropy_exact(k, "x", 1, 0), "l: 0"),
        (lambda k: transfer_entropy_exact(k, "x", 20, 20), "a table of"),
        (lambda k: time_delayed_mutual_information_exact(k, "x", 0), "lag: 0"),
        (lambda k: directed_information(k, 0), "n: 0"),
        (lambda k: directed_information(k, 60), "a table of"),
        (lambda k: directed_information(k[0], 2), "kernel: 3 axes"),
        (lambda k: directed_information(k * 2, 2), r"kernel\[0\]\[0\]: probabilities that sum to 2"),
    ],
)
def test_bad_input_is_named(call, line):
    with pytest.raises(ValueError, match=line):
        call(np.full((2, 2, 2, 2), 0.25))
