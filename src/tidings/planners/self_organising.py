"""The self-organising planner: answers that lie near the middle of all answers speak, those farther away read them.

Each round it embeds the answers, scores each by its closeness to the others' mean (psi), draws the graph in which
higher scores speak to lower ones, and stops at consensus or after `rounds`. It never sees which answer is right.

Source: "Stochastic Self-Organization in Multi-Agent Systems", arXiv 2510.00685 (rule `paper`); rule `released` is that
of the code released with it, without its use of a gold reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tidings.core import ActionSpec, Embedder, Observation, Reply, SeatContext
from tidings.planners.table import Table, allowed_edges, ask_samples, has_rounds, plan_action, read_table, stop_action
from tidings.planners.topology import first_answers, refuse_judging
from tidings.spec.base import Params
from tidings.spec.embedders import EmbedderChoice
from tidings.theory.aggregation import clamped_weights
from tidings.theory.cosine import pairwise_cosines
from tidings.theory.hashing import hashed_vectors
from tidings.theory.shapley import cosine_contributions, exact_shapley, released_contributions
from tidings.theory.topology import contribution_dag, is_consensus, released_dag, select_response

__all__ = ["SelfOrganisingPlanner"]

_MAX_EXACT = 10
_DECIMALS = 6


class SelfOrganisingParams(Params):
    """Settings of the planner `self_organising`."""

    rule: Literal["paper", "released"] = "paper"
    """How the graph is drawn: as the paper says, or as its released code does."""
    tau: Annotated[float, Field(ge=-1, le=1)] = -1.0
    """Least cosine of an edge; -1 turns it off. It does not port between embedders."""
    top_k: Annotated[int, Field(ge=1)] | None = None
    """Most parents of a reader; no cap by default (rule released: 2)."""
    reform: bool = True
    """Whether the graph is drawn anew each round, or kept from the first one."""
    rounds: Annotated[int, Field(ge=0)] | None = None
    """Most rounds of reading; as many as the environment allows by default."""
    consensus: bool = True
    """Whether to stop when all answers are close to each other."""
    min_cosine: Annotated[float, Field(ge=-1, le=1)] = 0.95
    """Consensus: least cosine of any two answers."""
    max_range: Annotated[float, Field(ge=0)] = 0.05
    """Consensus: largest difference of two contributions."""
    embedder: EmbedderChoice = "hashing"
    """What turns answers into vectors: hashed words, the package wordllama, or an OpenAI-compatible server."""


@dataclass(frozen=True)
class _Scores:
    """Answers as vectors `[n_agents, dim]`, their contributions `[n_agents]`, and the graph's edges."""

    vectors: NDArray[np.float64]
    contributions: NDArray[np.float64]
    edges: list[tuple[int, int]]


@dataclass(frozen=True)
class SelfOrganisingPlanner:
    """Draws the graph of each round from the answers of the round before."""

    params: SelfOrganisingParams
    embedder: Embedder | None

    Params: ClassVar[type[Params]] = SelfOrganisingParams
    plays: ClassVar[tuple[str, ...]] = ("deliberation",)

    @classmethod
    def build(cls, params: SelfOrganisingParams, context: SeatContext) -> SelfOrganisingPlanner:
        """Returns the planner."""
        refuse_judging(context, "self_organising")
        return cls(params, context.embedder)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the next round's graph, or the end; the scores it rests on are its thought."""
        if ask_samples(spec):
            return first_answers(observation)
        table = read_table(observation)
        scores = await self._score(table)
        shares = scores.contributions.round(_DECIMALS)
        weights = {seat: float(share) for seat, share in zip(table.seats, shares, strict=True)}
        choice = table.seats[select_response(scores.vectors, clamped_weights(scores.contributions))]
        is_over = not has_rounds(spec) or self._is_over(table, scores)
        pairs = [] if is_over else allowed_edges(spec, self._pairs(table, scores))
        action = stop_action(weights, choice) if is_over else plan_action(pairs, None, weights, choice)
        return Reply(action, (self._thought(scores),))

    async def _score(self, table: Table) -> _Scores:
        texts = [table.texts[seat] for seat in table.seats]
        if self.embedder is None:
            vectors = hashed_vectors(texts)
        else:
            vectors = np.asarray(await self.embedder.embed(texts), dtype=np.float64)
        params = self.params
        if params.rule == "released":
            edges = released_dag(vectors, params.top_k or 2, params.tau)
            return _Scores(vectors, released_contributions(vectors), edges)
        edges = contribution_dag(vectors, params.tau, params.top_k)
        return _Scores(vectors, cosine_contributions(vectors), edges)

    def _is_over(self, table: Table, scores: _Scores) -> bool:
        params = self.params
        if params.rounds is not None and table.round >= params.rounds:
            return True
        shares = scores.contributions
        # After a round only: before it nobody has read anything.
        return params.consensus and table.round > 0 and _agree(scores.vectors, shares, params)

    def _pairs(self, table: Table, scores: _Scores) -> list[tuple[str, str]]:
        if not self.params.reform and table.plans:
            first = table.plans[0]["edges"]
            return [(u, v) for u, v in first if u in table.seats and v in table.seats]
        return [(table.seats[u], table.seats[v]) for u, v in scores.edges]

    def _thought(self, scores: _Scores) -> dict[str, Any]:
        """Returns what the decision rests on: the cosines say all that these rules need of the vectors."""
        vectors = scores.vectors
        phi = exact_shapley(vectors).round(_DECIMALS).tolist() if len(vectors) <= _MAX_EXACT else None
        return {
            "about": "contributions",
            "embedder": "hashing-256" if self.embedder is None else self.embedder.name,
            "rule": self.params.rule,
            "cosines": pairwise_cosines(vectors).round(_DECIMALS).tolist(),
            "contributions": scores.contributions.round(_DECIMALS).tolist(),
            "phi": phi,
            "edges": [list(edge) for edge in scores.edges],
        }


def _agree(vectors: NDArray[np.float64], shares: NDArray[np.float64], params: SelfOrganisingParams) -> bool:
    return is_consensus(vectors, shares, params.min_cosine, params.max_range)
