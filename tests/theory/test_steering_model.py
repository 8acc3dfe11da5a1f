"""Beliefs and actions of controlled social learning: identities at random points, ties and floating point."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidings.theory import steering as sl

BELIEFS = st.floats(0.001, 0.999)
PRECISIONS = st.floats(0.5, 1.0)


def is_tie_or_follow(b, q):
    """The agent's rule by posteriors alone: does its action differ between its two signals?"""
    return sl.agent_action(b, q, "G") != sl.agent_action(b, q, "B")


@given(b=BELIEFS, q=PRECISIONS)
@example(b=0.3, q=0.7)
@example(b=0.7, q=0.7)
@example(b=0.5, q=0.5)
@example(b=0.1, q=0.9)
def test_beliefs_are_a_martingale_and_signals_a_distribution(b, q):
    g, h = (sl.signal_probability(b, q, s) for s in "GB")
    assert g + h == pytest.approx(1.0, abs=1e-15)
    assert g * sl.posterior(b, q, "G") + h * sl.posterior(b, q, "B") == pytest.approx(b, abs=2e-12)
    mean = sum(sl.action_probability(b, q, a) * sl.next_belief(b, q, a) for a in "GB")
    assert mean == pytest.approx(b, abs=2e-12)
    assert sum(sl.action_probability(b, q, a) for a in "GB") == pytest.approx(1.0, abs=1e-15)


@given(b=BELIEFS, q=PRECISIONS)
@example(b=0.3, q=0.7)
@example(b=0.5, q=0.5)
def test_error_probability_is_that_of_the_joint_distribution(b, q):
    joint = {("G", "G"): b * q, ("G", "B"): b * (1 - q), ("B", "B"): (1 - b) * q, ("B", "G"): (1 - b) * (1 - q)}
    error = sum(mass for (w, s), mass in joint.items() if sl.agent_action(b, q, s) != w)
    assert sl.error_probability(b, q) == pytest.approx(error, abs=2e-12)
    assert sl.error_probability(b, q) == pytest.approx(min(b, 1 - b, 1 - q), abs=2e-12)


@given(b=BELIEFS, q=PRECISIONS)
def test_a_followed_signal_crosses_one_half(b, q):
    if sl.is_followed(b, q):
        assert sl.posterior(b, q, "B") <= 0.5 <= sl.posterior(b, q, "G")
        assert is_tie_or_follow(b, q)
        assert not sl.is_off_path(b, q, "G") or b == 0.0
    else:
        assert sl.next_belief(b, q, "G") == b == sl.next_belief(b, q, "B")
        assert sl.is_off_path(b, q, "B" if b > 0.5 else "G")


@given(b=BELIEFS, q=st.floats(0.5, 0.999))
def test_log_odds_add_and_opposite_signals_cancel(b, q):
    up = sl.belief_from_log_odds(sl.log_odds(b) + sl.log_odds(q))
    assert up == pytest.approx(sl.posterior(b, q, "G"), abs=3e-12)
    back = sl.posterior(sl.posterior(b, q, "G"), q, "B")
    assert back == pytest.approx(b, abs=1e-11)


@pytest.mark.parametrize("percent", range(1, 50))
def test_ties_are_ties_in_floating_point(percent):
    # Without the tolerance 1 - 0.18 > 0.82 makes a cascade, and the posterior of b = 0.2, q = 0.8 is not quite 1/2.
    b, q = percent / 100, (100 - percent) / 100
    assert sl.is_followed(b, q)
    assert sl.is_followed(1 - b, q)
    assert sl.posterior(b, q, "G") == 0.5 == sl.posterior(1 - b, q, "B")


@pytest.mark.parametrize("detour", [0.85, 0.9, 0.93])
@pytest.mark.parametrize("p", [0.55, 0.7, 0.8])
def test_a_belief_that_walked_back_to_the_free_precision_is_a_tie(p, detour):
    after_good = sl.next_belief(0.5, p, "G")
    walked = sl.next_belief(sl.next_belief(after_good, detour, "B"), detour, "G")
    assert sl.is_followed(walked, p)
    assert sl.next_belief(walked, p, "B") == 0.5
    assert not sl.is_followed(sl.next_belief(after_good, p, "G"), p)


def test_ties_follow_the_own_signal():
    assert [sl.agent_action(0.7, 0.7, s) for s in "GB"] == ["G", "B"]
    assert [sl.agent_action(0.5, 0.5, s) for s in "GB"] == ["G", "B"]
    assert [sl.agent_action(0.7 + 1e-9, 0.7, s) for s in "GB"] == ["G", "G"]
    assert [sl.agent_action(0.3 - 1e-9, 0.7, s) for s in "GB"] == ["B", "B"]


def test_an_action_against_a_cascade_keeps_the_belief():
    assert sl.is_off_path(0.8, 0.6, "B")
    assert sl.next_belief(0.8, 0.6, "B") == 0.8
    assert sl.is_off_path(1.0, 1.0, "B")
    assert sl.next_belief(1.0, 1.0, "B") == 1.0


def test_posterior_of_an_impossible_signal_is_nan():
    assert math.isnan(sl.posterior(1.0, 1.0, "B"))
    assert sl.posterior(0.4, 1.0, "G") == 1.0


def test_log_odds_are_infinite_at_certainty():
    assert sl.log_odds(0.0) == -math.inf
    assert sl.log_odds(1.0) == math.inf
    assert sl.belief_from_log_odds(-800.0) == 0.0


def test_arrays_agree_with_scalars():
    rng = np.random.default_rng(1)
    b, q = rng.uniform(0, 1, 200), rng.uniform(0.5, 1, 200)
    b[:3], q[:3] = [0.3, 0.5, 0.1], [0.7, 0.5, 0.9]
    g, h, b_g, b_b = sl.branches(b, q)
    for i in range(b.size):
        assert g[i] == pytest.approx(sl.signal_probability(b[i], q[i], "G"), abs=1e-15)
        assert h[i] == pytest.approx(sl.signal_probability(b[i], q[i], "B"), abs=1e-15)
        assert b_g[i] == pytest.approx(sl.posterior(b[i], q[i], "G"), abs=2e-12)
        assert b_b[i] == pytest.approx(sl.posterior(b[i], q[i], "B"), abs=2e-12)
        assert sl.are_followed(b, q)[i] == sl.is_followed(b[i], q[i])


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: sl.posterior(1.2, 0.7, "G"), "b=1.2"),
        (lambda: sl.is_followed(0.4, 0.4), "q=0.4"),
        (lambda: sl.next_belief(0.4, 0.7, "X"), "'X'"),
        (lambda: sl.agent_action(float("nan"), 0.7, "G"), "b=nan"),
        (lambda: sl.log_odds(-0.1), "b=-0.1"),
    ],
)
def test_bad_input_is_named_in_one_line(call, found):
    with pytest.raises(ValueError, match="allowed") as error:
        call()
    assert found in str(error.value)
    assert "\n" not in str(error.value)
