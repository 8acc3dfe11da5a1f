"""An estimate counts the calls that a run makes."""

from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.runner.estimate import estimate_calls
from tidings.spec.io import make_scenario

ROOT = Path(__file__).parents[2]
HERD: dict[str, Any] = {
    "name": "herd",
    "graph": {"kind": "complete", "n": 4},
    "models": {"m": {"use": "scripted/m", "price_in": 1.0, "price_out": 2.0}},
    "agents": [{"kind": "llm", "count": 2, "model": "m"}, {"kind": "bayesian", "nodes": "rest"}],
    "environment": {"kind": "social_learning", "precision": 0.7},
    "rollouts": {"count": 3, "seed": 1},
}


@pytest.mark.parametrize(
    ("settings", "calls_a_turn"),
    [
        ([], 1),
        (["agents.0.reasoning=true"], 2),
        (["agents.0.elicit=choice"], 2),
        (["agents.0.elicit=choice", "agents.0.reasoning=true"], 3),
    ],
    ids=["one question", "reasons first", "a question for each field", "both"],
)
def test_every_call_of_a_turn_is_counted(settings: list[str], calls_a_turn: int, tmp_path: Path) -> None:
    scenario = make_scenario(HERD, settings)
    (found,) = estimate_calls(scenario).models
    run = tidings.run(scenario, out=tmp_path)
    assert found.calls == run.status["calls"] == 3 * 2 * calls_a_turn
    used = run.calls()
    assert used["tokens_in"].sum() <= found.tokens_in <= 2 * used["tokens_in"].sum()
    assert found.usd is not None
    assert found.usd > 0


@pytest.mark.parametrize("name", ["dialop", "hidden_profile"])
def test_the_estimate_of_a_shipped_scenario_is_what_it_takes(name: str, tmp_path: Path) -> None:
    scenario = tidings.load_scenario(ROOT / "scenarios" / f"{name}.yaml", ["environment.rounds=1"] * (name != "dialop"))
    (found,) = estimate_calls(scenario).models
    calls = tidings.run(scenario, out=tmp_path).status["calls"]
    assert 0.7 * calls <= found.calls <= 1.4 * calls


def test_a_settings_cap_on_the_answer_is_taken_over() -> None:
    (found,) = estimate_calls(make_scenario(HERD, ["models.m.max_tokens=10"])).models
    assert found.tokens_out == found.calls * 10


def test_a_person_is_not_asked() -> None:
    seats = [
        {"kind": "human", "count": 1},
        {"kind": "llm", "count": 1, "model": "m"},
        {"kind": "bayesian", "nodes": "rest"},
    ]
    (found,) = estimate_calls(make_scenario({**HERD, "agents": seats})).models
    assert found.calls == 3
