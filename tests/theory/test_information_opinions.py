"""Opinion dynamics and couplings: against iteration, enumeration and linear programs; undefined cases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.theory.information import (
    degroot_consensus,
    disagreement,
    entropy,
    friedkin_johnsen_equilibrium,
    gacs_korner_common_information,
    greedy_coupling_entropy,
    mutual_information,
    polarization,
    rajski_distance,
    solvability_lint,
)

seeds = st.integers(0, 2**32 - 1)


def random_trust(seed, n, zeros=0.5):
    rng = np.random.default_rng(seed)
    trust = rng.exponential(size=(n, n)) * (rng.random((n, n)) >= zeros)
    trust[:, 0] += 0.1
    return trust / trust.sum(axis=1, keepdims=True), rng.normal(size=n), rng.uniform(0.0, 0.95, n)


@given(seeds, st.integers(1, 6))
def test_consensus_is_where_iteration_ends(seed, n):
    trust, x0, _ = random_trust(seed, n)
    limit = np.linalg.matrix_power(trust, 2**14) @ x0
    assert limit == pytest.approx(np.full(n, degroot_consensus(trust.tolist(), x0.tolist())), abs=1e-9)


def test_consensus_by_hand():
    assert degroot_consensus([[0.5, 0.5], [0.25, 0.75]], [0.0, 3.0]) == pytest.approx(2.0, abs=1e-15)
    leader = [[1.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]
    assert degroot_consensus(leader, [7.0, 1.0, 2.0]) == 7.0
    assert degroot_consensus([[1.0]], [4.0]) == 4.0


@pytest.mark.parametrize(
    "trust",
    [
        [[0.0, 1.0], [1.0, 0.0]],
        [[1.0, 0.0], [0.0, 1.0]],
        [[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]],
        [[1.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.0, 0.0, 1.0]],
    ],
)
def test_no_unique_limit(trust):
    assert math.isnan(degroot_consensus(trust, np.arange(len(trust))))


def test_periodic_followers_of_a_closed_leader_converge():
    trust = [[1.0, 0.0, 0.0], [0.1, 0.0, 0.9], [0.1, 0.9, 0.0]]
    assert degroot_consensus(trust, [1.0, 5.0, 9.0]) == pytest.approx(1.0)


def test_faint_doubt_is_not_a_second_group():
    trust = [[1.0, 0.0], [1e-13, 1.0 - 1e-13]]
    assert degroot_consensus(trust, [1.0, 5.0]) == 1.0


@given(seeds, st.integers(1, 6))
def test_stubborn_equilibrium_is_where_iteration_ends(seed, n):
    trust, x0, lam = random_trust(seed, n)
    x = x0.copy()
    for _ in range(900):
        x = lam * (trust @ x) + (1 - lam) * x0
    assert friedkin_johnsen_equilibrium(trust, x0, lam) == pytest.approx(x, abs=1e-9)


def test_stubborn_edges():
    trust, x0 = [[0.5, 0.5], [0.5, 0.5]], [0.0, 1.0]
    assert friedkin_johnsen_equilibrium(trust, x0, [0.0, 0.0]).tolist() == x0
    assert np.isnan(friedkin_johnsen_equilibrium(trust, x0, [1.0, 1.0])).all()
    assert friedkin_johnsen_equilibrium(trust, x0, [1.0, 0.0]) == pytest.approx([1.0, 1.0])
    assert np.isnan(friedkin_johnsen_equilibrium(np.eye(2), x0, [1.0, 0.5])).all()
    split = [[1.0, 0.0], [0.5, 0.5]]
    assert np.isnan(friedkin_johnsen_equilibrium(split, x0, [1.0, 0.5])).all()
    assert friedkin_johnsen_equilibrium(split, x0, [0.5, 1.0]) == pytest.approx([0.0, 0.0])


def test_polarization_and_disagreement():
    assert polarization([0.0, 1.0]) == 0.25
    assert polarization([3.0]) == 0.0
    assert math.isnan(polarization([]))
    assert polarization([1e9, 1e9 + 1]) == 0.25
    assert disagreement([[0.0, 1.0], [3.0, 5.0]], [0.0, 2.0]) == 8.0


@given(seeds)
def test_rajski_is_a_metric(seed):
    law = np.random.default_rng(seed).dirichlet(np.full(8, 0.5)).reshape(2, 2, 2)
    xy, yz, xz = (rajski_distance(law.sum(axis=axis))["d"] for axis in (2, 0, 1))
    assert xz <= xy + yz + 1e-9
    assert -1e-12 <= xy <= 1.0 + 1e-12
    both, joint = rajski_distance(law.sum(axis=2)), law.sum(axis=2)
    assert both["D"] == pytest.approx(entropy(joint) - mutual_information(joint), abs=1e-12)


def test_rajski_edges():
    assert rajski_distance([[1.0]]) == {"D": 0.0, "d": 0.0}
    assert rajski_distance([[0.5, 0.0], [0.0, 0.5]]) == {"D": 0.0, "d": 0.0}
    assert rajski_distance([[0.25, 0.25], [0.25, 0.25]]) == {"D": 2.0, "d": 1.0}


def test_common_information():
    assert gacs_korner_common_information([[0.5, 0.0], [0.0, 0.5]]) == 1.0
    assert gacs_korner_common_information([[0.0, 0.5], [0.5, 0.0]]) == 1.0
    assert gacs_korner_common_information([[0.25, 0.25], [0.25, 0.25]]) == 0.0
    assert gacs_korner_common_information([[0.4, 0.1], [0.0, 0.5]]) == 0.0
    blocks = [[0.125, 0.125, 0.0, 0.0], [0.25, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]]
    assert gacs_korner_common_information(blocks) == 1.0


@given(seeds)
def test_common_information_is_at_most_mutual_information(seed):
    rng = np.random.default_rng(seed)
    law = rng.exponential(size=(4, 4)) * (rng.random((4, 4)) < 0.35)
    law[0, 0] += 0.01
    law /= law.sum()
    assert gacs_korner_common_information(law) <= mutual_information(law) + 1e-12


def greedy_by_lists(p, q):
    """The same rule with sorted lists of (mass, index)."""
    p, q, masses = list(p), list(q), []
    while max(p) > 1e-15 and max(q) > 1e-15:
        i, j = p.index(max(p)), q.index(max(q))
        mass = min(p[i], q[j])
        masses.append(mass)
        p[i], q[j] = p[i] - mass, q[j] - mass
    return -sum(mass * math.log2(mass) for mass in masses)


@given(seeds, st.integers(1, 6), st.integers(1, 6))
def test_greedy_coupling(seed, n_p, n_q):
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(n_p, 0.7)), rng.dirichlet(np.full(n_q, 0.7))
    value = greedy_coupling_entropy(p, q)
    assert value == pytest.approx(greedy_by_lists(p, q), abs=1e-9)
    assert max(entropy(p), entropy(q)) - 1e-9 <= value <= entropy(p) + entropy(q) + 1e-9


def test_greedy_coupling_by_hand():
    assert greedy_coupling_entropy([0.5, 0.5], [0.5, 0.25, 0.25]) == 1.5
    assert greedy_coupling_entropy([0.25, 0.75], [0.75, 0.25]) == pytest.approx(0.8112781244591328, abs=1e-15)
    assert greedy_coupling_entropy([1.0], [1.0, 0.0]) == 0.0


def function_of_x(values):
    law = np.zeros((len(values), max(values) + 1))
    law[np.arange(len(values)), values] = 1.0 / len(values)
    return law


def test_z6_from_its_remainders_is_tight():
    by_2, by_3 = function_of_x([x % 2 for x in range(6)]), function_of_x([x % 3 for x in range(6)])
    lint = solvability_lint([by_2, by_3])
    assert lint.sum_d == pytest.approx(1.0, abs=1e-12)
    assert lint.is_possible
    assert lint.bound == 1
    twice = solvability_lint([by_2, by_2])
    assert not twice.is_possible
    assert twice.sum_d == pytest.approx(2 * (1 - 1 / math.log2(6)), abs=1e-12)
    assert solvability_lint([function_of_x(list(range(6)))]).is_possible
    assert not solvability_lint([by_3]).is_possible


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: degroot_consensus([[0.5, 0.4], [0.5, 0.5]], [0, 1]), r"W\[0\]: probabilities that sum to 0.9"),
        (lambda: degroot_consensus([[1.0]], [0.0, 1.0]), "W: shape"),
        (lambda: degroot_consensus([[1.0]], [math.inf]), "x0: entries that are not finite"),
        (lambda: friedkin_johnsen_equilibrium([[1.0]], [0.0], [1.5]), "lam: entry 1.5"),
        (lambda: friedkin_johnsen_equilibrium([[1.0]], [0.0], [0.5, 0.5]), "lam: 2 entries"),
        (lambda: disagreement([[0.0, 1.0]], [0.0]), "W: shape"),
        (lambda: disagreement([[math.nan]], [0.0]), "W: entries that are not finite"),
        (lambda: solvability_lint([]), "joints: no part"),
        (lambda: solvability_lint([[[0.25, 0.25], [0.25, 0.25]]]), r"joints\[0\]: a part that X does not determine"),
        (lambda: solvability_lint([function_of_x([0, 1]), function_of_x([0, 1, 1])]), r"joints\[1\]: another law"),
    ],
)
def test_bad_input_is_named(call, line):
    with pytest.raises(ValueError, match=line):
        call()
