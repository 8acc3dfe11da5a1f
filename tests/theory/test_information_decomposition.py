"""Partial information: known gates, identities, and the BROJA optimum certified from below."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize_scalar

from tidings.theory.information import (
    conditional_mutual_information,
    mutual_information,
    partial_information_decomposition,
    pid_atom,
)
from tidings.theory.information.union_information import least_informative_law, union_information_bits

seeds = st.integers(0, 2**32 - 1)


def random_law(seed, shape):
    """Dense, sparse and nearly empty laws in turn."""
    rng = np.random.default_rng(seed)
    law = rng.dirichlet(np.full(math.prod(shape), [1.0, 0.2, 0.05, 5.0][seed % 4])).reshape(shape)
    if seed % 4 == 1:
        law[law < np.median(law) / 2] = 0.0
    return law / law.sum()


def certified_gap(law, q):
    """Bits by which q may exceed the minimum: the Frank-Wolfe bound, one transport problem per target value."""
    pair = q.sum(axis=2)
    total = 0.0
    for t in range(law.shape[2]):
        rows, columns = law[:, :, t].sum(axis=1), law[:, :, t].sum(axis=0)
        i, j = np.flatnonzero(rows), np.flatnonzero(columns)
        mass = rows.sum()
        if mass < 1e-9:
            continue
        here = q[np.ix_(i, j, [t])][:, :, 0]
        gradient = np.log(here / pair[np.ix_(i, j)])
        equal = np.zeros((len(i) + len(j), *here.shape))
        for a in range(len(i)):
            equal[a, a, :] = 1.0
        for b in range(len(j)):
            equal[len(i) + b, :, b] = 1.0
        best = linprog(
            gradient.ravel(),
            A_eq=equal.reshape(len(equal), -1)[:-1],
            b_eq=np.r_[rows[i], columns[j]][:-1] / mass,
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10, "presolve": False},
        )
        assert best.status == 0
        total += float((gradient * here).sum()) - best.fun * mass
    return total / math.log(2)


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from([(2, 2, 2), (2, 3, 3), (3, 2, 4), (3, 3, 3)]))
def test_broja_is_optimal_and_feasible(seed, shape):
    law = random_law(seed, shape)
    q = least_informative_law(law)
    assert q.min() >= 0.0
    assert np.abs(q.sum(axis=0) - law.sum(axis=0)).max() < 1e-14
    assert np.abs(q.sum(axis=1) - law.sum(axis=1)).max() < 1e-14
    assert certified_gap(law, q) < 1e-8


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_broja_of_binary_laws_by_a_nested_line_search(seed):
    """Two free numbers, one per target value: minimise over one inside the other, no derivatives."""
    law = random_law(seed, (2, 2, 2))
    move = np.array([[1.0, -1.0], [-1.0, 1.0]])
    rows, columns, mass = law.sum(axis=1), law.sum(axis=0), law.sum(axis=(0, 1))
    low = [max(0.0, rows[0, t] + columns[0, t] - mass[t]) for t in range(2)]
    high = [min(rows[0, t], columns[0, t]) for t in range(2)]

    def value(a, b):
        q = np.zeros((2, 2, 2))
        for t, corner in enumerate((a, b)):
            base = np.array([[0.0, rows[0, t]], [columns[0, t], mass[t] - rows[0, t] - columns[0, t]]])
            q[:, :, t] = np.clip(base + corner * move, 0.0, None)
        return mutual_information((q / q.sum()).reshape(4, 2))

    def best(function, bounds):
        edges = min(function(bounds[0]), function(bounds[1]))
        if bounds[1] - bounds[0] < 1e-12:
            return edges
        return min(edges, minimize_scalar(function, bounds=bounds, method="bounded", options={"xatol": 1e-10}).fun)

    expected = best(lambda a: best(lambda b: value(a, b), (low[1], high[1])), (low[0], high[0]))
    assert union_information_bits(law) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from(["imin", "mmi", "broja"]))
def test_atoms_add_up_and_swap_with_the_sources(seed, measure):
    law = random_law(seed, (2, 3, 2))
    atoms = partial_information_decomposition(law, measure)
    swapped = partial_information_decomposition(law.transpose(1, 0, 2), measure)
    i1, i2 = mutual_information(law.sum(axis=1)), mutual_information(law.sum(axis=0))
    marginals, whole = (atoms.R + atoms.U1, atoms.R + atoms.U2), atoms.R + atoms.U1 + atoms.U2 + atoms.S
    assert marginals == pytest.approx((i1, i2), abs=1e-12)
    assert whole == pytest.approx(conditional_mutual_information(law, [0, 1], [2], []), abs=1e-12)
    mirrored = swapped.R, swapped.U2, swapped.U1
    assert mirrored == pytest.approx((atoms.R, atoms.U1, atoms.U2), abs=1e-8)
    if measure == "broja":
        assert min(atoms.R, atoms.U1, atoms.U2, atoms.S) > -1e-8
    assert pid_atom(law, measure, "S") == atoms.S


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_broja_redundancy_is_at_most_the_others(seed):
    law = random_law(seed, (3, 2, 2))
    redundancy = pid_atom(law, "broja", "R")
    assert redundancy <= pid_atom(law, "mmi", "R") + 1e-8
    assert pid_atom(law, "imin", "R") <= pid_atom(law, "mmi", "R") + 1e-12


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_broja_sees_only_the_two_marginals(seed):
    """R, U1 and U2 stay when p is replaced by any law with the same (X1,T) and (X2,T) laws."""
    law = random_law(seed, (2, 2, 3))
    mass = law.sum(axis=(0, 1))
    split = law.sum(axis=1)[:, None, :] * law.sum(axis=0)[None, :, :] / np.where(mass > 0.0, mass, 1.0)
    assert pid_atom(split, "broja", "R") == pytest.approx(pid_atom(law, "broja", "R"), abs=1e-8)


def gate(function, n_1=2, n_2=2, n_t=2):
    law = np.zeros((n_1, n_2, n_t))
    for a, b in np.ndindex(n_1, n_2):
        law[a, b, function(a, b)] += 1.0 / (n_1 * n_2)
    return law


def test_gates():
    half_or = 0.31127812445913283
    for measure in ("imin", "mmi", "broja"):
        assert pid_atom(gate(lambda a, b: a & b), measure, "R") == pytest.approx(half_or, abs=1e-9)
        assert pid_atom(gate(lambda a, b: a ^ b), measure, "S") == pytest.approx(1.0, abs=1e-9)
    copy = gate(lambda a, b: 2 * a + b, n_t=4)
    assert [pid_atom(copy, measure, "R") for measure in ("imin", "mmi", "broja")] == pytest.approx([1, 1, 0], abs=1e-9)


def test_unequal_sources_and_empty_states():
    """T = X1, X2 says nothing; a state of T, X1 and X2 that never occurs changes nothing."""
    law = np.zeros((3, 3, 3))
    law[:2, :2, :2] = gate(lambda a, b: a)
    for measure in ("imin", "mmi", "broja"):
        atoms = [pid_atom(law, measure, name) for name in ("R", "U1", "U2", "S")]
        assert atoms == pytest.approx([0.0, 1.0, 0.0, 0.0], abs=1e-9)


def test_single_target_value_says_nothing():
    atoms = partial_information_decomposition([[[0.25], [0.25]], [[0.25], [0.25]]], "broja")
    assert (atoms.R, atoms.U1, atoms.U2, atoms.S) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda law: pid_atom(law, "ibroja", "R"), "measure: 'ibroja'"),
        (lambda law: pid_atom(law, "mmi", "r"), "atom: 'r'"),
        (lambda law: pid_atom(law[0], "mmi", "R"), "joint_x1_x2_t: 2 axes"),
        (lambda law: pid_atom(law / 2, "mmi", "R"), "joint_x1_x2_t: probabilities that sum to 0.5"),
    ],
)
def test_bad_input_is_named(call, line):
    with pytest.raises(ValueError, match=line):
        call(np.full((2, 2, 2), 0.125))
