"""Floors of the Schedule levels against the published measurements and against closed forms."""

import sys

import numpy as np
import pytest

from tidings.benchmarks.asymmetry import schedule_floors
from tidings.benchmarks.asymmetry.schedule_balanced import draw_easy_layout
from tidings.benchmarks.asymmetry.schedule_floors import _pool_deletions, constant_spans_iou, draw_floor_days
from tidings.benchmarks.asymmetry.schedule_golds import Activity, min_deletions
from tidings.benchmarks.streams import Draws

module = sys.modules["tidings.benchmarks.asymmetry.schedule_floors"]

PAPER = {
    ("easy", "constant"): 0.45,
    ("easy", "asker"): 0.52,
    ("medium", "constant"): 0.734,
    ("medium", "asker"): 0.737,
    ("hard", "constant"): 0.412,
    ("hard", "asker"): 0.666,
}


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_paper_floors_lie_within_four_standard_errors(level):
    floors = schedule_floors("paper", level, 1500, seed=11)
    for (at, row), expected in PAPER.items():
        if at == level:
            margin = 4 * floors[row].standard_error + 0.005
            assert abs(floors[row].mean - expected) < margin, (row, floors[row])


@pytest.mark.slow
@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_paper_floors_reproduce_the_sheet_within_a_hundredth(level):
    floors = schedule_floors("paper", level, 20_000, seed=0)
    for (at, row), expected in PAPER.items():
        if at == level:
            assert abs(floors[row].mean - expected) < 0.01, (row, floors[row])


@pytest.mark.slow
def test_the_fixed_span_of_the_paper_reproduces_the_sheet():
    days = [days for days, _ in draw_floor_days("paper", "hard", 20_000, 0)]
    assert constant_spans_iou(days, (16, 44)) == pytest.approx(0.398, abs=0.01)


def test_the_constant_is_learnt_from_other_seeds():
    assert schedule_floors("paper", "easy", 3000, seed=0)["constant"].rule == "always 0"
    assert "Beekeeping, Birdwatching, Stargazing" in schedule_floors("paper", "medium", 400, seed=0)["constant"].rule


def test_balanced_easy_floor_is_a_quarter_and_the_own_view_little_more():
    floors = schedule_floors("balanced", "easy", 1600, seed=3)
    assert floors["constant"].mean == 0.25
    # Two rows of 1,600: standard error 0.008 of their mean, which is 0.28.
    assert 0.258 < (floors["asker"].mean + floors["partner"].mean) / 2 < 0.305


def test_the_fast_deletion_count_agrees_with_the_algorithm():
    layouts = np.array([draw_easy_layout(Draws(i)) for i in range(60)])
    for own in layouts[:5]:
        fast = _pool_deletions(own, layouts)
        slow = [min_deletions([Activity("", *span) for span in (*own.tolist(), *other.tolist())]) for other in layouts]
        assert fast.tolist() == slow


def test_nothing_is_learnt_from_the_items_that_are_measured(monkeypatch):
    seeds = []

    def spy(profile, level, n, seed):
        seeds.append((seed, n))
        return draw_floor_days(profile, level, n, seed)

    monkeypatch.setattr(module, "draw_floor_days", spy)
    schedule_floors("paper", "easy", 40, seed=8)
    assert sorted(seeds) == [(8, 40), (9, 500)]


def test_balanced_total_own_view_is_seven_in_twenty_four():
    # The uniform side knows nothing: 1/4. The other sees b_w in 2..13, b_j in 1..12: 13 is sure, 1 is out, so
    # 1/12 + 11/12 (1 - (1/12)**4) / (4 * 11/12) = 1/3 to four digits. The coin gives either.
    exact = (1 / 4 + 1 / 12 + (1 - (1 / 12) ** 4) / 4) / 2
    assert exact == pytest.approx(7 / 24, abs=1e-4)
    floors = schedule_floors("balanced", "medium-total", 3000, seed=3)
    for row in ("asker", "partner"):
        assert abs(floors[row].mean - exact) < 4 * floors[row].standard_error
    assert abs(floors["constant"].mean - 0.25) < 4 * floors["constant"].standard_error


def test_balanced_hard_floors():
    floors = schedule_floors("balanced", "hard", 2000, seed=3)
    assert abs(floors["asker"].mean - 0.20) < 0.01
    assert abs(floors["partner"].mean - 0.20) < 0.01
    assert floors["constant"].mean < 0.11
    days = [days for days, _ in draw_floor_days("balanced", "hard", 2000, 3)]
    # Mean gold is 3 of the 30 waking slots.
    assert constant_spans_iou(days, (14, 44)) == pytest.approx(0.10, abs=0.004)


def test_standard_error_is_that_of_the_mean():
    floor = schedule_floors("paper", "easy", 900, seed=1)["constant"]
    expected = np.sqrt(floor.mean * (1 - floor.mean) / (floor.n - 1))
    assert floor.standard_error == pytest.approx(expected, rel=1e-9)
