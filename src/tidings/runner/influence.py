"""What moved a seat: how likely its answer would have been without some of the messages it had heard.

v(S) is the log2-probability of the logged answer if of its inputs only those in S had reached the seat; everybody else,
and the seat itself before, did what they did. From v follow leave-one-out, exact Shapley values, and the smallest sets
of senders that explain the answer. Where sender and seat state their law, social influence and CIC stand beside them
(`do_message`).

Source: Siddiqui et al., arXiv 2410.03055 (labels); `tidings.theory.information.influence`, `labels`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import polars as pl

from tidings.core import Event, RequestError, is_visible
from tidings.metrics.evidence import SIDE_TABLES
from tidings.runner.do_message import direct_influence
from tidings.runner.folder import RunFolder
from tidings.runner.rehearsal import NoScoreError, Rehearsal
from tidings.runner.scorer import Scorers
from tidings.simulation.interventions import SPOKEN, Drop
from tidings.theory.information import leave_one_out_influence, minimal_labels, shapley_values

__all__ = ["INFLUENCE_COLUMNS", "MOST_INPUTS", "measure_influence"]

MOST_INPUTS = 6
"""Inputs that are taken apart by default, the latest ones: 2^n scorings."""

INFLUENCE_COLUMNS = {**SIDE_TABLES["influence"], "scorer": pl.String, "reason": pl.String}

_Values = Mapping[tuple[int, ...], float]


async def measure_influence(
    folder: RunFolder, rollout: int, target: int, scorers: Scorers, inputs: Sequence[int] = (), lam: float = 1.0
) -> pl.DataFrame:
    """Returns a row for each input and method; `value` in bits, or for `label` 1 if a minimal label holds its sender.

    Args:
        folder: The run.
        rollout: Which rollout.
        target: Index of the message (or of another event) that the seat's answer made.
        scorers: Who gives log-probabilities.
        inputs: Indices of messages the seat had heard; the latest `MOST_INPUTS` by default. The others stay.
        lam: Bits that an answer may lose and still count as explained.

    Raises:
        RequestError: If there is no such event, or the seat had heard nothing.
    """
    rehearsal = Rehearsal(folder, rollout)
    event = next((e for e in rehearsal.events if e.index == target and e.seat), None)
    if event is None or event.seat is None or event.step == 0:
        raise RequestError("at", f"event {target} of rollout {rollout} is no answer of a seat", "index of a message")
    seat, step = event.seat, event.step
    heard = [
        e for e in rehearsal.events if e.step < step and e.kind in SPOKEN and e.seat != seat and is_visible(e, seat)
    ]
    chosen = _chosen(heard, inputs, seat)
    scorer = scorers.of(seat) if rehearsal.records(seat, step) else None
    name = scorer.name if scorer else "policy"
    base = {"rollout": rollout, "target": target, "seat": seat, "n": len(chosen), "scorer": name, "reason": ""}
    everyone = range(len(chosen))

    async def value(kept: tuple[int, ...]) -> float:
        changes = tuple(Drop(chosen[i].index, (seat,)) for i in everyone if i not in kept)
        return (await rehearsal.score(seat, step, scorer, changes)).log_p / math.log(2)

    try:
        if rehearsal.records(seat, step):
            await rehearsal.check(seat, step)
        subsets = [subset for size in range(len(chosen) + 1) for subset in combinations(everyone, size)]
        v = dict(zip(subsets, await asyncio.gather(*map(value, subsets)), strict=True))
        rows = _rows(chosen, v, lam)
        rows += [row for e in chosen for row in _direct_rows(rehearsal, e, seat, step)]
    except (NoScoreError, RequestError) as error:
        reasons = {"method": "loo", "unit": "bits", "reason": str(error)}
        return pl.DataFrame([{**base, "source": e.index, **reasons} for e in chosen], schema=INFLUENCE_COLUMNS)
    return pl.DataFrame([{**base, **row} for row in rows], schema=INFLUENCE_COLUMNS)


def _direct_rows(rehearsal: Rehearsal, message: Event, listener: str, step: int) -> list[dict[str, Any]]:
    """Returns social influence and CIC of a message; none where a seat does not state its law."""
    try:
        found = direct_influence(rehearsal, message, listener, step)
    except NoScoreError:
        return []
    values = {"social": found.social, "cic": found.cic}
    return [{"source": message.index, "method": name, "unit": "bits", "value": x} for name, x in values.items()]


def _chosen(heard: Sequence[Event], inputs: Sequence[int], seat: str) -> list[Event]:
    if not heard:
        raise RequestError("at", f"seat {seat!r} had heard nothing by then", "an answer after a message")
    if not inputs:
        return list(heard[-MOST_INPUTS:])
    known = {event.index: event for event in heard}
    missing = [index for index in inputs if index not in known]
    if missing:
        raise RequestError("inputs", f"seat {seat!r} had not heard {missing[0]}", f"heard: {sorted(known)}")
    if len(set(inputs)) < len(inputs):
        twice = next(index for index in inputs if inputs.count(index) > 1)
        raise RequestError("inputs", f"found {twice} twice", "each message once")
    if len(inputs) > 2 * MOST_INPUTS:
        raise RequestError("inputs", f"found {len(inputs)}", f"at most {2 * MOST_INPUTS}: every subset is scored")
    return [known[index] for index in inputs]


def _rows(chosen: Sequence[Event], v: _Values, lam: float) -> list[dict[str, Any]]:
    n, everyone = len(chosen), tuple(range(len(chosen)))
    rows = [
        {"source": e.index, "method": "loo", "value": x if math.isfinite(x) else None, "unit": "bits"}
        | ({} if math.isfinite(x) else {"reason": f"value is {x}: an answer was impossible"})
        for e, x in zip(chosen, leave_one_out_influence(v, n), strict=True)
    ]
    if all(math.isfinite(x) for x in v.values()):
        values = shapley_values(v, n)
        rows += [
            {"source": e.index, "method": "shapley", "value": x, "unit": "bits"}
            for e, x in zip(chosen, values, strict=True)
        ]
    else:
        why = "without some inputs the answer was impossible: no finite Shapley value"
        rows += [{"source": e.index, "method": "shapley", "unit": "bits", "reason": why} for e in chosen]
    if math.isfinite(v[everyone]):
        labels = minimal_labels([{str(event.seat)} for event in chosen], v, lam)
        unit = f"in a minimal label, lambda {lam:g} bits"
        rows += [
            {
                "source": e.index,
                "method": "label",
                "unit": unit,
                "value": float(any(e.seat in label for label in labels)),
            }
            for e in chosen
        ]
    return rows
