"""`tidings report RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    against: Annotated[
        list[Path] | None, typer.Option("--against", help="Another run to stand beside this one; may be repeated.")
    ] = None,
) -> None:
    """Write one self-contained HTML file about a run."""
    from tidings.analysis.report import write_report
    from tidings.analysis.run import load_run

    print(write_report(load_run(run), tuple(load_run(path) for path in against or ())))
