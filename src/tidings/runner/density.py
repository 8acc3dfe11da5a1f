"""What messages say about a private fact, from the probability of each under every value the fact could have had.

Every message of the fact's owners is scored under each world: the same history, the same earlier messages, another
value of the fact. A turn in which an owner said nothing is scored too: that it kept silent may say as much. Then
i_t = log2 p(m_t|x*,h) - log2 sum_l w_l p(m_t|x_l,h), where w starts as the prior and follows Bayes' rule; the
increments of a rollout add up to log2 posterior / prior of the true value.

Source: He et al., arXiv 2512.21720; `tidings.theory.information.logprob`.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tidings.core import DataError, Event, LanguageModel, RequestError
from tidings.metrics.density import SILENCE, SILENT_REPLY
from tidings.metrics.evidence import SIDE_TABLES
from tidings.metrics.facts import canonical, domain_prior
from tidings.runner.folder import RunFolder
from tidings.runner.rehearsal import NoScoreError, Rehearsal, Score
from tidings.runner.scorer import Scorers
from tidings.simulation.interventions import SPOKEN, Swap
from tidings.theory.information import information_density_increments

__all__ = ["DENSITY_COLUMNS", "measure_density"]

DENSITY_COLUMNS = {
    **SIDE_TABLES["density"],
    "what": pl.String,
    "truth": pl.String,
    "worlds": pl.List(pl.String),
    "prior": pl.List(pl.Float64),
    "logp": pl.List(pl.Float64),
    "reason": pl.String,
}
"""Columns of `rows/density.parquet`. `logp` is in nats, one for each world; null where the answer was impossible."""


@dataclass(frozen=True)
class _Worlds:
    """What a fact could have been.

    Attributes:
        values: JSON values.
        prior: Their probabilities.
        mode: `census` (all values it could have) or `sampled` (those it had in the rollouts of the run).
    """

    values: tuple[Any, ...]
    prior: tuple[float, ...]
    mode: str


async def measure_density(
    folder: RunFolder, rollouts: Sequence[int], scorers: Scorers, fact: str | None = None
) -> pl.DataFrame:
    """Returns one row for each turn of a fact's owner that spoke or kept silent; without a value it says why.

    Args:
        folder: The run.
        rollouts: Which rollouts.
        scorers: Who gives log-probabilities.
        fact: Id of the fact; every declared one by default.

    Raises:
        DataError: If no rollout declares the fact, or a recorded prompt does not come out again.
    """
    rehearsals = {rollout: Rehearsal(folder, rollout) for rollout in rollouts}
    declared = {r: _declared(rehearsal.events, fact) for r, rehearsal in rehearsals.items()}
    known = list(dict.fromkeys(event.data["fact"] for events in declared.values() for event in events))
    if not known:
        what = "a private fact" if fact is None else f"the fact {fact!r}"
        raise DataError(str(folder.path), f"no rollout declares {what}", "events of kind fact_declared")
    rows: list[dict[str, Any]] = []
    for name in known:
        told = {r: e for r, events in declared.items() for e in events if e.data["fact"] == name}
        for rollout, event in told.items():
            rows += await _rows_of(rehearsals[rollout], event, _worlds(event, told.values()), scorers)
    return pl.DataFrame(rows, schema=DENSITY_COLUMNS).sort("rollout", "index", "fact")


async def _rows_of(
    rehearsal: Rehearsal, declared: Event, worlds: _Worlds | str, scorers: Scorers
) -> list[dict[str, Any]]:
    owners, since = declared.data["owners"], declared.step
    own = [event for event in rehearsal.events if event.seat in owners and event.step > since]
    silent = _silent_turns(own)
    spoken = [event for event in own if event.kind in SPOKEN or event.index in silent]
    rows = [
        _row(rehearsal.rollout, event, declared) | ({"what": SILENCE} if event.index in silent else {})
        for event in spoken
    ]
    if isinstance(worlds, str):
        return [row | {"reason": worlds} for row in rows]
    truth = worlds.values.index(declared.data["value"])
    common = {
        "n_worlds": len(worlds.values),
        "cap_bits": _cap(worlds),
        "mode": worlds.mode,
        "worlds": [canonical(value) for value in worlds.values],
        "prior": list(worlds.prior),
    }
    steps: list[list[float]] = []
    for row, event in zip(rows, spoken, strict=True):
        row |= common
        assert event.seat is not None
        scorer = scorers.of(event.seat) if rehearsal.records(event.seat, event.step) else None
        row["scorer"] = scorer.name if scorer else "policy"
        try:
            scores = await _scores(rehearsal, event, declared.data["fact"], worlds, scorer)
        except NoScoreError as error:
            row["reason"] = str(error)
            continue
        logp = [score.log_p for score in scores]
        steps.append(logp)
        density = information_density_increments(steps, truth, worlds.prior)
        row["bits"], row["logp"] = density["increments"][-1], [p if p > -math.inf else None for p in logp]
        row["tokens"] = scores[truth].n_tokens
        if event.index not in silent:
            row["what"] = scores[truth].what
        elif scores[truth].what == "reply":
            row["what"] = SILENT_REPLY
    return _broken_off(rows)


def _silent_turns(events: Iterable[Event]) -> set[int]:
    """Returns the indices of replies of which nothing came: the seat could speak and did not."""
    replies: dict[tuple[int, str | None], int] = {}
    for event in events:
        turn = event.step, event.seat
        if event.kind == "reply":
            replies[turn] = event.index
        elif event.kind != "thought":
            replies.pop(turn, None)
    return set(replies.values())


async def _scores(
    rehearsal: Rehearsal, event: Event, fact: str, worlds: _Worlds, scorer: LanguageModel | None
) -> list[Score]:
    assert event.seat is not None
    if rehearsal.records(event.seat, event.step):
        await rehearsal.check(event.seat, event.step)
    changes = [(Swap(fact, value),) for value in worlds.values]
    try:
        return list(await asyncio.gather(*[rehearsal.score(event.seat, event.step, scorer, one) for one in changes]))
    except RequestError as error:
        raise NoScoreError(str(error)) from None


def _broken_off(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the rows without values behind the first message that has none: the chain is broken there."""
    first = next((i for i, row in enumerate(rows) if row["reason"]), len(rows))
    for row in rows[first + 1 :]:
        row |= {"bits": None, "logp": None, "reason": row["reason"] or "an earlier message of this fact has no value"}
    return rows


def _row(rollout: int, event: Event, declared: Event) -> dict[str, Any]:
    base: dict[str, Any] = dict.fromkeys(DENSITY_COLUMNS)
    where = {"rollout": rollout, "step": event.step, "index": event.index, "seat": event.seat}
    return base | where | {"fact": declared.data["fact"], "truth": canonical(declared.data["value"]), "reason": ""}


def _declared(events: Sequence[Event], fact: str | None) -> list[Event]:
    return [e for e in events if e.kind == "fact_declared" and fact in (None, e.data["fact"])]


def _worlds(declared: Event, told: Iterable[Event]) -> _Worlds | str:
    """Returns what a fact could have been in one rollout, or why that is not known.

    Args:
        declared: The fact in this rollout.
        told: The fact in all rollouts, for values to compare with where no domain is declared.
    """
    if domain := declared.data.get("domain"):
        prior = domain_prior(declared.data)
        return _Worlds(tuple(domain), prior, "census") if prior else "the prior of its values is not declared"
    seen = Counter(json.dumps(e.data["value"], sort_keys=True) for e in told if not e.data.get("domain"))
    if len(seen) < 2:
        return "no domain is declared, and it had one value only in all rollouts: nothing to compare with"
    return _Worlds(tuple(json.loads(v) for v in seen), tuple(n / seen.total() for n in seen.values()), "sampled")


def _cap(worlds: _Worlds) -> float:
    """Returns the most bits a mean can reach: the entropy of the fact, or log2 of the number of sampled values."""
    if worlds.mode == "sampled":
        return math.log2(len(worlds.values))
    return -math.fsum(p * math.log2(p) for p in worlds.prior if p > 0)
