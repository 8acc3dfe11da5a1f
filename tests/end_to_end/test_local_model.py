"""The main job on real input: the quickstart with the real local model, end to end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tidings
from tidings.core import MissingPartError, RequestError
from tidings.models.failures import FORBID_REAL_MODELS

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.real_model, pytest.mark.slow]


def event_bytes(run: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((run / "events").glob("*.jsonl")))


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> tidings.Run:
    with pytest.MonkeyPatch.context() as patch:  # a module's fixture is made before the one that reads the mark
        patch.delenv(FORBID_REAL_MODELS, raising=False)
        return tidings.run(ROOT / "scenarios" / "quickstart.yaml", rollouts=3, out=tmp_path_factory.mktemp("runs"))


def test_quickstart_plays_to_its_end(quickstart: tidings.Run) -> None:
    assert quickstart.status["status"] == "done"
    assert (quickstart.status["done"], quickstart.status["failed"]) == (3, 0)
    calls = quickstart.calls()
    assert len(calls) == 3 * 4 * 2
    assert set(calls["kind"]) == {"choice"}
    beliefs = quickstart.beliefs()
    assert len(beliefs) == 3 * 6
    rational = [seat for seat, kind in quickstart.seat_kinds().items() if kind == "bayesian"]
    twin_rows = beliefs.filter(beliefs["seat"].is_in(rational))
    assert (twin_rows["belief"] - twin_rows["bayes"]).abs().max() < 1e-12
    assert quickstart.metrics()["twin"].null_count() == 0


def test_the_same_seeds_give_the_same_decisions_whatever_the_batch(quickstart: tidings.Run, tmp_path: Path) -> None:
    """Exact probabilities differ in their last digits with the batch; decisions, beliefs and all else do not."""
    again = tidings.run(
        ROOT / "scenarios" / "quickstart.yaml", rollouts=3, out=tmp_path, overrides={"rollouts.concurrency": 1}
    )
    for frame in ("turns", "beliefs", "messages"):
        assert getattr(again, frame)().equals(getattr(quickstart, frame)())
    probabilities = []
    for run in (again, quickstart):
        thoughts = [json.loads(text) for text in run.events().filter(kind="thought")["data"]]
        probabilities.append([p for thought in thoughts for p in thought["probabilities"].values()])
    assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-4)


def test_replay_and_report_need_no_model(quickstart: tidings.Run) -> None:
    code = "import sys; sys.modules['torch'] = None; from tidings.cli.main import main; main()"
    for command in ("replay", "report"):
        done = subprocess.run(
            [sys.executable, "-c", code, command, str(quickstart.path)], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
    assert "<svg" in (quickstart.path / "report.html").read_text()


def test_resuming_pays_nothing_twice(quickstart: tidings.Run) -> None:
    """Cuts the log after the first rollout: the calls of the others are answered from the record."""
    n_calls = len(quickstart.calls())
    whole = event_bytes(quickstart.path)
    segment = quickstart.path / "events" / "00000000.jsonl"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[: len(lines) // 3]))
    tidings.resume(quickstart.path)
    assert event_bytes(quickstart.path) == whole
    assert len(quickstart.calls()) == n_calls


def test_missing_weights_say_what_to_type(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text((ROOT / "scenarios" / "quickstart.yaml").read_text().replace("smollm2", "no-such-folder/x.gguf"))
    with pytest.raises((MissingPartError, RequestError)) as caught:
        tidings.run(path, out=tmp_path)
    assert "\n" not in str(caught.value)
