"""`tidings metrics RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["metrics"]


def metrics(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Metrics or tiers from `tidings list metrics`; all by default.")
    ] = None,
    failed: Annotated[str, typer.Option(help="About failed rollouts: refuse (no value), or drop them.")] = "refuse",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a run came to: every figure with its interval and null, or why it has no value."""
    import json as jsonlib

    from rich.console import Console

    from tidings.analysis.run import load_run
    from tidings.cli.output import metric_table
    from tidings.core import RequestError
    from tidings.metrics.result import json_row

    if failed not in ("refuse", "drop"):
        raise RequestError("--failed", f"found {failed!r}", "allowed: refuse, drop")
    frame = load_run(run).metrics(*(names or ["all"]), failed=failed)  # type: ignore[arg-type]
    if json:
        rows = {row["name"]: json_row(row) for row in frame.to_dicts()}
        print(jsonlib.dumps({"run": str(run), "metrics": rows}, allow_nan=False))
    else:
        Console().print(metric_table(frame))
