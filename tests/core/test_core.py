"""The vocabulary: seeds, audiences, delivery, action specs, errors."""

import pickle
import subprocess
import sys
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core import (
    EVERYONE,
    PLANNER,
    ChoiceSpec,
    Event,
    LimitError,
    ModelError,
    NumberSpec,
    ReplyError,
    RequestError,
    ScenarioError,
    SeedPath,
    SocialGraph,
    StructuredSpec,
    TextSpec,
    deliver,
    draw_action,
    is_visible,
    suggest,
)
from tidings.core.seeds import GOLDEN, MASK, mix64

SEATS = tuple(f"a{i}" for i in range(6))


def test_splitmix64_reference_outputs() -> None:
    """First outputs of SplitMix64 with seed 1234567, as published with the reference implementation."""
    state, outputs = 1234567, []
    for _ in range(3):
        state = (state + GOLDEN) & MASK
        outputs.append(mix64(state))
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_paths_differ_wherever_a_part_differs() -> None:
    root = SeedPath.root(1)
    paths = [root.child(*p) for p in [(), (0,), (1,), ("0",), (0, 0), (0, "x"), ("x", 0), ("x",), (-1,)]]
    paths += [SeedPath.root(2), SeedPath.root(0)]
    assert len({path.key for path in paths}) == len(paths)


def test_child_is_associative_and_stable() -> None:
    root = SeedPath.root(7)
    assert root.child("rollout", 3, "a1") == root.child("rollout").child(3).child("a1")
    assert root.uniform("signal", 2) == root.child("signal", 2).uniform()
    assert root.child("rollout", 3).key == 11657039929681975931


def test_uniforms_are_uniform_and_uncorrelated() -> None:
    root = SeedPath.root(3)
    draws = [root.uniform("rollout", r, "signal", s) for r in range(200) for s in range(50)]
    n = len(draws)
    mean = sum(draws) / n
    assert abs(mean - 0.5) < 4 * (1 / 12 / n) ** 0.5
    bins = [0] * 20
    for draw in draws:
        bins[int(draw * 20)] += 1
    chi2 = sum((count - n / 20) ** 2 / (n / 20) for count in bins)
    assert chi2 < 45  # 19 degrees of freedom, p about 0.0007
    lag = sum((a - 0.5) * (b - 0.5) for a, b in pairwise(draws)) / n * 12
    assert abs(lag) < 4 / n**0.5


def test_seeds_do_not_depend_on_the_process() -> None:
    code = "from tidings.core import SeedPath; print(SeedPath.root(1).child('a', 2).key)"
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True
        ).stdout
        for salt in ("1", "2")
    }
    assert found == {f"{SeedPath.root(1).child('a', 2).key}\n"}


@given(st.sets(st.tuples(st.sampled_from(SEATS), st.sampled_from(SEATS))), st.booleans(), st.sampled_from(SEATS))
def test_nothing_is_delivered_without_an_edge(edges: set[tuple[str, str]], directed: bool, sender: str) -> None:
    graph = SocialGraph.from_edges(SEATS, edges, directed=directed)
    audience = deliver(graph, sender)
    reached = set(SEATS) if audience == EVERYONE else set(audience)
    allowed = {b for a, b in edges if a == sender} | ({a for a, b in edges if b == sender} if not directed else set())
    assert reached == allowed | {sender}
    some = set(list(SEATS)[:3])
    assert set(deliver(graph, sender, some)) == (allowed & some - {sender}) | {sender}


def test_a_path_of_two_edges_is_not_an_edge() -> None:
    graph = SocialGraph.from_edges(("a", "b", "c"), [("a", "b"), ("b", "c")], directed=True)
    assert deliver(graph, "a") == ("a", "b")
    assert deliver(graph, "a", ["c"]) == ("a",)
    assert deliver(graph, "c") == ("c",)
    assert graph.hears("c") == ("b",)


def test_a_misspelt_name_is_an_error_not_a_broadcast() -> None:
    graph = SocialGraph.from_edges(("anna", "bert"), [("anna", "bert")], directed=False)
    with pytest.raises(RequestError, match=r"no seat 'brt'.*did you mean 'bert'"):
        deliver(graph, "anna", ["brt"])


def test_everyone_is_all_agents_but_not_the_planner() -> None:
    event = Event("x", EVERYONE, {})
    assert is_visible(event, "a0")
    assert not is_visible(event, PLANNER)
    assert is_visible(Event("x", ("*", PLANNER), {}), PLANNER)
    assert not is_visible(Event("x", (), {}), "a0")


@pytest.mark.parametrize(
    ("spec", "value", "kind"),
    [
        (ChoiceSpec(("G", "B")), "g", "not_an_option"),
        (ChoiceSpec(("G", "B")), 0, "not_an_option"),
        (NumberSpec(0, 1), 1.01, "out_of_range"),
        (NumberSpec(0, 1), float("nan"), "not_a_number"),
        (NumberSpec(0, 1), True, "not_a_number"),
        (NumberSpec(0, 1), 10**400, "out_of_range"),
        (NumberSpec(0, 1), float("inf"), "not_a_number"),
        (NumberSpec(0, 1), "0.5", "not_a_number"),
        (NumberSpec(0, 9, is_integer=True), 1.5, "not_an_integer"),
        (TextSpec(5), "", "empty"),
        (TextSpec(5), "abcdef", "too_long"),
        (TextSpec(5), None, "not_text"),
        (StructuredSpec({"a": ChoiceSpec(("x",))}), {}, "missing_field"),
        (StructuredSpec({"a": ChoiceSpec(("x",))}), {"a": "x", "b": 1}, "unknown_field"),
        (StructuredSpec({"a": ChoiceSpec(("x",))}), "x", "not_structured"),
        (StructuredSpec({"a": ChoiceSpec(("x",))}), {"a": "y"}, "not_an_option"),
    ],
)
def test_specs_refuse_and_never_repair(spec: object, value: object, kind: str) -> None:
    with pytest.raises(ReplyError) as caught:
        spec.check(value)  # type: ignore[attr-defined]
    assert caught.value.kind == kind


@given(st.integers(0, 10_000))
def test_drawn_actions_are_allowed(seed: int) -> None:
    spec = StructuredSpec(
        {
            "a": ChoiceSpec(("x", "y")),
            "b": NumberSpec(-1, 2.5),
            "c": TextSpec(7),
            "d": NumberSpec(0.5, 3.2, is_integer=True),
        }
    )
    action = draw_action(spec, Random(seed))
    assert spec.check(action) == action


@pytest.mark.parametrize("make", [lambda: ChoiceSpec(()), lambda: ChoiceSpec(("a", "a")), lambda: NumberSpec(1, 0)])
def test_impossible_specs_are_refused(make: object) -> None:
    with pytest.raises(RequestError):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    "error",
    [ScenarioError("a.b", "found 1", "need 2", "fix"), ModelError("timeout", "x"), LimitError("calls", 3, 3)],
)
def test_errors_survive_a_process_boundary(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert "\n" not in str(error)


def test_suggest_stays_silent_when_nothing_is_close() -> None:
    assert suggest("precison", ["precision", "prior"]) == "did you mean 'precision'?"
    assert suggest("zzz", ["precision", "prior"]) == ""
