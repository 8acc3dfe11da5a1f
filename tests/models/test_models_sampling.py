"""The drawing of tokens, without any weights."""

import math
from collections import Counter

import numpy as np
import pytest

from tidings.core import ModelRequest
from tidings.core.seeds import GOLDEN, MASK, SeedPath, mix64

torch = pytest.importorskip("torch")

from asked import ask  # noqa: E402

from tidings.models.transformers.sampling import RowSampler, keep_nucleus, token_uniforms  # noqa: E402
from tidings.models.transformers.stopping import RowStops  # noqa: E402


def test_uniforms_are_the_splitmix_stream_of_seed_and_position():
    key = SeedPath(2**64 - 5).child("token", 7).key
    expected = [(mix64((key + (i + 1) * GOLDEN) & MASK) >> 11) * 2.0**-53 for i in range(100)]
    assert token_uniforms(2**64 - 5, 7, 100) == pytest.approx(expected, rel=1e-6)


def test_uniforms_stay_inside_and_differ_by_position_and_seed():
    u = np.stack([token_uniforms(seed, position, 50_000) for seed in range(3) for position in range(3)])
    assert u.min() > 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 0.005
    assert abs(np.corrcoef(u)[np.triu_indices(9, 1)]).max() < 0.02


def draw(seed, temperature=1.0, top_p=1.0, position=0, logits=(2.0, 1.0, 0.0, -1.0)):
    sampler = RowSampler([seed], [temperature], [top_p], 3)
    scores = torch.tensor([logits])
    return int(sampler(torch.zeros(1, 3 + position, dtype=torch.long), scores.clone()).argmax())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_have_the_softmax_probabilities(temperature):
    n = 6000
    counts = Counter(draw(seed, temperature) for seed in range(n))
    expected = torch.tensor([2.0, 1.0, 0.0, -1.0]).div(temperature).softmax(-1).tolist()
    for token, p in enumerate(expected):
        assert abs(counts[token] - n * p) < 4 * math.sqrt(n * p * (1 - p))


def test_positions_of_one_row_are_independent_draws():
    pairs = Counter(
        (draw(seed, position=0, logits=(0.0, 0.0)), draw(seed, position=1, logits=(0.0, 0.0))) for seed in range(2000)
    )
    assert all(abs(pairs[pair] - 500) < 4 * math.sqrt(2000 * 0.25 * 0.75) for pair in ((0, 0), (0, 1), (1, 0), (1, 1)))


def test_temperature_zero_is_greedy_and_touches_nothing():
    scores = torch.randn(2, 50)
    sampler = RowSampler([1, 2], [0.0, 0.0], [1.0, 0.5], 3)
    assert sampler(torch.zeros(2, 4, dtype=torch.long), scores) is scores


def test_a_row_draws_the_same_in_any_company():
    rows = torch.randn(5, 1000, generator=torch.Generator().manual_seed(0))
    settings = ([5, 6, 7, 8, 9], [0.7, 1.0, 0.0, 1.3, 0.7], [1.0, 0.9, 1.0, 0.5, 1.0])
    ids = torch.zeros(5, 4, dtype=torch.long)
    together = RowSampler(*settings, 3)(ids, rows.clone()).argmax(-1)
    for row in range(5):
        alone = RowSampler(*([values[row]] for values in settings), 3)(ids[:1], rows[row : row + 1].clone())
        assert alone.argmax() == together[row]


@pytest.mark.parametrize("n_tokens", [10, 5000])
def test_the_nucleus_is_the_smallest_set_that_reaches_its_mass(n_tokens):
    generator = torch.Generator().manual_seed(n_tokens)
    logits = torch.randn(8, n_tokens, generator=generator) * torch.tensor([[0.01], [0.1], [1], [2], [3], [4], [5], [9]])
    top_p = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.999, 1.0])
    kept = keep_nucleus(logits, top_p).isfinite()
    probabilities = logits.double().softmax(-1)
    for row in range(8):
        inside = probabilities[row][kept[row]]
        if top_p[row] == 1:
            assert kept[row].all()
            continue
        assert inside.sum() >= top_p[row] - 1e-6
        assert inside.sum() - inside.min() < top_p[row] + 1e-6
        assert kept[row].all() or inside.min() >= probabilities[row][~kept[row]].max()


def words(tokens):
    return "".join(" abcdefgh"[token] for token in tokens)


def stops(*requests: ModelRequest):
    return RowStops(requests, frozenset({0}), 2, words)


def feed(criterion, *rows):
    """Gives each row's tokens one by one, as generation does; rows that are done get padding."""
    longest = max(map(len, rows))
    for n in range(1, longest + 1):
        ids = torch.tensor([[9, 9, *(list(row) + [0] * longest)[:n]] for row in rows])
        done = criterion(ids, None)
    return done.tolist()


def test_each_row_ends_at_its_own_limit_end_mark_or_stop_text():
    criterion = stops(ask(max_tokens=2), ask(max_tokens=9), ask(max_tokens=9, stop=("bc", "x")), ask(max_tokens=9))
    assert feed(criterion, [1, 1, 1, 1], [1, 0, 3, 3], [1, 2, 3, 4], [1, 1, 1, 1]) == [True, True, True, False]
    assert [criterion.length(row, 4) for row in range(4)] == [2, 2, 3, 4]


def test_text_is_cut_before_the_first_stop_text():
    criterion = stops(ask(stop=("bc", "ab")), ask())
    assert criterion.cut(0, "xxabc") == ("xx", True)
    assert criterion.cut(0, "xx") == ("xx", False)
    assert criterion.cut(1, "xxabc") == ("xxabc", False)
