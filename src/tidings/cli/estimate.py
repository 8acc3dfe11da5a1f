"""`tidings estimate SCENARIO`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson

__all__ = ["estimate"]


def estimate(
    scenario: Annotated[Path, typer.Argument(help="YAML file of the scenario.", metavar="SCENARIO")],
    set_: Annotated[list[str], typer.Option("--set", help="Change a value: path=value.")] = [],  # noqa: B006
    json: AsJson = False,
) -> None:
    """Tell how many model calls and tokens a scenario will need and what they cost; makes no call."""
    import json as jsonlib

    from tidings.api import load_scenario
    from tidings.runner.estimate import estimate_calls

    found = estimate_calls(load_scenario(scenario, set_))
    print(jsonlib.dumps(found.to_json()) if json else found.text())
