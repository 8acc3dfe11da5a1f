"""The machinery of the asymmetry suites: nothing is played twice, nothing that failed is scored, figures by hand."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tidings.benchmarks.asymmetry.hidden_profile_suite import NAME, plan_hidden_profile
from tidings.benchmarks.asymmetry.plays import play_set
from tidings.benchmarks.asymmetry.report import question_means, report_set
from tidings.benchmarks.asymmetry.rows import extra_by_score, seconds_busy
from tidings.benchmarks.asymmetry.suite import RolloutScore, SetPlan, suite_options
from tidings.benchmarks.asymmetry.tables import run_plans
from tidings.cli.main import app
from tidings.core import RequestError
from tidings.log.reader import read_rollouts
from tidings.log.store import EventStore


def make_plan(model: str | None = "scripted/x", seeds: int = 2, items: int = 2) -> SetPlan:
    return plan_hidden_profile(suite_options(model, Path(), is_full=False, seeds=seeds, items=items))[0]


def with_models(plan: SetPlan, **settings: object) -> SetPlan:
    """The plan with other settings of its language model."""
    plays = []
    for play in plan.plays:
        models = {name: {**spec, **settings} for name, spec in play.scenario.get("models", {}).items()}
        plays.append(replace(play, scenario={**play.scenario, "models": models}))
    return replace(plan, plays=tuple(plays))


def event_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((folder / "events").glob("*.jsonl")))


def test_what_is_done_is_not_played_again(tmp_path: Path) -> None:
    plan = make_plan()
    first = play_set(plan, NAME, tmp_path)
    before = {play.name: (play.folder / "status.json").stat().st_mtime_ns for play in first}
    again = play_set(plan, NAME, tmp_path)
    assert [play.folder for play in again] == [play.folder for play in first]
    assert {play.name: (play.folder / "status.json").stat().st_mtime_ns for play in again} == before


@pytest.mark.parametrize("how_far", [0.0, 0.3, 0.8])
def test_a_killed_play_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, how_far: float) -> None:
    plan = make_plan()
    talk = play_set(plan, NAME, tmp_path)[0]
    whole, n_calls = event_bytes(talk.folder), (talk.folder / "calls" / "00000000.jsonl").read_bytes().count(b"\n")
    segment = talk.folder / "events" / "00000000.jsonl"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[: int(how_far * len(lines))]))
    status = json.loads((talk.folder / "status.json").read_text()) | {"status": "running", "pid": 2**22 + 1}
    (talk.folder / "status.json").write_text(json.dumps(status))
    assert play_set(plan, NAME, tmp_path)[0].status == "done"
    assert event_bytes(talk.folder) == whole
    assert (talk.folder / "calls" / "00000000.jsonl").read_bytes().count(b"\n") == n_calls, "a call was paid twice"


def test_a_folder_without_a_manifest_is_begun_anew(tmp_path: Path) -> None:
    plan = make_plan()
    talk = play_set(plan, NAME, tmp_path)[0]
    whole = event_bytes(talk.folder)
    shutil.rmtree(talk.folder)
    talk.folder.mkdir()
    assert event_bytes(play_set(plan, NAME, tmp_path)[0].folder) == whole


def test_another_setting_has_another_folder(tmp_path: Path) -> None:
    folders = [
        play_set(plan, NAME, tmp_path)[0].folder for plan in (make_plan(), make_plan(seeds=3), make_plan(items=3))
    ]
    folders.append(play_set(with_models(make_plan(), retries=1), NAME, tmp_path)[0].folder)
    assert len(set(folders)) == 4


def test_rollout_r_plays_item_r_modulo_n_and_every_seed_draws_anew(tmp_path: Path) -> None:
    plan = make_plan(None, seeds=3, items=2)
    folder = play_set(plan, NAME, tmp_path)[0].folder
    golds = {
        r: next(e.data["item"] for e in lines if e.kind == "gold") for r, lines in read_rollouts(folder / "events")
    }
    assert golds == {r: plan.items[r % 2]["id"] for r in range(6)}
    orders = {
        r: tuple(e.data["fact"] for e in lines if e.kind == "fact") for r, lines in read_rollouts(folder / "events")
    }
    assert len({orders[0], orders[2], orders[4]}) == 3


def test_scores_by_hand_and_the_distance_stands_first(tmp_path: Path) -> None:
    report = run_plans(NAME, [make_plan(None, items=3)], tmp_path)
    found = report.sets[0]
    assert (found.mean("exact, no communication"), found.mean("exact, full")) == (0.0, 1.0)
    assert found.gain is not None
    assert found.gain.mean == 1.0
    assert found.gap_closed == 1.0
    assert report.n_failed == 0
    text = report.text()
    assert text.index("distance 1.000") < text.index("| row |")
    assert "For a look, not for claims: 3 questions and 2 seeds" in text
    assert json.loads(json.dumps(report.to_json(), allow_nan=False))["sets"][0]["distance"] == 1.0


def test_a_gap_below_a_twentieth_closes_nothing(tmp_path: Path) -> None:
    plan = make_plan(None, items=3)
    flat = replace(plan, floor="solver, all facts", ceiling="exact, full")
    found = report_set(flat, NAME, tmp_path)
    assert math.isnan(found.gap_closed)
    assert "too little to show anything" in run_plans(NAME, [flat], tmp_path).text()


def test_answers_that_failed_are_counted_and_never_scored(tmp_path: Path) -> None:
    plan = with_models(make_plan(), failures=[{"kind": "refusal", "times": None}])
    report = run_plans(NAME, [plan], tmp_path)
    found = report.sets[0]
    for name in ("no communication", "full", "full information"):
        row = found.row(name)
        assert row.interval is None
        assert row.played is not None
        assert np.isnan(row.played.scores).all()
        assert row.played.failures == {"model/refusal": 4}
        assert row.zero_mean == 0.0
        assert math.isnan(row.p)
    assert found.gain is None
    assert math.isnan(found.gap_closed)
    assert report.n_failed == 4 * 7
    text = report.text()
    assert "4 of 4; 4 x model/refusal" in text
    assert "[failures.md](failures.md)" in text
    shown = (tmp_path / "failures.md").read_text()
    assert "## generated, talk: 4 rollouts" in shown
    assert '"error": "refusal"' in shown
    assert "nan" not in json.dumps(report.to_json(), allow_nan=False).casefold()


def test_one_voter_who_fails_leaves_the_others_votes(tmp_path: Path) -> None:
    plan = with_models(make_plan(), failures=[{"kind": "refusal", "seat": "a1", "times": None}])
    row = report_set(plan, NAME, tmp_path).row("full")
    assert row.played is not None
    assert not np.isnan(row.played.scores).any()
    assert row.played.n_partly_failed == (4, 4)
    assert row.played.cost.failed_turns == 5.0, "one vote, three rounds, one vote"
    assert row.played.failed_rollouts == (0, 1, 2, 3)


def test_a_cap_leaves_answers_missing_as_budget(tmp_path: Path) -> None:
    plan = make_plan()
    plays = tuple(replace(play, scenario={**play.scenario, "limits": {"calls": 45}}) for play in plan.plays)
    report = run_plans(NAME, [replace(plan, plays=plays)], tmp_path)
    row = report.sets[0].row("full")
    assert row.played is not None
    assert row.played.failures["budget"] >= 1
    assert "Stopped at a cap: talk" in report.text()


@pytest.mark.parametrize(("cap", "n_calls"), [(45, 20.0), (1, math.nan)])
def test_what_a_cap_left_unfinished_does_not_make_questions_cheap(tmp_path: Path, cap: int, n_calls: float) -> None:
    plan = make_plan()
    one_by_one = {"limits": {"calls": cap}, "rollouts": {"concurrency": 1}}
    plays = tuple(replace(play, scenario={**play.scenario, **one_by_one}) for play in plan.plays)
    row = run_plans(NAME, [replace(plan, plays=plays)], tmp_path).sets[0].row("full")
    assert row.played is not None
    assert row.played.cost.calls == pytest.approx(n_calls, nan_ok=True)
    assert row.played.cost.turns == pytest.approx(n_calls, nan_ok=True)


def test_failures_of_an_earlier_report_do_not_stay(tmp_path: Path) -> None:
    (tmp_path / "failures.md").write_text("old")
    run_plans(NAME, [make_plan(None)], tmp_path)
    assert not (tmp_path / "failures.md").exists()


def test_the_cost_of_a_row_is_that_of_its_own_steps(tmp_path: Path) -> None:
    found = report_set(make_plan(), NAME, tmp_path)
    costs = {row.name: row.played.cost for row in found.rows if row.played}
    assert costs["no communication"].calls == 4
    assert costs["full"].calls == costs["full information"].calls == costs["alone, equal calls"].calls == 20
    assert costs["full"].turns == 20
    assert costs["exact, full"].calls == 0
    assert costs["full"].tokens_in > costs["no communication"].tokens_in > 0


def test_seconds_are_those_with_a_call_in_flight() -> None:
    assert seconds_busy([(0.0, 1.0), (0.5, 2.0), (10.0, 11.0), (10.2, 10.3), (10.5, 11.0)]) == pytest.approx(3.0)
    assert seconds_busy([]) == 0.0


def test_question_means_leave_out_what_is_missing() -> None:
    scores = np.array([[1.0, 0.0], [1.0, math.nan], [math.nan, math.nan]])
    assert question_means(scores)[:2].tolist() == [0.5, 1.0]
    assert math.isnan(question_means(scores)[2])


def test_extra_figures_stand_apart_for_right_and_wrong() -> None:
    scores = [RolloutScore(1.0, extra={"facts": 5.0}), RolloutScore(1.0, extra={"facts": 7.0}), RolloutScore(0.2)]
    right, wrong = extra_by_score(scores)["facts"]
    assert right == 6.0
    assert math.isnan(wrong)


def test_the_command_takes_data_seeds_and_items(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", NAME, "--out", str(tmp_path), "--items", "2", "--seeds", "1", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["sets"][0]
    assert (found["n_questions"], found["n_seeds"]) == (2, 1)
    assert (tmp_path / NAME / "report.md").is_file()


def test_an_option_a_suite_does_not_take_is_one_line(tmp_path: Path) -> None:
    for option in ("--items", "--seeds"):
        done = CliRunner().invoke(app, ["bench", "steering-analytical", "--out", str(tmp_path), option, "3"])
        assert isinstance(done.exception, RequestError)
        assert str(done.exception) == f"{option}: the suite steering-analytical does not take it; leave it out"


def test_numbers_must_be_positive() -> None:
    with pytest.raises(RequestError, match="--seeds: found 0; 1 or more"):
        suite_options(None, Path(), is_full=False, seeds=0)


def test_an_interrupted_suite_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = EventStore.append

    def stop(*args: object) -> None:
        monkeypatch.setattr(EventStore, "append", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(EventStore, "append", stop)
    done = CliRunner().invoke(app, ["bench", NAME, "--out", str(tmp_path), "--items", "2", "--seeds", "1"])
    assert done.exit_code == 130
    assert "the same command goes on where it stopped" in done.output
    again = CliRunner().invoke(app, ["bench", NAME, "--out", str(tmp_path), "--items", "2", "--seeds", "1"])
    assert again.exit_code == 0
