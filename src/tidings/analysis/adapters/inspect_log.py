"""A run as an eval log of Inspect (https://inspect.aisi.org.uk): one JSON file, written without Inspect.

A sample is a seat in a rollout: its id is the seat, its epoch the number of the rollout plus one. Its messages are what
that seat could see and said; a seat that failed before it said anything has no sample but is counted. Figures of the
run are the scores of the log; with failed rollouts they have no value, and the status is `error`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidings.analysis.export import chats
from tidings.log.gaps import names_gaps
from tidings.runner.folder import write_atomically

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["export_inspect", "inspect_log"]

_STATUS = {"done": "success", "running": "started", "unknown": "started"}


def export_inspect(run: Run, path: Path) -> int:
    """Writes the log and returns its number of samples."""
    log = inspect_log(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(log, ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    return len(log["samples"])


@names_gaps
def inspect_log(run: Run) -> dict[str, Any]:
    """Returns the eval log (version 2) as JSON values."""
    status, scenario = run.status, run.scenario
    n_failed, n_done = int(status.get("failed") or 0), int(status.get("done") or 0)
    failures = _failures(run)
    samples = [_sample(chat, failures) for chat in chats(run)]
    n_silent = len(failures.keys() - {(sample["epoch"] - 1, sample["id"]) for sample in samples})
    counts = {
        "total_samples": len(samples) + n_silent,
        "completed_samples": sum(sample["error"] is None for sample in samples),
    }
    began = datetime.fromtimestamp((run.path / "scenario.yaml").stat().st_mtime, UTC).isoformat()
    models = [str(model.get("id", name)) for name, model in run.manifest.get("models", {}).items()]
    words = f"{n_failed} of {n_done} rollouts failed"
    state = "error" if n_failed else _STATUS.get(str(status.get("status")), "cancelled")
    return {
        "version": 2,
        "status": state,
        "eval": {
            "created": began,
            "task": scenario.name,
            "task_id": run.path.name,
            "eval_id": run.path.name,
            "run_id": run.path.name,
            "task_args": {"environment": scenario.environment.kind, "seed": scenario.rollouts.seed},
            "dataset": {"name": scenario.environment.kind, "samples": len(samples)},
            "model": ", ".join(models) or "none/none",
            "config": {"epochs": int(status.get("rollouts") or scenario.rollouts.count)},
            "packages": {name: str(version) for name, version in run.manifest.get("packages", {}).items()},
        },
        "results": {**counts, "scores": _scores(run)},
        "error": _error(words) if n_failed else None,
        "samples": samples,
    }


def _sample(chat: dict[str, Any], failures: dict[tuple[int, str], str]) -> dict[str, Any]:
    metadata, messages = chat["metadata"], chat["messages"]
    said = next(m["content"] for m in reversed(messages) if m["role"] == "assistant")
    failure = failures.get((metadata["rollout"], metadata["seat"]))
    return {
        "id": metadata["seat"],
        "epoch": metadata["rollout"] + 1,
        "input": messages[0]["content"],
        "target": "",
        "messages": messages,
        "output": {"completion": said, "choices": [{"message": {"role": "assistant", "content": said}}]},
        "metadata": metadata,
        "error": _error(failure) if failure else None,
    }


def _failures(run: Run) -> dict[tuple[int, str], str]:
    """Returns the first failure of each seat in each rollout."""
    found: dict[tuple[int, str], str] = {}
    for line in run.lines():
        if line.kind == "failure" and line.seat is not None:
            words = f"{line.data['boundary']}/{line.data['error']}: {line.data['message']}"
            found.setdefault((line.rollout, line.seat), words)
    return found


def _scores(run: Run) -> list[dict[str, Any]]:
    scores: list[dict[str, Any]] = []
    for row in run.metrics().to_dicts():
        values = {name: row[name] for name in ("value", "low", "high", "twin") if row[name] is not None}
        if row["value"] is None or not all(abs(value) < float("inf") for value in values.values()):
            continue
        metrics = {name: {"name": name, "value": value} for name, value in values.items()}
        about = {name: row[name] for name in ("unit", "n", "estimator")}
        scores.append({"name": row["name"], "scorer": row["name"], "metrics": metrics, "metadata": about})
    return scores


def _error(words: str) -> dict[str, str]:
    return {"message": words, "traceback": "", "traceback_ansi": ""}
