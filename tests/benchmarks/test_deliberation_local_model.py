"""The suite `deliberation` with the real local model, as small as it gets: two questions, three agents."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tidings.benchmarks.deliberation.methods import QUICK
from tidings.cli.main import app

pytestmark = [pytest.mark.real_model, pytest.mark.slow]


def test_the_command_plays_four_methods(tmp_path: Path) -> None:
    sizes = ["--items", "2", "--seeds", "1", "--agents", "3", "--rounds", "1", "--max-tokens", "24"]
    command = ["bench", "deliberation", "--model", "transformers/smollm2", *sizes, "--out", str(tmp_path), "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert [method["name"] for method in found["methods"]] == list(QUICK)
    calls = {method["name"]: method["calls"] for method in found["methods"]}
    assert calls["single"] == 1
    assert calls["self_consistency"] == calls["self_organising"]
    for method in found["methods"]:
        assert (method["n_rollouts"], method["n_failed"]) == (2, 0)
        assert method["model_calls"] == method["calls"]
        assert 0 < method["tokens"] < method["calls"] * 2000
        assert sum(method["outcomes"].values()) == 2
        assert set(method["outcomes"]) <= {"right", "wrong", "unparsable", "no_answer"}
        # Nothing invented: what is not counted as right is not in the accuracy.
        assert method["accuracy"]["mean"] == method["outcomes"].get("right", 0) / 2
        assert method["n_failed_answers"] <= 2 * method["calls"]
    assert "SHA-256 of the source" not in found["about"], "the tiny set of our own"
