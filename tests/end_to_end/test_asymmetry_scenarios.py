"""The small scenarios of the asymmetry environments: played, replayed, resumed to equal bytes, beside their twin."""

from pathlib import Path

import pytest

import tidings
from tidings.runner.replay import replay_run

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> tidings.Run:
    return tidings.run(SCENARIOS / "hidden_profile.yaml", out=tmp_path_factory.mktemp("runs"))


def test_the_rational_twin_of_a_hidden_profile_goes_from_wrong_to_right(profile: tidings.Run) -> None:
    twin = dict(profile.metrics().select("name", "twin").iter_rows())
    assert twin == {"right_before": 0.0, "right_after": 1.0, "gain": 1.0}
    assert profile.metrics()["value"].null_count() == 0


def test_without_the_worth_of_a_fact_there_is_no_twin(tmp_path: Path) -> None:
    facts = [{"fact": f"h{i}", "text": f"Reason {i} for Elm."} for i in range(3)]
    run = tidings.run(
        SCENARIOS / "hidden_profile.yaml", out=tmp_path, overrides={"environment.items.0.hidden": facts}, rollouts=1
    )
    assert run.twin().is_empty()


@pytest.mark.parametrize("name", ["hidden_profile", "dialop"])
def test_runs_replay_and_end_with_equal_bytes_after_a_cut(name: str, tmp_path: Path) -> None:
    run = tidings.run(SCENARIOS / f"{name}.yaml", out=tmp_path)
    assert (run.status["status"], run.status["failed"]) == ("done", 0)
    replay_run(run.path)
    segment = run.path / "events" / "00000000.jsonl"
    whole = segment.read_bytes()
    lines = whole.splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[: len(lines) // 2]))
    tidings.resume(run.path)
    assert segment.read_bytes() == whole


def test_facts_and_messages_stand_in_the_frames(profile: tidings.Run) -> None:
    facts = profile.facts()
    assert set(facts["fact"]) == {"s0", "s1", "s2", "s3", "h0", "h1", "h2"}
    assert len(profile.messages()) > 0
