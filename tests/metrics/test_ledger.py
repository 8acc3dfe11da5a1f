"""The ledger: who knew what since when and from whom, exactly; it agrees with the theory where both apply."""

from random import Random

import pytest
from flow_logs import declare, drawn_log, give, numbered, say

from tidings.core import PLANNER, DataError, Event
from tidings.metrics.facts import holds
from tidings.metrics.ledger import read_ledger
from tidings.theory.information import trace_facts


@pytest.mark.parametrize("seed", range(40))
def test_ledger_and_theory_agree_on_logs_with_one_message_a_step(seed: int) -> None:
    events, log = drawn_log(Random(seed))
    ledger, traces = read_ledger(events, log["agents"]), trace_facts(log)
    steps = {event.index: event.step for event in events}
    assert list(ledger.traces) == list(traces)
    for name, theirs in traces.items():
        ours = ledger.traces[str(name)]
        assert (ours.since, ours.parent, ours.belief) == (theirs.since, theirs.parent, theirs.belief)
        assert (ours.n_mentions, ours.n_useful, ours.n_redundant) == (
            theirs.n_mentions,
            theirs.n_useful,
            theirs.n_redundant,
        )
        assert [steps[i] for i in ours.distortions] == theirs.distortions
        assert [steps[i] for i in ours.unsupported] == theirs.unsupported
        assert [(steps[i], seat) for i, seat in ours.leaks] == theirs.leaks
        assert {seat: steps[i] for seat, i in ours.learned_from.items()} == theirs.learned_from


def test_what_is_told_in_a_step_is_known_in_the_next_one_only() -> None:
    """All speak at once: b cannot pass on in step 1 what a tells it in step 1; in step 2 it can."""
    opening = [(0, declare("f", "a")), (0, give("f", "a"))]
    events = numbered(
        [*opening, (1, say("a", "b", ("f", "yes"))), (1, say("b", "c", ("f", "yes"))), (2, say("b", "d", ("f", "yes")))]
    )
    ledger = read_ledger(events, "abcd")
    assert [made.is_supported for made in ledger.claims] == [True, False, True]
    assert ledger.traces["f"].path_to("d") == ("a", "b", "d")
    assert ledger.traces["f"].parent["c"] == "b"


def test_first_teller_is_the_parent_and_later_deliveries_are_redundant() -> None:
    opening = [(0, declare("f", "a", "red")), (0, give("f", "a", "red"))]
    events = numbered([*opening, (1, say("a", "bc", ("f", "red"))), (2, say("b", "ac", ("f", "blue")))])
    ledger = read_ledger(events, "abc")
    trace = ledger.traces["f"]
    assert trace.parent == {"a": None, "b": "a", "c": "a"}
    assert (trace.n_useful, trace.n_redundant) == (2, 2)
    assert [made.is_distorted for made in ledger.claims] == [False, True]
    assert [made.is_true for made in ledger.claims] == [True, False]
    assert trace.belief["c"] == '"red"'


def test_a_leak_over_two_hops_is_found_with_its_path_and_not_without_the_edge() -> None:
    def played(reach: str) -> list[Event]:
        opening = [(0, declare("code", "a", "4711", ("a", "b"))), (0, give("code", "a", "4711"))]
        told = [(1, say("a", "b", ("code", "4711"))), (2, say("b", reach, ("code", "4711")))]
        return numbered([*opening, *told])

    (leak,) = read_ledger(played("c"), "abc").leaks
    assert (leak.fact, leak.seat, leak.step, leak.path) == ("code", "c", 2, ("a", "b", "c"))
    assert read_ledger(played(""), "abc").leaks == []
    assert read_ledger(played("a"), "abc").leaks == []


def test_an_environment_that_gives_a_fact_to_the_wrong_seat_leaks_it() -> None:
    events = numbered([(0, declare("f", "a", visibility=("a",))), (0, Event("fact", ("a", PLANNER), {"fact": "f"}))])
    (leak,) = read_ledger(events, "ab").leaks
    assert (leak.seat, leak.path) == (PLANNER, (PLANNER,))
    everybody = numbered([(0, declare("f", "a")), (0, Event("fact", ("a", PLANNER), {"fact": "f"}))])
    assert read_ledger(everybody, "ab").leaks == []


def test_a_fact_that_comes_later_is_known_from_its_step_on() -> None:
    events = numbered([(0, declare("f", "a")), (3, declare("g", "b")), (4, say("b", "a", ("g", "yes")))])
    ledger = read_ledger(events, "ab")
    assert ledger.traces["g"].since == {"b": 3, "a": 4}


def test_claims_about_what_nobody_declared_are_counted_and_follow_nothing() -> None:
    events = numbered([(0, declare("f", "a")), (1, say("a", "b", ("ghost", "boo"), ("f", "yes"))), (1, give("g", "b"))])
    ledger = read_ledger(events, "ab")
    assert (ledger.n_unknown, ledger.n_undeclared, len(ledger.claims)) == (1, 1, 1)


def test_a_fact_declared_twice_is_an_error_that_says_where() -> None:
    with pytest.raises(DataError, match="rollout 5, event 1: fact 'f' is declared again"):
        read_ledger(numbered([(0, declare("f", "a")), (0, declare("f", "b"))]), "ab", rollout=5)


def test_fabricators_that_parent_each_other_do_not_hang() -> None:
    events = numbered([(0, declare("f", "a")), (1, say("b", "c", ("f", "no"))), (1, say("c", "b", ("f", "no")))])
    ledger = read_ledger(events, "abc")
    assert ledger.traces["f"].tree() is None
    assert ledger.traces["f"].path_to("b") is None


@pytest.mark.parametrize(
    ("stated", "value", "expected"),
    [("1", "1", True), ("2", "1", False), ("not:1", "1", False), ("not:2", "1", True), ("not:1", "not:1", True)],
)
def test_statements_and_values(stated: str, value: str, expected: bool) -> None:
    assert holds(stated, value) is expected
