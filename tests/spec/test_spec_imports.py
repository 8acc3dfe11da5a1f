"""Checking YAML loads no implementation and nothing heavy."""

import subprocess
import sys
from pathlib import Path

import tidings.spec

HEAVY = ("torch", "transformers", "ray", "langgraph", "openai", "polars", "matplotlib")
ROOMS = ("agents", "environments", "planners", "models", "memory", "simulation", "runner", "analysis", "cli", "log")
MODULES = sorted(path.stem for path in Path(tidings.spec.__path__[0]).glob("*.py") if path.stem != "__init__")

CODE = """
import sys
{imports}
from tidings.spec.io import make_scenario, dump_scenario
dump_scenario(make_scenario({{"name": "x", "graph": {{"kind": "erdos_renyi", "n": 9, "p": 0.5}},
    "agents": [{{"kind": "llm", "nodes": "rest"}}], "environment": {{"kind": "social_learning"}}}}))
print(*sys.modules)
"""


def loaded(extra: str = "") -> set[str]:
    imports = "\n".join(f"import tidings.spec.{name}" for name in MODULES) + f"\n{extra}"
    command = [sys.executable, "-c", CODE.format(imports=imports)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())


def offenders(modules: set[str]) -> set[str]:
    rooms = {f"tidings.{room}" for room in ROOMS}
    return {name for name in modules if name.split(".")[0] in HEAVY or ".".join(name.split(".")[:2]) in rooms}


def test_nothing_heavy_is_loaded() -> None:
    assert not offenders(loaded())


def test_the_gate_catches_a_heavy_import() -> None:
    assert "tidings.agents" in offenders(loaded("import tidings.agents"))
    assert "polars" in offenders(loaded("import polars"))
