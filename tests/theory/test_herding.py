"""Herds: closed forms by enumeration and by simulation, scalar and array paths, graphs."""

import json
from itertools import product
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core import SeedPath
from tidings.theory.draws import child_keys, uniforms
from tidings.theory.herding import (
    HerdModel,
    action_likelihoods,
    next_belief,
    p_play_good,
    posterior,
    simulate_herds,
)
from tidings.theory.network_learning import ancestors, learn_on_network, naive_posterior, network_posterior

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "steering.json").read_text())


def closed_form(p: float, n_agents: int, ties: str) -> tuple[float, float, float]:
    """Correct, wrong and no cascade after an even number of agents (sheet, section 2; Bikhchandani et al. 1992)."""
    n = n_agents // 2
    if ties == "own_signal":
        a, r = p * p + (1 - p) ** 2, 2 * p * (1 - p)
        return p * p * (1 - r**n) / a, (1 - p) ** 2 * (1 - r**n) / a, r**n
    u = p - p * p
    return p * (p + 1) * (1 - u**n) / (2 * (1 - u)), (p - 2) * (p - 1) * (1 - u**n) / (2 * (1 - u)), u**n


def enumerate_cascades(p: float, n_agents: int, ties: str) -> tuple[float, float, float]:
    """Sums over all histories of actions, given the state G, with the scalar functions."""
    totals = [0.0, 0.0, 0.0]
    open_histories = [(0.5, 1.0)]
    for _ in range(n_agents):
        following = []
        for belief, weight in open_histories:
            _, _, good, bad = action_likelihoods(belief, p, ties)
            for g, b in ((good, bad), (1 - good, 1 - bad)):
                if weight * g > 0:
                    following.append((next_belief(belief, g, b), weight * g))
        open_histories = following
    for belief, weight in open_histories:
        on_good, on_bad, *_ = action_likelihoods(belief, p, ties)
        ignored = on_good == on_bad and on_good != 0.5
        totals[2 if not ignored else int(on_good == 0.0)] += weight
    return tuple(totals)


@pytest.mark.parametrize("ties", ["own_signal", "coin"])
@pytest.mark.parametrize("p", [0.55, 0.6, 0.7, 0.85, 0.99])
@pytest.mark.parametrize("n_agents", [2, 4, 8, 12])
def test_cascade_probabilities_by_enumeration(p: float, n_agents: int, ties: str) -> None:
    assert enumerate_cascades(p, n_agents, ties) == pytest.approx(closed_form(p, n_agents, ties), abs=1e-12)


def test_golden_cascade_rows() -> None:
    rows = [row for row in GOLDEN["cascade_closed_forms"] if row["agents"] is not None and row["agents"] <= 14]
    assert len(rows) >= 8
    for row in rows:
        for ties, key in (("own_signal", "own_signal"), ("coin", "coin_flip")):
            expected = [row[key][name] for name in ("correct", "wrong", "none")]
            assert enumerate_cascades(row["p"], row["agents"], ties) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("ties", ["own_signal", "coin"])
@pytest.mark.parametrize("p", [0.6, 0.7])
def test_hundred_thousand_simulated_herds(p: float, ties: str) -> None:
    n_rollouts, n_agents = 100_000, 100
    seats = tuple(f"a{i}" for i in range(n_agents))
    model = HerdModel(n_agents, lambda _belief, _position: p, ties=ties)
    seed = SeedPath.root(11).child("rollout")
    herds = simulate_herds(model, seed, np.arange(n_rollouts), seats, range(1, n_agents + 1))
    begun = herds.first_cascade >= 0
    right = herds.last_action == herds.state
    found = ((begun & right).mean(), (begun & ~right).mean(), (~begun).mean())
    for share, expected in zip(found, closed_form(p, n_agents, ties), strict=True):
        assert abs(share - expected) <= 3 * sqrt(expected * (1 - expected) / n_rollouts) + 1e-12
    if ties == "own_signal":
        revealing = np.where(begun, herds.first_cascade, n_agents)
        assert abs(revealing.mean() - 2 / (p * p + (1 - p) ** 2)) <= 3 * revealing.std() / sqrt(n_rollouts)


def play_scalar(seed: SeedPath, rollout: int, n_agents: int, p, ties: str, seats, steps) -> list:
    """One herd with plain Python, draw by draw."""
    path, belief, first = seed.child(rollout), 0.5, -1
    truth = int(path.uniform("state") < 0.5)
    actions = []
    for i in range(n_agents):
        q = p(belief, i)
        signal = truth if path.uniform("signal", i) < q else 1 - truth
        on_good, on_bad, good, bad = action_likelihoods(belief, q, ties)
        if on_good == on_bad and on_good != 0.5 and first < 0:
            first = i
        play = p_play_good(posterior(belief, q, signal), signal, ties)
        action = int(play == 1.0 or (play == 0.5 and path.uniform("seat", seats[i], int(steps[i]), "coin") < 0.5))
        actions.append(action)
        belief = next_belief(belief, good, bad) if action else next_belief(belief, 1 - good, 1 - bad)
    return [truth, sum(actions), first, actions[-1], belief]


@pytest.mark.parametrize("ties", ["own_signal", "coin"])
@pytest.mark.parametrize("kind", ["constant", "by belief", "by position"])
def test_array_path_equals_scalar_path_seed_for_seed(ties: str, kind: str) -> None:
    policies = {
        "constant": lambda _b, _i: 0.7,
        "by belief": lambda b, _i: 0.5 + 0.45 * abs(b - 0.45),
        "by position": lambda _b, i: 0.55 + 0.4 * (i % 3) / 3,
    }
    seed, n = SeedPath.root(5).child("rollout"), 13
    seats, steps = tuple(f"s{i}" for i in range(n)), np.arange(n) * 2 + 2
    rollouts = np.array([0, 1, 2, 7, 90, 91, 92, 1000, 5, 6, *range(200, 260)])
    model = HerdModel(n, policies[kind], ties=ties, is_stationary=kind != "by position")
    herds = simulate_herds(model, seed, rollouts, seats, steps)
    for k, rollout in enumerate(rollouts):
        expected = play_scalar(seed, int(rollout), n, policies[kind], ties, seats, steps)
        found = [herds.state[k], herds.n_good[k], herds.first_cascade[k], herds.last_action[k], herds.belief[k]]
        assert found == expected, rollout


def test_array_draws_equal_scalar_draws() -> None:
    seed = SeedPath.root(9)
    keys = child_keys(np.full(50, seed.key, dtype=np.uint64), np.arange(50), "seat")
    assert [int(key) for key in keys] == [seed.child(i, "seat").key for i in range(50)]
    assert uniforms(keys, "x", 3).tolist() == [seed.uniform(i, "seat", "x", 3) for i in range(50)]


@given(st.floats(0.001, 0.999), st.floats(0.5, 0.999), st.sampled_from(["own_signal", "coin"]))
def test_public_belief_is_a_martingale(belief: float, q: float, ties: str) -> None:
    _, _, good, bad = action_likelihoods(belief, q, ties)
    p_action = belief * good + (1 - belief) * bad
    after = p_action * next_belief(belief, good, bad) + (1 - p_action) * next_belief(belief, 1 - good, 1 - bad)
    assert after == pytest.approx(belief, abs=1e-12)


def test_ties_survive_floating_point() -> None:
    """1 - 0.7 <= 0.3 is false in floats; a signal that exactly balances the belief must still count as followed."""
    for p in (0.6, 0.7, 0.8, 0.9, 0.55):
        on_good, on_bad, *_ = action_likelihoods(p, p, "own_signal")
        assert (on_good, on_bad) == (1.0, 0.0)
        assert action_likelihoods(1 - p, p, "coin")[:2] == (0.5, 0.0)


def test_off_path_actions_and_certain_beliefs() -> None:
    assert action_likelihoods(0.9, 0.6)[:2] == (1.0, 1.0)
    assert next_belief(0.9, 0.0, 0.0) == 0.9
    assert next_belief(1.0, 0.0, 1.0) == 1.0
    assert action_likelihoods(1.0, 1.0)[1] == 1.0
    assert posterior(1.0, 1.0, 0) != posterior(1.0, 1.0, 0)


@pytest.mark.parametrize("row", GOLDEN["graph_extension"], ids=lambda row: row["name"])
def test_golden_networks(row: dict) -> None:
    learning = learn_on_network(row["neighbours"], [row["p"]] * len(row["neighbours"]), row["prior"])
    assert learning.p_correct == pytest.approx(row["p_correct"], abs=1e-12)
    assert learning.p_ignored == pytest.approx(row["p_signal_ignored"], abs=1e-12)


@given(st.data())
def test_network_posterior_equals_brute_force(data: st.DataObject) -> None:
    """Sums over all signal vectors of a random small network, agent by agent, with no shared code but the rule."""
    n = data.draw(st.integers(2, 5))
    seen = [sorted(data.draw(st.sets(st.integers(0, i - 1), max_size=i))) if i else [] for i in range(n)]
    q = [data.draw(st.sampled_from([0.55, 0.6, 0.7, 0.81])) for _ in range(n)]
    prior = data.draw(st.sampled_from([0.5, 0.4, 0.62]))
    actions_of: dict[tuple[int, ...], list[int]] = {}

    def act(i: int, view: tuple[int, ...], signal: int) -> int:
        weights = []
        for state in (1, 0):
            total = 0.0
            for signals in product((0, 1), repeat=i):
                played = actions_of[signals]
                if all(played[j] == a for j, a in zip(seen[i], view, strict=True)):
                    p = 1.0
                    for s, qq in zip(signals, q, strict=False):
                        p *= qq if s == state else 1 - qq
                    total += p
            weights.append(total * (q[i] if signal == state else 1 - q[i]) * (prior if state else 1 - prior))
        share = weights[0] / sum(weights)
        return signal if abs(share - 0.5) < 1e-9 else int(share > 0.5)

    actions_of[()] = []
    for i in range(n - 1):
        for signals in product((0, 1), repeat=i):
            for s in (0, 1):
                view = tuple(actions_of[signals][j] for j in seen[i])
                actions_of[(*signals, s)] = [*actions_of[signals], act(i, view, s)]
    last = n - 1
    for signals in product((0, 1), repeat=last):
        view = {j: actions_of[signals][j] for j in seen[last]}
        good = bad = 0.0
        for other in product((0, 1), repeat=last):
            if all(actions_of[other][j] == a for j, a in view.items()):
                pg = pb = 1.0
                for s, qq in zip(other, q, strict=False):
                    pg *= qq if s else 1 - qq
                    pb *= 1 - qq if s else qq
                good, bad = good + pg, bad + pb
        expected = prior * good / (prior * good + (1 - prior) * bad)
        assert network_posterior(last, view, seen, q, prior) == pytest.approx(expected, abs=1e-9)


def test_on_a_complete_graph_an_action_against_a_cascade_changes_nothing() -> None:
    seen = [list(range(i)) for i in range(5)]
    with_herd = network_posterior(3, {0: 1, 1: 1, 2: 1}, seen, [0.7] * 5)
    rebel = network_posterior(4, {0: 1, 1: 1, 2: 1, 3: 0}, seen, [0.7] * 5)
    assert rebel == pytest.approx(with_herd, abs=1e-6)


def test_sizes_beyond_exact_enumeration_are_refused_in_one_line() -> None:
    seen = [list(range(i)) for i in range(20)]
    with pytest.raises(ValueError, match=r"19 ancestors; exact Bayes enumerates at most 16 .*naive") as caught:
        network_posterior(19, dict.fromkeys(range(19), 1), seen, [0.7] * 20)
    assert "\n" not in str(caught.value)
    assert ancestors(19, [[], [0], *[[i - 1] for i in range(2, 20)]]) == tuple(range(19))


def test_naive_posterior_counts_every_action_as_a_signal() -> None:
    assert naive_posterior({0: 1, 1: 1, 2: 0}, [0.7] * 3) == pytest.approx(0.7)
    assert naive_posterior({0: 1}, [0.8], 0.3) == pytest.approx(0.3 * 0.8 / (0.3 * 0.8 + 0.7 * 0.2))
