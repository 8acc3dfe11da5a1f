"""What experiment trackers are told: through a recorded interface always, through the real packages where there are."""

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tidings
from tidings.analysis.adapters import mlflow, wandb
from tidings.analysis.adapters.inspect_log import inspect_log
from tidings.analysis.adapters.record import record_of
from tidings.analysis.export import chats
from tidings.cli.main import app
from tidings.core import MissingPartError

HERD = """
name: herd
graph: {kind: complete, n: 4}
agents: [{kind: bayesian, count: 3}, {kind: scripted, policy: random, count: 1}]
environment: {kind: social_learning, precision: 0.7}
rollouts: {count: 6, seed: 3}
"""
FAILING = HERD.replace("kind: scripted, policy: random, count: 1", "kind: seats:Drawing, fail_share: 0.4, count: 1")


def play(folder: Path, text: str) -> tidings.Run:
    (folder / "s.yaml").write_text(text)
    return tidings.run(folder / "s.yaml", out=folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tidings.Run:
    return play(tmp_path_factory.mktemp("herd"), HERD)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> tidings.Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "support"))
        return play(tmp_path_factory.mktemp("failing"), FAILING)


class Recorder:
    """Stands for a package, or what its functions give: every call is written down, with what was given."""

    def __init__(self, calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]], name: str = "") -> None:
        self._calls, self._name = calls, name
        self.id = "w1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Recorder(self._calls, f"{self._name}.{name}".strip("."))

    def __call__(self, *values: Any, **named: Any) -> Any:
        self._calls.append((self._name, values, named))
        if self._name == "MlflowClient.get_experiment_by_name":
            return None
        if self._name == "MlflowClient.create_run":
            return types.SimpleNamespace(info=types.SimpleNamespace(run_id="m1"))
        if self._name in ("Param", "Metric"):
            return values[:2]
        return self


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    found: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    for name in ("mlflow", "mlflow.entities", "wandb"):
        monkeypatch.setitem(sys.modules, name, Recorder(found))  # type: ignore[arg-type]
    return found


def test_a_record_holds_settings_figures_with_intervals_and_the_twin(run: tidings.Run) -> None:
    record = record_of(run)
    assert record.params["environment.precision"] == "0.7"
    assert record.params["agents.1.policy"] == "random"
    assert record.params["graph.n"] == "4"
    row = next(row for row in run.metrics().to_dicts() if row["name"] == "p_correct")
    for name, end in (("value", ""), ("low", ".low"), ("high", ".high"), ("n", ".n"), ("twin", ".twin")):
        assert record.metrics[f"p_correct{end}"] == row[name]
    assert (record.metrics["rollouts.done"], record.metrics["rollouts.failed"]) == (6, 0)
    assert not [name for name in record.metrics if name.startswith(("without_failed", "failures"))]
    assert all(path.is_file() for path in record.files)
    assert record.tags["status"] == "done"
    assert record.is_ended


def test_failed_rollouts_leave_no_figure_under_its_own_name(failing: tidings.Run) -> None:
    record, n_failed = record_of(failing), failing.status["failed"]
    assert 0 < n_failed < 6
    assert record.metrics["rollouts.failed"] == n_failed
    assert record.metrics["failures.reply.unparsable"] == n_failed
    assert not [name for name in record.metrics if name.startswith("p_correct")]
    dropped = next(row for row in failing.metrics(failed="drop").to_dicts() if row["name"] == "p_correct")
    assert record.metrics["without_failed.p_correct"] == dropped["value"]
    assert record.metrics["without_failed.p_correct.n"] == 6 - n_failed


def test_a_run_in_progress_has_counts_but_no_figures(tmp_path: Path) -> None:
    run = play(tmp_path, HERD)
    state = json.loads((run.path / "status.json").read_text())
    (run.path / "status.json").write_text(json.dumps(state | {"status": "running", "pid": 2**22 + 1}))
    record = record_of(tidings.load_run(run.path))
    assert record.tags["status"] == "interrupted"
    assert not record.is_ended
    assert set(record.metrics) == {"rollouts.done", "rollouts.failed", "rollouts.asked"}


@pytest.mark.parametrize(("which", "state"), [("run", "FINISHED"), ("failing", "FAILED")])
def test_mlflow_is_told_the_record(which: str, state: str, request: pytest.FixtureRequest, calls: Any) -> None:
    run = request.getfixturevalue(which)
    assert mlflow.log_run(run, "herds") == "m1"
    record = record_of(run)
    names = [name for name, _, _ in calls if name.startswith("MlflowClient.")]
    assert names[:3] == [
        f"MlflowClient.{name}" for name in ("get_experiment_by_name", "create_experiment", "create_run")
    ]
    batches = [named for name, _, named in calls if name == "MlflowClient.log_batch"]
    assert dict(param for batch in batches for param in batch["params"]) == record.params
    assert dict(metric for batch in batches for metric in batch["metrics"]) == record.metrics
    assert max(len(batch["params"]) for batch in batches) <= 100
    files = [values[1] for name, values, _ in calls if name == "MlflowClient.log_artifact"]
    assert files == [str(run.path / "report.html"), str(run.path / "scenario.yaml")]
    assert calls[-1][:2] == ("MlflowClient.set_terminated", ("m1", state))


@pytest.mark.parametrize(("which", "code"), [("run", 0), ("failing", 1)])
def test_wandb_is_told_the_record(which: str, code: int, request: pytest.FixtureRequest, calls: Any) -> None:
    run = request.getfixturevalue(which)
    assert wandb.log_run(run, "herds") == "w1"
    record, told = record_of(run), {name: (values, named) for name, values, named in calls}
    assert told["init"][1]["project"] == "herds"
    assert told["init"][1]["config"].items() >= record.params.items()
    assert told["init.summary.update"][0] == (record.metrics,)
    assert told["Artifact.add_file"][0] == (str(run.path / "scenario.yaml"),)
    assert calls[-1] == ("init.finish", (), {"exit_code": code})


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_is_one_line(
    name: str, run: tidings.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
    with pytest.raises(MissingPartError, match=rf"^{name}: not installed; pip install 'tidings\[{name}\]'$"):
        {"mlflow": mlflow, "wandb": wandb}[name].log_run(run)
    found = CliRunner().invoke(app, ["export", str(run.path), "--to", name])
    assert found.exit_code != 0


def test_an_inspect_log_holds_the_chats_and_the_figures(run: tidings.Run) -> None:
    log = inspect_log(run)
    assert (log["version"], log["status"], log["error"]) == (2, "success", None)
    assert [sample["messages"] for sample in log["samples"]] == [chat["messages"] for chat in chats(run)]
    assert {(sample["id"], sample["epoch"]) for sample in log["samples"]} == {
        (f"a{i}", r) for i in range(4) for r in range(1, 7)
    }
    scores = {score["name"]: score["metrics"] for score in log["results"]["scores"]}
    assert scores["p_correct"]["value"]["value"] == run.metrics("p_correct")["value"][0]
    found = CliRunner().invoke(app, ["export", str(run.path), "--to", "inspect"])
    assert found.output.strip().endswith("inspect.json: 24 samples")
    assert json.loads((run.path / "export" / "inspect.json").read_text()) == json.loads(json.dumps(log))


def test_an_inspect_log_of_a_run_with_failures_is_an_error_without_scores(failing: tidings.Run) -> None:
    log, n_failed = inspect_log(failing), failing.status["failed"]
    assert log["status"] == "error"
    assert log["error"]["message"] == f"{n_failed} of 6 rollouts failed"
    assert log["results"]["scores"] == []
    assert log["results"]["total_samples"] - log["results"]["completed_samples"] == n_failed


@pytest.mark.filterwarnings("ignore::FutureWarning")  # MLflow's own file store warns that it is on its way out
def test_mlflow_itself_takes_it(run: tidings.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pytest.importorskip("mlflow", reason="mlflow is not installed")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tmp_path.as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    there = real.MlflowClient().get_run(mlflow.log_run(run))
    assert there.info.status == "FINISHED"
    assert there.data.metrics == pytest.approx(record_of(run).metrics)


def test_wandb_itself_takes_it(run: tidings.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    assert list(tmp_path.glob(f"wandb/offline-run-*-{wandb.log_run(run)}"))


def test_inspect_itself_reads_it(run: tidings.Run, failing: tidings.Run, tmp_path: Path) -> None:
    real = pytest.importorskip("inspect_ai.log", reason="inspect-ai is not installed")
    for number, each in enumerate((run, failing)):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(inspect_log(each)))
        log = real.read_eval_log(str(path))
        assert log.status == inspect_log(each)["status"]
        assert [sample.id for sample in log.samples] == [sample["id"] for sample in inspect_log(each)["samples"]]
