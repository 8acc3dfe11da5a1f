"""The floors of the house hold, and the gate catches a planted breach."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess:
    environment = {"PYTHONPATH": str(folder / "src"), "PATH": str(LINT.parent)}
    return subprocess.run(
        [str(LINT), "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("core/seeds.py", "import numpy"),
        ("theory/draws.py", "from tidings.environments import talk"),
        ("agents/bayesian.py", "from tidings.environments import talk"),
        ("environments/talk.py", "def f():\n    import openai"),
        ("spec/base.py", "def f():\n    import torch"),
        (
            "metrics/herd.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tidings.runner import execute",
        ),
    ],
)
def test_a_planted_breach_is_caught(tmp_path: Path, room: str, line: str) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "src" / "tidings" / room
    path.write_text(f"{path.read_text()}\n\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode != 0
    assert "BROKEN" in done.stdout
