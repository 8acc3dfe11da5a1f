"""Data of the user's own: both formats play end to end, hashes and terms are told, every fault is one line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tidings.benchmarks.asymmetry import data_source
from tidings.benchmarks.asymmetry.data_source import find_data
from tidings.benchmarks.asymmetry.sources import file_sha256
from tidings.cli.main import app
from tidings.core import DataError, MissingPartError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "asymmetry"
PROFILES, GAMES = FIXTURES / "hiddenbench.json", FIXTURES / "dialop.jsonl"


def bench(suite: str, out: Path, *args: str) -> Any:
    return CliRunner().invoke(app, ["bench", suite, "--out", str(out), *args])


def rows_of(done: Any) -> dict[str, Any]:
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return {row["row"]: row for row in json.loads(done.stdout)["sets"][0]["rows"]}


def test_hidden_bench_plays_end_to_end(tmp_path: Path) -> None:
    done = bench("hidden_profile", tmp_path, "--data", str(PROFILES), "--model", "scripted/x", "--seeds", "1", "--json")
    rows = rows_of(done)
    assert done.exit_code == 0
    assert rows["full"]["n_failed"] == 0
    assert rows["constant"]["score"]["mean"] == pytest.approx(1 / 3, abs=0.1)
    assert "exact, full" not in rows, "nobody reads free text exactly"
    found = json.loads(done.stdout)
    assert found["sets"][0]["about"]["SHA-256 of the source"] == file_sha256(PROFILES)
    assert found["notes"][0].startswith("Data are not part of tidings: HiddenBench says MIT")
    assert "no licence file lies beside it" in found["notes"][0]


def test_the_rationale_of_hidden_bench_reaches_nobody(tmp_path: Path) -> None:
    rationale = next(task["rationale"] for task in json.loads(PROFILES.read_text()) if task.get("rationale"))
    bench("hidden_profile", tmp_path, "--data", str(PROFILES), "--model", "scripted/x", "--seeds", "1")
    texts = [path.read_text() for path in (tmp_path / "hidden_profile").rglob("*.jsonl")]
    assert texts
    assert not any(rationale in text for text in texts)


def test_free_text_asks_for_a_model_before_anything_is_played(tmp_path: Path) -> None:
    done = bench("hidden_profile", tmp_path, "--data", str(PROFILES), "--seeds", "1")
    words = "facts in free text, which no exact solver reads; a model that plays; give --model"
    assert str(done.exception) == f"{PROFILES}: {words}"
    assert not list(tmp_path.iterdir())


def test_released_games_play_end_to_end_with_the_people_beside_them(tmp_path: Path) -> None:
    shutil.copy(GAMES, tmp_path / "optimization.jsonl")
    (tmp_path / "LICENSE.md").write_text("terms")
    rows = rows_of(bench("dialop", tmp_path, "--data", str(tmp_path), "--seeds", "1", "--json"))
    assert rows["scripted, full"]["score"]["mean"] == 1.0
    assert rows["people"]["score"]["n_questions"] == 1
    assert rows["people"]["score"]["mean"] == pytest.approx(366 / 534)
    report = (tmp_path / "dialop" / "report.md").read_text()
    assert report.count("CDLA-Permissive-2.0") == 1
    assert "its licence file is LICENSE.md" in report


@pytest.mark.parametrize("suite", ["hidden_profile", "dialop"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("missing.json", "no such file; expected a"),
        ("", "in it; expected a"),
        ("hf:nonsense", "--data: found 'hf:nonsense'; hf:owner/name, or a local path"),
        ("broken.json", "not JSON at line 1"),
        ("wrong.json", "expected"),
    ],
)
def test_wrong_data_are_one_line(tmp_path: Path, suite: str, data: str, message: str) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "wrong.json").write_text('[{"a": 1}]' if suite == "hidden_profile" else '{"a": 1}')
    empty = tmp_path / "empty"
    empty.mkdir()
    place = data if data.startswith("hf:") else str(tmp_path / data if data else empty)
    done = bench(suite, tmp_path, "--data", place)
    assert isinstance(done.exception, DataError)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (tmp_path / suite / "report.md").exists()


def test_a_hub_that_cannot_be_reached_or_read_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(repository: str) -> Path:
        raise MissingPartError(repository, "huggingface_hub is not installed")

    monkeypatch.setattr(data_source, "fetch_snapshot", missing)
    with pytest.raises(MissingPartError, match="owner/name: huggingface_hub is not installed"):
        find_data("hf:owner/name", ("tasks.json",), "a file")


def test_a_snapshot_of_the_hub_is_searched_for_the_usual_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "snapshot" / "data"
    folder.mkdir(parents=True)
    (folder / "other.json").write_text("[]")
    (folder / "tasks.json").write_text("[1]")
    monkeypatch.setattr(data_source, "fetch_snapshot", lambda repository: tmp_path / "snapshot")
    found = find_data("hf:owner/name", ("tasks.json", "*.json"), "a file")
    assert (found.path.name, found.source) == (
        "tasks.json",
        f"hf:owner/name, {found.path.relative_to(tmp_path / 'snapshot')}",
    )
    (folder / "tasks.json").unlink()
    assert find_data("hf:owner/name", ("tasks.json", "*.json"), "a file").path.name == "other.json"


def test_evidence_that_nobody_can_hold_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    blind = {**json.loads(GAMES.read_text().splitlines()[0]), "mask1": [[0] * 8] * 8}
    path = tmp_path / "blind.jsonl"
    path.write_text(json.dumps(blind))
    done = bench("dialop", tmp_path, "--data", str(path))
    assert str(done.exception) == "game 0: player 0 sees no cell; at least one; check the file"
    assert not list(tmp_path.glob("dialop/*/manifest.json"))
