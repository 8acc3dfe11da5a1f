"""Estimates from samples (tier t4): each stands beside its permutation null, whole rollouts permuted.

An *act* is an `action` or a `message`. Its label is the action, or what the message claims (its text if it claims
nothing and has no `act`). The *private label* of a seat is all it has been given in private so far. Labels are whole
values: with many of them the rule n >= 5 x cells is missed, and the result says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from tidings.core.events import Event, is_visible
from tidings.core.seeds import SeedPath
from tidings.metrics.evidence import Evidence, name_events
from tidings.metrics.facts import canonical
from tidings.metrics.metric import Metric
from tidings.metrics.result import MetricResult, refused
from tidings.theory.information.nulls import SampledMeasure
from tidings.theory.information.sampled import (
    sampled_conditional_mutual_information,
    sampled_mutual_information,
    sampled_time_delayed_mutual_information,
    sampled_transfer_entropy,
)

__all__ = ["SAMPLED", "Act", "read_acts"]


class Act(NamedTuple):
    """Something a seat did for others to see.

    Attributes:
        rollout: Of which rollout.
        event: Its index.
        step: When.
        seat: Who.
        kind: `action` or `message`.
        audience: Who may know of it.
        label: What was done.
        private: What the seat had been given in private; None if nothing.
        heard: Label of the last act of somebody else that the seat could know of when it acted; None if there is none.
    """

    rollout: int
    event: int
    step: int
    seat: str
    kind: str
    audience: tuple[str, ...]
    label: str
    private: str | None
    heard: str | None


def read_acts(evidence: Evidence) -> list[list[Act]]:
    """Returns the acts of each rollout, in order."""
    return [list(_acts(rollout, events)) for rollout, events in evidence.rollouts()]


def _acts(rollout: int, events: Iterable[Event]) -> Iterable[Act]:
    given: dict[str, dict[str, str]] = {}
    earlier: list[Event] = []
    for event in events:
        if event.kind in ("action", "message") and event.seat is not None:
            own = given.get(event.seat)
            heard = next((e for e in reversed(earlier) if _could_hear(event, e)), None)
            yield Act(
                rollout,
                event.index,
                event.step,
                event.seat,
                event.kind,
                event.audience,
                _label(event),
                canonical(own) if own else None,
                None if heard is None else _label(heard),
            )
            earlier.append(event)
        elif "fact" in event.data and "*" not in event.audience:
            for seat in event.audience:
                given.setdefault(seat, {})["fact" if event.kind == "signal" else event.data["fact"]] = canonical(
                    event.data.get("value")
                )


def _could_hear(act: Event, earlier: Event) -> bool:
    return earlier.step < act.step and earlier.seat != act.seat and is_visible(earlier, str(act.seat))


def _label(event: Event) -> str:
    if event.kind == "action":
        return canonical(event.data.get("action"))
    if "act" in event.data:
        return canonical(event.data["act"])
    claims = event.data.get("claims")
    if claims:
        return canonical(
            sorted(canonical({name: c.get(name) for name in ("fact", "value", "polarity")}) for c in claims)
        )
    return str(event.data.get("text", ""))


class _Columns(NamedTuple):
    """Samples, one label a row, in order of rollouts."""

    x: list[str]
    y: list[str]
    z: list[str]
    episode: list[int]
    events: dict[int, list[int]]


Collect = Callable[[Sequence[Sequence[Act]]], "_Columns | str"]


def _gather(rows: Iterable[tuple[str, str, str, Sequence[Act]]]) -> _Columns:
    columns = _Columns([], [], [], [], {})
    for x, y, z, acts in rows:
        columns.x.append(x)
        columns.y.append(y)
        columns.z.append(z)
        columns.episode.append(acts[0].rollout)
        columns.events.setdefault(acts[0].rollout, []).extend(act.event for act in acts)
    return columns


def _own_news(rollouts: Sequence[Sequence[Act]]) -> _Columns | str:
    """Pairs what a seat was given with what it did."""
    rows = [(act.private, act.label, "", [act]) for acts in rollouts for act in acts if act.private is not None]
    return _gather(rows) if rows else "no seat that acts or speaks was given anything in private"


def _own_news_given_heard(rollouts: Sequence[Sequence[Act]]) -> _Columns | str:
    """Pairs what a seat was given with what it did, given the last thing it heard."""
    acts = [act for acts in rollouts for act in acts if act.private is not None and act.heard is not None]
    return (
        _gather((str(act.private), act.label, str(act.heard), [act]) for act in acts)
        if acts
        else ("no seat that was given something in private heard anybody before it acted")
    )


def _series(rollouts: Sequence[Sequence[Act]]) -> _Columns | str:
    """Lays the acts of a rollout in a row: x what their seats were given, y what they did."""
    if any(len({act.step for act in acts}) < len(acts) for acts in rollouts):
        return "several seats act in one step, so that there is no order of time between their acts"
    acts = [act for acts in rollouts for act in acts]
    if max((len(acts) for acts in rollouts), default=0) < 2:
        return "no rollout has two acts one after another"
    return _gather((act.private or "", act.label, "", [act]) for act in acts)


def _own_message_and_action(rollouts: Sequence[Sequence[Act]]) -> _Columns | str:
    """Pairs a message with the next action of its sender."""
    return _message_pairs(rollouts, lambda said, act: act.seat == said.seat, "no seat speaks and then acts")


def _message_and_others_action(rollouts: Sequence[Sequence[Act]]) -> _Columns | str:
    """Pairs a message with the next action of somebody else who got it."""

    def is_answer(said: Act, act: Act) -> bool:
        return act.seat != said.seat and (act.seat in said.audience or "*" in said.audience)

    return _message_pairs(rollouts, is_answer, "nobody acts after a message of somebody else")


def _message_pairs(
    rollouts: Sequence[Sequence[Act]], belongs: Callable[[Act, Act], bool], nothing: str
) -> _Columns | str:
    rows: list[tuple[str, str, str, Sequence[Act]]] = []
    for acts in rollouts:
        actions = [act for act in acts if act.kind == "action"]
        for said in (act for act in acts if act.kind == "message"):
            after = next((act for act in actions if act.step > said.step and belongs(said, act)), None)
            if after is not None:
                rows.append((said.label, after.label, "", [said, after]))
    return _gather(rows) if rows else nothing


Measure = Callable[[_Columns, np.random.Generator], SampledMeasure]


def _codes(labels: Sequence[str]) -> list[int]:
    known = {label: number for number, label in enumerate(sorted(set(labels)))}
    return [known[label] for label in labels]


def _mi(c: _Columns, rng: np.random.Generator) -> SampledMeasure:
    return sampled_mutual_information(_codes(c.x), _codes(c.y), c.episode, rng)


def _cmi(c: _Columns, rng: np.random.Generator) -> SampledMeasure:
    return sampled_conditional_mutual_information(_codes(c.x), _codes(c.y), _codes(c.z), c.episode, rng)


def _tdmi(c: _Columns, rng: np.random.Generator) -> SampledMeasure:
    return sampled_time_delayed_mutual_information(_codes(c.y), _codes(c.y), c.episode, rng)


def _te(c: _Columns, rng: np.random.Generator) -> SampledMeasure:
    return sampled_transfer_entropy(_codes(c.x), _codes(c.y), c.episode, rng)


def _metric(name: str, collect: Collect, measure: Measure, text: str) -> tuple[str, Metric]:
    def compute(evidence: Evidence) -> list[MetricResult]:
        acts = read_acts(evidence)
        if not acts:
            return [refused(name, "bits", 0, "no rollout has ended well")]
        columns = collect(acts) if any(acts) else "no seat acts or speaks in public"
        if isinstance(columns, str):
            return [refused(name, "bits", 0, columns)]
        key = SeedPath.root(evidence.seed).child("metric", name).key
        return [_result(name, measure(columns, np.random.Generator(np.random.PCG64(key))), columns)]

    return name, Metric(compute, "t4", text, ((name, "bits"),))


def _result(name: str, measure: SampledMeasure, columns: _Columns) -> MetricResult:
    if math.isnan(measure.value):
        return refused(name, "bits", measure.n, measure.reason)
    if math.isnan(measure.null_mean):
        return refused(name, "bits", measure.n, f"{measure.reason}; a sampled value says nothing without one")
    corrected = "" if math.isnan(measure.miller_madow) else f"; Miller-Madow {measure.miller_madow:.3f}"
    low, high = measure.interval
    return MetricResult(
        name,
        measure.value,
        "bits",
        measure.n,
        low=_number(low),
        high=_number(high),
        estimator=measure.estimator + corrected,
        reason=measure.reason,
        null_mean=_number(measure.null_mean),
        p=_number(measure.p),
        reliable=measure.reliable,
        events=name_events(columns.events),
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


SAMPLED: dict[str, Metric] = dict(
    [
        _metric("mutual_information", _own_news, _mi, "I(what a seat was given; what it did or said)"),
        _metric(
            "conditional_mutual_information",
            _own_news_given_heard,
            _cmi,
            "I(what a seat was given; what it did | the last thing it heard)",
        ),
        _metric("time_delayed_mutual_information", _series, _tdmi, "I(an act; the next act); own memory leaks in"),
        _metric(
            "transfer_entropy", _series, _te, "what a seat was given -> the next seat's act, beyond what its act shows"
        ),
        _metric("speaker_consistency", _own_message_and_action, _mi, "I(a message; its sender's next action)"),
        _metric(
            "instantaneous_coordination",
            _message_and_others_action,
            _mi,
            "I(a message; the next action of somebody who got it); shared news confounds it",
        ),
    ]
)
"""Name -> metric from samples."""
