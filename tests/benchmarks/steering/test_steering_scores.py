"""Scores of steering on hand-made rows: every number here can be checked with pencil and paper."""

import math

import numpy as np
import polars as pl
import pytest

from tidings.benchmarks.steering.bootstrap import bootstrap_mean, bootstrap_ratio
from tidings.benchmarks.steering.policy import policy_deviation
from tidings.benchmarks.steering.scoring import (
    bin_label,
    bin_of,
    by_bin,
    discounted_welfare,
    obfuscation_by_bin,
    outcome_scores,
    paired_scores,
    paired_welfare,
)
from tidings.benchmarks.steering.stated_beliefs import bayes_deviation, cascade_delay, response_slope
from tidings.theory.herding import posterior
from tidings.theory.steering import solve_planner


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


def rows(n_correct: list[int], rollouts: list[int] | None = None, **changes: list) -> pl.DataFrame:
    n = len(n_correct)
    columns = {
        "rollout": rollouts or list(range(n)),
        "n_agents": [4] * n,
        "n_correct": n_correct,
        "loss": [4.0 - k for k in n_correct],
        "first_cascade": [2] * n,
        "last_correct": [k > 2 for k in n_correct],
        "belief": [0.9] * n,
        "cost": [0.5] * n,
        "n_below": [1] * n,
        "off_path": [0] * n,
        "reward": [-1.0] * n,
    }
    return pl.DataFrame(columns | changes)


def test_intervals_agree_with_drawing_rollouts_one_by_one() -> None:
    values = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 3.0, 7.0])
    found = bootstrap_mean(values, generator(), 100_000)
    drawn = values[np.random.default_rng(1).integers(0, 7, (100_000, 7))].mean(axis=1)
    assert found.value == values.mean()
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.03)


def test_a_ratio_weighs_rollouts_by_their_denominators_and_resamples_both_together() -> None:
    found = bootstrap_ratio([1.0, 30.0], [1.0, 10.0], generator())
    assert found.value == 31 / 11
    assert (found.low, found.high, found.n) == (1.0, 3.0, 2)


def test_undefined_estimates_are_nan() -> None:
    assert math.isnan(bootstrap_mean([], generator()).value)
    assert bootstrap_ratio([0.0], [0.0], generator()).n == 0
    single = bootstrap_mean([2.0], generator())
    assert single.value == 2.0
    assert math.isnan(single.low)


@pytest.mark.parametrize(
    ("belief", "index"),
    [(0.0, 0), (0.0999, 0), (0.1, 1), (0.3, 3), (1 - 0.7, 3), (0.49999, 4), (0.5, 5), (0.7, 7), (1.0, 9)],
)
def test_bins_have_an_edge_at_half_and_forgive_rounding(belief: float, index: int) -> None:
    assert bin_of(belief) == index


def test_bin_labels() -> None:
    assert [bin_label(0), bin_label(5), bin_label(9)] == ["0.0-0.1", "0.5-0.6", "0.9-1.0"]


def test_outcomes() -> None:
    cascades = [1, 3, None]
    found = outcome_scores(rows([4, 1, 2], first_cascade=cascades, cost=[1.0, 2.0, 6.0]), generator())
    expected = {
        "p_correct": 7 / 12,
        "welfare": -5 / 12,
        "last_correct": 1 / 3,
        "cascade_correct": 1 / 3,
        "cascade_wrong": 1 / 3,
        "cascade_time": 2.0,
        "expenditure": 3.0,
        "obfuscation": 0.25,
        "off_path": 0.0,
        "reward": -1.0,
    }
    assert {name: part.value for name, part in found.items()} == pytest.approx(expected)
    assert found["cascade_time"].n == 2


def test_without_a_planner_there_is_no_reward() -> None:
    none = rows([4, 1], reward=[None, None]).with_columns(pl.col("reward").cast(pl.Float64))
    assert math.isnan(outcome_scores(none, generator())["reward"].value)


def test_differences_are_paired_and_a_failed_rollout_of_either_run_is_left_out() -> None:
    """Rollout 1 failed under control, rollout 3 without: two pairs are left, and each has the difference +1/4."""
    controlled = rows([2, 4, 4], rollouts=[0, 2, 3])
    baseline = rows([1, 0, 3], rollouts=[0, 1, 2])
    found = paired_scores(controlled, baseline, generator())
    assert found["p_correct"] == (0.25, 0.25, 0.25, 2)
    assert found["welfare"] == (1.0 / 4, 0.25, 0.25, 2)


def turns(**columns: list) -> pl.DataFrame:
    n = len(columns["rollout"])
    base = {"free": [0.7] * n, "precision": [0.7] * n, "state": ["G"] * n, "position": list(range(n))}
    return pl.DataFrame(base | columns)


def test_discounted_welfare() -> None:
    frame = turns(rollout=[0, 0, 1, 1], position=[0, 1, 0, 1], action=["G", "B", "B", "G"])
    assert discounted_welfare(frame, 0.5)["welfare"].to_list() == pytest.approx([2 / 3, 1 / 3])
    worse = frame.with_columns(action=pl.lit("B"))
    assert paired_welfare(frame, worse, 0.5, generator()).value == pytest.approx(0.5)


def test_obfuscation_by_bin_ignores_rounding() -> None:
    frame = turns(rollout=[0, 1, 2, 3], belief=[0.5, 0.55, 0.2, 0.2], precision=[0.6, 0.7, 0.7 - 1e-12, 0.7 - 1e-6])
    found = obfuscation_by_bin(frame, generator())
    assert {i: part.value for i, part in found.items()} == {2: 0.5, 5: 0.5}


def test_bins_resample_rollouts_not_rows() -> None:
    frame = pl.DataFrame({"rollout": [0] * 50 + [1] * 50, "b": [0.2] * 100, "x": [0.0] * 50 + [1.0] * 50})
    (found,) = by_bin(frame, "b", "x", generator()).values()
    assert found == (0.5, 0.0, 1.0, 2)


def test_policy_deviation_in_the_cheap_case() -> None:
    """Cheap linear precision: V(1/2) = -k(1-p), q* = 1; after q = p the myopic cost is C(1-p), then V(.7) again."""
    solution = solve_planner("altruistic", 0.7, "linear", 0.5, 0.9)
    frame = pl.DataFrame({"rollout": [0, 1, 2], "belief": [0.5, 0.5, 0.99], "precision": [1.0, 0.7, 0.7]})
    found = policy_deviation(frame, solution, generator())
    lost = -0.15 - (-0.3 + 0.9 * -0.15)
    assert found[5].regret.value == pytest.approx(lost / 2, abs=1e-9)
    assert found[5].signed.value == pytest.approx(-0.15)
    assert found[5].absolute.value == pytest.approx(0.15)
    assert found[5].relative.value == pytest.approx(0.15)
    assert (found[9].regret.value, found[9].signed.value) == pytest.approx((0.0, 0.0), abs=1e-9)


def stated(weight: float) -> pl.DataFrame:
    """Beliefs that move by `weight` times what Bayes says; six of agreeing, six of opposing signals, one at 1/2."""
    found = []
    publics = [(0.7, "G"), (0.3, "B"), (0.7, "B"), (0.3, "G")] * 3 + [(0.5, "G")]
    for i, (public, signal) in enumerate(publics):
        q = (0.6, 0.7, 0.9)[i % 3]
        shift = weight * math.log(q / (1 - q)) * (1 if signal == "G" else -1)
        belief = 1 / (1 + math.exp(-math.log(public / (1 - public)) - shift))
        bayes = posterior(public, q, int(signal == "G"))
        found.append((i % 2, signal, q, belief, public, bayes))
    return pl.DataFrame(found, ["rollout", "signal", "precision", "belief", "public", "bayes"], orient="row")


@pytest.mark.parametrize("weight", [0.4, 1.0, 1.7])
@pytest.mark.parametrize("is_agreeing", [True, False])
def test_slopes_find_the_weight_of_the_signal(weight: float, is_agreeing: bool) -> None:
    found = response_slope(stated(weight), is_agreeing=is_agreeing, generator=generator())
    assert found.value == pytest.approx(weight)
    assert (found.low, found.high) == pytest.approx((weight, weight))


def test_agreeing_and_opposing_signals_are_kept_apart() -> None:
    weak, strong = stated(0.5), stated(2.0)
    agrees = (weak["signal"] == "G") == (weak["public"] > 0.5)
    mixed = pl.concat([weak.filter(agrees), strong.filter(~agrees)])
    assert response_slope(mixed, is_agreeing=True, generator=generator()).value == pytest.approx(0.5)
    assert response_slope(mixed, is_agreeing=False, generator=generator()).value == pytest.approx(2.0)


def test_beliefs_without_log_odds_are_counted_not_clipped() -> None:
    sure = stated(1.0).with_columns(belief=pl.when(pl.int_range(pl.len()) == 0).then(1.0).otherwise("belief"))
    faint = (
        stated(1.0).filter(pl.int_range(pl.len()) == 0).with_columns(precision=pl.lit(0.5 + 1e-8), belief=pl.lit(0.9))
    )
    sure = pl.concat([sure, faint])
    no_turns = turns(rollout=[0], belief=[0.5], signal=["G"], action=["G"])
    found = bayes_deviation(sure, no_turns, generator())
    assert (found.n_unused, found.n_stated) == (2, 14)
    assert found.agreeing.value == pytest.approx(1.0)
    assert found.absolute[7].value == pytest.approx((1.0 - 2 * posterior(0.7, 0.6, 1) + 0.9) / 7)
    assert math.isnan(found.delay.value)


def test_a_belief_after_an_impossible_signal_is_counted_and_enters_no_bin() -> None:
    """An agent acted against a certain signal; then the public belief 1 meets a certain signal B: no posterior."""
    rows = pl.DataFrame(
        {
            "rollout": [0, 1],
            "signal": ["B", "G"],
            "precision": [1.0, 0.7],
            "belief": [0.4, 0.9],
            "public": [1.0, 0.95],
            "bayes": [posterior(1.0, 1.0, 0), 0.9],
        }
    )
    found = bayes_deviation(rows, turns(rollout=[0], belief=[0.5], signal=["G"], action=["G"]), generator())
    assert (found.n_stated, found.n_without_bayes, found.n_unused) == (2, 1, 0)
    assert found.absolute[9].value == pytest.approx(0.0)


def opposed(excess_ignored: list[tuple[float, bool]]) -> pl.DataFrame:
    """Turns with the signal B against belief 0.6 + excess at precision 0.6."""
    return turns(
        rollout=list(range(len(excess_ignored))),
        belief=[0.6 + e for e, _ in excess_ignored],
        precision=[0.6] * len(excess_ignored),
        signal=["B"] * len(excess_ignored),
        action=["G" if ignored else "B" for _, ignored in excess_ignored],
    )


def test_a_bayesian_has_no_delay_and_a_stubborn_follower_has() -> None:
    excesses = [-0.05, 0.0, 0.1, 0.2, 0.3] * 4
    bayes = cascade_delay(opposed([(e, e > 0) for e in excesses]), generator())
    late = cascade_delay(opposed([(e, e > 0.1) for e in excesses]), generator())
    assert (bayes.value, bayes.n) == (0.0, 20)
    assert bayes.high <= 0.0
    assert late.value == pytest.approx(0.1)
    assert late.high == pytest.approx(0.1)


def test_delay_is_undefined_when_no_signal_or_every_signal_is_ignored() -> None:
    for always in (True, False):
        assert math.isnan(cascade_delay(opposed([(e, always) for e in (-0.05, 0.1, 0.2)]), generator()).value)


def test_delay_is_undefined_where_all_excesses_are_the_same() -> None:
    """Half ignore at the only excess there is: no threshold between can be told from the ends."""
    assert math.isnan(cascade_delay(opposed([(0.0, True), (0.0, False)] * 3), generator()).value)


def test_delay_has_an_open_end_where_draws_hold_no_followed_signal() -> None:
    found = cascade_delay(opposed([(0.0, False), (0.1, True)]), generator())
    assert (found.value, found.low, found.high) == (0.0, -math.inf, math.inf)
