"""Figures of the fact ledger (tier t0): exact, given the claims. Each is worked out a rollout, then averaged.

Undefined in a rollout (no facts, no messages about them) means left out of the average, and said in the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from tidings.metrics.detectors import publish
from tidings.metrics.evidence import Evidence, name_events
from tidings.metrics.facts import holds
from tidings.metrics.ledger import Ledger
from tidings.metrics.metric import Metric
from tidings.metrics.result import MetricResult, mean_result, refused, share_result
from tidings.theory.information.fact_trace import FactTrace

__all__ = ["PROVENANCE"]

NO_FACTS = "no facts: this environment declares none, so nothing can be followed"
NO_CLAIMS = "no message claims a declared fact"
NOBODY_TOLD = "nobody is told a declared fact by another seat"

Figure = Callable[[Ledger], float | None]


def _traces(ledger: Ledger, figure: Callable[[FactTrace], float | None]) -> float | None:
    """Returns the mean of a figure over the facts where it is defined."""
    values = [value for trace in ledger.traces.values() if (value := figure(trace)) is not None]
    return math.fsum(values) / len(values) if values else None


def _coverage(ledger: Ledger) -> float | None:
    return _traces(ledger, lambda trace: sum(seat in trace.since for seat in ledger.seats) / len(ledger.seats))


def _t_half(ledger: Ledger) -> float | None:
    def steps(trace: FactTrace) -> float | None:
        since = sorted(trace.since[seat] for seat in ledger.seats if seat in trace.since)
        n_needed = (len(ledger.seats) + 1) // 2
        return None if len(since) < n_needed else since[n_needed - 1] - ledger.facts[str(trace.fact_id)].step

    return _traces(ledger, steps)


def _reached_half(ledger: Ledger) -> float | None:
    n_needed = (len(ledger.seats) + 1) // 2
    return _traces(ledger, lambda trace: float(sum(seat in trace.since for seat in ledger.seats) >= n_needed))


def _shape(name: str) -> Figure:
    def figure(ledger: Ledger) -> float | None:
        return _traces(ledger, lambda trace: None if (tree := trace.tree()) is None else float(getattr(tree, name)))

    return figure


def _redundancy(ledger: Ledger) -> float | None:
    n_redundant = sum(trace.n_redundant for trace in ledger.traces.values())
    return _share(n_redundant, n_redundant + sum(trace.n_useful for trace in ledger.traces.values()))


def _distortion(ledger: Ledger) -> float | None:
    known = [made.is_distorted for made in ledger.claims if made.is_supported]
    return _share(sum(known), len(known))


def _unsupported(ledger: Ledger) -> float | None:
    return _share(sum(not made.is_supported for made in ledger.claims), len(ledger.claims))


def _false_claims(ledger: Ledger) -> float | None:
    return _share(sum(not made.is_true for made in ledger.claims), len(ledger.claims))


def _wrong_beliefs(ledger: Ledger) -> float | None:
    wrong = [
        not holds(str(trace.belief[seat]), str(trace.truth))
        for trace in ledger.traces.values()
        for seat in ledger.seats
        if seat in trace.since and trace.parent[seat] is not None
    ]
    return _share(sum(wrong), len(wrong))


def _novel_bits(ledger: Ledger) -> float | None:
    if not ledger.facts:
        return None
    bits = math.fsum(trace.bits * trace.n_useful for trace in ledger.traces.values() if trace.n_useful)
    return None if math.isnan(bits) else bits


def _novel_bits_per_word(ledger: Ledger) -> float | None:
    bits = _novel_bits(ledger)
    return None if bits is None or not ledger.n_words else bits / ledger.n_words


def _sufficiency(ledger: Ledger) -> float | None:
    """Returns the share of seats that know an answer or every fact it is derived from, mean over such answers."""
    shares: list[float] = []
    for fact in ledger.facts.values():
        sources = [ledger.traces[name].since for name in fact.derived_from if name in ledger.traces]
        if fact.derived_from and len(sources) == len(fact.derived_from):
            known = ledger.traces[fact.fact].since
            n_able = sum(seat in known or all(seat in since for since in sources) for seat in ledger.seats)
            shares.append(n_able / len(ledger.seats))
    return math.fsum(shares) / len(shares) if shares else None


def _leaks(ledger: Ledger) -> float | None:
    return float(len(ledger.leaks)) if ledger.facts else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _flow(
    name: str, unit: str, figure: Figure, text: str, missing: str = NO_CLAIMS, high: float = math.inf
) -> tuple[str, Metric]:
    """Returns an entry of the table whose value is the mean of a figure over rollouts."""

    def compute(evidence: Evidence) -> list[MetricResult]:
        return [_mean(evidence, name, unit, figure, missing, (0.0, high))]

    return name, Metric(compute, "t0", text, ((name, unit),))


def _mean(
    evidence: Evidence, name: str, unit: str, figure: Figure, missing: str, bounds: tuple[float, float]
) -> MetricResult:
    ledgers = evidence.ledgers
    if reason := no_facts(ledgers):
        return refused(name, unit, 0, reason)
    found = [(ledger, value) for ledger in ledgers if (value := figure(ledger)) is not None]
    if not found:
        return refused(name, unit, 0, missing)
    result = mean_result(name, [value for _, value in found], unit, bounds)
    n_left_out = len(ledgers) - len(found)
    said = f"{n_left_out} of {len(ledgers)} rollouts have no value: {missing}" if n_left_out else ""
    return result.noting(
        estimator=f"exact provenance, {result.estimator}; {publish(ledgers, evidence.side)}",
        reason="; ".join(filter(None, [result.reason, said])),
        events=name_events({ledger.rollout: _used(ledger) for ledger, _ in found}),
    )


def _used(ledger: Ledger) -> Iterable[int]:
    yield from (fact.index for fact in ledger.facts.values())
    yield from (grant.event for grant in ledger.grants)
    yield from (made.event for made in ledger.claims)


def no_facts(ledgers: Sequence[Ledger]) -> str:
    """Returns why nothing can be followed; empty if something can."""
    if not ledgers:
        return "no rollout has ended well"
    if any(ledger.facts for ledger in ledgers):
        return ""
    n_given = sum(ledger.n_undeclared for ledger in ledgers)
    return f"{n_given} facts are given and none declared (`fact_declared`)" if n_given else NO_FACTS


def _compute_leaks(evidence: Evidence) -> list[MetricResult]:
    """Returns leak deliveries a rollout, and the share of rollouts with any; both rest on the leaking events."""
    ledgers = [ledger for ledger in evidence.ledgers if ledger.facts]
    if reason := no_facts(evidence.ledgers):
        return [refused("leaks", "deliveries a rollout", 0, reason), refused("leaky", "share of rollouts", 0, reason)]
    events = name_events({ledger.rollout: [leak.event for leak in ledger.leaks] for ledger in ledgers if ledger.leaks})
    mean = mean_result("leaks", [float(len(ledger.leaks)) for ledger in ledgers], "deliveries a rollout", (0, math.inf))
    share = share_result("leaky", sum(bool(ledger.leaks) for ledger in ledgers), len(ledgers))
    said = "every fact may be known by everybody" if not any(map(_has_secret, ledgers)) else ""
    return [
        result.noting(
            estimator=f"exact provenance, {result.estimator}; {publish(ledgers, evidence.side)}",
            reason=said,
            events=events,
        )
        for result in (mean, share)
    ]


def _has_secret(ledger: Ledger) -> bool:
    return any(fact.visibility is not None for fact in ledger.facts.values())


_NO_TREE = "some seat's chain of tellers does not end where the fact came from"
_NO_PRIOR = "a fact that was told has no prior probability"

PROVENANCE: dict[str, Metric] = dict(
    [
        _flow("coverage", "share of seats", _coverage, "who knows a fact in the end, mean over facts", high=1.0),
        _flow("t_half", "steps", _t_half, "steps until half of the seats know", "no fact reaches half of the seats"),
        _flow("reached_half", "share of facts", _reached_half, "facts that half of the seats come to know", high=1.0),
        _flow("depth", "hops", _shape("depth"), "longest chain of tellers of a fact", _NO_TREE),
        _flow("breadth", "seats", _shape("breadth"), "most seats that are equally far from a fact's source", _NO_TREE),
        _flow(
            "structural_virality",
            "hops",
            _shape("virality"),
            "mean distance of two knowers in the tree of who told whom",
            _NO_TREE,
        ),
        _flow(
            "redundancy",
            "share of deliveries",
            _redundancy,
            "claims told to those who knew already",
            NOBODY_TOLD,
            1.0,
        ),
        _flow(
            "distortion", "share of claims", _distortion, "claims that knowers make against what they know", high=1.0
        ),
        _flow("unsupported", "share of claims", _unsupported, "claims by seats that do not know the fact", high=1.0),
        _flow("false_claims", "share of claims", _false_claims, "claims that are not true", high=1.0),
        _flow(
            "wrong_beliefs",
            "share of seats told",
            _wrong_beliefs,
            "seats first told what is not true",
            NOBODY_TOLD,
            1.0,
        ),
        _flow("novel_bits", "bits a rollout", _novel_bits, "bits of facts told to those who did not know", _NO_PRIOR),
        _flow("novel_bits_per_word", "bits", _novel_bits_per_word, "the same for each word of all messages", _NO_PRIOR),
        _flow(
            "sufficiency",
            "share of seats",
            _sufficiency,
            "seats that know all facts an answer follows from",
            "no fact is declared as derived from others",
            1.0,
        ),
    ]
) | {
    "leaks": Metric(
        _compute_leaks,
        "t0",
        "facts delivered to seats that may not know them; rests on the leaking messages",
        (("leaks", "deliveries a rollout"), ("leaky", "share of rollouts")),
    )
}
"""Name -> metric of the ledger."""
