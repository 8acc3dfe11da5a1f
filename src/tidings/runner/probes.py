"""What seats believe, asked on calls that are no part of the run: of no history, no memory, no token count.

A seat is shown what it had seen up to an event and asked for a fact's value; its model gives the probability of each.
Second order: what somebody else believes. The question is never seen again by anybody.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tidings.core import ChoiceSpec, Event, Observation, RequestError, SeatError, is_visible, suggest
from tidings.metrics.evidence import SIDE_TABLES
from tidings.metrics.facts import canonical, domain_prior
from tidings.runner.folder import RunFolder
from tidings.runner.rehearsal import Rehearsal
from tidings.runner.scorer import Scorers
from tidings.simulation.compile import Compiled
from tidings.theory.information import bayes_regret, belief_shift, brier_score, expected_bayes_regret, log_score_gain

__all__ = ["PROBE_COLUMNS", "calibrate", "measure_probes"]

PROBE_COLUMNS = {
    **SIDE_TABLES["probes"],
    "gain_bits": pl.Float64,
    "brier": pl.Float64,
    "shift_bits": pl.Float64,
    "regret_bits": pl.Float64,
    "expected_regret_bits": pl.Float64,
    "mass": pl.Float64,
    "reason": pl.String,
}
"""Columns of `rows/probes.parquet`; a row without belief says why."""


async def measure_probes(
    folder: RunFolder,
    rollouts: Sequence[int],
    scorers: Scorers,
    fact: str,
    *,
    at: int | None = None,
    seats: Sequence[str] = (),
    about: str | None = None,
    density: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Returns one row for each probe, `PROBE_COLUMNS`.

    Args:
        folder: The run.
        rollouts: Which rollouts.
        scorers: The models of the seats.
        fact: Whose value is asked for; its `domain` must be declared.
        at: Index of an event: seats are asked after its step. The end by default.
        seats: Who is asked; every agent by default.
        about: Somebody else, for second-order probes: what does `about` believe?
        density: Rows of `density`, if they were measured: they give the Bayes listener of those who own no part of it.

    Raises:
        RequestError: If there is no such fact or seat, or it has no domain.
    """
    rows: list[dict[str, Any]] = []
    for rollout in rollouts:
        rehearsal = Rehearsal(folder, rollout)
        declared = _declared(rehearsal, fact)
        compiled = scorers.compiled()
        asked = list(seats) or [seat for seat in rehearsal.seats if seat not in ("planner", about)]
        if unknown := [seat for seat in (*asked, *([about] if about else [])) if seat not in rehearsal.seats]:
            raise RequestError("seat", f"no seat {unknown[0]!r}", f"seats: {', '.join(rehearsal.seats)}")
        event = rehearsal.events[-1] if at is None else next((e for e in rehearsal.events if e.index == at), None)
        if event is None:
            raise RequestError("at", f"no event {at} in rollout {rollout}", f"0 to {len(rehearsal.events) - 1}")
        play = rehearsal.play(event.step + 1)
        for seat in asked:
            row = _row(rehearsal, declared, seat, event, about, density)
            rows.append(row | await _asked(compiled, seat, play.observe(seat), declared, about, row))
    return pl.DataFrame(rows, schema=PROBE_COLUMNS)


def _declared(rehearsal: Rehearsal, fact: str) -> Event:
    """Returns the event that declares a fact and what it could have been.

    Raises:
        RequestError: If there is none.
    """
    facts = {str(e.data["fact"]): e for e in rehearsal.events if e.kind == "fact_declared"}
    known = [name for name, event in facts.items() if event.data.get("domain")]
    if fact in known:
        return facts[fact]
    found = f"fact {fact!r} does not say what it could have been" if fact in facts else f"no fact {fact!r}"
    allowed = (
        f"allowed: {', '.join(known)}" if known else "no fact of it lists its `values`, so none can be asked about"
    )
    raise RequestError("fact", f"rollout {rehearsal.rollout}: {found}", allowed, suggest(fact, known))


def calibrate(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the rows with beliefs calibrated by marginalisation: p(y|x) / mean over probes of p(y|.), renormalised.

    A model that leans to one word whatever it has seen loses that lean. Needs several probes of the same variable.
    What a belief is worth (`brier`, `gain_bits`, ...) is that of the calibrated one.

    Source: Yang et al., TACL 2024.
    """
    parts: list[pl.DataFrame] = []
    for _, part in rows.filter(pl.col("belief").is_not_null()).group_by("variable", "order", maintain_order=True):
        beliefs = part["belief"].to_list()
        means = [math.fsum(column) / len(beliefs) for column in zip(*beliefs, strict=True)]
        scaled = [[p / m if m > 0 else 0.0 for p, m in zip(belief, means, strict=True)] for belief in beliefs]
        fixed = [[p / math.fsum(belief) for p in belief] for belief in scaled]
        probes = part.iter_rows(named=True)
        found = [row | {"belief": b} | _scores(b, row) for b, row in zip(fixed, probes, strict=True)]
        parts.append(pl.DataFrame(found, schema=part.schema))
    return pl.concat(parts) if parts else rows.clear()


def _row(
    rehearsal: Rehearsal, declared: Event, seat: str, event: Event, about: str | None, density: pl.DataFrame | None
) -> dict[str, Any]:
    base: dict[str, Any] = dict.fromkeys(PROBE_COLUMNS)
    data = declared.data
    where = {"rollout": rehearsal.rollout, "step": event.step, "index": event.index, "seat": seat}
    what = {"order": 1 if about is None else 2, "about": about or seat, "variable": data["fact"], "reason": ""}
    worlds = [canonical(value) for value in data["domain"]]
    given = domain_prior(data)
    prior = None if given is None else list(given)
    bayes = None if about else _bayes(rehearsal, declared, seat, event, prior, density)
    return base | where | what | {"worlds": worlds, "truth": canonical(data["value"]), "prior": prior, "bayes": bayes}


async def _asked(
    compiled: Compiled, seat: str, seen: Observation, declared: Event, about: str | None, row: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns what the seat said, as columns."""
    data = declared.data
    name = data.get("variable") or data["fact"]
    question = f"What do you think is the value of {name}?"
    if about is not None:
        question = f"What does {about} think is the value of {name}?"
    options = tuple(value if isinstance(value, str) else json.dumps(value) for value in data["domain"])
    try:
        reply = await compiled.agents[seat].act(seen, ChoiceSpec(options, question))
    except SeatError as error:
        return {"reason": str(error)}
    thought = next((t for t in reply.thoughts if t.get("about") == "choice"), None)
    if thought is None:
        return {
            "reason": "the seat answers without probabilities; they need elicit: auto or choice, and a model with them"
        }
    belief = [float(thought["probabilities"][option]) for option in options]
    total = math.fsum(belief)
    belief = [p / total for p in belief]
    return {"belief": belief, "mass": thought["mass"], "estimator": "choice probabilities"} | _scores(belief, row)


def _scores(belief: list[float], row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what the belief is worth; second-order beliefs are compared with first-order ones, not with the truth."""
    if row["order"] == 2:
        return {}
    truth, prior, bayes = row["worlds"].index(row["truth"]), row["prior"], row["bayes"]
    found: dict[str, Any] = {"brier": brier_score(belief, truth)}
    if prior is not None:
        found |= {"gain_bits": log_score_gain(prior, belief, truth), "shift_bits": belief_shift(prior, belief)}
    if bayes is not None:
        found["regret_bits"] = bayes_regret(bayes, belief, truth)
        found["expected_regret_bits"] = expected_bayes_regret(bayes, belief)
    return found


def _bayes(
    rehearsal: Rehearsal, declared: Event, seat: str, at: Event, prior: list[float] | None, density: pl.DataFrame | None
) -> list[float] | None:
    """Returns the exact posterior of the seat: certain for an owner, else from measured messages it heard."""
    data = declared.data
    if seat in data["owners"]:
        return [float(value == data["value"]) for value in data["domain"]]
    if prior is None or density is None or density.is_empty():
        return None
    rows = density.filter(rollout=rehearsal.rollout, fact=data["fact"])
    if rows.is_empty() or rows["bits"].null_count():
        return None
    heard = {e.index for e in rehearsal.events if e.step <= at.step and is_visible(e, seat)}
    weights = [math.log(p) if p > 0 else -math.inf for p in prior]
    for row in rows.iter_rows(named=True):
        if row["index"] in heard:
            logp = [-math.inf if p is None else p for p in row["logp"]]
            weights = [w + p for w, p in zip(weights, logp, strict=True)]
    top = max(weights)
    if top == -math.inf:
        return None
    raised = [math.exp(w - top) for w in weights]
    return [p / math.fsum(raised) for p in raised]
