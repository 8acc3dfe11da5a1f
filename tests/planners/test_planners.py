"""Planner seats through the environment: values by simulation, obfuscation in the log, budgets, errors."""

import json
from math import sqrt
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

import tidings
from tidings.benchmarks.steering.play import herd_turns
from tidings.core import ScenarioError
from tidings.simulation.compile import compile_scenario
from tidings.theory.steering import solve_planner

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "steering.json").read_text())


def write(
    tmp_path: Path, planner: str, n: int = 30, rollouts: str = "{count: 50, seed: 2}", **environment: object
) -> Path:
    words = "".join(f", {key}: {value}" for key, value in environment.items())
    path = tmp_path / "s.yaml"
    path.write_text(
        f"""
name: steer
graph: {{kind: complete, n: {n}}}
agents: [{{kind: bayesian, count: {n}}}]
environment: {{kind: social_learning{words}}}
planner: {planner}
rollouts: {rollouts}
"""
    )
    return path


def words_of(setting: dict, kind: str = "optimal") -> str:
    target = ", target: G" if setting["objective"] == "biased" else ""
    cost = f"{{kind: {setting['cost_kind']}, weight: {setting['cost_weight']}}}"
    return (
        f"{{kind: {kind}, objective: {setting['objective']}{target}, delta: {setting['delta']}, cost: {cost}, "
        f"error_cost: {setting['error_cost']}}}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("setting", GOLDEN["settings"], ids=lambda s: s["name"])
@pytest.mark.parametrize("prior", [0.5, 0.35])
def test_the_solved_policy_earns_its_value_in_the_environment(tmp_path: Path, setting: dict, prior: float) -> None:
    """Monte Carlo through `tidings.run` within three standard errors, both planners; w drawn with the prior."""
    n = 250 if setting["delta"] else 5
    path = write(
        tmp_path, words_of(setting), n, "{count: 20000, seed: 4, log: summary}", precision=setting["p"], prior=prior
    )
    rewards = tidings.run(path, out=tmp_path / "runs").rollouts()["reward"]
    keys = ("objective", "p", "cost_kind", "cost_weight", "delta", "error_cost")
    value = solve_planner(*(setting[key] for key in keys)).value(prior)
    assert abs(rewards.mean() - value) <= 3 * rewards.std() / sqrt(len(rewards)) + 1e-4 * abs(value)


def test_a_planner_that_wants_the_other_action_is_the_mirror_image(tmp_path: Path) -> None:
    base = "{{kind: optimal, objective: biased, target: {}, delta: 0.9, cost: {{kind: linear, weight: 2}}}}"
    precisions = {}
    for target, prior in (("G", 0.35), ("B", 0.65)):
        run = tidings.run(write(tmp_path, base.format(target), prior=prior), rollouts=3, out=tmp_path / "runs")
        first = run.events().filter(kind="precision", step=1)["data"]
        precisions[target] = [json.loads(text)["precision"] for text in first]
    assert precisions["G"] == pytest.approx(precisions["B"])
    assert precisions["G"][0] == pytest.approx(0.65, abs=1e-4)


def test_a_biased_planner_in_the_dear_regime_obfuscates_where_the_theory_says(tmp_path: Path) -> None:
    """Seen in the log: below the free precision exactly where the golden policy is."""
    setting = next(
        s for s in GOLDEN["settings"] if s["name"].startswith("biased") and s["cost_weight"] == 2 and s["delta"]
    )
    for row in setting["rows"]:
        if not 0.02 < row["b"] < 0.98:
            continue
        run = tidings.run(write(tmp_path, words_of(setting), 2, prior=row["b"]), rollouts=1, out=tmp_path / "runs")
        (text,) = run.events().filter(kind="precision", step=1)["data"]
        chosen = json.loads(text)["precision"]
        assert any(low - 1e-9 <= chosen <= high + 1e-9 for low, high in row["accept"]), (row["b"], chosen)
        if all(high < setting["p"] - 1e-9 for _, high in row["accept"]):
            assert chosen < setting["p"] - 1e-9, row["b"]
        if all(low >= setting["p"] - 1e-9 for low, _ in row["accept"]):
            assert chosen >= setting["p"] - 1e-9, row["b"]


@pytest.mark.parametrize(
    "kind", ["optimal", "myopic", "constant, precision: 0.8", "scripted, precisions: [0.9, 0.8, 0.7]"]
)
def test_array_path_equals_step_by_step(tmp_path: Path, kind: str) -> None:
    planner = f"{{kind: {kind}, objective: biased, target: G, delta: 0.9, cost: {{kind: linear, weight: 1}}}}"
    path = write(tmp_path, planner, rollouts="{count: 120, seed: 2}", prior=0.45)
    full = tidings.run(path, out=tmp_path / "runs", overrides={"rollouts.log": "full"}).rollouts()
    fast = tidings.run(path, out=tmp_path / "runs", overrides={"rollouts.log": "summary"}).rollouts()
    assert_frame_equal(full, fast.cast(full.schema), check_exact=False, rel_tol=1e-12, abs_tol=1e-12)


def test_a_budget_is_never_overspent(tmp_path: Path) -> None:
    planner = "{kind: constant, precision: 0.9, cost: {kind: linear, weight: 1}, budget: 0.5}"
    run = tidings.run(write(tmp_path, planner), rollouts=1, out=tmp_path / "runs")
    assert run.status["failed"] == 1
    assert "out_of_range" in next(iter(run.failure_counts()))
    planner = "{kind: optimal, delta: 0.9, cost: {kind: linear, weight: 1}, budget: 0.2}"
    run = tidings.run(write(tmp_path, planner), out=tmp_path / "runs")
    assert run.status["failed"] == 0
    assert 0.19 < run.rollouts()["cost"].max() <= 0.2 + 1e-9


def test_random_planner_stays_in_its_bounds_and_repeats(tmp_path: Path) -> None:
    planner = "{kind: random, low: 0.6, high: 0.8, objective: biased, target: G}"
    runs = [tidings.run(write(tmp_path, planner), rollouts=4, out=tmp_path / "runs") for _ in range(2)]
    drawn = [json.loads(text)["precision"] for text in runs[0].events().filter(kind="precision")["data"]]
    assert len(set(drawn)) == len(drawn)
    assert 0.6 <= min(drawn) < 0.62
    assert 0.78 < max(drawn) <= 0.8
    assert runs[0].events().equals(runs[1].events())


def test_what_the_planner_pays_is_in_the_log(tmp_path: Path) -> None:
    planner = "{kind: constant, precision: 0.9, cost: {kind: quadratic, weight: 3}, delta: 0.5}"
    run = tidings.run(write(tmp_path, planner, 4), rollouts=2, out=tmp_path / "runs")
    costs = [json.loads(text)["cost"] for text in run.events().filter(kind="precision")["data"]]
    assert costs == pytest.approx([3 * 0.2**2] * 8)
    assert run.rollouts()["cost"].to_list() == pytest.approx([4 * 0.12] * 2)


def test_the_planner_knows_only_what_is_public(tmp_path: Path) -> None:
    run = tidings.run(write(tmp_path, "{kind: constant, precision: 0.9}"), rollouts=2, out=tmp_path / "runs")
    seen = run.events().filter(run.events()["audience"].list.contains("planner"))
    assert set(seen["kind"]) == {"setup", "control", "precision", "action", "reply"}
    assert set(seen.filter(kind="reply")["seat"]) == {"planner"}


def test_a_planner_is_told_what_is_free(tmp_path: Path) -> None:
    for story in ("", "A car is for sale."):
        words = {"story": f"'{story}'"} if story else {}
        path = write(tmp_path, "{kind: constant, precision: 0.9}", 3, precision=0.65, **words)
        environment = compile_scenario(tidings.load_scenario(path)).environment
        assert "right with probability 0.65" in environment.brief("planner")
        assert story in environment.brief("planner")
        assert "0.65" not in environment.brief("a0")


def test_a_planner_that_sees_all_sees_signals(tmp_path: Path) -> None:
    run = tidings.run(write(tmp_path, "{kind: constant, precision: 0.9, sees: all}"), rollouts=1, out=tmp_path / "runs")
    seen = run.events().filter(run.events()["audience"].list.contains("planner"))
    assert "signal" in set(seen["kind"])
    assert "state" not in set(seen["kind"])


@pytest.mark.parametrize(
    ("planner", "environment", "message"),
    [
        ("{kind: optimal, delta: 0.9, cost: {kind: linear, weight: -1}}", {}, "planner.cost.weight"),
        ("{kind: optimal, delta: 1, cost: {kind: linear, weight: 1}}", {}, "delta"),
        ("{kind: optimal, cost: {kind: linear, weight: 1}}", {}, "planner.delta: missing"),
        ("{kind: optimal, delta: 0.9, budget: -1}", {}, "planner.budget"),
        ("{kind: optimal, delta: 0.9, objective: biased}", {}, "planner.target"),
        ("{kind: optimal, delta: 0.9, objective: biased, target: X}", {}, "found 'X'; allowed: B or G"),
        ("{kind: constant, precision: 0.6}", {}, "may not go below the free 0.7"),
        ("{kind: constant, precision: 0.4}", {}, "planner.precision"),
        ("{kind: optimal, delta: 0.9}", {"ties": "coin"}, "own_signal"),
        ("{kind: optimal, delta: 0.9}", {"precision": 1.0}, "p=1.0"),
        ("{kind: optimul, delta: 0.9}", {}, "did you mean 'optimal'"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, planner: str, environment: dict, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        tidings.run(write(tmp_path, planner, **environment), out=tmp_path / "runs")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_the_exact_solution_says_where_it_does_not_apply(tmp_path: Path) -> None:
    path = write(tmp_path, "{kind: optimal, delta: 0.9}")
    path.write_text(path.read_text().replace("{kind: complete, n: 30}", "{kind: cycle, n: 30}"))
    with pytest.raises(ScenarioError, match=r"graph that is not complete.*lookahead"):
        tidings.run(path, out=tmp_path / "runs")


def test_finite_horizon_with_delta_one(tmp_path: Path) -> None:
    planner = "{kind: optimal, delta: 1, horizon: 5, cost: {kind: linear, weight: 0.5}}"
    row = next(
        r
        for r in GOLDEN["finite_horizon"]
        if (r["objective"], r["horizon"], r["cost_kind"], r["cost_weight"], r["p"])
        == ("altruistic", 5, "linear", 0.5, 0.7)
    )
    path = write(tmp_path, planner, 5, "{count: 20000, seed: 4, log: summary}", prior=0.4)
    rewards = tidings.run(path, out=tmp_path / "runs").rollouts()["reward"]
    expected = row["value"][row["b"].index(0.4)]
    assert abs(rewards.mean() - expected) <= 3 * rewards.std() / sqrt(len(rewards)) + 1e-3


@pytest.mark.parametrize("kind", ["social_learning", "many_states"])
def test_agents_after_one_that_failed_keep_their_place(tmp_path: Path, kind: str) -> None:
    """Discounts, positions and the turns left to a planner go by the order of play, not by how many acted."""
    is_asked = kind == "social_learning"
    wrong = "{action: B, belief: 0.5}" if is_asked else "B"
    path = tmp_path / "s.yaml"
    path.write_text(
        f"""
name: gap
graph: {{kind: complete, n: 3}}
agents:
  - {{kind: scripted, nodes: [a0, a2], policy: constant, value: {wrong}}}
  - {{kind: scripted, nodes: [a1], by_step: {{"99": {wrong}}}}}
environment: {{kind: {kind}, states: [B, G], state: G, precision: 0.7, ask_belief: {str(is_asked).lower()}}}
planner: {{kind: scripted, precisions: [0.7, 0.8, 0.9], delta: 0.5, cost: {{kind: linear, weight: 1}}, error_cost: 1}}
rollouts: {{count: 1, seed: 1, on_failure: abstain}}
"""
    )
    run = tidings.run(path, out=tmp_path / "runs")
    row = run.rollouts().row(0, named=True)
    assert row["n_agents"] == 2
    assert row["reward"] == pytest.approx(-1.0 - 0.5 * 0.1 - 0.25 * (0.2 + 1.0))
    if is_asked:
        assert run.beliefs()["position"].to_list() == [0, 2]
        events = [line.event() for line in run.lines()]
        assert [turn["position"] for turn in herd_turns(events)] == [0, 2]


def test_a_planner_with_a_horizon_counts_turns_of_agents_that_failed(tmp_path: Path) -> None:
    """With the last agent to come and nobody after it, the solution for one agent is played."""
    agents = '  - {kind: bayesian, nodes: rest}\n  - {kind: scripted, nodes: [a0, a1], by_step: {"99": {action: B}}}'
    declared = "delta: 0.9, cost: {kind: linear, weight: 1.6}, error_cost: 1"
    path = tmp_path / "s.yaml"
    path.write_text(
        f"""
name: last
graph: {{kind: complete, n: 3}}
agents:
{agents}
environment: {{kind: social_learning, precision: 0.6}}
planner: {{kind: optimal, horizon: 3, {declared}}}
rollouts: {{count: 1, seed: 1, on_failure: abstain}}
"""
    )
    compiled = compile_scenario(tidings.load_scenario(path))
    planner = compiled.agents["planner"]
    assert planner.precision(0.5, 2) != planner.precision(0.5, 0), "else this test could not fail"
    events = tidings.run(path, out=tmp_path / "runs").events().filter(kind="precision")
    chosen = [json.loads(data)["precision"] for data in events["data"]]
    assert chosen == [planner.precision(0.5, i) for i in range(3)]
