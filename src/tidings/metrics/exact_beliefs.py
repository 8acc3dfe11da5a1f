"""Figures of beliefs (tier t1): what seats believed beside exact Bayes. A mean in each rollout, then over these.

Beliefs come from replies that state one (`social_learning` with `ask_belief`) and from rows of `probes` of first order;
a rollout's probes stand beside its stated beliefs. b is the belief, b0 the prior, b* the exact posterior from what the
seat was shown, x* the true world.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tidings.core.events import Event
from tidings.metrics.beliefs import herd_beliefs
from tidings.metrics.evidence import Evidence, name_events
from tidings.metrics.metric import Metric
from tidings.metrics.result import MetricResult, mean_result, refused
from tidings.theory.herd_events import HerdBelief, follow_herd
from tidings.theory.herding import action_likelihoods
from tidings.theory.information.asking import expected_information_gain
from tidings.theory.information.belief import (
    bayes_regret,
    belief_shift,
    brier_score,
    expected_bayes_regret,
    log_score_gain,
)
from tidings.theory.information.leakage import information_leakage

__all__ = ["BELIEFS", "Belief", "Signal", "read_beliefs", "read_signals"]

NO_BELIEFS = "no beliefs: no seat stated one and none was probed"
NO_BAYES = "no exact posterior: there is no common public belief here, and no probe carries one"
NO_SIGNALS = "no private signals with a common public belief"


class Belief(NamedTuple):
    """One belief over worlds.

    Attributes:
        rollout: Of which rollout.
        event: Index of the reply that states it, or of the event after which it was probed.
        source: `stated`, or the estimator of the probe.
        belief: b, one probability a world.
        prior: b0; None if not known.
        bayes: b*; None if not known.
        truth: Place of x* among the worlds; None if not known.
        reason: Why a probe has no belief; it is empty then.
    """

    rollout: int
    event: int
    source: str
    belief: tuple[float, ...]
    prior: tuple[float, ...] | None
    bayes: tuple[float, ...] | None
    truth: int | None
    reason: str = ""


class Signal(NamedTuple):
    """The moment before an agent of a herd acts on its signal.

    Attributes:
        rollout: Of which rollout.
        event: Index of the signal.
        public: P(second state) for those who saw all actions before.
        precision: P(signal = state).
        ties: Tie rule.
        threshold: Belief above which the second state pays for this agent.
    """

    rollout: int
    event: int
    public: float
    precision: float
    ties: str
    threshold: float


def read_beliefs(evidence: Evidence) -> list[Belief]:
    """Returns every stated and every probed belief."""
    stated = [belief for rollout, events in evidence.rollouts() for belief in _stated(rollout, list(events))]
    return [*stated, *_probed(evidence)]


def _stated(rollout: int, events: list[Event]) -> Iterator[Belief]:
    setup = next((event.data for event in events if event.kind == "setup"), None)
    state = next((event.data["value"] for event in events if event.kind == "state"), None)
    if setup is None or state is None or not _is_herd(setup):
        return
    replies = {(event.step, event.seat): event.index for event in events if event.kind == "reply"}
    truth, prior = list(setup["states"]).index(state), _law(setup["prior"])
    for row in herd_beliefs(events):
        bayes = None if row["bayes"] is None else _law(row["bayes"])
        index = replies[row["step"], row["seat"]]
        yield Belief(rollout, index, "stated", _law(row["belief"]), prior, bayes, truth)


def _probed(evidence: Evidence) -> Iterator[Belief]:
    probes = evidence.side.get("probes")
    for row in [] if probes is None else probes.iter_rows(named=True):
        if row["order"] != 1:
            continue
        if row["belief"] is None:
            reason = row.get("reason") or "a probe has no belief"
            yield Belief(row["rollout"], row["index"], "probe", (), None, None, None, reason)
        else:
            prior, bayes = (None if row[name] is None else tuple(row[name]) for name in ("prior", "bayes"))
            truth = row["worlds"].index(row["truth"]) if row["truth"] in row["worlds"] else None
            yield Belief(row["rollout"], row["index"], row["estimator"], tuple(row["belief"]), prior, bayes, truth)


def read_signals(evidence: Evidence) -> list[Signal]:
    """Returns every signal of a herd that has a common public belief."""
    return [signal for rollout, events in evidence.rollouts() for signal in _signals(rollout, events)]


def _signals(rollout: int, events: Iterable[Event]) -> Iterator[Signal]:
    herd = HerdBelief()
    for event in events:
        if event.kind == "setup" and not (_is_herd(event.data) and event.data["seen"] is None):
            return
        herd = follow_herd(herd, event)
        if event.kind == "signal" and herd.setup is not None:
            ties, threshold = herd.setup["ties"], herd.threshold(event.seat or "")
            yield Signal(rollout, event.index, herd.belief, event.data["precision"], ties, threshold)


def _is_herd(setup: Mapping[str, Any]) -> bool:
    """Returns whether these are the rules of social learning with two states."""
    return {"states", "prior", "seen", "ties", "threshold"} <= setup.keys() and len(setup["states"]) == 2


def _law(p: float) -> tuple[float, float]:
    return (1.0 - p, p)


def _gain(b: Belief) -> float | None:
    return None if b.prior is None or b.truth is None else log_score_gain(b.prior, b.belief, b.truth)


def _shift(b: Belief) -> float | None:
    return None if b.prior is None else belief_shift(b.prior, b.belief)


def _brier(b: Belief) -> float | None:
    return None if b.truth is None else brier_score(b.belief, b.truth)


def _regret(b: Belief) -> float | None:
    return None if b.bayes is None or b.truth is None else bayes_regret(b.bayes, b.belief, b.truth)


def _expected_regret(b: Belief) -> float | None:
    return None if b.bayes is None else expected_bayes_regret(b.bayes, b.belief)


def _information_gain(s: Signal) -> float:
    q = s.precision
    return expected_information_gain(_law(s.public), [[q, 1.0 - q], [1.0 - q, q]])


def _action_leakage(key: str) -> Callable[[Signal], float]:
    def figure(s: Signal) -> float:
        on_good, on_bad, *_ = action_likelihoods(s.public, s.precision, s.ties, s.threshold)  # type: ignore[arg-type]
        p_good = s.public * s.precision + (1.0 - s.public) * (1.0 - s.precision)
        return float(information_leakage(_law(p_good), [_law(on_bad), _law(on_good)])[key])

    return figure


def _metric(
    figures: dict[str, tuple[str, Callable[..., float | None]]],
    text: str,
    read: Callable[[Evidence], Iterable[Belief | Signal]],
    nothing: str,
    missing: str,
) -> Metric:
    def compute(evidence: Evidence) -> list[MetricResult]:
        items = list(read(evidence))
        return [_average(items, name, unit, figure, nothing, missing) for name, (unit, figure) in figures.items()]

    return Metric(compute, "t1", text, tuple((name, unit) for name, (unit, _) in figures.items()))


def _average(
    items: list[Belief | Signal],
    name: str,
    unit: str,
    figure: Callable[..., float | None],
    nothing: str,
    missing: str,
) -> MetricResult:
    if not items:
        return refused(name, unit, 0, nothing)
    values: dict[int, list[float]] = {}
    used: dict[int, list[int]] = {}
    reasons: dict[str, None] = {}
    for item in items:
        value = figure(item)
        if value is None or math.isnan(value):
            reasons[(item.reason if isinstance(item, Belief) else "") or missing] = None
        else:
            values.setdefault(item.rollout, []).append(value)
            used.setdefault(item.rollout, []).append(item.event)
    if not values:
        return refused(name, unit, 0, "; ".join(reasons))
    n_used = sum(map(len, values.values()))
    sources = sorted({item.source for item in items if isinstance(item, Belief)}) or ["exact"]
    result = mean_result(name, [math.fsum(found) / len(found) for found in values.values()], unit)
    lost = f"{len(items) - n_used} of {len(items)} have no value: {'; '.join(reasons)}" if n_used < len(items) else ""
    return result.noting(
        estimator=f"exact Bayes, {result.estimator} over rollouts; {n_used} {', '.join(sources)}",
        reason="; ".join(filter(None, [result.reason, lost])),
        events=name_events(used),
    )


_BITS = "bits a belief"
BELIEFS: dict[str, Metric] = {
    "belief_gain": _metric(
        {"belief_gain": (_BITS, _gain)},
        "log-score gain over the prior, log2 b(x*) / b0(x*); negative if misled",
        read_beliefs,
        NO_BELIEFS,
        "the prior or the true world is not known",
    ),
    "belief_shift": _metric(
        {"belief_shift": (_BITS, _shift)},
        "how far beliefs moved from the prior, right or wrong: KL(b || b0)",
        read_beliefs,
        NO_BELIEFS,
        "the prior is not known",
    ),
    "brier": _metric(
        {"brier": ("score 0 to 2", _brier)},
        "Brier score over all worlds; 0 is certain and right",
        read_beliefs,
        NO_BELIEFS,
        "the true world is not known",
    ),
    "bayes_regret": _metric(
        {"bayes_regret": (_BITS, _regret), "bayes_regret_expected": (_BITS, _expected_regret)},
        "bits lost to the Bayes listener: log2 b*(x*) / b(x*), and its expectation KL(b* || b)",
        read_beliefs,
        NO_BELIEFS,
        NO_BAYES,
    ),
    "expected_information_gain": _metric(
        {"expected_information_gain": ("bits a signal", _information_gain)},
        "what a private signal is expected to say about the state, given all actions before",
        read_signals,
        NO_SIGNALS,
        NO_SIGNALS,
    ),
    "action_leakage": _metric(
        {
            "action_leakage_maximal": ("bits an action", _action_leakage("maximal_leakage")),
            "action_leakage_min_entropy": ("bits an action", _action_leakage("min_entropy_leakage")),
            "action_leakage_shannon": ("bits an action", _action_leakage("shannon_leakage")),
        },
        "what a rational agent's action gives away about its private signal: worst case, guessing, average",
        read_signals,
        NO_SIGNALS,
        NO_SIGNALS,
    ),
}
"""Name -> metric of beliefs."""
