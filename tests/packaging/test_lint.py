"""Lint and types look at every file: a pattern that leaves files out leaves out no more than was meant."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_lint_looks_at_every_python_file_of_src_and_tests() -> None:
    ruff = Path(sys.executable).with_name("ruff")
    shown = subprocess.run([ruff, "check", "--show-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    looked_at = {Path(line).resolve() for line in shown.stdout.splitlines()}
    written = {path.resolve() for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py")}
    assert len(written) > 100
    assert not written - looked_at
