"""Log-probability estimates: census equality, caps, telescoping, underflow and impossible texts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.theory.information import (
    census_mutual_information_from_logprobs,
    channel_mutual_information,
    information_density_increments,
    mutual_information,
    mutual_information_from_logprobs,
)

seeds = st.integers(0, 2**32 - 1)
INF = math.inf


def random_channel(seed, n_worlds=4, n_texts=6):
    return np.random.default_rng(seed).dirichlet(np.full(n_texts, 0.5), size=n_worlds) + 1e-12


def census_value(channel, scores, prior=None):
    """The estimate in expectation: every text of every world, weighted by its probability, one call per text."""
    n_worlds, n_texts = channel.shape
    weights = np.full(n_worlds, 1 / n_worlds) if prior is None else prior
    return sum(
        weights[x] * channel[x, z] * mutual_information_from_logprobs([scores[:, z]], [x])
        for x in range(n_worlds)
        for z in range(n_texts)
    )


@given(seeds)
def test_census_is_the_mutual_information(seed):
    channel = random_channel(seed)
    channel /= channel.sum(axis=1, keepdims=True)
    assert census_value(channel, np.log(channel)) == pytest.approx(channel_mutual_information(channel), abs=1e-12)


@given(seeds)
def test_proxy_only_lowers(seed):
    channel, proxy = (random_channel(s) for s in (seed, seed + 1))
    channel /= channel.sum(axis=1, keepdims=True)
    assert census_value(channel, np.log(proxy)) <= channel_mutual_information(channel) + 1e-12


@given(seeds)
def test_weighted_census_is_the_mutual_information(seed):
    """Texts of a world as samples in proportion to whole-number frequencies."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, (3, 5)) + np.eye(3, 5, dtype=int)
    channel, prior = counts / counts.sum(axis=1, keepdims=True), rng.dirichlet(np.ones(3))
    samples = [(x, z) for x in range(3) for z in range(5) for _ in range(counts[x, z])]
    with np.errstate(divide="ignore"):
        scores = np.log(channel)
    logp, src = [scores[:, z] for _, z in samples], [x for x, _ in samples]
    exact = mutual_information(prior[:, None] * channel)
    assert census_mutual_information_from_logprobs(logp, src, prior) == pytest.approx(exact, abs=1e-12)


def test_weighted_census_with_equal_weights_is_the_plain_one():
    logp = np.log(random_channel(3)[:, :4]).T
    plain = mutual_information_from_logprobs(logp, [0, 1, 2, 3])
    assert census_mutual_information_from_logprobs(logp, [0, 1, 2, 3], [0.25] * 4) == pytest.approx(plain, abs=1e-14)


def test_weighted_census_edges():
    logp = [[-1.0, -2.0], [-3.0, -1.0]]
    assert math.isnan(census_mutual_information_from_logprobs(logp, [0, 0], [0.5, 0.5]))
    assert census_mutual_information_from_logprobs(logp, [0, 1], [1.0, 0.0]) == 0.0
    assert census_mutual_information_from_logprobs([[-INF, -2.0], [-3.0, -1.0]], [0, 1], [0.5, 0.5]) == -INF
    assert census_mutual_information_from_logprobs([[-1.0, -INF], [-INF, -1.0]], [0, 1], [0.5, 0.5]) == pytest.approx(
        1.0
    )


@given(seeds, st.integers(1, 6), st.integers(1, 8))
def test_cap_is_the_number_of_contexts(seed, n_contexts, n_samples):
    rng = np.random.default_rng(seed)
    logp = rng.normal(scale=300.0, size=(n_samples, n_contexts))
    src = rng.integers(0, n_contexts, n_samples).tolist()
    value = mutual_information_from_logprobs(logp, src)
    assert value <= math.log2(n_contexts) + 1e-12


@given(seeds, st.integers(2, 6))
def test_leaving_out_takes_the_own_term_off_the_mean(seed, n_contexts):
    logp = np.random.default_rng(seed).normal(size=(1, n_contexts))
    kept = mutual_information_from_logprobs(logp, [1])
    left_out = mutual_information_from_logprobs(logp, [1], include_self=False)
    assert 2.0**-kept == pytest.approx((1 + (n_contexts - 1) * 2.0**-left_out) / n_contexts, rel=1e-12)


@given(seeds)
def test_shift_of_a_sample_changes_nothing(seed):
    """A common factor of all contexts cancels, also where exp() would underflow to 0 / 0."""
    rng = np.random.default_rng(seed)
    logp, src = rng.normal(size=(5, 3)), [0, 1, 2, 0, 1]
    shifted = logp - rng.uniform(500.0, 1e5, size=(5, 1))
    for include_self in (True, False):
        assert mutual_information_from_logprobs(shifted, src, include_self) == pytest.approx(
            mutual_information_from_logprobs(logp, src, include_self), abs=1e-9
        )


def test_common_factor_costs_no_digits():
    """Whole numbers, so that the shift itself is exact."""
    logp = np.array([[0.0, -1.0, -3.0], [-2.0, 0.0, -1.0]])
    shifted = logp - np.array([[2.0**40], [2.0**30]])
    assert mutual_information_from_logprobs(shifted, [0, 1]) == mutual_information_from_logprobs(logp, [0, 1])


def test_by_hand():
    logp = np.log([[0.5, 0.25], [0.125, 0.5]])
    assert mutual_information_from_logprobs(logp, [0, 1]) == pytest.approx(
        (math.log2(0.5 / 0.375) + math.log2(0.5 / 0.3125)) / 2, abs=1e-15
    )
    assert mutual_information_from_logprobs(logp, [0, 1], False) == pytest.approx(1.5, abs=1e-15)


def test_impossible_and_missing():
    assert mutual_information_from_logprobs([[-INF, -1.0], [-1.0, -2.0]], [0, 0]) == -INF
    assert mutual_information_from_logprobs([[-INF, -INF]], [0]) == -INF
    assert mutual_information_from_logprobs([[-5.0, -INF]], [0]) == pytest.approx(1.0)
    assert mutual_information_from_logprobs([[-5.0, -INF]], [0], include_self=False) == INF
    assert mutual_information_from_logprobs([[-5.0, -INF], [-INF, 0.0]], [0, 0], include_self=False) == -INF
    assert mutual_information_from_logprobs([[-5.0]], [0]) == 0.0
    assert math.isnan(mutual_information_from_logprobs([[-5.0]], [0], include_self=False))
    assert math.isnan(mutual_information_from_logprobs([], []))


@given(seeds, st.integers(1, 8))
def test_increments_telescope(seed, n_steps):
    rng = np.random.default_rng(seed)
    steps, prior = rng.normal(scale=4.0, size=(n_steps, 5)), rng.dirichlet(np.ones(5))
    result = information_density_increments(steps.tolist(), 3, prior.tolist())
    log_joint = np.log(prior) + steps.sum(axis=0)
    posterior = np.exp(log_joint - log_joint.max())
    posterior /= posterior.sum()
    assert result["posterior_src"] == pytest.approx(posterior[3], abs=1e-12)
    assert result["total"] == pytest.approx(sum(result["increments"]), abs=1e-12)
    assert result["total"] == pytest.approx(
        (log_joint[3] - math.log(prior[3]) - np.logaddexp.reduce(log_joint)) / math.log(2), abs=1e-9
    )


@given(seeds)
def test_mean_of_the_increments_is_the_information_of_the_sequence(seed):
    """Two messages; the mean over worlds and texts of the total is I(X; M1, M2), of the first one I(X; M1)."""
    rng = np.random.default_rng(seed)
    prior = rng.dirichlet(np.ones(3))
    first = rng.dirichlet(np.ones(2), size=3)
    second = rng.dirichlet(np.ones(3), size=(3, 2))
    joint = prior[:, None, None] * first[:, :, None] * second
    total = one = 0.0
    for x, a, b in np.ndindex(3, 2, 3):
        steps = [np.log(first[:, a]), np.log(second[:, a, b])]
        result = information_density_increments(steps, x, prior)
        total += joint[x, a, b] * result["total"]
        one += joint[x, a, b] * result["increments"][0]
    assert total == pytest.approx(mutual_information(joint.reshape(3, 6)), abs=1e-12)
    assert one == pytest.approx(mutual_information(joint.sum(axis=2)), abs=1e-12)


def test_increments_of_long_texts_do_not_underflow():
    result = information_density_increments([[-5000.0, -5002.0], [-90000.0, -90001.0]], 0)
    assert result["posterior_src"] == pytest.approx(1 / (1 + math.exp(-3.0)), abs=1e-12)
    far = information_density_increments([[-2000.0, 0.0], [0.0, -2000.0]], 0)
    assert far["total"] == pytest.approx(0.0, abs=1e-9)
    assert far["increments"][0] == pytest.approx(1 - 2000 / math.log(2), abs=1e-9)


def test_increments_of_impossible_messages():
    lie = information_density_increments([[-INF, -1.0], [-1.0, -1.0]], 0)
    assert lie["increments"][0] == -INF
    assert lie["total"] == -INF
    assert lie["posterior_src"] == 0.0
    ruled_out = information_density_increments([[-1.0, -INF]], 0, [0.0, 1.0])
    assert ruled_out["increments"] == [INF]
    nowhere = information_density_increments([[-INF, -INF], [-1.0, -1.0]], 0)
    assert nowhere["increments"][0] == -INF
    assert math.isnan(nowhere["increments"][1])
    assert math.isnan(nowhere["posterior_src"])
    unlikely = information_density_increments([[-1.0, -2.0]], 0, [0.0, 1.0])
    assert unlikely["increments"] == [pytest.approx(1 / math.log(2))]
    assert unlikely["posterior_src"] == 0.0


def test_no_message_says_nothing():
    assert information_density_increments([], 1, [0.25, 0.75]) == {
        "increments": [],
        "total": 0.0,
        "posterior_src": pytest.approx(0.75),
    }


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: mutual_information_from_logprobs([[math.nan, 0.0]], [0]), "logp: entry nan"),
        (lambda: mutual_information_from_logprobs([[INF, 0.0]], [0]), "logp: entry inf"),
        (lambda: mutual_information_from_logprobs([[0.0, 0.0]], [2]), r"src\[0\]: 2"),
        (lambda: mutual_information_from_logprobs([[0.0, 0.0]], [0, 1]), "src: 2 entries"),
        (lambda: mutual_information_from_logprobs([0.0, 0.0], [0, 1]), "logp: 1 axes"),
        (lambda: census_mutual_information_from_logprobs([[0.0, 0.0]], [0], [1.0]), "prior: 1 entries"),
        (lambda: information_density_increments([[0.0, 0.0]], 2), "src: 2"),
        (lambda: information_density_increments([[0.0, 0.0]], 0, [0.2, 0.3]), "prior: probabilities that sum to 0.5"),
        (lambda: information_density_increments([[0.0, 0.0]], 0, [1.0]), "logp_steps: shape"),
        (lambda: information_density_increments([0.0, 0.0], 0), "logp_steps: shape"),
        (lambda: information_density_increments([[math.nan]], 0), "logp_steps: entry nan"),
        (lambda: information_density_increments([], 0), "logp_steps: no step"),
    ],
)
def test_bad_input_is_named(call, line):
    with pytest.raises(ValueError, match=line):
        call()
