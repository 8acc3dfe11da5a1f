"""`tidings replay RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson, print_json

__all__ = ["replay"]


def replay(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")], json: AsJson = False
) -> None:
    """Play a run again from its recorded calls, without a model; stop at the first difference."""
    from tidings.runner.replay import replay_run

    n_rollouts, n_events = replay_run(run)
    if json:
        print_json({"run": str(run), "rollouts": n_rollouts, "events": n_events})
        return
    print(f"{run}: {n_rollouts} rollouts, {n_events} events, no difference")
