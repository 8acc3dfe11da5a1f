"""A run in MLflow: the only module that knows it. Imported when it is used."""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tidings.analysis.adapters.record import record_of
from tidings.core import MissingPartError

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["log_run"]

_BATCH = 100
"""Parameters, and metrics, of one request: the most that MLflow takes."""


def log_run(run: Run, experiment: str = "tidings") -> str:
    """Logs a run to MLflow and returns the id it has there.

    Where to is MLflow's own setting (`MLFLOW_TRACKING_URI`). The MLflow run ends as FINISHED; as FAILED if any rollout
    failed; as KILLED if rollouts are missing. With failed rollouts no figure is logged under its own name.

    Args:
        run: What is logged: the flattened scenario, figures with intervals, counts of failures, report and scenario.
        experiment: MLflow's experiment; made if missing.

    Raises:
        MissingPartError: If MLflow is not installed.
    """
    mlflow, entities = _import("mlflow"), _import("mlflow.entities")
    client = mlflow.MlflowClient()
    record = record_of(run)
    found = client.get_experiment_by_name(experiment)
    place = client.create_experiment(experiment) if found is None else found.experiment_id
    name = client.create_run(place, run_name=record.name, tags=record.tags).info.run_id
    now = int(1000 * time.time())
    params = [entities.Param(key, value) for key, value in record.params.items()]
    metrics = [entities.Metric(key, value, now, 0) for key, value in record.metrics.items()]
    for first in range(0, max(len(params), len(metrics)), _BATCH):
        last = first + _BATCH
        client.log_batch(name, metrics=metrics[first:last], params=params[first:last])
    for path in record.files:
        client.log_artifact(name, str(path))
    client.set_terminated(name, "FAILED" if record.n_failed else "FINISHED" if record.is_ended else "KILLED")
    return name


def _import(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise MissingPartError("mlflow", "not installed", "", "pip install 'tidings[mlflow]'") from None
