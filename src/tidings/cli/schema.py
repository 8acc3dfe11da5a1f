"""`tidings schema`."""

from __future__ import annotations

import json

__all__ = ["schema"]


def schema() -> None:
    """Print the JSON Schema of scenarios, for editors and other tools."""
    from tidings.simulation.registry import params_models
    from tidings.spec.schema import scenario_schema

    print(json.dumps(scenario_schema(params_models()), indent=2))
