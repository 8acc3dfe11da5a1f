"""Bits that messages say about private facts, from log-probabilities measured beside the run (tier t2)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
import polars as pl

from tidings.core.seeds import SeedPath
from tidings.metrics.evidence import Evidence, name_events
from tidings.metrics.metric import Metric
from tidings.metrics.result import MetricResult, mean_result, refused
from tidings.theory.information import information_density_increments

__all__ = ["DENSITY", "message_bits"]

NOT_MEASURED = "no log-probabilities were measured; `tidings density RUN` measures them where a model gives them"
_N_NULL = 199
_CAVEAT = "a shorter text says more bits a token at equal bits: compare bits, tokens and cap, not this ratio alone"


def message_bits(evidence: Evidence) -> list[MetricResult]:
    """Returns the mean over rollouts of the bits that all messages of a fact's owners say about it, and bits per token.

    log2 posterior / prior of the true value after the last message: an unbiased estimate of the mutual information of
    fact and messages for a census of worlds, at most that for sampled ones or a proxy scorer. Never clipped. The null
    puts the true value of another rollout in the place of each, 199 times.

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
    events = name_events({int(r): sorted(set(part["index"].to_list())) for (r,), part in rows.group_by("rollout")})
    how = _how(rows)
    bits = mean_result("message_bits", totals, "bits").noting(estimator=how, events=events)
    return [bits.noting(**_against_null(chains, bits, evidence.seed)), _per_token(rows, totals, events, how)]


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
    if "what" in rows.columns and "reply" in set(rows["what"]):
        parts.append("whole replies, private parts too: at least what others heard")
    return "; ".join(parts)


def _against_null(chains: Sequence[pl.DataFrame], bits: MetricResult, seed: int) -> dict[str, Any]:
    """Returns null mean, p and whether there are enough rollouts: five for each value of the fact."""
    n_worlds = int(max(chain["n_worlds"].max() for chain in chains))  # type: ignore[type-var]
    reliable = len(chains) >= 5 * n_worlds
    tables = [_posterior_bits(chain) for chain in chains]
    if bits.value is None or any(table is None for table in tables):
        return {"reliable": reliable}
    draws = SeedPath.root(seed).generator("density", "null")
    null = [_shuffled([t for t in tables if t is not None], draws) for _ in range(_N_NULL)]
    p = (1 + sum(value >= bits.value - 1e-12 for value in null)) / (1 + _N_NULL)
    mean = float(np.mean(null)) if all(math.isfinite(value) for value in null) else -math.inf
    return {"null_mean": mean, "p": p, "reliable": reliable}


def _posterior_bits(chain: pl.DataFrame) -> tuple[str, str, Mapping[str, float]] | None:
    """Returns (fact, true value, value -> bits that the messages say for it); None without log-probabilities."""
    if "logp" not in chain.columns:
        return None
    worlds, prior = chain["worlds"][0].to_list(), chain["prior"][0].to_list()
    steps = [[-math.inf if p is None else p for p in row] for row in chain["logp"].to_list()]
    totals = {w: information_density_increments(steps, i, prior)["total"] for i, w in enumerate(worlds)}
    return chain["fact"][0], chain["truth"][0], totals


def _shuffled(tables: Sequence[tuple[str, str, Mapping[str, float]]], draws: Random) -> float:
    """Returns the mean with the true values of each fact dealt anew among the rollouts."""
    values: list[float] = []
    for fact in dict.fromkeys(fact for fact, _, _ in tables):
        of_fact = [(truth, totals) for name, truth, totals in tables if name == fact]
        dealt = [truth for truth, _ in of_fact]
        draws.shuffle(dealt)
        values += [totals[truth] for truth, (_, totals) in zip(dealt, of_fact, strict=True)]
    return math.fsum(values) / len(values) if all(math.isfinite(v) for v in values) else -math.inf


_FIGURES = (("message_bits", "bits"), ("bits_per_token", "bits/token"))

DENSITY: Mapping[str, Metric] = {
    "message_bits": Metric(message_bits, "t2", "bits that messages say about private facts, and per token", _FIGURES)
}
"""Metrics from rows of `density`."""
