"""Figures of outcomes: what they draw, read back from the figure, and the numbers under them in closed form."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

import tidings
from tidings.analysis.belief_figures import calibration_bins
from tidings.analysis.canvas import BLUE, ORANGE
from tidings.analysis.herd_figures import _cascade_cells
from tidings.core import DataError, Event
from tidings.theory.steering import solve_planner

SUPPORT = Path(__file__).parents[1] / "support"

STEER = """
name: steer
graph: {kind: complete, n: 8}
agents: [{kind: llm, count: 2, model: m}, {kind: bayesian, count: 6}]
models: {m: {use: scripted/fast}}
environment: {kind: social_learning, precision: 0.7, order: random}
planner: {kind: optimal, objective: biased, target: TARGET, cost: {kind: linear, weight: 0.5}, delta: 0.9}
rollouts: {count: 12, seed: 3}
"""


def play(folder, text: str) -> tidings.Run:
    (folder / "s.yaml").write_text(text)
    return tidings.run(folder / "s.yaml", out=folder)


@pytest.fixture(scope="module", params=["G", "B"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tidings.Run:
    return play(tmp_path_factory.mktemp("steer"), STEER.replace("TARGET", request.param))


def test_bins_hold_means_and_shares_and_resample_rollouts() -> None:
    beliefs, truth = np.array([0.01, 0.09, 0.95, 1.0, 0.55]), np.array([0.0, 1.0, 1.0, 1.0, 0.0])
    first, middle, last = calibration_bins(beliefs, truth, np.array([0, 1, 0, 1, 0]))
    assert (first.mean, first.share, first.n) == (pytest.approx(0.05), 0.5, 2)
    assert (first.low, first.high) == (0.0, 1.0)
    assert (last.mean, last.share, last.low, last.high) == (pytest.approx(0.975), 1.0, 1.0, 1.0)
    assert middle.n == 1
    assert np.isnan(middle.low)


def test_intervals_are_wider_where_beliefs_share_their_rollout() -> None:
    """A hundred beliefs in 4 rollouts of one truth each are 4 draws, not 100: 1/2 +- 1/2 for all of Bin(4, 1/2)."""
    beliefs, rollouts = np.full(100, 0.55), np.repeat(np.arange(4), 25)
    (one,) = calibration_bins(beliefs, (rollouts % 2).astype(float), rollouts)
    assert (one.share, one.low, one.high) == (0.5, 0.0, 1.0)
    (many,) = calibration_bins(beliefs, (np.arange(100) % 2).astype(float), np.arange(100))
    assert many.high - many.low == pytest.approx(2 * 1.96 * 0.05, abs=0.02)


def test_one_belief_reckoned_two_ways_is_one_bin() -> None:
    (one,) = calibration_bins(np.array([0.5, 0.5 - 1e-16, 0.49999999999999994]), np.ones(3), np.arange(3))
    assert one.n == 3


def test_cascade_cells_are_strong_from_the_third_equal_action_on() -> None:
    """Precision 0.7, own-signal ties: after G, G the third agent's hint cannot matter."""
    setup = {"states": ["B", "G"], "prior": 0.5, "precision": 0.7, "ties": "own_signal", "threshold": 0.5, "seen": None}
    setup["order"] = ["a0", "a1", "a2", "a3"]
    events = [Event("setup", ("*",), setup), Event("state", (), {"value": "G"})]
    events += [Event("action", ("*",), {"action": action}, f"a{i}") for i, action in enumerate("GGGB")]
    assert _cascade_cells(events) == pytest.approx([2 / 3, 2 / 3, 1.0, 0.0])
    events[0] = Event("setup", ("*",), setup | {"seen": {}})
    assert _cascade_cells(events) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1 / 3])


def test_who_failed_to_act_keeps_its_place(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seats that always play what is true, but the second, which always fails: a gap at 2, and nobody moves up."""
    monkeypatch.syspath_prepend(str(SUPPORT))
    run = play(
        tmp_path,
        "{name: f, graph: {kind: complete, n: 3}, agents: [{kind: scripted, nodes: [a0], policy: constant, value: G}, "
        '{kind: "seats:Drawing", nodes: [a1], fail_share: 1.0}, '
        "{kind: scripted, nodes: [a2], policy: constant, value: B}], "
        "rollouts: {count: 4, seed: 1, on_failure: abstain}, "
        "environment: {kind: social_learning, ask_belief: false, state: G}}",
    )
    assert run.correct_actions() == [(rollout, "G", [True, None, False]) for rollout in range(4)]
    line = next(line for line in run.plot.correctness().axes[0].lines if to_hex(line.get_color()) == BLUE.lower())
    assert np.array_equal(line.get_ydata(), [1.0, np.nan, 0.0], equal_nan=True)
    for name in ("actions", "cascades"):
        image = np.ma.filled(getattr(run.plot, name)().axes[0].images[0].get_array().astype(float), np.nan)
        assert (np.isnan(image) == [[False, True, False]] * 4).all(), name


def test_the_optimal_planner_lies_on_the_optimal_line(run: tidings.Run) -> None:
    axes = run.plot.policy().axes[0]
    dots = next(line for line in axes.lines if line.get_marker() == "o")
    assert len(dots.get_xdata()) == 12 * 8
    target = run.scenario.planner.settings()["target"]
    solution = solve_planner("biased", 0.7, "linear", 0.5, 0.9, 1.0)
    for belief, chosen in zip(*dots.get_data(), strict=True):
        assert chosen == pytest.approx(solution.precision(belief if target == "G" else 1.0 - belief), abs=1e-6)
    x, y = np.hstack([line.get_data() for line in axes.lines if to_hex(line.get_color()) == BLUE.lower()])
    for belief in (0.2, 0.5, 0.8):
        wanted = solution.precision(belief if target == "G" else 1.0 - belief)
        assert y[np.argmin(np.abs(x - belief))] == pytest.approx(wanted)
    assert "the line is optimal" in axes.get_title(loc="left")


def test_without_an_exact_optimum_no_line_is_drawn(tmp_path) -> None:
    text = STEER.replace("TARGET", "G").replace("kind: optimal", "kind: random").replace(", delta: 0.9", "")
    axes = play(tmp_path, text).plot.policy().axes[0]
    assert "no exact optimum is known" in axes.get_title(loc="left")
    assert not [line for line in axes.lines if to_hex(line.get_color()) == BLUE.lower()]


def test_trajectories_are_one_line_a_rollout(run: tidings.Run) -> None:
    axes = run.plot.trajectories().axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) == 9]
    assert len(lines) == 12
    truths = [state for _, state, _ in run.correct_actions()]
    colours = [BLUE.lower() if state == "G" else ORANGE.lower() for state in truths]
    assert [to_hex(line.get_color()) for line in lines] == colours
    few = run.plot.trajectories(max_rollouts=5).axes[0].lines
    assert len([line for line in few if len(line.get_xdata()) == 9]) == 5


def test_a_rollout_that_ends_while_the_map_is_drawn_waits_for_the_next(
    run: tidings.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that goes on has more rollouts each time it is read."""
    before = [found for found in run.correct_actions() if found[0] != 4]
    monkeypatch.setattr(run, "correct_actions", lambda: before)
    axes = run.plot.cascades().axes[0]
    assert axes.images[0].get_array().shape[0] == len(before) == len(axes.get_yticklabels())


def test_a_kind_of_agent_has_one_colour_in_all_figures(run: tidings.Run) -> None:
    for name in ("graph", "calibration", "beliefs"):
        legend = getattr(run.plot, name)().axes[0].get_legend()
        names = [text.get_text().split(":")[0] for text in legend.get_texts()]
        dots = legend.legend_handles
        colours = [dot.get_color() if isinstance(dot, Line2D) else dot.get_facecolor()[0] for dot in dots]
        found = dict(zip(names, map(to_hex, colours), strict=True))
        assert found == {"llm": BLUE.lower(), "bayesian": ORANGE.lower()}, name


def test_this_run_is_blue_and_its_twin_orange(run: tidings.Run) -> None:
    for name in ("correctness", "welfare"):
        lines = [line for line in getattr(run.plot, name)().axes[0].lines if line.get_marker() == "o"]
        assert [to_hex(line.get_color()) for line in lines] == [BLUE.lower(), ORANGE.lower()], name


def test_calibration_shows_every_kind_with_its_brier_score(run: tidings.Run) -> None:
    axes = run.plot.calibration().axes[0]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    truths = {rollout: state == "G" for rollout, state, _ in run.correct_actions()}
    kinds = run.seat_kinds()
    for kind, text in zip(("llm", "bayesian"), texts, strict=True):
        rows = [row for row in run.beliefs().iter_rows(named=True) if kinds[row["seat"]] == kind]
        brier = np.mean([(row["belief"] - truths[row["rollout"]]) ** 2 for row in rows])
        assert text == f"{kind}: {len(rows)} beliefs, Brier {brier:.3f}"


def test_welfare_and_accuracy_stand_at_their_values(run: tidings.Run) -> None:
    (row,) = run.metrics("welfare").to_dicts()
    axes = run.plot.welfare({"again": run}).axes[0]
    dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([row["value"], row["twin"], row["value"]])
    axes = run.plot.accuracy_calls(metric="p_correct").axes[0]
    (dot,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert dot.get_xdata()[0] == len(run.calls()) / 12
    assert dot.get_ydata()[0] == run.metrics("p_correct")["value"][0]


def test_calls_of_rollouts_that_failed_are_no_cost_of_the_others(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first and the last of three seats ask once each; where the second fails, the last is never asked."""
    monkeypatch.syspath_prepend(str(SUPPORT))
    run = play(
        tmp_path,
        "{name: f, graph: {kind: complete, n: 3}, models: {m: {use: scripted/fast}}, "
        "agents: [{kind: llm, count: 1, model: m}, "
        '{kind: "seats:Drawing", count: 1, fail_share: 0.5}, {kind: llm, count: 1, model: m}], '
        "environment: {kind: social_learning}, rollouts: {count: 12, seed: 3}}",
    )
    assert 0 < run.status["failed"] < 12
    (dot,) = [line for line in run.plot.accuracy_calls(metric="p_correct").axes[0].lines if line.get_marker() == "o"]
    assert dot.get_xdata()[0] == 2


def test_the_cost_panel_adds_up(run: tidings.Run) -> None:
    tokens, latency, time = run.plot.cost().axes
    calls = run.calls()
    widths = sum(patch.get_width() for patch in tokens.patches)
    assert widths == calls["tokens_in"].sum() + calls["tokens_out"].sum()
    assert sum(patch.get_height() for patch in latency.patches) == len(calls)
    assert time.lines[0].get_ydata()[-1] == len(calls)
    assert latency.get_xlabel() == "latency of a call, ms"


@pytest.mark.parametrize("name", ["trajectories", "calibration", "policy", "welfare", "cost", "cascades"])
def test_a_run_without_what_it_takes_is_told(tmp_path, name: str) -> None:
    run = play(
        tmp_path,
        "{name: t, graph: {kind: path, n: 2}, agents: [{kind: scripted, count: 2, policy: random}], "
        "environment: {kind: talk, rounds: 1}, rollouts: {count: 1, seed: 1}}",
    )
    with pytest.raises(DataError):
        getattr(run.plot, name)()
