"""`tidings bench SUITE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["bench"]


def bench(
    suite: Annotated[str, typer.Argument(help="Name from `tidings list suites`.", metavar="SUITE")],
    model: Annotated[str | None, typer.Option(help="Language model, provider/model, for suites that need one.")] = None,
    full: Annotated[bool, typer.Option("--full", help="The large grid instead of the quick one.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for run folders and reports.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Play a benchmark suite, score it and keep its tables."""
    import json as jsonlib

    from tidings.benchmarks.table import find_suite
    from tidings.runner.folder import write_atomically

    folder = out / suite
    report = find_suite(suite)(model, folder, is_full=full)
    scores = jsonlib.dumps(report.to_json(), allow_nan=False)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "report.json", scores + "\n")
    write_atomically(folder / "report.md", report.text())
    print(scores if json else report.text() + f"\nkept in: {folder / 'report.md'}")
    raise typer.Exit(1 if report.n_failed else 0)
