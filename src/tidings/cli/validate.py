"""`tidings validate SCENARIO`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson, print_json

__all__ = ["validate"]


def validate(
    scenario: Annotated[Path, typer.Argument(help="YAML file of the scenario.", metavar="SCENARIO")],
    set_: Annotated[list[str], typer.Option("--set", help="Change a value: path=value.")] = [],  # noqa: B006
    json: AsJson = False,
) -> None:
    """Check a scenario and everything it names, without playing it."""
    from tidings.api import load_scenario
    from tidings.runner.sweeps import checked_variants
    from tidings.simulation.compile import check_seats

    checked = load_scenario(scenario, set_)
    swept = checked_variants(checked) if checked.sweep else ()
    for one in [variant.scenario for variant in swept] or [checked]:
        check_seats(one)
    variants = [variant.id for variant in swept]
    if json:
        kinds = {"environment": checked.environment.kind, "planner": checked.planner.kind}
        print_json({"scenario": str(scenario), "rollouts": checked.rollouts.count, **kinds, "variants": variants})
        return
    sweep = f", {len(variants)} variants" if variants else ""
    seats = "a planner and agents" if checked.planner.kind != "none" else "agents"
    rollouts = f"{checked.rollouts.count} rollout{'s' * (checked.rollouts.count != 1)}"
    print(f"{scenario}: valid ({checked.environment.kind}, {seats}, {rollouts}{sweep})")
