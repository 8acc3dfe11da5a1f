"""Full runs of the suites: no prompt holds what its seat neither owns nor was told; a planted leak is caught."""

from pathlib import Path

import pytest

from tidings.benchmarks.asymmetry.dialop_suite import plan_dialop
from tidings.benchmarks.asymmetry.hidden_profile_suite import plan_hidden_profile
from tidings.benchmarks.asymmetry.suite import suite_options
from tidings.benchmarks.asymmetry.tables import AsymmetryReport, run_plans
from tidings.core import Event, SeedPath, Transition
from tidings.environments import dialop, hidden_profile


def play_profiles(out: Path) -> AsymmetryReport:
    options = suite_options("scripted/x", out, is_full=False, seeds=2, items=3)
    return run_plans("hidden_profile", [plan_hidden_profile(options)[0]], out)


def test_hidden_profile_leaks_nothing(tmp_path: Path) -> None:
    report = play_profiles(tmp_path)
    barrier = report.sets[0].barrier
    assert set(barrier) == {"talk", "alone", "pooled"}
    assert barrier["talk"].n_prompts == 6 * 4 * 5
    assert barrier["talk"].n_looks >= 6 * 4 * 5 * 3, "three facts of others in every prompt"
    assert barrier["pooled"].n_looks == 0, "who knows everything cannot be told too much"
    assert not any(scan.leaks for scan in barrier.values())
    assert ": 0 leaks." in report.text()


def test_a_fact_given_to_the_wrong_seat_is_caught_in_its_prompts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = hidden_profile._given

    def leaky(fact: hidden_profile.ItemFact, seat: str) -> Event:
        event = given(fact, seat)
        return event._replace(audience=("a0", "a1")) if seat == "a1" else event

    monkeypatch.setattr(hidden_profile, "_given", leaky)
    report = play_profiles(tmp_path)
    leaks = report.sets[0].barrier["talk"].leaks
    assert {leak.seat for leak in leaks} == {"a0"}
    assert {leak.step for leak in leaks} == {1, 2, 3, 4, 5}
    assert "These scores are void" in report.text()


def play_games(out: Path) -> AsymmetryReport:
    options = suite_options("scripted/x", out, is_full=False, seeds=2, items=2)
    return run_plans("dialop", [plan_dialop(options)[0]], out)


def test_dialop_leaks_nothing(tmp_path: Path) -> None:
    report = play_games(tmp_path)
    barrier = report.sets[0].barrier
    assert set(barrier) == {"talk", "alone", "pooled"}
    assert barrier["talk"].n_looks > 15 * barrier["talk"].n_prompts, "most cells of the other are unknown"
    assert not any(scan.leaks for scan in barrier.values())


def test_a_cell_that_both_are_given_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = dialop.Dialop.initial

    def leaky(self: dialop.Dialop, seed: SeedPath, rollout: int) -> Transition:
        state, events = plain(self, seed, rollout)
        given = [e for e in events if e.kind == "fact" and e.seat == "a1"]
        return Transition(state, (*events, *(e._replace(audience=("a0",)) for e in given[:1])))

    monkeypatch.setattr(dialop.Dialop, "initial", leaky)
    scans = play_games(tmp_path).sets[0].barrier
    assert {leak.seat for leak in scans["alone"].leaks} == {"a0"}
    assert {leak.seat for leak in scans["talk"].leaks} == {"a0"}
