"""What stands beside a key metric: controls from the same events, and differences of paired rollouts."""

import pytest

from tidings.analysis.controls import first_answers, pooled_and_alone
from tidings.analysis.paired import paired_difference
from tidings.core import Event


def test_first_answers_are_counted_alone_and_as_a_vote() -> None:
    def rounds(*keys: str | None) -> list[Event]:
        gold = Event("gold", (), {"kind": "number", "keys": ["19", "19.0"]})
        answers = [{"seat": f"a{i}", "key": key} for i, key in enumerate(keys)]
        later = {"round": 1, "answers": [{"seat": "a0", "key": "19"}]}
        return [gold, Event("ledger", (), {"round": 0, "answers": answers}), Event("ledger", (), later)]

    assert first_answers(rounds("19", "19.0", "8", None)) == (0.5, 1.0)
    assert first_answers(rounds("19", "8")) == (0.5, 0.5)
    assert first_answers(rounds(None, None)) == (0.0, 0.0)
    assert first_answers(rounds()) is None
    assert first_answers(rounds("19")[1:]) is None


def test_controls_are_exact_bayes_on_the_same_hints() -> None:
    """Hints G, G, B, true state B, prior 1/2: alone right, wrong, wrong -> 1/3; all hints so far say G, G, G -> 0."""
    setup = {"states": ["B", "G"], "prior": 0.5, "precision": 0.7, "ties": "coin", "threshold": 0.5, "seen": None}
    events = [Event("setup", ("*",), setup), Event("state", (), {"value": "B"})]
    for i, hint in enumerate("GGB"):
        events.append(Event("signal", (f"a{i}",), {"fact": f"s{i}", "value": hint, "precision": 0.7}, f"a{i}"))
        events.append(Event("action", ("*",), {"action": "G"}, f"a{i}"))
    assert pooled_and_alone(events) == pytest.approx((0.0, 1 / 3))
    tie = [*events[:2], *events[2:4], events[6]._replace(seat="a1"), events[7]._replace(seat="a1")]
    assert pooled_and_alone(tie) == pytest.approx((0.25, 0.5))
    assert pooled_and_alone(events[:2]) is None


def test_controls_weigh_the_losses_of_each_seat() -> None:
    """One hint G of 0.7, truth G: a seat that needs 3/4 plays B on it, one that needs 1/2 plays G."""
    setup = {"states": ["B", "G"], "prior": 0.5, "ties": "coin", "threshold": {"a0": 0.75, "a1": 0.5}, "seen": None}
    opening = [Event("setup", ("*",), setup), Event("state", (), {"value": "G"})]
    for seat, right in (("a0", 0.0), ("a1", 1.0)):
        signal = Event("signal", (seat,), {"fact": "s", "value": "G", "precision": 0.7}, seat)
        action = Event("action", ("*",), {"action": "G"}, seat)
        assert pooled_and_alone([*opening, signal, action]) == (right, right)


def test_paired_differences_use_the_rollouts_that_both_have() -> None:
    found = paired_difference({0: 1.0, 1: 2.0, 5: 9.0}, {0: 0.5, 1: 1.0, 7: 3.0})
    assert found is not None
    assert (found.value, found.n) == (0.75, 2)
    assert paired_difference({0: 1.0}, {}) is None
