"""What a scenario may say, and every kind of mistake in one."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tidings.core import RequestError, ScenarioError
from tidings.spec.io import check_scenario, make_scenario, make_source, read_scenario, read_source
from tidings.spec.scenario import COST_KINDS, Scenario
from tidings.spec.seats import deal_groups, persona_at
from tidings.spec.yaml_source import load_yaml

TEXT = """\
name: herd
graph:
  kind: complete
  n: 4
agents:
  - kind: bayesian
    count: 3
  - kind: llm
    nodes: [3]
    model: small
    persona: [a skeptic, a believer]
    max_repairs: 2
environment:
  kind: social_learning
  precision: 0.7
planner:
  kind: optimal
  objective: biased
  target: G
  cost: {kind: linear, weight: 2}
  budget: 10
  delta: 0.9
  grid: 100
models:
  small: {use: transformers/smollm2, temperature: 0.5}
rollouts: {count: 10, seed: 3, on_failure: abstain, log: full, concurrency: 4}
limits: {calls: 100, usd: 0.5}
metrics: [welfare, p_correct]
runner: {kind: ray, workers: 2, num_gpus: 0.5, in_flight: 8, batch_size: 16, address: auto, num_cpus: 1}
"""


def read(text: str) -> Scenario:
    return check_scenario(load_yaml(text, "s.yaml"))


def test_everything_is_kept() -> None:
    scenario = read(TEXT)
    bayesian, llm = scenario.agents
    assert (bayesian.kind, bayesian.count, bayesian.params) == ("bayesian", 3, {})
    assert (llm.nodes, llm.model, llm.persona) == (("a3",), "small", ("a skeptic", "a believer"))
    assert llm.params == {"max_repairs": 2}
    assert scenario.environment.params == {"precision": 0.7}
    assert scenario.models["small"].params == {"temperature": 0.5}
    assert scenario.planner.params == {"grid": 100}
    assert scenario.planner.settings() == {
        "objective": "biased",
        "target": "G",
        "cost": {"kind": "linear", "weight": 2.0},
        "budget": 10.0,
        "sees": "public",
        "error_cost": 1.0,
        "delta": 0.9,
    }
    assert (scenario.rollouts.count, scenario.rollouts.seed, scenario.rollouts.log) == (10, 3, "full")
    assert (scenario.limits.calls, scenario.limits.tokens) == (100, None)
    assert (scenario.runner.workers, scenario.runner.num_gpus) == (2, 0.5)
    assert scenario.metrics == ("welfare", "p_correct")


def test_defaults() -> None:
    scenario = make_scenario({**SMALL})
    assert scenario.planner.kind == "none"
    assert scenario.planner.settings() == {}
    assert (scenario.rollouts.count, scenario.rollouts.on_failure, scenario.rollouts.log) == (1, "stop", "auto")
    assert scenario.runner.kind == "local"


def test_values_are_frozen() -> None:
    with pytest.raises(ValidationError):
        read(TEXT).name = "other"  # type: ignore[misc]


def test_free_space_for_anchors() -> None:
    text = TEXT.replace("name: herd", "x-texts: {doubt: &doubt a skeptic}\nname: herd").replace(
        "[a skeptic,", "[*doubt,"
    )
    assert read(text) == read(TEXT)


def test_keys_named_like_methods_are_parameters() -> None:
    scenario = make_scenario({**SMALL, "environment": {"kind": "x", "params": 1, "copy": 2, "model_dump": 3}})
    assert scenario.environment.params == {"params": 1, "copy": 2, "model_dump": 3}


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("name: herd", "name: The Herd", "s.yaml:1 name: found 'The Herd'; allowed: lower-case letters, "
         "digits, - and _"),
        ("name: herd", "name: no", "s.yaml:1 name: found false, a truth value; allowed: text; "
         "YAML reads no as false: put it in quotes, 'no'"),
        ("name: herd\n", "", "s.yaml:1 name: 'name' is missing; need text"),
        ("metrics:", "metrcis:", "s.yaml:28 metrcis: found 'metrcis'; allowed: name, description, graph, agents, "
         "environment, planner, models, rollouts, limits, metrics, sweep, runner; did you mean 'metrics'?"),
        ("[welfare, p_correct]", "[welfare, welfare]", "s.yaml:28 metrics: found 'welfare' 2 times; need it once"),
        ("[welfare, p_correct]", "welfare", "s.yaml:28 metrics: found 'welfare', text; allowed: a list of: text; "
         "put it in brackets, [welfare]"),
        ("count: 10", "count: 0", "s.yaml:26 rollouts.count: found 0; allowed: a whole number in [1, 1000000000]"),
        ("seed: 3", "seed: -3", "s.yaml:26 rollouts.seed: found -3; allowed: a whole number in [0, "
         "9223372036854775808)"),
        ("abstain", "abstian", "s.yaml:26 rollouts.on_failure: found 'abstian'; allowed: 'stop', 'abstain'; "
         "did you mean 'abstain'?"),
        ("log: full", "log: yes", "s.yaml:26 rollouts.log: found true; allowed: 'auto', 'full', 'summary'; "
         "YAML reads yes as true: put it in quotes, 'yes'"),
        ("usd: 0.5", "usd: -1", "s.yaml:27 limits.usd: found -1; allowed: a number >= 0.0"),
        ("calls: 100", "calls: 1e2", "s.yaml:27 limits.calls: found 100.0, a number; allowed: a whole number >= 0; "
         "write 100"),
        ("kind: ray", "kind: dask", "s.yaml:29 runner.kind: found 'dask'; allowed: 'local', 'ray'"),
        ("workers: 2", "wokers: 2", "s.yaml:29 runner.wokers: found 'wokers'; allowed: kind, workers, "
         "address, num_cpus, "
         "num_gpus, engines, in_flight, batch_size; did you mean 'workers'?"),
        ("kind: bayesian", "kind: Bayes Ian", "s.yaml:6 agents.0.kind: found 'Bayes Ian'; "
         "allowed: a kind that `tidings list` shows, or package.module:Class of your own"),
        ("  - kind: bayesian\n    count: 3\n", "  - count: 3\n", "s.yaml:6 agents.0.kind: 'kind' is missing; "
         "need a kind that `tidings list` shows, or package.module:Class of your own"),
        ("count: 3", "count: 3\n    nodes: [1]", "s.yaml:7 agents.0.count: found both count and nodes; need "
         "one of them"),
        ("    count: 3\n", "", "s.yaml:6 agents.0: found neither count nor nodes; need one of them; "
         "`nodes: rest` takes every free node"),
        ("    count: 3\n", "    conut: 3\n", "s.yaml:6 agents.0: found neither count nor nodes; need one of them; "
         "found 'conut'; did you mean 'count'?"),
        ("count: 3", "count: 5", "s.yaml:7 agents.0.count: found 5 agents for 3 free nodes; the graph has 4 nodes; "
         "lower it, or enlarge the graph"),
        ("count: 3", "count: 1", "s.yaml:5 agents: 2 of 4 nodes have no agent (a1, a2); "
         "raise a count, or give one group `nodes: rest`"),
        ("n: 4", "n: 3", "s.yaml:9 agents.1.nodes.0: found 'a3'; nodes: a0, a1, a2"),
        ("nodes: [3]", "nodes: [3, a3]", "s.yaml:9 agents.1.nodes.1: found 'a3', as in agents.1.nodes.0; "
         "allowed: one agent a node"),
        ("nodes: [3]", "nodes: []", "s.yaml:9 agents.1.nodes: found []; allowed: 'rest' or a list of length 1 "
         "or more of: "
         "the name of a seat, or the whole number of its node"),
        ("nodes: [3]", "nodes: 3", "s.yaml:9 agents.1.nodes: found 3, a whole number; allowed: 'rest' or a list of "
         "length 1 or more of: the name of a seat, or the whole number of its node; put it in brackets, [3]"),
        ("nodes: [3]", "nodes: rset", "s.yaml:9 agents.1.nodes: found 'rset', text; allowed: 'rest' or a list of "
         "length 1 or more of: the name of a seat, or the whole number of its node; did you mean 'rest'?"),
        ("count: 3", "nodes: rest\n  - kind: scripted\n    nodes: rest", "s.yaml:9 agents.1.nodes: found 'rest', "
         "as in agents.0.nodes; allowed: only one group can take the rest"),
        ("count: 3", "count: 3\n  - kind: scripted\n    nodes: rest", "s.yaml:9 agents.1.nodes: found 'rest', "
         "but no node is left; the graph has 4 nodes"),
        ("model: small", "model: smal", "s.yaml:10 agents.1.model: found 'smal'; allowed: small; did you mean "
         "'small'?"),
        ("model: small", "model: small\n    name: My group", "s.yaml:11 agents.1.name: found 'My group'; "
         "allowed: lower-case letters, digits, - and _"),
        ("grid: 100", "model: big", "s.yaml:23 planner.model: found 'big'; allowed: small"),
        ("kind: social_learning", "precison: 1", "s.yaml:13 environment.kind: 'kind' is missing; "
         "need a kind that `tidings list` shows, or package.module:Class of your own"),
        ("  kind: optimal\n", "", "s.yaml:16 planner.kind: 'kind' is missing; "
         "need a kind that `tidings list` shows, or package.module:Class of your own"),
        ("  target: G\n", "", "s.yaml:16 planner.target: missing for a biased planner; need the action it wants"),
        ("biased", "baised", "s.yaml:18 planner.objective: found 'baised'; allowed: 'altruistic', 'biased'; "
         "did you mean 'biased'?"),
        ("budget: 10", "budget: -10", "s.yaml:21 planner.budget: found -10; allowed: a number >= 0.0"),
        ("delta: 0.9", "delta: 1.1", "s.yaml:22 planner.delta: found 1.1; allowed: a number in [0.0, 1.0]"),
        ("weight: 2", "weight: -2", "s.yaml:20 planner.cost.weight: found -2; allowed: a number >= 0.0"),
        ("weight: 2", "wieght: 2", "s.yaml:20 planner.cost.weight: 'weight' is missing; need a number >= 0.0\n"
         "s.yaml:20 planner.cost.wieght: found 'wieght'; allowed: kind, weight; did you mean 'weight'?"),
        ("kind: linear", "kind: cubic", "s.yaml:20 planner.cost.kind: found 'cubic'; "
         "allowed: linear, quadratic, sqrt, or package.module:function of the deviation"),
        ("use: transformers/smollm2", "use: smollm2", "s.yaml:25 models.small.use: found 'smollm2'; "
         "allowed: provider/model, for example openai/my-model"),
        ("small: {use", "my model: {use", "s.yaml:25 models.my model: found 'my model'; "
         "allowed: letters, digits, -, _ and ."),
        ("n: 4", "n: four", "s.yaml:4 graph.n: found 'four', text; allowed: a whole number in [1, 10000000]"),
        ("  kind: complete\n", "  kind: complet\n", "s.yaml:3 graph.kind: found 'complet'; did you mean 'complete'?"),
        ("agents:\n", "agents: []\nother:\n", "s.yaml:5 agents: found []; allowed: a list of length 1 or more of: "
         "a mapping with kind, name, count, nodes, model, persona, memory\ns.yaml:6 other: found 'other'; allowed: "
         "name, description, graph, agents, environment, planner, models, rollouts, limits, metrics, sweep, runner"),
    ],
)  # fmt: skip
def test_one_line_for_each_mistake(old: str, new: str, text: str) -> None:
    assert old in TEXT
    with pytest.raises(RequestError) as caught:
        read(TEXT.replace(old, new, 1))
    assert str(caught.value) == text


def test_mistakes_in_different_parts_are_told_together() -> None:
    text = TEXT.replace("n: 4", "n: four").replace("count: 10", "count: no").replace("budget: 10", "budget: -1")
    with pytest.raises(ScenarioError) as caught:
        read(text)
    assert [line.split(":")[1].split()[1] for line in str(caught.value).splitlines()] == [
        "planner.budget",
        "rollouts.count",
        "graph.n",
    ]


def test_no_model_is_defined() -> None:
    with pytest.raises(ScenarioError, match=r"no models are defined; add `models: \{m: \{use: provider/model\}\}`"):
        make_scenario({**SMALL, "agents": [{"kind": "llm", "nodes": "rest", "model": "m"}]})


SMALL: dict[str, Any] = {
    "name": "x",
    "graph": {"kind": "path", "n": 5},
    "agents": [{"kind": "bayesian", "nodes": "rest"}],
    "environment": {"kind": "social_learning"},
}


def test_seats_are_dealt_named_first_then_counts_then_rest() -> None:
    groups = [
        {"kind": "one", "nodes": "rest"},
        {"kind": "two", "count": 2, "persona": ["p", "q"]},
        {"kind": "three", "nodes": ["a2", 0]},
    ]
    scenario = make_scenario({**SMALL, "agents": groups})
    places = deal_groups(scenario.agents, [f"a{i}" for i in range(5)])
    assert list(places) == ["a0", "a1", "a2", "a3", "a4"]
    assert [(place.group, place.index) for place in places.values()] == [(2, 1), (1, 0), (2, 0), (1, 1), (0, 0)]


def test_personas_go_round() -> None:
    group = make_scenario({**SMALL, "agents": [{"kind": "one", "nodes": "rest", "persona": ["p", "q"]}]}).agents[0]
    assert [persona_at(group, i) for i in range(3)] == ["p", "q", "p"]


def test_planner_kinds_can_be_swept_with_the_settings_left_in_place() -> None:
    assert check_scenario(make_source(read(TEXT), ["planner.kind=none"])).planner.settings() == {}


def test_graph_files_are_found_from_the_scenario_file(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "net.txt").write_text("0 1\n1 2\n")
    file = tmp_path / "s.yaml"
    file.write_text("name: x\ngraph: {file: nets/net.txt}\nagents: [{kind: a, count: 3}]\nenvironment: {kind: e}\n")
    scenario = read_scenario(file)
    assert scenario.graph.file == str((tmp_path / "nets" / "net.txt").resolve())
    with pytest.raises(RequestError, match="cannot read the graph file"):
        read_scenario(file, ["graph.file=net.txt"])
    with pytest.raises(ScenarioError, match=r"^override agents.0.count: found 4 agents for 3 free nodes"):
        read_scenario(file, ["agents.0.count=4"])
    assert read_source(file).name == str(file)


def test_cost_kinds_are_those_of_the_theory() -> None:
    costs = pytest.importorskip("tidings.theory.steering.costs")
    assert set(COST_KINDS) == set(costs.COST_KINDS)
