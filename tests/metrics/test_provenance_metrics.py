"""Figures of provenance where a claim is true without being the value, and where nobody hears one."""

from flow_logs import declare, evidence, give, numbered, say

from tidings.metrics.provenance import PROVENANCE

OPENING = [(0, declare("f", "a", "red", domain=["red", "blue", "green"])), (0, give("f", "a", "red"))]


def figure(name: str, events: list) -> tuple[float | None, str]:
    result = PROVENANCE[name].compute(evidence(numbered([*OPENING, *events])))[0]
    return result.value, result.reason


def test_a_seat_that_was_told_what_the_fact_is_not_believes_nothing_wrong() -> None:
    not_blue, not_red, blue = ("f", "blue", -1), ("f", "red", -1), ("f", "blue", 1)
    assert figure("wrong_beliefs", [(1, say("a", "b", not_blue))])[0] == 0.0
    assert figure("wrong_beliefs", [(1, say("a", "b", not_red))])[0] == 1.0
    assert figure("wrong_beliefs", [(1, say("a", "b", not_blue)), (2, say("a", "c", blue))])[0] == 0.5


def test_claims_that_nobody_hears_are_not_called_none() -> None:
    for name in ("redundancy", "wrong_beliefs"):
        assert figure(name, [(1, say("a", "", ("f", "red")))]) == (
            None,
            "nobody is told a declared fact by another seat",
        )
