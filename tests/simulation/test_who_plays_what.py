"""Seats that cannot play an environment are refused before anything is played; who is refused indeed cannot."""

from pathlib import Path

import pytest

import tidings
from tidings.core import ScenarioError
from tidings.simulation import compile as compiling
from tidings.simulation.registry import AGENTS, ENVIRONMENTS, PLANNERS, find
from tidings.spec.io import read_scenario
from tidings.spec.scenario import AgentGroup, ModelSpec, PlannerSpec, Scenario

SCENARIOS = {
    read_scenario(path).environment.kind: path
    for path in (Path(__file__).parents[2] / "scenarios").glob("*.yaml")
    if path.stem not in ("quickstart", "what-if")
}
SETTINGS = {
    "constant": {"precision": 0.8},
    "static": {"family": "chain"},
    "self_consistency": {"samples": 2},
    "dylan": {"ranker": "contributions"},
    "optimal": {"delta": 0.9},
    "informative": {"model": "w"},
    "oracle": {"reader": "tidings.benchmarks.asymmetry.reading:read_answer"},
}


def plays(role: str, kind: str) -> tuple[str, ...] | None:
    return getattr(find(role, kind, role), "plays", None)  # type: ignore[arg-type]


PAIRS = [
    (role, kind, environment)
    for role, table in (("agent", AGENTS), ("planner", PLANNERS))
    for kind in table
    if plays(role, kind) is not None
    for environment in ENVIRONMENTS
]
REFUSED = [(role, kind, place) for role, kind, place in PAIRS if place not in (plays(role, kind) or ())]


def seated(role: str, kind: str, environment: str) -> Scenario:
    scenario = read_scenario(SCENARIOS[environment])
    words = {name: ModelSpec(use="scripted/words") for name in (*scenario.models, "w")}
    scenario = scenario.model_copy(update={"models": words})
    if role == "planner":
        return scenario.model_copy(update={"planner": PlannerSpec(kind=kind, **SETTINGS.get(kind, {}))})
    group = AgentGroup(kind=kind, nodes="rest", **SETTINGS.get(kind, {}))
    return scenario.model_copy(update={"agents": [group], "planner": PlannerSpec(kind="none")})


@pytest.mark.parametrize(("role", "kind", "environment"), REFUSED)
def test_who_cannot_play_is_refused_with_what_it_plays(role: str, kind: str, environment: str) -> None:
    with pytest.raises(ScenarioError, match=f"{kind} cannot play the environment '{environment}'; it plays: "):
        compiling.check_components(seated(role, kind, environment))


@pytest.mark.parametrize(("role", "kind", "environment"), REFUSED)
def test_who_is_refused_indeed_cannot_play(
    role: str, kind: str, environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "ENVIRONMENTS", {})
    try:
        run = tidings.run(
            seated(role, kind, environment), out=tmp_path, rollouts=1, overrides={"rollouts.on_failure": "stop"}
        )
    except ScenarioError as error:
        # Nothing else may stop it: with a missing setting this would hold for whoever can play, too.
        if "has no planner's turn" not in str(error):
            raise
        return
    assert run.status["failed"] == 1
