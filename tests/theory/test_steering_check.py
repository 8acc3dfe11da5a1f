"""Independent slow checks: exact play of the solved policy, the optimality inequality, and simulation.

None of these interpolates a value function to get the numbers it compares with.
"""

import numpy as np
import pytest

from tidings.theory import steering as sl

# Settings that no golden file holds, drawn once at random.
HELD_OUT = [
    ("biased", 0.671, "linear", 1.37, 0.87, 1.0),
    ("biased", 0.62, "sqrt", 0.45, 0.8, 1.4),
    ("biased", 0.81, "quadratic", 4.2, 0.75, 0.7),
    ("altruistic", 0.76, "linear", 5.3, 0.85, 1.0),
    ("altruistic", 0.68, "quadratic", 11.0, 0.9, 1.0),
    ("altruistic", 0.85, "sqrt", 1.9, 0.92, 1.3),
]
BELIEFS = (0.03, 0.17, 0.29, 0.4, 0.4999, 0.5, 0.5001, 0.58, 0.66, 0.83)


@pytest.fixture(scope="module", params=HELD_OUT, ids=lambda s: f"{s[0]}-{s[2]}")
def solution(request):
    return sl.solve_planner(*request.param, tolerance=3e-5)


def play_exactly(solution, b, n_agents=400, least_mass=1e-9):
    """The exact value of playing solution.precision from b, by following the mass of every belief; a lower bound.

    What is too light to follow, or left at the end, is charged the worst possible loss.
    """
    problem, delta = solution.problem, solution.problem.delta
    worst = -(problem.error_cost + problem.cost.of(max(problem.p - 0.5, 1 - problem.p))) / (1 - delta)
    masses, total = {b: 1.0}, 0.0
    for _ in range(n_agents):
        following = {}
        for belief, mass in masses.items():
            q = solution.precision(belief)
            if mass < least_mass:
                total += mass * worst
            elif not sl.is_followed(belief, q):
                total += mass * problem.reward(belief, q) / (1 - delta)
            else:
                total += mass * problem.reward(belief, q)
                for signal in ("G", "B"):
                    p_signal = sl.signal_probability(belief, q, signal)
                    if p_signal > 0:
                        after = sl.next_belief(belief, q, signal)
                        following[after] = following.get(after, 0.0) + delta * mass * p_signal
        masses = following
    return total + worst * sum(masses.values())


def test_playing_the_policy_earns_the_value(solution):
    for b in BELIEFS:
        earned = play_exactly(solution, b)
        assert earned <= solution.value(b) + solution.error_bound
        # The nudge costs sqrt(2e-9) k per agent under a square-root cost; masses below 1e-9 are charged in full.
        assert solution.value(b) - earned <= 1e-4


def test_no_choice_beats_the_value_by_more_than_the_bound_allows(solution):
    """T V <= V + bound at random beliefs and many precisions, with V from lookahead at both ends, not interpolation."""
    problem, rng = solution.problem, np.random.default_rng(11)
    excess = 0.0
    for b in (*rng.uniform(0.001, 0.999, 60).tolist(), *BELIEFS):
        least = max(b, 1 - b, problem.least_precision)
        special = [least, least + 1e-9, max(least, problem.p), 1.0, *(problem.p + d for d in (1e-4, 1e-3, 1e-2))]
        q = np.clip(np.concatenate([rng.uniform(least, 1, 300), special]), least, 1)
        g, h, b_g, b_b = sl.branches(np.full_like(q, b), q)
        loss = h if problem.objective == "biased" else 1 - q
        reward = -problem.cost(q - problem.p) - problem.error_cost * loss
        ahead = g * solution.values(b_g) + h * solution.values(b_b)
        excess = max(excess, float((reward + problem.delta * ahead).max()) - solution.value(b))
        if not sl.is_followed(b, problem.p):
            waiting = problem.reward(b, problem.p) + problem.delta * solution.value(b)
            excess = max(excess, waiting - solution.value(b))
    # A supersolution up to this excess is above V minus excess / (1 - delta).
    assert excess / (1 - problem.delta) <= solution.error_bound + 1e-9


def simulate(solution, b_1, n_runs, seed):
    """Discounted rewards of n_runs plays of the solved policy, the state drawn from b_1, agents acting on signals."""
    problem, rng = solution.problem, np.random.default_rng(seed)
    totals = np.zeros(n_runs)
    for run in range(n_runs):
        state, b, discount = ("G" if rng.random() < b_1 else "B"), b_1, 1.0
        other = "B" if state == "G" else "G"
        while discount > 1e-9:
            q = solution.precision(b)
            action = sl.agent_action(b, q, state if rng.random() < q else other)
            is_loss = action == "B" if problem.objective == "biased" else action != state
            reward = -problem.cost.of(q - problem.p) - problem.error_cost * is_loss
            if not sl.is_followed(b, q):
                totals[run] += discount * reward / (1 - problem.delta)
                break
            totals[run] += discount * reward
            b, discount = sl.next_belief(b, q, action), discount * problem.delta
    return totals


@pytest.mark.parametrize("b_1", [0.35, 0.5, 0.55])
@pytest.mark.parametrize("setting", [("altruistic", 0.9, "sqrt", 1.0, 0.9), ("biased", 0.7, "linear", 2.0, 0.9)])
def test_simulated_play_agrees_with_the_value(setting, b_1):
    solution = sl.solve_planner(*setting, tolerance=1e-4)
    totals = simulate(solution, b_1, n_runs=1500, seed=5)
    standard_error = totals.std(ddof=1) / np.sqrt(totals.size)
    assert totals.mean() == pytest.approx(solution.value(b_1), abs=3 * standard_error + 1e-4)
