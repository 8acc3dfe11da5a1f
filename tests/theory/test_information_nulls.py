"""Sampled measures: the reliability rule, p values under independence, what each null keeps and breaks."""

import dataclasses
import math

import numpy as np
import pytest

from tidings.theory.information import (
    mutual_information_miller_madow,
    mutual_information_plugin,
    permutation_null,
    pid_atom,
    sampled_conditional_mutual_information,
    sampled_mutual_information,
    sampled_pid_atom,
    sampled_time_delayed_mutual_information,
    sampled_transfer_entropy,
    transfer_entropy_plugin,
)
from tidings.theory.information.nulls import measure_with_null


def generator(seed=0):
    return np.random.default_rng(seed)


def sticky(rng, stay, n):
    """A chain on 0, 1 that keeps its state s with probability stay[s]."""
    u, states = rng.random(n), [int(rng.random() < 0.5)]
    for t in range(n - 1):
        states.append(states[-1] if u[t] < stay[states[-1]] else 1 - states[-1])
    return states


def test_independent_8x8_is_not_distinguishable_from_zero():
    rng = generator(1)
    x, y = rng.integers(0, 8, (2, 50))
    result = sampled_mutual_information(x, y, np.arange(50), rng)
    assert result.value == mutual_information_plugin(x, y)
    assert result.value > 0.6
    assert abs(result.value - result.null_mean) < 0.2
    assert result.miller_madow == mutual_information_miller_madow(x, y)
    assert result.p > 0.05
    assert not result.reliable
    assert math.isnan(result.interval[0])
    assert "n = 50 < 5 x 64 cells" in result.reason
    assert "not distinguishable from zero" in result.reason


def test_strong_dependence_is_found():
    rng = generator(2)
    x = rng.integers(0, 2, 200)
    y = x ^ (rng.random(200) < 0.1)
    result = sampled_mutual_information(x, y, np.arange(200), rng)
    assert result.p == 1 / 200
    assert result.reliable
    assert result.reason == ""
    assert result.interval[0] < 0.531 < result.interval[1]
    assert result.unit == "bits"
    assert result.n == 200


@pytest.mark.parametrize(("n", "reliable"), [(19, False), (20, True)])
def test_rule_of_five_samples_per_cell(n, reliable):
    x, y = np.arange(n) % 2, np.arange(n) // 2 % 2
    assert sampled_mutual_information(x, y, np.arange(n), generator()).reliable is reliable


def test_transfer_entropy_counts_the_cells_of_all_histories():
    rng = generator(3)
    x, y = rng.integers(0, 2, (2, 700))
    short = sampled_transfer_entropy(x[:100], y[:100], np.arange(100) // 20, rng)
    assert short.n == 95
    assert short.reliable
    long = sampled_transfer_entropy(x[:400], y[:400], np.arange(400) // 20, rng, k=2, l=2)
    assert not long.reliable
    assert "k, l > 1 need n > 640" in long.reason
    assert sampled_transfer_entropy(x, y, np.arange(700) // 350, rng, 2, 2, "tuples").reliable


@pytest.mark.parametrize(("n_times", "reliable"), [(40, False), (41, True)])
def test_transfer_entropy_needs_forty_windows_of_two_bits(n_times, reliable):
    x, y = np.arange(n_times) // 2 % 2, np.arange(n_times) // 3 % 2
    result = sampled_transfer_entropy(x, y, np.zeros(n_times, int), generator(), null="tuples")
    assert (result.n, result.reliable) == (n_times - 1, reliable)


def test_cells_grow_with_the_histories():
    x, y = generator(1).integers(0, 3, (2, 702))
    result = sampled_transfer_entropy(x, y, np.zeros(702, int), generator(), 2, 2, "tuples")
    assert "n = 700 < 5 x 243 cells" in result.reason
    assert "n > 640" not in result.reason


def test_windows_do_not_straddle_episodes():
    rng = generator(4)
    x, y = rng.integers(0, 2, (2, 60))
    episode = np.repeat([7, 3, 5], 20)
    parts = [sampled_transfer_entropy(x[i : i + 20], y[i : i + 20], np.zeros(20, int), rng).n for i in (0, 20, 40)]
    pooled = sampled_transfer_entropy(x, y, episode, rng, 2, 1)
    assert parts == [19, 19, 19]
    assert pooled.n == 54
    single = sampled_transfer_entropy(x, y, np.zeros(60, int), rng, 2, 1, "tuples")
    assert single.value == pytest.approx(transfer_entropy_plugin(x, y, 2, 1), abs=1e-15)
    delayed = sampled_time_delayed_mutual_information(x, y, episode, rng, 3)
    assert delayed.n == 51
    kept = [(a, b) for i in (0, 20, 40) for a, b in zip(x[i : i + 17], y[i + 3 : i + 20], strict=True)]
    assert delayed.value == pytest.approx(mutual_information_plugin(*zip(*kept, strict=True)), abs=1e-14)


def test_interleaved_episodes_are_the_same_as_stacked_ones():
    rng = generator(5)
    x, y = rng.integers(0, 2, (2, 40))
    episode = np.arange(40) % 4
    order = np.argsort(episode, kind="stable")
    mixed = sampled_transfer_entropy(x, y, episode, generator(9))
    stacked = sampled_transfer_entropy(x[order], y[order], episode[order], generator(9))
    assert mixed == stacked


def test_one_episode_has_no_null():
    x = [0, 1] * 20
    result = sampled_mutual_information(x, x, np.zeros(40, int), generator())
    assert math.isnan(result.p)
    assert math.isnan(result.null_mean)
    assert not result.reliable
    assert "no null" in result.reason
    assert all(math.isnan(end) for end in result.interval)


def test_few_episodes_cannot_reach_five_per_cent():
    x = [0, 1] * 30
    result = sampled_mutual_information(x, x, np.repeat([0, 1, 2], 20), generator())
    assert not result.reliable
    assert "only 6 arrangements" in result.reason


def test_episodes_of_other_length_stay_where_they_are():
    seen = set()

    def statistic(permuted, _):
        seen.add(tuple(permuted.tolist()))
        return 0.0

    blocks = [np.array([0, 1]), np.array([2, 3]), np.array([4])]
    null = permutation_null(statistic, blocks, generator())
    assert seen == {(0, 1, 2, 3, 4), (2, 3, 0, 1, 4)}
    assert null.log10_arrangements == pytest.approx(math.log10(2))
    assert null.p == 1.0


def test_strata_swap_only_within():
    seen = set()

    def statistic(permuted, _):
        seen.add(tuple(permuted.tolist()))
        return 0.0

    permutation_null(statistic, [np.array([i]) for i in range(4)], generator(), strata=["a", "b", "a", "b"])
    assert seen == {(0, 1, 2, 3), (2, 1, 0, 3), (0, 3, 2, 1), (2, 3, 0, 1)}


def test_p_counts_ties_and_the_data_itself():
    values = iter([1.0, *[1.0 - 1e-13] * 10, *[0.5] * 189])
    blocks = [np.array([i]) for i in range(9)]
    assert permutation_null(lambda *_: next(values), blocks, generator()).p == 11 / 200


def test_same_generator_same_result():
    x, y = generator(8).integers(0, 3, (2, 60))
    first, second = (sampled_mutual_information(x, y, np.arange(60), generator(3)) for _ in range(2))
    assert first == second
    assert first.null_mean != sampled_mutual_information(x, y, np.arange(60), generator(4)).null_mean
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.value = 0.0  # pyright: ignore[reportAttributeAccessIssue]


def test_conditional_null_keeps_the_tie_to_the_condition():
    """X and Y both copy Z: dependent, but not given Z."""
    rng = generator(6)
    z = rng.integers(0, 2, 400)
    x, y = (z ^ (rng.random(400) < 0.1) for _ in range(2))
    plain = sampled_mutual_information(x, y, np.arange(400), rng)
    given_z = sampled_conditional_mutual_information(x, y, z, np.arange(400), rng)
    assert plain.p == 1 / 200
    assert given_z.p > 0.05
    assert given_z.value < 0.02 < plain.value
    fixed = sampled_conditional_mutual_information(z, y, z, np.arange(400), rng)
    assert (fixed.value, fixed.null_mean) == (pytest.approx(0.0, abs=1e-12), pytest.approx(0.0, abs=1e-12))
    together = sampled_conditional_mutual_information(x, x ^ z, z, np.arange(400), rng)
    assert together.p == 1 / 200


def test_pid_with_null():
    rng = generator(7)
    x1, x2 = rng.integers(0, 2, (2, 200))
    law = np.zeros((2, 2, 2))
    np.add.at(law, (x1, x2, x1 ^ x2), 1 / 200)
    found = sampled_pid_atom(x1, x2, x1 ^ x2, np.arange(200), rng)
    assert found.value == pytest.approx(pid_atom(law, "mmi", "S"), abs=1e-12)
    assert found.p == 1 / 200
    assert found.reliable
    assert math.isnan(found.miller_madow)
    noise = sampled_pid_atom(*rng.integers(0, 3, (3, 20)), np.arange(20), rng)
    assert noise.p > 0.05
    assert "n = 20 < 5 x 27 cells" in noise.reason


def test_no_samples():
    for result in (
        sampled_mutual_information([], [], [], generator()),
        sampled_transfer_entropy([0], [1], [0], generator()),
        sampled_pid_atom([], [], [], [], generator()),
    ):
        assert math.isnan(result.value)
        assert math.isnan(result.p)
        assert result.reason == "no samples"
        assert not result.reliable


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda x, r: sampled_mutual_information(x, x, x, r, 198), "n_permutations: 198"),
        (lambda x, r: sampled_mutual_information(x, x[:-1], x, r), "y: 29 rows"),
        (lambda x, r: sampled_transfer_entropy(x, x, x, r, null="steps"), "null: 'steps'"),
        (lambda x, r: sampled_time_delayed_mutual_information(x, x, x, r, 0), "lag: 0"),
        (lambda x, r: permutation_null(lambda *_: 0.0, [x], r, strata=[]), "strata: 0 labels"),
        (lambda x, r: measure_with_null(lambda *_: 0.0, [x], r, estimator="", n_cells=1, n_permutations=1), "199"),
    ],
)
def test_bad_input_is_named(call, line):
    with pytest.raises(ValueError, match=line):
        call(np.arange(30), generator())


def rejections(draw, test, n_runs, seed):
    rng = generator(seed)
    return sum(test(*draw(rng), rng).p <= 0.05 for _ in range(n_runs)) / n_runs


def two_sticky_chains(n_episodes, length):
    def draw(rng):
        x = [sticky(rng, (0.9, 0.7), length) for _ in range(n_episodes)]
        y = [sticky(rng, (0.9, 0.9), length) for _ in range(n_episodes)]
        return np.concatenate(x), np.concatenate(y), np.repeat(np.arange(n_episodes), length)

    return draw


@pytest.mark.slow
def test_episode_permutation_holds_its_level_and_time_steps_do_not():
    """Sheet, section 7: permuting time steps rejects two independent sticky chains far too often."""
    draw = two_sticky_chains(10, 20)
    level = rejections(draw, lambda x, y, e, r: sampled_time_delayed_mutual_information(x, y, e, r), 200, 1)
    naive = rejections(draw, lambda x, y, e, r: sampled_mutual_information(x, y, np.arange(len(x)), r), 200, 2)
    assert 0.015 <= level <= 0.09
    assert naive > 0.12


@pytest.mark.slow
@pytest.mark.parametrize("null", ["episodes", "tuples"])
def test_transfer_entropy_null_holds_its_level(null):
    draw = two_sticky_chains(10, 20)
    level = rejections(draw, lambda x, y, e, r: sampled_transfer_entropy(x, y, e, r, null=null), 200, 3)
    assert 0.015 <= level <= 0.09


@pytest.mark.slow
def test_interval_holds_the_truth_where_reliable():
    rng, hits = generator(11), 0
    for _ in range(200):
        x = rng.integers(0, 2, 200)
        y = x ^ (rng.random(200) < 0.1)
        low, high = sampled_mutual_information(x, y, np.arange(200), rng).interval
        hits += low <= 0.5310044 <= high
    assert 0.88 <= hits / 200 <= 0.99
