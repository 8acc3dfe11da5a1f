"""`tidings resume RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson, finish

__all__ = ["resume"]


def resume(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    set_: Annotated[list[str], typer.Option("--set", help="Change limits or the runner: limits.usd=5.")] = [],  # noqa: B006
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Take failed rollouts up again.")] = False,
    json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Go on with a stopped run where its log ends; nothing that was paid for is asked again."""
    from tidings.api import play_on
    from tidings.runner.progress import live_progress

    finish(play_on(run, live_progress(quiet=quiet or json), set_, retry_failed=retry_failed), as_json=json)
