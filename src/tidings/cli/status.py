"""`tidings status [PATH ...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson

__all__ = ["status"]


def status(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of runs, of sweeps, or of several; `runs` by default.", metavar="[PATH ...]"),
    ] = None,
    json: AsJson = False,
) -> None:
    """Tell how far runs are, also while they run; the variants of a sweep that have not begun count as missing."""
    import json as jsonlib
    from dataclasses import asdict

    from rich.console import Console

    from tidings.cli.output import status_table
    from tidings.runner.sweeps import read_statuses

    rows = read_statuses(*(paths or [Path("runs")]))
    if json:
        print(jsonlib.dumps({"runs": [asdict(row) for row in rows]}))
        return
    Console().print(status_table(rows))
