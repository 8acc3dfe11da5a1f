"""Bits that messages say about private facts, from log-probabilities measured beside the run (tier t2)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tidings.core.seeds import SeedPath
from tidings.metrics.evidence import Evidence, name_events
from tidings.metrics.metric import Metric
from tidings.metrics.result import MetricResult, mean_result, refused
from tidings.theory.information import information_density_increments

__all__ = ["DENSITY", "SILENCE", "SILENT_REPLY", "message_bits"]

NOT_MEASURED = "no log-probabilities were measured; `tidings density RUN` measures them where a model gives them"
SILENCE, SILENT_REPLY = "silence", "silent reply"
"""`what` of a turn in which the owner of a fact said nothing; the latter where its reply had private parts."""
_N_NULL = 199
_CAVEAT = "a shorter text says more bits a token at equal bits: compare bits, tokens and cap, not this ratio alone"


def message_bits(evidence: Evidence) -> list[MetricResult]:
    """Returns the bits that all messages of a fact's owners say about it, and bits per token.

    A mean over the facts of a rollout, then over rollouts: facts of one rollout are not independent of each other.
    Turns in which the owners said nothing are among the messages: else rollouts of silent owners would be left out.

    log2 posterior / prior of the true value after the last message: an unbiased estimate of the mutual information of
    fact and messages for a census of worlds, at most that for sampled ones or a proxy scorer. A fact that depends on
    others, as signals do through the state, has more: its prior is not conditioned on what others said, which adds the
    mean divergence of the two mixtures. Never clipped. The null puts the true value of another rollout in the place of
    each, 199 times.

    Undefined: without measured log-probabilities, or where a message has none.
    """
    rows = evidence.side.get("density", pl.DataFrame())
    if rows.is_empty():
        return [refused(name, unit, 0, NOT_MEASURED) for name, unit in _FIGURES]
    if (missing := rows.filter(pl.col("bits").is_null())).height:
        why = missing["reason"][0] if "reason" in missing.columns else "the scorer gave none"
        reason = f"{missing.height} of {rows.height} messages have no log-probabilities: {why}"
        return [refused(name, unit, 0, reason) for name, unit in _FIGURES]
    chains = [chain for _, chain in rows.sort("rollout", "index").group_by("rollout", "fact", maintain_order=True)]
    totals = [float(chain["bits"].sum()) for chain in chains]
    of_rollouts = _per_rollout([chain["rollout"][0] for chain in chains], totals)
    events = name_events({int(r): sorted(set(part["index"].to_list())) for (r,), part in rows.group_by("rollout")})
    how = _how(rows)
    bits = mean_result("message_bits", of_rollouts, "bits").noting(estimator=how, events=events)
    return [bits.noting(**_against_null(chains, bits, evidence.seed)), _per_token(rows, totals, events, how)]


def _per_rollout(rollouts: Sequence[int], totals: Sequence[float]) -> list[float]:
    """Returns the mean of each rollout's totals."""
    found: dict[int, list[float]] = {}
    for rollout, total in zip(rollouts, totals, strict=True):
        found.setdefault(rollout, []).append(total)
    return [sum(values) / len(values) for values in found.values()]


def _per_token(rows: pl.DataFrame, totals: Sequence[float], events: tuple[str, ...], how: str) -> MetricResult:
    tokens = int(rows.unique(["rollout", "index"])["tokens"].fill_null(0).sum())
    if tokens == 0:
        return refused("bits_per_token", "bits/token", len(totals), "the seats state their policy and wrote no tokens")
    result = MetricResult("bits_per_token", math.fsum(totals) / tokens, "bits/token", len(totals), events=events)
    return result.noting(estimator=how, reason=_CAVEAT)


def _how(rows: pl.DataFrame) -> str:
    """Returns in words how the rows came to be."""
    modes, scorers = sorted(set(rows["mode"])), sorted(set(rows["scorer"]))
    cap = float(rows["cap_bits"].max())  # type: ignore[arg-type]
    parts = [f"{' and '.join(modes)} of {int(rows['n_worlds'].max())} values"]  # type: ignore[arg-type]
    parts += [f"at most {cap:.4g} bits", f"scored by {', '.join(scorers)}"]
    if "what" in rows.columns and not {"reply", SILENT_REPLY}.isdisjoint(rows["what"]):
        parts.append("whole replies, private parts too: at least what others heard")
    return "; ".join(parts)


def _against_null(chains: Sequence[pl.DataFrame], bits: MetricResult, seed: int) -> dict[str, Any]:
    """Returns null mean, p and whether there are enough rollouts: five for each value of the fact."""
    n_worlds = int(max(chain["n_worlds"].max() for chain in chains))  # type: ignore[type-var]
    reliable = bits.n >= 5 * n_worlds
    tables = [_posterior_bits(chain) for chain in chains]
    if bits.value is None or any(table is None for table in tables):
        return {"reliable": reliable}
    draws = SeedPath.root(seed).generator("density", "null")
    null = [_shuffled([t for t in tables if t is not None], draws) for _ in range(_N_NULL)]
    p = (1 + sum(value >= bits.value - 1e-12 for value in null)) / (1 + _N_NULL)
    mean = float(np.mean(null)) if all(math.isfinite(value) for value in null) else -math.inf
    return {"null_mean": mean, "p": p, "reliable": reliable}


class _Table(NamedTuple):
    """What the messages of one rollout say for each value that a fact could have had.

    Attributes:
        rollout: Its number.
        key: The fact and its values.
        truth: The true value.
        bits: Value -> log2 posterior / prior.
    """

    rollout: int
    key: tuple[str, ...]
    truth: str
    bits: Mapping[str, float]


def _posterior_bits(chain: pl.DataFrame) -> _Table | None:
    """Returns what a rollout's messages say for each value of a fact; None without log-probabilities."""
    if "logp" not in chain.columns:
        return None
    worlds, prior = chain["worlds"][0].to_list(), chain["prior"][0].to_list()
    steps = [[-math.inf if p is None else p for p in row] for row in chain["logp"].to_list()]
    bits = {w: information_density_increments(steps, i, prior)["total"] for i, w in enumerate(worlds)}
    return _Table(chain["rollout"][0], (chain["fact"][0], *worlds), chain["truth"][0], bits)


def _shuffled(tables: Sequence[_Table], draws: Random) -> float:
    """Returns the mean with the true values of each fact dealt anew among the rollouts where it could have the same."""
    rollouts: list[int] = []
    values: list[float] = []
    for key in dict.fromkeys(table.key for table in tables):
        of_fact = [table for table in tables if table.key == key]
        dealt = [table.truth for table in of_fact]
        draws.shuffle(dealt)
        rollouts += [table.rollout for table in of_fact]
        values += [table.bits[truth] for truth, table in zip(dealt, of_fact, strict=True)]
    of_rollouts = _per_rollout(rollouts, values)
    return math.fsum(of_rollouts) / len(of_rollouts) if all(map(math.isfinite, of_rollouts)) else -math.inf


_FIGURES = (("message_bits", "bits"), ("bits_per_token", "bits/token"))

DENSITY: Mapping[str, Metric] = {
    "message_bits": Metric(message_bits, "t2", "bits that messages say about private facts, and per token", _FIGURES)
}
"""Metrics from rows of `density`."""
