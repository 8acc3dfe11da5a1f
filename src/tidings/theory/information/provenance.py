"""The ledger of facts in figures: how far each came, how fast, how faithfully, and whom it should not have reached."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tidings.theory.information.fact_trace import FactTrace, trace_facts

__all__ = ["fact_flow"]

_GLOBAL = "_global"


def fact_flow(log: Mapping[str, Any]) -> dict[Any, dict[str, Any]]:
    """Returns the provenance figures of each fact, and of the whole log under `_global`.

    Per fact:
        coverage: Share of agents that know at t = 0..t_max, t_max the time of the last message `[t_max + 1]`.
        coverage_final: Its last entry.
        t_half: First t with coverage >= 1/2; None if never.
        mentions: Number of (message, fact) pairs.
        deliveries_useful, deliveries_redundant: Deliveries to agents that did not know, that knew.
        redundancy: redundant / (useful + redundant); NaN without deliveries.
        distortion_events: Mentions by knowers that state something else than their belief.
        distortion_rate: distortion_events / mentions by knowers; NaN without such mentions.
        unsupported_mentions: Mentions by senders that do not know.
        leak_deliveries, leaked_to: Deliveries outside `visibility`; their distinct recipients by time of first leak.
        depth, breadth, structural_virality: Of the (largest) first-exposure tree; all None if a knower's chain does not
            end at an owner.
        n_roots: Number of owners.
        wrong_belief_holders: Sorted agents that were first told something else than the truth.

    `_global`: tokens of all messages, novel_fact_bits_delivered = sum of bits x useful deliveries, and
    novel_fact_bits_per_token; NaN at 0 tokens.

    The list `coverage` takes 8 bytes per fact and unit of time; use `trace_facts` for clocks of millions of ticks.

    Args:
        log: Mapping with `agents`, `facts` and `messages`, see `fact_trace`.

    Raises:
        ValueError: As `trace_facts`; no agents, a negative number of tokens, or a fact called `_global`.
    """
    traces = trace_facts(log)
    n_agents = len(set(log["agents"]))
    if n_agents == 0:
        raise ValueError("log.agents: none; allowed is at least one agent")
    if _GLOBAL in traces:
        raise ValueError(f"log.facts: a fact called {_GLOBAL!r}; allowed is any other id; rename it")
    t_max = max((int(message["t"]) for message in log["messages"]), default=0)
    flow = {fact_id: _figures(trace, n_agents, t_max) for fact_id, trace in traces.items()}
    flow[_GLOBAL] = _totals(log, traces)
    return flow


def _figures(trace: FactTrace, n_agents: int, t_max: int) -> dict[str, Any]:
    shape = trace.tree()
    n_by_knowers = trace.n_mentions - len(trace.unsupported)
    return {
        "coverage": trace.coverage(n_agents, t_max),
        "coverage_final": len(trace.since) / n_agents,
        "t_half": trace.time_to_half(n_agents),
        "mentions": trace.n_mentions,
        "deliveries_useful": trace.n_useful,
        "deliveries_redundant": trace.n_redundant,
        "redundancy": _share(trace.n_redundant, trace.n_useful + trace.n_redundant),
        "distortion_events": len(trace.distortions),
        "distortion_rate": _share(len(trace.distortions), n_by_knowers),
        "unsupported_mentions": len(trace.unsupported),
        "leak_deliveries": len(trace.leaks),
        "leaked_to": list(dict.fromkeys(recipient for _, recipient in trace.leaks)),
        "depth": shape.depth if shape else None,
        "breadth": shape.breadth if shape else None,
        "structural_virality": shape.virality if shape else None,
        "n_roots": len(trace.owners),
        "wrong_belief_holders": _wrong_belief_holders(trace),
    }


def _wrong_belief_holders(trace: FactTrace) -> list[Any]:
    holders: list[Any] = [agent for agent, belief in trace.belief.items() if belief != trace.truth]
    return sorted(holders)


def _totals(log: Mapping[str, Any], traces: Mapping[Any, FactTrace]) -> dict[str, Any]:
    for message in log["messages"]:
        if not message["tokens"] >= 0:
            raise ValueError(
                f"message {message['msg_id']!r}: tokens {message['tokens']!r}; allowed are counts from 0 up"
            )
    tokens = sum(message["tokens"] for message in log["messages"])
    bits = math.fsum(trace.bits * trace.n_useful for trace in traces.values())
    return {
        "tokens": tokens,
        "novel_fact_bits_delivered": bits,
        "novel_fact_bits_per_token": _share(bits, tokens),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
