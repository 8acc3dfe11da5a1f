"""The GPU check skips politely without CUDA, and goes through all its steps at toy size on a CPU."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu" / "check.py"


def check(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, words)], capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_without_cuda_it_says_why_it_skips() -> None:
    done = check("--device", "cuda")
    assert done.returncode == 0, done.stderr
    if "skipped" not in done.stdout:
        pytest.skip("this machine has CUDA")
    assert "no CUDA device" in done.stdout or "torch is not installed" in done.stdout


@pytest.mark.slow
@pytest.mark.real_model
def test_every_step_at_toy_size(tmp_path: Path) -> None:
    if find_spec("torch") is None or find_spec("ray") is None:
        pytest.skip("needs pip install 'tidings[local,ray]'")
    out = tmp_path / "result.json"
    done = check("--device", "cpu", "--tiny", "--batch", 5, "--tokens", 10, "--rollouts", 3, "--out", out)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(out.read_text())
    assert found["equal_texts"]["float32"] == 5
    assert found["tokens_per_s"]["generate"] > 0
    assert found["tokens_per_s"]["engine, dynamic"] > 0
    assert found["rollouts_per_s"] > 0
