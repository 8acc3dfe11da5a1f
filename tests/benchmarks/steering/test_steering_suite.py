"""The steering suites at tiny size, end to end: closed forms from runs, pairing, failures, the command."""

import json
import math
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tidings.benchmarks.steering import Cell, Control, Grid
from tidings.benchmarks.steering.play import play
from tidings.benchmarks.steering.suite import SteeringReport, score_cells
from tidings.benchmarks.table import SUITES, find_suite
from tidings.cli.main import app
from tidings.core import RequestError
from tidings.metrics.herd import HERD_COLUMNS
from tidings.spec.io import check_scenario, make_source
from tidings.spec.scenario import Scenario

CHEAP = Control()
BASE = Cell("analytical", "altruistic", "none", CHEAP, n_agents=6, n_rollouts=400, n_detailed=12)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> SteeringReport:
    grid = Grid(BASE, ("none", "optimal"), ("altruistic", "misaligned"), (CHEAP,))
    return score_cells("tiny", tuple(grid.cells()), tmp_path_factory.mktemp("runs"))


def test_the_cheap_optimum_makes_everybody_right_for_one_payment(report: SteeringReport) -> None:
    optimal = report.scores[1]
    assert optimal.cell.planner == "optimal"
    assert optimal.outcomes["p_correct"][:3] == (1.0, 1.0, 1.0)
    assert optimal.outcomes["expenditure"].value == pytest.approx(0.15)
    assert optimal.outcomes["reward"].value == pytest.approx(-0.15)
    assert optimal.outcomes["cascade_time"].value == 1.0
    assert all(part.regret.value == pytest.approx(0.0, abs=1e-6) for part in optimal.policy.values())


def test_the_paired_difference_is_the_difference_of_the_means(report: SteeringReport) -> None:
    none, optimal = report.scores[:2]
    for name in ("p_correct", "welfare", "last_correct", "discounted_welfare"):
        gain = optimal.outcomes[name].value - none.outcomes[name].value
        assert optimal.paired[name].value == pytest.approx(gain), name
    assert none.paired == {}
    assert optimal.paired["p_correct"].n == 400
    assert optimal.paired["discounted_welfare"].n == 12


def test_a_misaligned_planner_obfuscates_around_half_and_lowers_welfare(report: SteeringReport) -> None:
    """Cheap biased linear k = .5, p = .7: the golden policy obfuscates on all of (.3, .7)."""
    misaligned = report.scores[3]
    assert misaligned.paired["p_correct"].high < 0.0
    assert misaligned.obfuscation[5].value == 1.0
    assert misaligned.outcomes["obfuscation"].value > 0.9
    assert misaligned.bayes is None


def test_the_detailed_log_and_the_summary_tell_the_same(tmp_path: Path) -> None:
    cell = replace(BASE, task="misaligned", planner="optimal", n_rollouts=12)
    detailed, summary = (play(cell.scenario(is_detailed=flag), tmp_path) for flag in (True, False))
    both = detailed.rows.cast(HERD_COLUMNS), summary.rows.cast(HERD_COLUMNS)
    assert both[0].drop("belief", "cost", "reward").equals(both[1].drop("belief", "cost", "reward"))
    turns = detailed.turns
    costs = turns.group_by("rollout", maintain_order=True).agg(pl.col("cost").sum())["cost"]
    assert costs.to_list() == pytest.approx(summary.rows["cost"].to_list())
    assert (turns["action"] == turns["state"]).sum() == summary.rows["n_correct"].sum()


@pytest.fixture
def garbage_from_a1(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seat a1 talks nonsense in every rollout, as long as its line is steered."""
    plain = Cell.scenario

    def scenario(cell: Cell, planner: str | None = None, *, is_detailed: bool) -> Scenario:
        made = plain(cell, planner, is_detailed=is_detailed)
        if made.planner.kind != "constant":
            return made
        words = {"m": {"use": "scripted/x", "failures": [{"kind": "garbage", "seat": "a1", "times": None}]}}
        return check_scenario(make_source(made, [("models", words)]))

    monkeypatch.setattr(Cell, "scenario", scenario)


@pytest.mark.usefixtures("garbage_from_a1")
def test_a_failing_seat_is_counted_and_averaged_over_by_nobody(tmp_path: Path) -> None:
    base = Cell("hybrid", "altruistic", "none", CHEAP, "llm", 3, 2, 0, model="scripted/x")
    cells = Grid(base, ("none", "constant"), ("altruistic",), agents=("llm",)).cells()
    found = score_cells("tiny", tuple(cells), tmp_path)
    none, failing = found.scores
    assert (none.n_failed, failing.n_failed, found.n_failed) == (0, 2, 2)
    assert math.isnan(failing.outcomes["p_correct"].value)
    assert math.isnan(failing.paired["p_correct"].value)
    assert failing.bayes is not None
    assert failing.bayes.n_stated == 0
    assert none.bayes is not None
    assert none.bayes.n_stated == 6
    assert "2 of 2 rollouts failed (2 x " in found.text()
    json_cell = found.to_json()["cells"][1]
    assert json_cell["outcomes"]["p_correct"]["value"] is None
    assert json_cell["n_failed"] == 2


def test_tables_and_json(report: SteeringReport) -> None:
    text = report.text()
    assert "## misaligned: p = 0.7, k = 0.5 (linear), delta = 0.9; 6 bayesian agents, 400 rollouts" in text
    assert "| optimal | 1.000 [1.000, 1.000] |" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert len(widths) == 1
    found = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert [cell["planner"] for cell in found["cells"]] == ["none", "optimal"] * 2
    assert "0.5-0.6" in found["cells"][1]["policy"]
    assert found["cells"][0]["outcomes"]["reward"]["value"] is None


def test_the_same_suite_gives_the_same_bytes(report: SteeringReport, tmp_path: Path) -> None:
    again = score_cells("tiny", tuple(score.cell for score in report.scores), tmp_path)
    assert json.dumps(again.to_json()) == json.dumps(report.to_json())


def test_every_suite_can_be_found_and_says_what_it_is() -> None:
    shown = CliRunner().invoke(app, ["list", "suites"]).output
    for name in SUITES:
        assert callable(find_suite(name))
        assert f"{name} " in shown


def test_an_unknown_suite_is_one_line() -> None:
    with pytest.raises(RequestError, match=r"suite: no suite 'steering-analytic'.*did you mean 'steering-analytical'"):
        find_suite("steering-analytic")


def test_a_suite_with_models_needs_one(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["bench", "steering-llm", "--out", str(tmp_path)])
    assert isinstance(found.exception, RequestError)
    assert "--model" in str(found.exception)


def test_the_command_keeps_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: SteeringReport) -> None:
    monkeypatch.setattr("tidings.benchmarks.steering.run_analytical", lambda model, out, is_full: report)
    found = CliRunner().invoke(app, ["bench", "steering-analytical", "--out", str(tmp_path), "--json"])
    assert found.exit_code == 0
    assert json.loads(found.output)["suite"] == "tiny"
    folder = tmp_path / "steering-analytical"
    assert json.loads((folder / "report.json").read_text()) == json.loads(found.output)
    assert (folder / "report.md").read_text() == report.text()


def test_realised_precision_is_read_from_the_words_and_meets_what_was_asked(tmp_path: Path) -> None:
    cell = replace(BASE, planner="constant", oracle="text", n_rollouts=300, n_detailed=0)
    (score,) = score_cells("tiny", [cell], tmp_path).scores
    requested, realised, difference = score.messages
    assert requested.value == pytest.approx(0.85)
    assert realised.low < 0.85 < realised.high
    assert difference.value == pytest.approx(realised.value - 0.85)
    played = play(cell.scenario(is_detailed=True), tmp_path)
    assert (played.turns["told"] == played.turns["signal"]).all()  # two paths: what was said, and what was meant
    text = score_cells("tiny", [cell], tmp_path).text()
    assert "300 rollouts, told in words" in text
    assert f"{realised.value:.3f} [{realised.low:.3f}, {realised.high:.3f}] of 0.850" in text


def test_extensions_are_scored_against_no_control_and_have_no_solved_policy(tmp_path: Path) -> None:
    cells = [
        replace(BASE, world=world, planner="lookahead", n_agents=6, n_rollouts=60, n_detailed=0)  # type: ignore[arg-type]
        for world in ("cycle", "three states", "by seat")
    ]
    found = score_cells("tiny", cells, tmp_path)
    assert found.n_failed == 0
    for score in found.scores:
        assert score.paired["p_correct"].low > 0.0, score.cell.world
        assert score.policy == {}
    assert "## cycle, altruistic:" in found.text()
    on_graph, among_three, _ = found.scores
    assert math.isnan(on_graph.outcomes["cascade_correct"].value)  # no public belief, no cascade: not a share of 0
    assert among_three.outcomes["cascade_correct"].value > 0.9
    json.dumps(found.to_json(), allow_nan=False)
