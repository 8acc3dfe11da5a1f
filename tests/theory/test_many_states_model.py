"""Social learning with K states: closed forms, the two-state model as a special case, martingales."""

from __future__ import annotations

import math
from random import Random

import pytest

from tidings.theory import herding
from tidings.theory.many_states import action_after, critical_precisions, next_beliefs, posteriors, responses


def draw_belief(rng: Random, n: int) -> tuple[float, ...]:
    parts = [rng.expovariate(1.0) for _ in range(n)]
    return tuple(part / sum(parts) for part in parts)


@pytest.mark.parametrize(("n", "value"), [(2, 0.784), (3, 0.8155)])
def test_the_third_agent_is_right_as_often_as_the_closed_form_says(n: int, value: float) -> None:
    """Uniform prior, q = p: p^2 + p (1 - p^2 - (1-p)^2 / (K-1)); .784 for K=2, .8155 for K=3 at p=.7."""
    p = 0.7

    def p_right(belief: tuple[float, ...], n_before: int) -> float:
        law = responses(belief, p)
        if n_before == 2:
            return law[0][0]
        return sum(law[0][a] * p_right(next_beliefs(belief, law, a), n_before + 1) for a in range(n) if law[0][a] > 0.0)

    found = p_right((1.0 / n,) * n, 0)
    assert found == pytest.approx(p**2 + p * (1 - p**2 - (1 - p) ** 2 / (n - 1)), abs=1e-12)
    assert found == pytest.approx(value, abs=1e-12)


def test_two_states_are_the_classic_model() -> None:
    rng = Random(3)
    cases = [(rng.random(), 0.5 + rng.random() / 2) for _ in range(500)]
    cases += [(b, max(b, 1 - b)) for b in (0.1, 0.3, 0.5, 0.7, 0.9)]  # exact ties follow the own signal
    for b, q in cases:
        law = responses((1.0 - b, b), q)
        _, _, good, bad = herding.action_likelihoods(b, q)
        assert law[1][1] == pytest.approx(good, abs=1e-12), (b, q)
        assert law[0][1] == pytest.approx(bad, abs=1e-12), (b, q)
        for action, likelihoods in ((1, (good, bad)), (0, (1 - good, 1 - bad))):
            after = next_beliefs((1.0 - b, b), law, action)[1]
            assert after == pytest.approx(herding.next_belief(b, *likelihoods), abs=1e-12), (b, q)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_public_belief_is_a_martingale_and_its_laws_sum_to_one(n: int) -> None:
    rng = Random(n)
    for _ in range(300):
        belief, q = draw_belief(rng, n), rng.uniform(1.0 / n, 1.0)
        law = responses(belief, q)
        assert all(sum(row) == pytest.approx(1.0, abs=1e-12) for row in law)
        mean = [0.0] * n
        for action in range(n):
            p_action = sum(b * row[action] for b, row in zip(belief, law, strict=True))
            if p_action > 0.0:
                after = next_beliefs(belief, law, action)
                mean = [m + p_action * x for m, x in zip(mean, after, strict=True)]
        assert mean == pytest.approx(belief, abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_actions_are_what_the_posterior_favours(n: int) -> None:
    rng = Random(10 + n)
    for _ in range(500):
        belief, q = draw_belief(rng, n), rng.uniform(1.0 / n, 1.0)
        for signal in range(n):
            after = posteriors(belief, q, signal)
            assert after[action_after(belief, q, signal)] == pytest.approx(max(after), abs=1e-12)


def test_partial_cascades_pool_the_ignored_signals_into_the_leader() -> None:
    belief, q = (0.6, 0.3, 0.1), 0.6
    followed = [action_after(belief, q, signal) == signal for signal in range(3)]
    assert followed == [True, True, False]
    law = responses(belief, q)
    assert law[0] == pytest.approx((0.8, 0.2, 0.0))
    assert law[2] == pytest.approx((0.8, 0.2, 0.0))  # signal 2 is pooled: states 0 and 2 answer alike but for signal 1


def test_a_signal_is_followed_from_its_critical_precision_on() -> None:
    rng = Random(8)
    for _ in range(300):
        belief = draw_belief(rng, 4)
        for signal, critical in enumerate(critical_precisions(belief)):
            assert action_after(belief, critical, signal) == signal
            if critical > 0.25 + 1e-6:
                assert action_after(belief, critical - 1e-6, signal) != signal


def test_ties_without_the_own_signal_go_to_the_lowest_index() -> None:
    assert action_after((0.3, 0.3, 0.25, 0.15), 0.26, 3) == 0
    assert action_after((0.3 - 1e-16, 0.3, 0.25, 0.15), 0.26, 3) == 0


def test_a_full_cascade_says_nothing_exactly() -> None:
    law = responses((0.8, 0.1, 0.1), 0.5)
    assert law == ((1.0, 0.0, 0.0),) * 3
    assert next_beliefs((0.8, 0.1, 0.1), law, 0) == (0.8, 0.1, 0.1)
    assert next_beliefs((0.8, 0.1, 0.1), law, 2) == (0.8, 0.1, 0.1)  # off the path


def test_an_impossible_signal_is_undefined_and_ignored() -> None:
    assert all(math.isnan(p) for p in posteriors((0.0, 0.4, 0.6), 1.0, 0))
    assert action_after((0.0, 0.4, 0.6), 1.0, 0) == 2
