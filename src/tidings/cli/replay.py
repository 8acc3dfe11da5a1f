"""`tidings replay RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["replay"]


def replay(run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")]) -> None:
    """Play a run again from its recorded calls, without a model; stop at the first difference."""
    from tidings.runner.replay import replay_run

    n_rollouts, n_events = replay_run(run)
    print(f"{run}: {n_rollouts} rollouts, {n_events} events, no difference")
