"""What is played for a suite is played once, and goes on where it was stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tidings.benchmarks import plays
from tidings.benchmarks.plays import play_missing, run_key
from tidings.benchmarks.steering.cells import Cell, Control
from tidings.benchmarks.steering.suite import score_cells
from tidings.runner.folder import RunFolder
from tidings.runner.progress import Progress
from tidings.spec.io import make_scenario
from tidings.spec.scenario import Scenario


def herd(**changes: Any) -> Scenario:
    values = {
        "name": "herd",
        "graph": {"kind": "complete", "n": 4},
        "agents": [{"kind": "bayesian", "nodes": "rest"}],
        "environment": {"kind": "social_learning"},
        "rollouts": {"count": 6, "seed": 1, "log": "full"},
    }
    return make_scenario(values | changes)


def log_of(folder: RunFolder) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.events.glob("*.jsonl")))


class ImpatientProgress(Progress):
    """Presses Ctrl-C after the second rollout."""

    def finish(self, status: str) -> None:
        super().finish(status)
        if self.n_done == 2:
            raise KeyboardInterrupt


@contextmanager
def nothing_may_be_played(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("played again")

    with monkeypatch.context() as patch:
        patch.setattr(plays, "start_run", refuse)
        patch.setattr(plays, "resume_run", refuse)
        yield


def test_an_interrupted_play_goes_on_to_the_bytes_of_a_calm_one_and_is_then_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(plays, "live_progress", ImpatientProgress)
        with pytest.raises(KeyboardInterrupt):
            play_missing(herd(), tmp_path / "stopped")
    assert RunFolder(tmp_path / "stopped").read_status()["status"] != "done"
    gone_on, calm = (play_missing(herd(), tmp_path / name) for name in ("stopped", "calm"))
    assert log_of(gone_on) == log_of(calm) != b""
    with nothing_may_be_played(monkeypatch):
        assert log_of(play_missing(herd(), tmp_path / "stopped")) == log_of(calm)


def test_what_decides_what_is_played_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    key = run_key(herd())
    assert run_key(herd()) == key == run_key(herd(limits={"calls": 5}))
    priors = herd(environment={"kind": "social_learning", "prior": 0.4})
    others = {run_key(herd(rollouts={"count": 7})), run_key(priors)}
    monkeypatch.setattr(plays, "version", lambda name: "another")
    assert len(others | {run_key(herd()), key}) == 4


def test_a_steering_suite_plays_no_cell_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [Cell("analytical", "altruistic", "constant", Control(), n_agents=4, n_rollouts=40, n_detailed=4)]
    first = score_cells("tiny", cells, tmp_path)
    folders = sorted(tmp_path.iterdir())
    with nothing_may_be_played(monkeypatch):
        again = score_cells("tiny", cells, tmp_path)
    assert again.to_json() == first.to_json()
    assert sorted(tmp_path.iterdir()) == folders


def test_a_play_that_a_cap_stopped_goes_on_under_a_higher_one(tmp_path: Path) -> None:
    talk = {
        "models": {"m": {"use": "scripted/echo"}},
        "graph": {"kind": "complete", "n": 2},
        "agents": [{"kind": "llm", "model": "m", "count": 2}],
        "environment": {"kind": "talk", "rounds": 2},
    }
    low, high = (herd(**talk, limits={"calls": calls}) for calls in (5, 500))
    assert run_key(low) == run_key(high)
    assert play_missing(low, tmp_path / "talk").read_status()["status"] == "limit"
    assert play_missing(high, tmp_path / "talk").read_status()["status"] == "done"
