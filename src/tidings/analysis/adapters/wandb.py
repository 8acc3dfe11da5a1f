"""A run in Weights & Biases: the only module that knows it. Imported when it is used."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tidings.analysis.adapters.record import record_of
from tidings.core import MissingPartError

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["log_run"]


def log_run(run: Run, project: str = "tidings") -> str:
    """Logs a run to Weights & Biases and returns the id it has there.

    Where to is its own setting (`WANDB_MODE=offline` writes below `WANDB_DIR`). The run there ends with exit code 1 if
    any rollout failed or is missing. With failed rollouts no figure is logged under its own name.

    Args:
        run: What is logged: the flattened scenario, figures with intervals, counts of failures, report and scenario.
        project: The project.

    Raises:
        MissingPartError: If it is not installed.
    """
    wandb = _import()
    record = record_of(run)
    config = record.params | {f"tidings.{name}": value for name, value in record.tags.items()}
    there = wandb.init(project=project, name=record.name, config=config, reinit="create_new")
    there.summary.update(record.metrics)
    artifact = wandb.Artifact(re.sub(r"[^A-Za-z0-9_.-]", "_", record.name), type="tidings-run")
    for path in record.files:
        artifact.add_file(str(path))
    there.log_artifact(artifact)
    there.finish(exit_code=0 if record.is_ended and not record.n_failed else 1)
    return str(there.id)


def _import() -> Any:
    try:
        return import_module("wandb")
    except ModuleNotFoundError:
        raise MissingPartError("wandb", "not installed", "", "pip install 'tidings[wandb]'") from None
