"""Figures of steering: what they draw, read back from the figure."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from tidings.analysis.canvas import BLUE, ORANGE, to_svg
from tidings.analysis.steering_figures import (
    belief_path,
    belief_paths,
    deviation_histogram,
    value_and_policy,
    welfare_bars,
)
from tidings.core import Event
from tidings.theory.steering import solve_planner


def is_drawn(figure: Figure) -> bool:
    return to_svg(figure).startswith("<svg")


def test_cascades_are_shaded_where_the_closed_form_has_them() -> None:
    """The counterexample to convexity: cascades exactly for min(b, 1-b) <= .01909301."""
    figure = value_and_policy(solve_planner("altruistic", 0.9, "linear", 2.0, 0.9))
    top, bottom = figure.axes
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in top.patches]
    assert spans == [pytest.approx((0.0, 0.01909301), abs=1e-3), pytest.approx((1 - 0.01909301, 1.0), abs=1e-3)]
    values = dict(zip(*top.lines[0].get_data(), strict=True))
    assert values[0.04 if 0.04 in values else min(values, key=lambda b: abs(b - 0.04))] == pytest.approx(
        -0.188224, abs=2e-5
    )
    assert all(np.isnan(line.get_ydata()).all() for line in bottom.lines if to_hex(line.get_color()) == ORANGE.lower())
    assert is_drawn(figure)


def test_obfuscation_is_orange_and_nothing_else_is() -> None:
    """Biased k = .5, p = .7: below the free precision on all of (.3, .7), nowhere else."""
    bottom = value_and_policy(solve_planner("biased", 0.7, "linear", 0.5, 0.9)).axes[1]
    shown = {ORANGE.lower(): [], BLUE.lower(): []}
    for line in bottom.lines:
        if (colour := to_hex(line.get_color())) in shown:
            x, y = line.get_data()
            shown[colour] += list(np.asarray(x)[~np.isnan(y)])
    orange = np.array(shown[ORANGE.lower()])
    assert (orange.min(), orange.max()) == pytest.approx((0.3, 0.7), abs=2e-3)
    assert not any(0.302 < b < 0.698 for b in shown[BLUE.lower()])


def test_belief_paths_follow_the_public_belief() -> None:
    setup = {"states": ["B", "G"], "prior": 0.5, "precision": 0.7, "ties": "own_signal", "threshold": 0.5, "seen": None}
    events = [
        Event("setup", ("*",), setup),
        Event("state", (), {"value": "B"}),
        Event("action", ("*",), {"action": "G"}, "a0"),
        Event("action", ("*",), {"action": "B"}, "a1"),
    ]
    state, beliefs = belief_path(events)
    assert (state, beliefs) == ("B", pytest.approx([0.5, 0.7, 0.5]))
    axes = belief_paths([(state, beliefs), ("G", [0.5, 0.7])]).axes[0]
    assert [to_hex(line.get_color()) for line in axes.lines[:2]] == [ORANGE.lower(), BLUE.lower()]
    assert list(axes.lines[0].get_ydata()) == pytest.approx([0.5, 0.7, 0.5])


def test_bars_stand_at_their_values_with_their_intervals() -> None:
    groups = {"aligned": {"optimal": (0.1, 0.05, 0.2)}, "misaligned": {"optimal": (-0.3, -0.4, -0.25)}}
    figure = welfare_bars(groups, "gain")
    axes = figure.axes[0]
    assert [bar.get_height() for bar in axes.containers[0]] == [0.1, -0.3]
    whiskers = [segment[:, 1].tolist() for segment in axes.collections[0].get_segments()]
    assert whiskers == [pytest.approx([0.05, 0.2]), pytest.approx([-0.4, -0.25])]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["aligned", "misaligned"]
    assert is_drawn(figure)


def test_the_histogram_counts_every_turn_once() -> None:
    axes = deviation_histogram({"llm": [-0.3, -0.3, 0.0, 0.2]}).axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert sum(heights) == pytest.approx(1.0)
    assert sorted(h for h in heights if h) == pytest.approx([0.25, 0.25, 0.5])
