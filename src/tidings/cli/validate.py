"""`tidings validate SCENARIO`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["validate"]


def validate(
    scenario: Annotated[Path, typer.Argument(help="YAML file of the scenario.", metavar="SCENARIO")],
    set_: Annotated[list[str], typer.Option("--set", help="Change a value: path=value.")] = [],  # noqa: B006
) -> None:
    """Check a scenario and everything it names, without playing it."""
    from tidings.api import load_scenario
    from tidings.runner.sweeps import checked_variants

    checked = load_scenario(scenario, set_)
    sweep = f", {len(checked_variants(checked))} variants" if checked.sweep else ""
    seats = "a planner and agents" if checked.planner.kind != "none" else "agents"
    print(f"{scenario}: valid ({checked.environment.kind}, {seats}, {checked.rollouts.count} rollouts{sweep})")
