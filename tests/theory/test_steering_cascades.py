"""Cascades without control, under both tie rules: golden values, exact enumeration and simulation."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from tidings.theory import steering as sl

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "steering.json").read_text())
RULES = {"own_signal": "own_signal", "coin": "coin_flip"}


def play(p, signals, coins, ties):
    """The herd's belief in units of signals (+ for the right state) after each agent, and whether it is a cascade."""
    lead, actions = 0, []
    for signal, coin in zip(signals, coins, strict=True):
        if abs(lead) >= 2:
            actions.append(np.sign(lead))
            continue
        own = 1 if signal else -1
        is_tie = lead + own == 0 and lead != 0
        action = own if ties == "own_signal" or not is_tie else (1 if coin else -1)
        actions.append(action)
        # Under the coin rule the second agent of a pair agrees with the first either by signal or by toss, and then
        # a herd starts; if it disagrees the pair cancels out. Under the own-signal rule actions are signals.
        lead = lead + action if not (ties == "coin" and lead != 0 and action == np.sign(lead)) else 2 * np.sign(lead)
    return lead, actions


def enumerate_cascades(p, n_agents, ties):
    correct = wrong = 0.0
    p_right = np.zeros(n_agents)
    for signals in itertools.product([True, False], repeat=n_agents):
        weight = np.prod([p if s else 1 - p for s in signals])
        for coins in itertools.product([True, False], repeat=n_agents):
            lead, actions = play(p, signals, coins, ties)
            mass = weight / 2**n_agents
            correct += mass * (lead >= 2)
            wrong += mass * (lead <= -2)
            p_right += mass * (np.array(actions) == 1)
    return correct, wrong, p_right


@pytest.mark.parametrize("ties", RULES)
@pytest.mark.parametrize("row", GOLDEN["cascade_closed_forms"], ids=lambda row: f"{row['p']}-{row['agents']}")
def test_golden_cascades(row, ties):
    found = sl.cascade_probabilities(row["p"], row["agents"], ties)
    expected = row[RULES[ties]]
    assert found.correct == pytest.approx(expected["correct"], abs=1e-11)
    assert found.wrong == pytest.approx(expected["wrong"], abs=1e-11)
    assert found.none == pytest.approx(expected["none"], abs=1e-11)
    assert sl.mean_revealing_agents(row["p"]) == pytest.approx(row["own_signal_expected_revealing_agents"], abs=1e-10)


@pytest.mark.parametrize("ties", RULES)
@pytest.mark.parametrize("n_agents", [0, 1, 2, 3, 4, 5])
def test_closed_forms_equal_enumeration(ties, n_agents):
    p = 0.7
    correct, wrong, p_right = enumerate_cascades(p, n_agents, ties)
    found = sl.cascade_probabilities(p, n_agents, ties)
    assert found.correct == pytest.approx(correct, abs=1e-14)
    assert found.wrong == pytest.approx(wrong, abs=1e-14)
    assert found.none == pytest.approx(1 - correct - wrong, abs=1e-14)
    for i in range(n_agents):
        assert sl.p_correct_agent(p, i + 1, ties) == pytest.approx(p_right[i], abs=1e-14)


def test_the_two_tie_rules_differ_as_published():
    own, coin = (sl.cascade_probabilities(0.7, 2, ties) for ties in ("own_signal", "coin"))
    assert (own.correct, own.wrong, own.none) == pytest.approx((0.49, 0.09, 0.42))
    assert (coin.correct, coin.wrong, coin.none) == pytest.approx((0.595, 0.195, 0.21))


def test_the_model_itself_has_own_signal_cascades():
    """Simulate the belief model with q = p; ties follow the own signal."""
    rng, p, n_runs = np.random.default_rng(7), 0.7, 4000
    right = revealing = ended = 0
    for _ in range(n_runs):
        b = 0.5
        for _ in range(10):
            if not sl.is_followed(b, p):
                break
            revealing += 1
            b = sl.next_belief(b, p, sl.agent_action(b, p, "G" if rng.random() < p else "B"))
        ended += not sl.is_followed(b, p)
        right += b > 0.5 and not sl.is_followed(b, p)
    expected = sl.cascade_probabilities(p, 10, "own_signal")
    error = 3 * np.sqrt(0.25 / n_runs)
    assert right / n_runs == pytest.approx(expected.correct, abs=error)
    assert 1 - ended / n_runs == pytest.approx(expected.none, abs=error)
    assert revealing / n_runs == pytest.approx(sl.mean_revealing_agents(p) * (1 - expected.none), abs=0.15)


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: sl.cascade_probabilities(0.5, 2, "coin"), "p=0.5"),
        (lambda: sl.cascade_probabilities(0.7, -1, "coin"), "n_agents=-1"),
        (lambda: sl.cascade_probabilities(0.7, 2, "fair"), "ties='fair'"),
        (lambda: sl.p_correct_agent(0.7, 0, "coin"), "agent=0"),
    ],
)
def test_bad_input_is_named_in_one_line(call, found):
    with pytest.raises(ValueError, match="allowed") as error:
        call()
    assert found in str(error.value)
    assert "\n" not in str(error.value)
