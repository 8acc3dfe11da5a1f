"""Every scenario in the repository is valid, and those that need no model are played."""

from __future__ import annotations

from pathlib import Path

import pytest

import tidings

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_of_the_repository_plays(path: Path, tmp_path: Path) -> None:
    scenario = tidings.load_scenario(path)
    assert scenario.description, "say in one sentence what it shows"
    if any(not model.use.startswith("scripted/") for model in scenario.models.values()):
        return  # played by the tests of real models
    run = tidings.run(path, rollouts=2, out=tmp_path)
    assert run.status["status"] == "done"
    assert run.status["failed"] == 0
    if scenario.metrics:
        assert run.metrics()["value"].null_count() < len(run.metrics())
