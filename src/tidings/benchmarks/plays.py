"""Playing what is missing: each scenario of a suite in a run folder of its own, never twice."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tidings.runner.execute import resume_run, start_run
from tidings.runner.folder import RunFolder
from tidings.runner.progress import live_progress
from tidings.runner.sweeps import changed_bounds
from tidings.spec.io import read_scenario
from tidings.spec.scenario import Scenario

__all__ = ["play_missing", "run_key"]


def run_key(scenario: Scenario, items: str | None = None) -> str:
    """Returns eight digits that stand for everything that decides what is played, the version of tidings included.

    Args:
        scenario: What is played.
        items: What stands for the contents of its file of items, wherever that lies.
    """
    values: dict[str, Any] = scenario.model_dump(mode="json", exclude={"limits", "runner"})
    values["tidings"] = version("tidings")
    if items is not None:
        values["environment"]["items"] = items
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]


def play_missing(scenario: Scenario, path: Path) -> RunFolder:
    """Returns the run folder, in which a play that was done is left alone and one that was stopped has gone on.

    One that was stopped goes on under the limits and with the runner that the scenario has now.

    Raises:
        RequestError: If the scenario cannot be built.
        KeyboardInterrupt: If it was interrupted; the same call goes on.
    """
    folder = RunFolder(path)
    if folder.read_status().get("status") == "done":
        return folder
    progress = live_progress()
    if (path / "manifest.json").is_file():
        changes = changed_bounds(read_scenario(path / "scenario.yaml"), scenario)
        outcome = resume_run(path, progress, changes=changes)
    else:
        outcome = start_run(scenario, path, progress, is_exact=True)
    if outcome.status == "interrupted":
        raise KeyboardInterrupt
    return folder
