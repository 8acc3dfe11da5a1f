"""`tidings run SCENARIO`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson, finish, finish_sweep

__all__ = ["run"]


def run(
    scenario: Annotated[Path, typer.Argument(help="YAML file of the scenario.", metavar="SCENARIO")],
    set_: Annotated[
        list[str], typer.Option("--set", help="Change a value: path=value, for example agents.0.count=3.")
    ] = [],  # noqa: B006
    rollouts: Annotated[int | None, typer.Option(min=1, help="Number of rollouts.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for run folders.")] = Path("runs"),
    runner: Annotated[str | None, typer.Option(help="Where rollouts run: local or ray.")] = None,
    json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Play a scenario and keep the run in a folder of its own; with a sweep, one folder for each variant."""
    from tidings.api import load_scenario, play, play_sweep
    from tidings.runner.progress import live_progress

    changes = [*set_]
    changes += [f"rollouts.count={rollouts}"] if rollouts is not None else []
    changes += [f"rollouts.seed={seed}"] if seed is not None else []
    changes += [f"runner.kind={runner}"] if runner is not None else []
    checked = load_scenario(scenario, changes)
    has_person = any(group.kind == "human" for group in checked.agents)
    is_quiet = quiet or json or has_person
    if checked.sweep:
        finish_sweep(play_sweep(checked, out, lambda: live_progress(quiet=is_quiet)), as_json=json)
    finish(play(checked, out, live_progress(quiet=is_quiet)), as_json=json)
