"""`tidings export RUN --to parquet|chat-jsonl|inspect|mlflow|wandb`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson, check_word, print_json

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
    json: AsJson = False,
) -> None:
    """Write a run for other tools."""
    from tidings.analysis.run import load_run

    check_word("--to", to, _FORMS)
    loaded = load_run(run)
    folder = out or run / "export"
    lines: list[str]
    if to == "parquet":
        from tidings.analysis.export import export_parquet

        lines = [str(path) for path in export_parquet(loaded, folder)]
    elif to == "chat-jsonl":
        from tidings.analysis.export import export_chat

        n = export_chat(loaded, folder / "chat.jsonl")
        lines = [f"{folder / 'chat.jsonl'}: {n} transcripts"]
    elif to == "inspect":
        from tidings.analysis.adapters.inspect_log import export_inspect

        n = export_inspect(loaded, folder / "inspect.json")
        lines = [f"{folder / 'inspect.json'}: {n} samples"]
    elif to == "mlflow":
        from tidings.analysis.adapters import mlflow

        lines = [f"mlflow run {mlflow.log_run(loaded, project)} in experiment {project}"]
    else:
        from tidings.analysis.adapters import wandb

        lines = [f"wandb run {wandb.log_run(loaded, project)} in project {project}"]
    if json:
        print_json({"run": str(run), "to": to, "written": lines})
        return
    print("\n".join(lines))
