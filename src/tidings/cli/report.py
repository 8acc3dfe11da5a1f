"""`tidings report RUN ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson, print_json

__all__ = ["report"]


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, of sweeps, or of several.", metavar="RUN ...")],
    against: Annotated[
        list[Path] | None, typer.Option("--against", help="Another run to stand beside this one; may be repeated.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Write one self-contained HTML file about each run."""
    from tidings.analysis.report import write_report
    from tidings.analysis.run import load_run
    from tidings.runner.sweeps import find_runs

    others = tuple(load_run(path) for path in against or ())
    written: dict[str, str] = {}
    for path in find_runs(runs):
        written[str(path)] = str(write_report(load_run(path), others))
        if not json:
            print(written[str(path)], flush=True)
    if json:
        print_json({"reports": written})
