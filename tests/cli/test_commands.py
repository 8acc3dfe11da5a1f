"""The command line: names, exit status, one-line errors, JSON, quiet output."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import tidings
from tidings.cli.main import app
from tidings.core import MissingPartError

ROOT = Path(__file__).parents[2]
HERD = """
name: herd
graph: {kind: complete, n: 5}
agents: [{kind: bayesian, count: 5}]
environment: {kind: social_learning, precision: 0.7}
rollouts: {count: 3, seed: 1}
"""


@pytest.fixture
def herd(tmp_path: Path) -> Path:
    path = tmp_path / "herd.yaml"
    path.write_text(HERD)
    return path


def command(*words: object, **settings: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", "from tidings.cli.main import main; main()", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **settings},
    )


def test_every_fixed_name_is_there() -> None:
    help_text = CliRunner().invoke(app, ["--help"]).output
    for name in ("run", "resume", "validate", "schema", "list", "replay", "compare", "report", "estimate", "doctor"):
        assert f" {name} " in help_text, name


def test_run_prints_figures_and_where_to_look(herd: Path, tmp_path: Path) -> None:
    done = command("run", herd, "--out", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert "3 of 3 rollouts, done" in done.stdout
    assert "p_correct" in done.stdout
    assert f"tidings report {tmp_path / 'runs' / 'herd-001'}" in done.stdout
    assert done.stderr == ""


def test_json_is_one_object_on_standard_output(herd: Path, tmp_path: Path) -> None:
    done = command("run", herd, "--out", tmp_path, "--json", "--rollouts", 7, "--seed", 9)
    found = json.loads(done.stdout)
    assert (found["rollouts"], found["failed"], found["run"]) == (7, 0, str(tmp_path / "herd-001"))
    assert found["metrics"]["p_correct"]["n"] == 7


def test_flags_are_environment_variables_too(herd: Path, tmp_path: Path) -> None:
    done = command("run", herd, "--out", tmp_path, "--json", TIDINGS_RUN_ROLLOUTS="4")
    assert json.loads(done.stdout)["rollouts"] == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "environment.precison=0.8"], "did you mean 'precision'"),
        (["--set", "environment.precision=0.3"], "allowed: a number in [0.5, 1.0]"),
        (["--set", "agents.0.count=9"], "found 9 agents for 5 free nodes"),
        (["--set", "agents.0.model=gpt"], "no models are defined"),
        (["--set", "agents.0.kind=baysian"], "did you mean 'bayesian'"),
        (["--set", "graph.kind=complet"], "did you mean 'complete'"),
        (["--set", "metrics=[p_corect]"], "did you mean 'p_correct'"),
        (["--set", "nonsense"], "nonsense"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_2(herd: Path, tmp_path: Path, words: list[str], message: str) -> None:
    done = command("run", herd, "--out", tmp_path / "runs", *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert message in done.stderr
    assert not (tmp_path / "runs").exists()


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for words in (
        ["run", tmp_path / "no.yaml"],
        ["resume", tmp_path / "no"],
        ["report", tmp_path],
        ["replay", tmp_path],
    ):
        done = command(*words)
        assert done.returncode == 2, words
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_validate_names_the_line(herd: Path) -> None:
    assert command("validate", herd).returncode == 0
    herd.write_text(HERD.replace("precision: 0.7", "precision: 1.7"))
    done = command("validate", herd)
    assert done.returncode == 2
    assert f"{herd}:5 environment.precision: found 1.7" in done.stderr


def test_schema_covers_every_component() -> None:
    schema = json.loads(command("schema").stdout)
    text = json.dumps(schema)
    for name in ("social_learning", "bayesian", "max_ancestors", "optimal", "transformers"):
        assert name in text, name
    committed = json.loads((ROOT / "docs" / "scenario.schema.json").read_text())
    assert committed == schema, "run `make docs`"


@pytest.mark.parametrize("kind", ["environments", "agents", "planners", "metrics", "models", "graphs"])
def test_lists_say_what_each_thing_is(kind: str) -> None:
    done = command("list", kind)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert len(lines) >= 2
    assert all(len(line.split()) > 1 for line in lines)


def test_estimate_makes_no_call(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        HERD.replace("{kind: bayesian, count: 5}", "{kind: llm, count: 5, model: m}")
        + "models: {m: {use: openai/some-model, base_url: http://127.0.0.1:9/v1, price_in: 1, price_out: 2}}\n"
    )
    done = command("estimate", path, "--json")
    (model,) = json.loads(done.stdout)["models"]
    assert model["calls"] == 15
    assert model["usd"] > 0
    assert "about 15 calls" in command("estimate", path).stdout


def test_doctor_tells_versions() -> None:
    done = command("doctor")
    assert done.returncode == 0
    assert "tidings" in done.stdout


def test_compare_shows_settings_and_paired_differences(herd: Path, tmp_path: Path) -> None:
    for precision in (0.7, 0.9):
        command("run", herd, "--out", tmp_path, "--rollouts", 30, "--set", f"environment.precision={precision}")
    done = command("compare", tmp_path / "herd-001", tmp_path / "herd-002")
    assert "30 rollouts, paired by seed" in done.stdout
    assert "environment.precision" in done.stdout
    command(
        "run", herd, "--out", tmp_path, "--set", "environment.story=One of two things is true, and each has a sign."
    )
    lines = command("compare", tmp_path / "herd-001", tmp_path / "herd-003", COLUMNS="80").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    (story,) = [line for line in lines if "environment.story" in line]
    assert story.split(maxsplit=3)[1:3] == [
        "-",
        "One",
    ]  # a name is never cut, a text stands to the left, a dash is none
    found = json.loads(command("compare", tmp_path / "herd-001", tmp_path / "herd-002", "--json").stdout)
    assert found["is_paired"]
    correct = next(row for row in found["rows"] if row["name"] == "n_correct")
    assert correct["difference"]["value"] > 0
    assert correct["difference"]["se"] < correct["first"]["se"] + correct["second"]["se"]


def test_importing_tidings_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import tidings; took = time.perf_counter() - t; "
        "print(took, *[m for m in ('torch', 'transformers', 'ray', 'langgraph', 'openai') if m in sys.modules])"
    )
    words = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert float(words[0]) < 0.5
    assert words[1:] == []


def test_validating_a_scenario_loads_no_model_library(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        HERD.replace("{kind: bayesian, count: 5}", "{kind: llm, count: 5, model: m}")
        + "models: {m: {use: transformers/smollm2}, o: {use: openai/x}}\n"
    )
    code = (
        f"import sys, tidings; tidings.load_scenario({str(path)!r}); "
        "print(*[m for m in ('torch', 'transformers', 'ray', 'langgraph', 'openai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_sweep_plays_every_variant_once(herd: Path, tmp_path: Path) -> None:
    herd.write_text(HERD + "sweep: {environment.precision: [0.6, 0.9], rollouts.count: {start: 2, stop: 4, step: 2}}\n")
    first = command("run", herd, "--out", tmp_path, "--json")
    assert first.returncode == 0, first.stderr
    variants = json.loads(first.stdout)["variants"]
    assert len(variants) == 4
    assert sorted(row["done"] for row in variants.values()) == [2, 2, 4, 4]
    folders = sorted(path for path in (tmp_path / "herd-sweep").iterdir() if path.is_dir())
    before = [path.stat().st_mtime_ns for folder in folders for path in sorted((folder / "events").glob("*.jsonl"))]
    again = command("run", herd, "--out", tmp_path)
    assert again.returncode == 0
    assert "p_correct" in again.stdout
    after = [path.stat().st_mtime_ns for folder in folders for path in sorted((folder / "events").glob("*.jsonl"))]
    assert sorted(path for path in (tmp_path / "herd-sweep").iterdir() if path.is_dir()) == folders
    assert after == before


def test_a_runner_that_is_not_installed_is_refused(herd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tidings.runner import ray_seam

    monkeypatch.setattr(ray_seam, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"ray is not installed; pip install 'tidings\[ray\]'"):
        tidings.run(herd, out=tmp_path / "runs", overrides={"runner.kind": "ray", "rollouts.log": "full"})


def test_turns_that_were_let_off_are_told(herd: Path, tmp_path: Path) -> None:
    agent = "agents=[{kind: scripted, count: 5, policy: talk}]"
    words = ("--set", agent, "--set", "rollouts.on_failure=abstain", "--rollouts", "2", "-q", "--out", tmp_path)
    done = command("run", herd, *words)
    assert "turns that failed and were let off: 10" in done.stdout
    assert "10 x reply/not_applicable: policy talk has no answer to a StructuredSpec" in done.stdout
    assert done.returncode == 0


def test_a_terminal_without_a_character_shows_its_code(herd: Path, tmp_path: Path) -> None:
    settings = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    for seed in (1, 2):
        command("run", herd, "-q", "--out", tmp_path, "--seed", seed, "--set", f"description=Zoë {seed}")
    done = command("compare", tmp_path / "herd-001", tmp_path / "herd-002", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Zo\\xeb 1" in done.stdout
