"""DyLAN in the planner's seat: all read the active agents' last answers; a ranker keeps the best; agreement ends it.

After each round the answers are ranked; the `keep` best stay active, and only their answers are read further. An
agent's importance is the mean of its scores over the rounds, and weighs its answer in the vote. It is over as soon as
more than two thirds of the answers that stand agree on an *extracted* answer.

Deviation from the paper: one ranking of all answers takes the place of the ratings that agents give each other, and its
scores the place of the importance propagated backwards through these ratings.

Source: Liu et al. 2023, "Dynamic LLM-Agent Network", arXiv 2310.02170.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from tidings.core import (
    ActionSpec,
    CallKey,
    LanguageModel,
    ModelRequest,
    Observation,
    PromptMessage,
    Reply,
    ReplyError,
    ScenarioError,
    SeatContext,
)
from tidings.planners.table import Table, allowed_edges, ask_samples, has_rounds, plan_action, read_table, stop_action
from tidings.planners.topology import first_answers, refuse_judging
from tidings.spec.base import Params
from tidings.theory.aggregation import clamped_weights
from tidings.theory.hashing import hashed_vectors
from tidings.theory.shapley import cosine_contributions

__all__ = ["DylanPlanner"]

_DECIMALS = 6
_MAX_SHOWN = 2000


class DylanParams(Params):
    """Settings of the planner `dylan`."""

    keep: Annotated[int, Field(ge=1)] = 2
    """How many agents stay active after a round."""
    agreement: Annotated[float, Field(gt=0, lt=1)] = 2 / 3
    """It is over when more than this share of the answers says the same."""
    ranker: Literal["model", "contributions"] = "model"
    """Who ranks: the planner's language model by choice, or closeness to the mean answer (no call)."""
    rounds: Annotated[int, Field(ge=0)] | None = None
    """Most rounds of reading; as many as the environment allows by default."""


@dataclass(frozen=True)
class DylanPlanner:
    """Keeps the agents whose answers rank highest."""

    params: DylanParams
    model: LanguageModel | None

    Params: ClassVar[type[Params]] = DylanParams
    plays: ClassVar[tuple[str, ...]] = ("deliberation",)

    @classmethod
    def build(cls, params: DylanParams, context: SeatContext) -> DylanPlanner:
        """Returns the planner.

        Raises:
            ScenarioError: If the ranker is a model and there is none that answers by choice.
        """
        refuse_judging(context, "dylan")
        if params.ranker == "model" and (context.model is None or "choice" not in context.model.kinds):
            found = "none given" if context.model is None else f"{context.model.name} gives no probabilities"
            fix = "or set planner.ranker: contributions"
            raise ScenarioError("planner.model", found, "need a model that answers by choice", fix)
        return cls(params, context.model if params.ranker == "model" else None)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the next round's graph of last answers, or the end.

        Raises:
            ReplyError: If the ranker gave no probabilities.
            ModelError: If its call failed for good.
        """
        if ask_samples(spec):
            return first_answers(observation)
        table = read_table(observation)
        may_go_on = has_rounds(spec)
        scores = await self._rank(observation, table)
        earlier = [e.data for e in observation.events if e.kind == "thought" and e.data.get("about") == "ranking"]
        active = self._active(table, scores, set(earlier[-1]["active"]) if earlier else None)
        # Seats were all there from the beginning: one that fails later keeps its answer.
        history = [*(part["scores"] for part in earlier), scores]
        weights = {seat: round(float(np.mean([part[seat] for part in history])), _DECIMALS) for seat in table.seats}
        thought = {"about": "ranking", "scores": scores, "active": sorted(active), "by": self._ranker}
        rounds = self.params.rounds
        is_last = rounds is not None and table.round >= rounds
        if not may_go_on or is_last or self._is_agreed(table):
            return Reply(stop_action(weights), (thought,))
        edges = [(u, v) for u in table.seats if u in active for v in table.seats if u != v and v in active]
        return Reply(plan_action([], allowed_edges(spec, edges), weights), (thought,))

    @property
    def _ranker(self) -> str:
        return "contributions" if self.model is None else self.model.name

    def _active(self, table: Table, scores: Mapping[str, float], before: set[str] | None) -> set[str]:
        """Returns who stays: all before the first round, then the best of those who were active."""
        if before is None:
            return set(table.seats)
        ranked = sorted((seat for seat in table.seats if seat in before), key=lambda seat: -scores[seat])
        return set(ranked[: self.params.keep])

    def _is_agreed(self, table: Table) -> bool:
        counts = Counter(key for key in table.keys.values() if key is not None)
        return bool(counts) and max(counts.values()) > self.params.agreement * len(table.seats)

    async def _rank(self, observation: Observation, table: Table) -> dict[str, float]:
        """Returns a score in [0, 1] for each seat; they sum to 1."""
        if self.model is None:
            psi = clamped_weights(cosine_contributions(hashed_vectors([table.texts[seat] for seat in table.seats])))
            shares = psi / psi.sum()
        else:
            shares = np.asarray(await self._ask(observation, table, self.model))
        return {seat: round(float(share), _DECIMALS) for seat, share in zip(table.seats, shares, strict=True)}

    async def _ask(self, observation: Observation, table: Table, model: LanguageModel) -> list[float]:
        # One answer needs no ranking, and a choice of one says nothing.
        if len(table.seats) == 1:
            return [1.0]
        if len(table.seats) > len(ascii_uppercase):
            raise ReplyError("too_many", f"{len(table.seats)} answers; a ranking has letters for 26")
        labels = tuple(ascii_uppercase[: len(table.seats)])
        key = CallKey(observation.rollout, observation.seat, observation.step, 0)
        prompt = PromptMessage("user", _ranking_text(table, labels))
        request = ModelRequest(key, (prompt,), "choice", labels, max_tokens=4, seed=observation.seed.child("call").key)
        response = await model.respond(request)
        given: Any = response.probabilities or ()
        if len(given) != len(labels) or not sum(given) > 0:
            raise ReplyError("no_probabilities", f"{response.model} gave no probabilities for {len(labels)} answers")
        return [p / sum(given) for p in given]


def _ranking_text(table: Table, labels: tuple[str, ...]) -> str:
    shown = [f"{label}) {table.texts[seat][:_MAX_SHOWN]}" for label, seat in zip(labels, table.seats, strict=True)]
    question = f"Question: {table.question['text']}"
    ask = f"Which answer is the best one? Answer with one of {', '.join(labels)} and nothing else."
    return "\n\n".join([question, *shown, ask])
