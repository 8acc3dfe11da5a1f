"""Sweeps: ranges, order, ids, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core import ScenarioError
from tidings.spec.errors import validate
from tidings.spec.io import dump_scenario, make_scenario, make_source
from tidings.spec.sweep_spec import RangeSpec
from tidings.spec.sweeps import expand, variant_id
from tidings.spec.yaml_source import load_yaml

BASE: dict[str, Any] = {
    "name": "x",
    "graph": {"kind": "path", "n": 3},
    "agents": [{"kind": "bayesian", "nodes": "rest"}],
    "environment": {"kind": "social_learning", "precision": 0.7},
}


def variants(**sweep: Any) -> Any:
    return expand(make_source({**BASE, "sweep": sweep}))


@pytest.mark.parametrize(
    ("given_range", "values"),
    [
        ({"start": 0.5, "stop": 0.8, "step": 0.1}, (0.5, 0.6, 0.7, 0.8)),
        ({"start": 0.1, "stop": 0.35, "step": 0.1}, (0.1, 0.2, 0.3)),
        ({"start": 1, "stop": 5, "step": 2}, (1, 3, 5)),
        ({"start": 3, "stop": 1, "step": -1}, (3, 2, 1)),
        ({"start": 0, "stop": 1, "num": 5}, (0.0, 0.25, 0.5, 0.75, 1.0)),
        ({"start": 10, "stop": 50, "num": 5}, (10, 20, 30, 40, 50)),
        ({"start": 1, "stop": 1000, "num": 4, "scale": "log"}, (1, 10, 100, 1000)),
        ({"start": 1e-3, "stop": 1e-1, "num": 3, "scale": "log"}, (0.001, 0.01, 0.1)),
        ({"start": 2, "stop": 2, "step": 1}, (2,)),
    ],
)
def test_ranges(given_range: dict[str, Any], values: tuple[float, ...]) -> None:
    made = validate(RangeSpec, given_range).values()
    assert made == values
    assert [type(value) for value in made] == [type(value) for value in values]


@given(st.integers(-500, 500), st.integers(1, 200), st.integers(1, 40))
def test_steps_are_what_a_person_would_write(start: int, step: int, n: int) -> None:
    stop = start + step * n
    given_range = {"start": start / 100, "stop": stop / 100, "step": step / 100}
    expected = tuple((start + step * i) / 100 for i in range(n + 1))
    assert validate(RangeSpec, given_range).values() == expected


def test_product_in_stated_order() -> None:
    made = variants(**{"environment.precision": [0.6, 0.8], "rollouts.seed": {"start": 1, "stop": 3, "step": 1}})
    assert [tuple(v.overrides.values()) for v in made] == [(0.6, 1), (0.6, 2), (0.6, 3), (0.8, 1), (0.8, 2), (0.8, 3)]
    assert [v.scenario.environment.params["precision"] for v in made] == [0.6] * 3 + [0.8] * 3
    assert [v.scenario.rollouts.seed for v in made] == [1, 2, 3, 1, 2, 3]
    assert all(v.scenario.sweep == {} for v in made)


def test_seats_are_checked_for_every_graph_of_a_sweep() -> None:
    data = {**BASE, "agents": [{"kind": "bayesian", "count": 3}]}
    with pytest.raises(ScenarioError, match=r"agents: 1 of 4 nodes have no agent \(a3\)"):
        expand(make_source({**data, "sweep": {"graph.n": [3, 4]}}))
    random = {
        **data,
        "graph": {"kind": "gnm_random", "n": 3, "m": 2},
        "sweep": {"rollouts.seed": [1, 2], "graph.m": [1, 9]},
    }
    assert len(expand(make_source(random))) == 4
    with pytest.raises(ScenarioError, match=r"sweep rollouts.seed: found -2"):
        expand(make_source({**random, "sweep": {"rollouts.seed": [1, -2]}}))


def test_which_graphs_follow_the_seed_of_the_run() -> None:
    graphs = [
        {"kind": "path", "n": 2},
        {"kind": "gn", "n": 2},
        {"kind": "gn", "n": 2, "seed": 1},
        {"edges": [["a", "b"]]},
    ]
    made = [make_scenario({**BASE, "graph": graph}).graph.follows_run_seed for graph in graphs]
    assert made == [False, True, False, False]


def test_no_sweep_is_one_variant() -> None:
    (only,) = variants()
    assert (only.id, only.overrides, only.scenario) == ("base", {}, make_scenario(BASE))


def test_whole_parts_and_paths_that_move_together() -> None:
    planners = [{"kind": "none"}, {"kind": "constant", "precision": 0.8}]
    made = variants(planner=planners, **{"graph.n, rollouts.count": [[2, 10], [5, 4]]})
    assert [v.scenario.planner.kind for v in made] == ["none", "none", "constant", "constant"]
    assert [(v.scenario.graph.arguments["n"], v.scenario.rollouts.count) for v in made] == [(2, 10), (5, 4)] * 2


def test_ids_fit_folders_are_distinct_and_do_not_depend_on_the_rest_of_the_sweep() -> None:
    short = variants(**{"environment.precision": [0.6], "description": ["a/b c"]})
    long = variants(**{"environment.precision": [0.5, 0.6], "description": ["x", "a/b c"]})
    assert short[0].id in {v.id for v in long}
    assert len({v.id for v in long}) == 4
    assert short[0].id.startswith("precision=0.6_description=a-b-c-")
    assert all(character.isalnum() or character in "._=+-" for v in long for character in v.id)
    assert variant_id({"a": "1"}) != variant_id({"a": 1})
    assert len(variant_id({"a": "x" * 500})) < 80


def test_a_resolved_scenario_expands_to_the_same_variants() -> None:
    source = make_source({**BASE, "sweep": {"environment.precision": {"start": 0.5, "stop": 0.9, "num": 3}}})
    resolved = load_yaml(dump_scenario(make_scenario(source.data)))
    assert [v.id for v in expand(resolved)] == [v.id for v in expand(source)]
    assert [v.scenario for v in expand(resolved)] == [v.scenario for v in expand(source)]


@pytest.mark.parametrize(
    ("sweep", "text"),
    [
        ({"rolouts.seed": [1]}, "sweep rolouts: found 'rolouts'; allowed: name, description, graph, agents, "
         "environment, "
         "planner, models, rollouts, limits, metrics, sweep, runner; did you mean 'rollouts'?"),
        ({"rollouts.count": [1, "many"]}, "sweep rollouts.count: found 'many', text; "
         "allowed: a whole number in [1, 1000000000]"),
        ({"rollouts.count": []}, "sweep.rollouts.count: found []; "
         "allowed: a mapping with start, stop, step, num, scale or a list of length 1 to 10000"),
        ({"rollouts.count": 3}, "sweep.rollouts.count: found 3, a whole number; allowed: a mapping with "
         "start, stop, step, "
         "num, scale or a list of length 1 to 10000; put it in brackets, [3]"),
        ({"rollouts.count": [1, 1]}, "sweep.rollouts.count: found 1 twice; each value makes a variant of its own"),
        ({"a": {"start": 1, "stop": 2}}, "sweep.a: found both step and num or neither; need one of them"),
        ({"a": {"start": 1, "stop": 2, "num": 2, "step": 1}}, "sweep.a: found both step and num or neither; "
         "need one of them"),
        ({"a": {"start": 1, "stop": 2, "num": 1}}, "sweep.a.num: found 1; allowed: a whole number in [2, 10000]"),
        ({"a": {"start": 1, "stop": 2, "step": 0}}, "sweep.a.step: found 0, which never leads from 1 to 2"),
        ({"a": {"start": 1, "stop": 2, "step": -1}}, "sweep.a.step: found -1, which never leads from 1 to 2"),
        ({"a": {"start": 0, "stop": 1, "step": 1e-9}}, "sweep.a.step: found 1e-09; allowed: at most 10,000 values"),
        ({"a": {"start": 0, "stop": 1, "num": 3, "scale": "log"}}, "sweep.a.scale: found 'log'; "
         "allowed: with num, and with start and stop above zero"),
        ({"a": {"start": 1, "stop": 2, "stepp": 1}}, "sweep.a.stepp: found 'stepp'; "
         "allowed: start, stop, step, num, scale; did you mean 'step'?"),
        ({"name": ["a", "b"]}, "sweep.name: found 'name'; allowed: anything but the name and the sweep itself"),
        ({"sweep.a": [1]}, "sweep.sweep.a: found 'sweep.a'; allowed: anything but the name and the sweep itself"),
        ({"graph.n, rollouts.count": [[1, 2, 3]]}, "sweep.graph.n, rollouts.count: found [1, 2, 3]; "
         "need lists of 2 values, one for each path"),
        ({"graph.n": [2], "graph.n, rollouts.count": [[2, 3]]}, "sweep.graph.n, rollouts.count: 'graph.n' is "
         "swept twice; "
         "need it once"),
        ({"rollouts.seed": {"start": 1, "stop": 200, "step": 1}, "graph.n": {"start": 1, "stop": 100, "step": 1}},
         "sweep: found 200 x 100 = 20,000 variants; allowed: 10,000; sweep fewer values at once"),
    ],
)  # fmt: skip
def test_refused(sweep: dict[str, Any], text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        variants(**sweep)
    assert str(caught.value) == text


def test_errors_name_the_line_of_the_sweep() -> None:
    text = dump_scenario(make_scenario(BASE)).replace("sweep: {}", "sweep:\n  rollouts.count:\n    - 1\n    - 0")
    words = r"^s.yaml:\d+ sweep rollouts.count: found 0; allowed: a whole number in \[1, 1000000000\]"
    with pytest.raises(ScenarioError, match=words):
        expand(load_yaml(text, "s.yaml"))
