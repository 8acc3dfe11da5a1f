"""`tidings compare RUN RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson

__all__ = ["compare"]


def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a run.", metavar="RUN")],
    second: Annotated[Path, typer.Argument(help="Folder of another.", metavar="RUN")],
    json: AsJson = False,
) -> None:
    """Compare two runs: what was asked differently, and each figure with its paired difference."""
    import json as jsonlib

    from rich.console import Console

    from tidings.analysis.compare import compare_runs, comparison_tables

    comparison = compare_runs(first, second)
    if json:
        print(jsonlib.dumps(comparison.to_json()))
    else:
        Console().print(*comparison_tables(comparison), sep="\n")
