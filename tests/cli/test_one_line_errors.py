"""Whatever goes wrong is one line and an exit status, never a traceback; several runs may be named at once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import tidings.cli
from tidings.cli.main import main
from tidings.runner.estimate import estimate_calls
from tidings.spec.io import make_scenario

HERD = """
name: herd
graph: {kind: complete, n: 3}
agents: [{kind: bayesian, count: 3}]
environment: {kind: social_learning, precision: 0.7}
rollouts: {count: 3, seed: 1}
"""


@pytest.fixture(scope="module")
def herd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("herd") / "herd.yaml"
    path.write_text(HERD)
    return path


@pytest.fixture(scope="module")
def played(herd: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["tidings", "run", str(herd), "--out", str(herd.parent / "runs"), "-q"])
        with pytest.raises(SystemExit):
            main()
    return herd.parent / "runs" / "herd-001"


@pytest.fixture
def run(played: Path, tmp_path: Path) -> Path:
    return shutil.copytree(played, tmp_path / "herd-001")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tidings", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["runn"], "No such command 'runn'"),
        (["run"], "Missing argument 'SCENARIO'; see tidings run --help"),
        (["run", "x.yaml", "--rollout", "3"], "--rollouts"),
        (["run", "x.yaml", "--rollouts", "many"], "--rollouts"),
        (["list", "metrik"], "did you mean 'metrics'?"),
        (["export", "x", "--to", "csv"], "allowed: parquet, chat-jsonl"),
        (["metrics", "x", "--failed", "dropp"], "did you mean 'drop'?"),
        (["view", "--port", "99999"], "--port"),
    ],
    ids=["command", "nothing named", "option", "value", "kind", "form", "failed", "port"],
)
def test_wrong_usage_is_one_line(command, words: list[str], message: str) -> None:
    status, out, err = command(*words)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert message in err


def test_without_a_command_the_help_is_shown(command) -> None:
    status, out, _ = command()
    assert status == 0
    assert "Usage: tidings" in out


def test_a_file_in_the_place_of_the_folder_for_runs_is_refused(command, herd: Path) -> None:
    status, _, err = command("run", herd, "--out", herd)
    assert status == 2
    assert err == f"tidings: {herd}: cannot make a run folder (File exists); choose another --out\n"


@pytest.mark.parametrize("kind", ["os:getcwd", "pathlib:Path"])
def test_a_component_that_is_none_is_refused(command, herd: Path, kind: str) -> None:
    status, _, err = command("validate", herd, "--set", f"environment.kind={kind}")
    assert status == 2
    assert f"{kind} is no environment; need a class with Params and build" in err


def test_validate_checks_every_variant_of_a_sweep(command, herd: Path) -> None:
    status, out, _ = command("validate", herd, "--set", "sweep={environment.precision: [0.6, 0.8]}")
    assert (status, "2 variants" in out) == (0, True)
    status, _, err = command("validate", herd, "--set", "sweep={environment.precison: [0.6]}")
    assert (status, "did you mean 'precision'?" in err) == (2, True)
    status, _, err = command("validate", herd, "--set", "sweep={environment.precision: [0.6, 8]}")
    assert (status, "allowed: a number in [0.5, 1.0]" in err) == (2, True)


def test_validate_misses_the_model_of_a_seat_that_needs_one(command, herd: Path) -> None:
    status, _, err = command("validate", herd, "--set", "agents.0.kind=llm")
    assert status == 2
    assert "agents.0.model: llm asks a language model and none is named; define one under models" in err


def test_a_sweep_is_estimated_as_a_whole() -> None:
    data = {
        "name": "herd",
        "graph": {"kind": "complete", "n": 3},
        "models": {"m": {"use": "scripted/m", "price_in": 1.0, "price_out": 1.0}},
        "agents": [{"kind": "llm", "count": 3, "model": "m"}],
        "environment": {"kind": "social_learning"},
    }
    (one,) = estimate_calls(make_scenario(data)).models
    swept = estimate_calls(make_scenario({**data, "sweep": {"environment.precision": [0.6, 0.7, 0.8]}}))
    assert swept.rollouts == 3
    assert swept.models[0].calls == 3 * one.calls
    assert swept.models[0].usd == pytest.approx(3 * (one.usd or 0), rel=0.01)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("manifest.json", "[]", "manifest.json: holds no JSON object"),
        ("manifest.json", "{", "manifest.json: not JSON"),
        ("graph.json", "", "graph.json: "),
        ("graph.json", '{"nodes": 3}', "graph.json: missing, or no node-link graph"),
        ("scenario.yaml", "name: [", "scenario.yaml:2:1: not YAML"),
        ("events/00000000.jsonl", "\x00\x01\n{}\n", "00000000.jsonl:1: unreadable line"),
    ],
)
def test_a_damaged_file_of_a_run_is_named(command, run: Path, name: str, text: str, message: str) -> None:
    (run / name).write_text(text)
    for words in (["metrics", run], ["compare", run, run]):
        status, _, err = command(*words)
        if words[0] == "compare" and name == "graph.json":
            continue
        assert (status, len(err.splitlines())) == (2, 1), (words, err)
        assert message in err


def test_a_status_without_figures_still_has_a_row(command, run: Path) -> None:
    (run / "status.json").write_text('{"status": "done"}')
    status, out, _ = command("status", run, "--json")
    assert status == 0
    assert [row["rollouts"] for row in json.loads(out)["runs"]] == [None]


@pytest.mark.parametrize("keep", [0, 0.9], ids=["nothing", "all but the end"])
def test_what_is_left_of_a_cut_log_does_not_pass_for_the_run(command, run: Path, keep: float) -> None:
    log = run / "events" / "00000000.jsonl"
    data = log.read_bytes()
    log.write_bytes(data[: round(keep * len(data))])
    n_left = 2 if keep else 0
    status, out, err = command("metrics", run)
    assert (status, out) == (2, "")
    assert f"its log holds {n_left} of the 3 rollouts that ended well" in err
    status, _, err = command("replay", run)
    assert status == 1
    assert f"3 rollouts had ended, the log holds {n_left} of them; it was cut" in err
    assert command("resume", run, "-q")[0] == 0
    assert log.read_bytes() == data
    assert command("metrics", run)[0] == 0


def test_a_mistake_in_tidings_is_one_line_and_keeps_its_traceback(command, run: Path) -> None:
    log = run / "events" / "00000000.jsonl"
    log.write_text(log.read_text().replace('"signal"', '"sgnal"', 1))
    status, _, err = command("metrics", run)
    assert status == 70
    assert len(err.splitlines()) == 1
    kept = Path(err.split()[-1])
    assert "Traceback" in kept.read_text()
    kept.unlink()


def test_several_runs_may_be_named_as_a_shell_does(command, played: Path, run: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no run")
    named = [played, *sorted(tmp_path.iterdir())]
    status, out, _ = command("status", *named)
    assert (status, out.count("3 of 3"), "2 of 2 done" in out) == (0, 2, True)
    status, out, _ = command("metrics", *named, "p_correct", "--json")
    assert [row["run"] for row in json.loads(out)["runs"]] == [str(played), str(run)]
    assert all(list(row["metrics"]) == ["p_correct"] for row in json.loads(out)["runs"])
    status, out, err = command("metrics", played, tmp_path / "nothing", "p_correct")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    status, out, _ = command("report", *named)
    assert out.splitlines() == [str(played / "report.html"), str(run / "report.html")]


def test_reasons_stand_below_the_table_once(command, herd: Path, tmp_path: Path) -> None:
    _, out, _ = command("run", herd, "--out", tmp_path, "--set", "graph={kind: path, n: 3}")
    lines = [line for line in out.splitlines() if line.startswith("no value: ")]
    assert lines[0].startswith("no value: cascade_correct, cascade_wrong, cascade_none: ")
    assert out.count("no common") == 1


def test_ctrl_c_while_the_command_is_still_loading_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Loading(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "tidings.cli.main", Loading("tidings.cli.main"))
    with pytest.raises(SystemExit) as ended:
        tidings.cli.start()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_the_command_line_starts_without_the_numbers() -> None:
    code = "import sys, tidings.cli.main; print([m for m in ('numpy', 'scipy', 'polars') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("graph", ["{kind: complete, n: 10000}", "{kind: erdos_renyi, n: 100000, p: 0.01}"])
def test_a_graph_that_fits_no_memory_is_refused_before_it_is_built(command, herd: Path, graph: str) -> None:
    for name in ("validate", "estimate"):
        status, _, err = command(name, herd, "--set", f"graph={graph}")
        assert status == 2
        assert "graph: found 49,99" in err
        assert "edges, about 16 GB; allowed: 10,000,000 edges; take fewer nodes, or a sparse kind of graph" in err


def test_a_stopped_sweep_says_how_to_go_on(command, herd: Path, tmp_path: Path) -> None:
    settings = ["agents=[{kind: llm, count: 3, model: m}]", "models={m: {use: scripted/m}}", "limits.calls=4"]
    words = [
        word for setting in [*settings, "sweep={environment.precision: [0.6, 0.7]}"] for word in ("--set", setting)
    ]
    status, out, _ = command("run", herd, "--out", tmp_path, *words)
    assert status == 1
    assert "stopped: limits.calls: the cap of 4 is reached" in out
    assert "the same command goes on where it stopped" in out


def test_an_environment_is_listed_with_what_it_is_about(command) -> None:
    lines = command("list", "environments")[1].splitlines()
    assert not any("Rules of" in line for line in lines)
    assert "Talk in rounds: everybody says something at once" in "\n".join(lines)


def test_an_estimate_needs_no_key(command, herd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = ["agents=[{kind: llm, count: 3, model: m}]", "models={m: {use: openai/x, price_in: 1, price_out: 1}}"]
    words = [word for setting in settings for word in ("--set", setting)]
    status, out, err = command("estimate", herd, *words, "--set", "rollouts.count=1000")
    assert (status, err) == (0, "")
    assert "m: about 3,000 calls" in out
    assert "$" in out


@pytest.mark.parametrize("url", ["localhost:8000", "not a url", "http://"])
def test_an_address_that_is_none_is_refused_before_the_run(command, herd: Path, url: str) -> None:
    status, _, err = command("validate", herd, "--set", f"models={{m: {{use: openai/x, base_url: '{url}'}}}}")
    assert status == 2
    assert len(err.splitlines()) == 1
    assert f"base_url: found '{url}'" in err
    assert "allowed: an address like http://host:8000/v1 or a list of" in err
    assert "brackets" not in err


@pytest.mark.real_model
def test_a_server_that_is_not_there_is_named(command, herd: Path, tmp_path: Path) -> None:
    settings = [
        "agents=[{kind: llm, count: 3, model: m}]",
        "models={m: {use: openai/x, base_url: 'http://127.0.0.1:9/v1', retries: 0}}",
    ]
    words = [word for setting in settings for word in ("--set", setting)]
    code = "import sys; from tidings.cli import start; start()"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", str(herd), "--out", str(tmp_path), "--rollouts", "1", *words],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "or broke; is a server listening at http://127.0.0.1:9/v1?" in done.stdout
    assert "--failed drop" not in done.stdout, "nothing is left to average over"


@pytest.mark.parametrize(
    ("kind", "key", "words"),
    [
        ("action", "action", ("metrics",)),
        ("action", "action", ("report",)),
        ("fact_declared", "owners", ("metrics", "coverage")),
        ("fact_declared", "owners", ("export", "--to", "parquet")),
        ("ended", "status", ("metrics",)),
    ],
)
def test_an_event_that_lacks_a_key_is_named_with_its_line(
    command, run: Path, words: tuple[str, ...], kind: str, key: str
) -> None:
    path = run / "events" / "00000000.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    number = next(n for n, line in enumerate(lines) if line["kind"] == kind)
    del lines[number]["data"][key]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    status, _, err = command(words[0], run, *words[1:])
    rollout, index = lines[number]["rollout"], lines[number]["index"]
    assert status == 2
    where = f"{path}:{number + 1}: event {index} of rollout {rollout} ({kind}) has no {key!r} in its data"
    assert err.startswith(f"tidings: {where}; the file was changed")
    assert err.count("\n") == 1


def test_a_message_without_text_is_not_read_as_an_empty_one(command, tmp_path: Path) -> None:
    scenario = Path(__file__).parents[2] / "scenarios" / "rumour.yaml"
    command("run", scenario, "--out", tmp_path, "-q")
    path = tmp_path / "rumour-001" / "events" / "00000000.jsonl"
    path.write_text(
        path.read_text().replace('{"text":"Between us: the vault opens with 4711.","round":1}', '{"round":1}')
    )
    status, _, err = command("metrics", tmp_path / "rumour-001")
    assert status == 2
    assert "(message) has no 'text' in its data" in err


def test_figures_fit_a_terminal_of_80_columns(command, run: Path) -> None:
    status, out, _ = command("metrics", run, "all")
    assert status == 0
    assert "…" not in out
    line = next(line for line in out.splitlines() if line.startswith("p_correct"))
    assert line.rstrip().endswith("share of agents")
    line = next(line for line in out.splitlines() if line.startswith("leaks"))
    assert line.rstrip().endswith("deliveries a rollout")
