"""`tidings export RUN --to parquet|chat-jsonl|inspect|mlflow|wandb`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import check_word

__all__ = ["export"]


_FORMS = ("parquet", "chat-jsonl", "inspect", "mlflow", "wandb")


def export(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    to: Annotated[
        str,
        typer.Option(
            help="parquet: every frame; chat-jsonl: transcripts, one line a seat; inspect: an Inspect eval log; "
            "mlflow, wandb: parameters, figures, failures and report, where these are set up to log to."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Where files go; `export` in the run folder by default.")] = None,
    project: Annotated[str, typer.Option(help="MLflow experiment, or W&B project.")] = "tidings",
) -> None:
    """Write a run for other tools."""
    from tidings.analysis.run import load_run

    check_word("--to", to, _FORMS)
    loaded = load_run(run)
    folder = out or run / "export"
    if to == "parquet":
        from tidings.analysis.export import export_parquet

        for path in export_parquet(loaded, folder):
            print(path)
    elif to == "chat-jsonl":
        from tidings.analysis.export import export_chat

        n = export_chat(loaded, folder / "chat.jsonl")
        print(f"{folder / 'chat.jsonl'}: {n} transcripts")
    elif to == "inspect":
        from tidings.analysis.adapters.inspect_log import export_inspect

        n = export_inspect(loaded, folder / "inspect.json")
        print(f"{folder / 'inspect.json'}: {n} samples")
    elif to == "mlflow":
        from tidings.analysis.adapters import mlflow

        print(f"mlflow run {mlflow.log_run(loaded, project)} in experiment {project}")
    else:
        from tidings.analysis.adapters import wandb

        print(f"wandb run {wandb.log_run(loaded, project)} in project {project}")
