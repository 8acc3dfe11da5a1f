"""Every environment passes PettingZoo's own conformance tests, both ways, and keeps the barrier there too."""

import warnings
from pathlib import Path

import pytest

import tidings
from tidings.core import Event, ReplyError
from tidings.simulation.registry import ENVIRONMENTS as REGISTERED

pytest.importorskip("pettingzoo")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

    from tidings.analysis.adapters.pettingzoo import aec_env, herd_reward, parallel_env

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = {
    "social_learning": "{kind: social_learning, precision: 0.7, order: random}",
    "many_states": "{kind: many_states, states: [north, middle, south], precision: 0.5}",
    "talk": "{kind: talk, rounds: 2, facts: {a0: {f: the key is red}}}",
}


def scenario(name: str, tmp_path: Path, extra: str = ""):
    if name not in ENVIRONMENTS:
        return tidings.load_scenario(ROOT / "scenarios" / f"{name}.yaml")
    (tmp_path / "s.yaml").write_text(
        f"name: z\ngraph: {{kind: complete, n: 3}}\nagents: [{{kind: scripted, count: 3, policy: random}}]\n"
        f"environment: {ENVIRONMENTS[name]}\nrollouts: {{count: 2, seed: 3}}\n{extra}"
    )
    return tidings.load_scenario(tmp_path / "s.yaml")


NAMES = [*ENVIRONMENTS, *(name for name in REGISTERED if (ROOT / "scenarios" / f"{name}.yaml").is_file())]


def test_no_environment_is_left_out() -> None:
    assert set(NAMES) == set(REGISTERED)


@pytest.mark.filterwarnings("ignore")  # theirs ask for arrays; observations and answers here are texts and JSON values
@pytest.mark.parametrize("name", NAMES)
def test_their_own_conformance_tests_pass(name: str, tmp_path: Path) -> None:
    made = scenario(name, tmp_path)
    api_test(aec_env(made), num_cycles=8)
    parallel_api_test(parallel_env(made), num_cycles=8)
    seed_test(lambda: aec_env(made), num_cycles=5)
    parallel_seed_test(lambda: parallel_env(made), num_cycles=5)


def test_a_planner_is_an_agent_too(tmp_path: Path) -> None:
    made = scenario("social_learning", tmp_path, "planner: {kind: random}\n")
    env = aec_env(made)
    env.reset(seed=3)
    assert env.agent_selection == "planner"
    assert env.infos["planner"]["schema"] == {"type": "number", "minimum": 0.7, "maximum": 1.0}


def test_the_same_seed_plays_the_same_rollouts_as_a_run(tmp_path: Path) -> None:
    made = scenario("social_learning", tmp_path)
    run = tidings.run(made, out=tmp_path)
    truths = {rollout: state for rollout, state, _ in run.correct_actions()}
    for rollout in (0, 1):
        env = parallel_env(made)
        env.reset(seed=3, options={"rollout": rollout})
        setup = next(e for e in env._table.events if e.kind == "state")
        assert setup.data["value"] == truths[rollout]


def test_wrong_decisions_cost_what_the_scenario_says(tmp_path: Path) -> None:
    env = parallel_env(scenario("social_learning", tmp_path))
    env.reset(seed=3)
    truth = next(e.data["value"] for e in env._table.events if e.kind == "state")
    earned = dict.fromkeys(env.possible_agents, 0.0)
    for action in (truth, "B" if truth == "G" else "G", truth):
        (seat,) = env._table.due()
        _, rewards, *_ = env.step({seat: {"belief": 0.5, "action": action}})
        earned = {agent: earned[agent] + rewards[agent] for agent in earned}
        assert earned[seat] == (0.0 if action == truth else -1.0)
    assert sum(earned.values()) == -1.0
    assert herd_reward([], "a0") == 0.0
    assert env.agents == []


def test_a_wrong_decision_costs_what_its_seat_loses() -> None:
    setup = {"states": ["B", "G"], "threshold": {"a0": 0.75, "a1": 0.5}}
    events = [Event("setup", ("*",), setup), Event("state", (), {"value": "B"})]
    events += [Event("action", ("*",), {"action": "G"}, seat) for seat in ("a0", "a1")]
    assert [herd_reward(events, seat) for seat in ("a0", "a1")] == [-1.5, -1.0]


def test_seats_that_are_due_together_do_not_see_each_other(tmp_path: Path) -> None:
    env = aec_env(scenario("talk", tmp_path))
    env.reset(seed=3)
    assert "the key is red" in env.observe("a0")["text"]
    assert "the key is red" not in env.observe("a1")["text"]
    env.step("hello")
    assert env.agent_selection == "a1"
    assert "hello" not in env.observe("a1")["text"]
    env.step("yes")
    env.step("no")
    assert "hello" in env.observe("a1")["text"]


def test_an_answer_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    env = aec_env(scenario("social_learning", tmp_path))
    env.reset(seed=3)
    space = env.action_space(env.agent_selection)
    assert space.contains(space.sample())
    assert not space.contains({"belief": 2.0, "action": "G"})
    with pytest.raises(ReplyError, match="outside"):
        env.step({"belief": 2.0, "action": "G"})
