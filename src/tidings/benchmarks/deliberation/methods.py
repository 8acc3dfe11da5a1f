"""What is compared, as data: a planner and a way to make one answer of many, on the same questions and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidings.core import RequestError

__all__ = ["FULL", "METHODS", "QUICK", "REFERENCE", "Method", "Pool", "scenario_of"]


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name: As the table shows it.
        planner: Kind and settings of the planner's seat.
        aggregation: How answers become one.
        is_matched: Whether its samples are the calls that `REFERENCE` made on the same question and seed.
        needs_model: Whether the planner itself asks the first model.
    """

    name: str
    planner: Mapping[str, Any]
    aggregation: str = "majority"
    is_matched: bool = False
    needs_model: bool = False


REFERENCE = "self_organising"
"""Whose calls self-consistency is matched to."""

_ALL = (
    Method("self_organising", {"kind": "self_organising"}, "psi_vote"),
    Method("self_consistency", {"kind": "self_consistency", "samples": 1}, is_matched=True),
    Method("single", {"kind": "single"}),
    Method("debate", {"kind": "debate"}),
    Method("no_propagation", {"kind": "self_organising", "rounds": 0}, "psi_vote"),
    Method("self_organising_centroid", {"kind": "self_organising"}, "centroid"),
    Method("self_organising_fixed", {"kind": "self_organising", "reform": False}, "psi_vote"),
    Method("self_organising_released", {"kind": "self_organising", "rule": "released"}, "centroid"),
    Method("random", {"kind": "random"}, "psi_vote"),
    *(Method(name, {"kind": "static", "family": name}, "last") for name in ("chain", "complete", "layered")),
    *(Method(name, {"kind": "static", "family": name}) for name in ("star", "tree")),
    Method("dylan", {"kind": "dylan"}, "psi_vote", needs_model=True),
)

METHODS: Mapping[str, Method] = {method.name: method for method in _ALL}
"""Name -> method."""

QUICK = ("self_organising", "self_consistency", "single", "debate")
FULL = tuple(METHODS)


@dataclass(frozen=True)
class Pool:
    """Who answers.

    Attributes:
        models: Language models as `provider/model`, dealt round robin over the seats: a mixed pool if there are many.
        n_agents: Seats.
        rounds: Most rounds of reading.
        agent: Settings of every seat.
        model: Settings of every model.
    """

    models: tuple[str, ...]
    n_agents: int = 5
    rounds: int = 2
    agent: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.models or self.n_agents < 1:
            raise RequestError("--model", "none given", "need provider/model, or several with commas", "--model X")


def scenario_of(
    method: Method, pool: Pool, items: str, n_rollouts: int, seed: int, samples: Sequence[int] = ()
) -> dict[str, Any]:
    """Returns the scenario that plays a method, as it would stand in a file.

    Args:
        method: What is played.
        pool: Who answers.
        items: Path of the items.
        n_rollouts: Questions times seeds.
        seed: Seed of the run; the same one for all methods, so that they share their first draws.
        samples: For a matched method: answers for each rollout.
    """
    planner = dict(method.planner)
    if method.is_matched:
        planner["samples"] = list(samples)
    if method.needs_model:
        planner["model"] = "m0"
    names = [f"m{i}" for i in range(len(pool.models))]
    how = {"kind": "llm", "temperature": 0.7, "always_keep": ["question"], "repairs": 0, **pool.agent}
    agents = [
        {**how, "model": name, "nodes": [f"a{seat}" for seat in range(i, pool.n_agents, len(names))]}
        for i, name in enumerate(names[: pool.n_agents])
    ]
    return {
        "name": f"deliberation-{method.name.replace('_', '-')}",
        "graph": {"kind": "complete", "n": pool.n_agents},
        "agents": agents,
        "models": {name: {"use": use, **pool.model} for name, use in zip(names, pool.models, strict=True)},
        "environment": {
            "kind": "deliberation",
            "items": items,
            "rounds": pool.rounds,
            "aggregation": method.aggregation,
        },
        "planner": planner,
        "rollouts": {"count": n_rollouts, "seed": seed, "on_failure": "abstain", "log": "full"},
    }
