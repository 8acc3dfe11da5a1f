"""What a scenario will ask of its models, before anything is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from tidings.core import (
    PLANNER,
    ActionSpec,
    CallKey,
    LanguageModel,
    MissingPartError,
    ModelRequest,
    ModelResponse,
    PromptMessage,
    Reply,
    SeatError,
    StructuredSpec,
    TextSpec,
    Turn,
    draw_action,
)
from tidings.core.calls import RequestKind
from tidings.models.budget import estimate_tokens_in
from tidings.models.guard import GuardedModel
from tidings.models.scripted import ScriptedModel, ScriptedParams
from tidings.models.session import ModelSession
from tidings.runner.sweeps import checked_variants
from tidings.simulation.compile import Compiled, compile_scenario, deal_seats
from tidings.simulation.play import Play
from tidings.spec.graphs import to_social_graph
from tidings.spec.scenario import Scenario

__all__ = ["Estimate", "ModelEstimate", "estimate_calls"]

_CHARS_PER_TOKEN = 4
_SAMPLE = 3
_NOT_RUN = ("human", "langgraph")


@dataclass(frozen=True)
class ModelEstimate:
    """What one model will be asked.

    Attributes:
        name: Its name in the scenario.
        calls: Calls, without repairs and retries.
        tokens_in: Prompt tokens, as the caps of a run count them before a model has: rather too many.
        tokens_out: Answer tokens if every answer is as long as allowed (an upper end).
        usd: Price; None if no price is given.
    """

    name: str
    calls: int
    tokens_in: int
    tokens_out: int
    usd: float | None


@dataclass(frozen=True)
class Estimate:
    """What a scenario will ask of all its models."""

    models: tuple[ModelEstimate, ...]
    rollouts: int

    def to_json(self) -> dict[str, Any]:
        """Returns the estimate as JSON values."""
        return {"rollouts": self.rollouts, "models": [asdict(model) for model in self.models]}

    def text(self) -> str:
        """Returns the estimate in words."""
        if not self.models:
            return f"{self.rollouts:,} rollout{'s' * (self.rollouts != 1)}, no model calls"
        lines = [
            f"{m.name}: about {m.calls:,} calls, {m.tokens_in:,} tokens in, at most {m.tokens_out:,} out, "
            + ("price not given (set price_in and price_out)" if m.usd is None else f"${m.usd:,.2f}")
            for m in self.models
        ]
        return "\n".join(
            [*lines, "without repairs and retries; tokens in are counted at three bytes each, rather too many"]
        )


def estimate_calls(scenario: Scenario, n_sample: int = _SAMPLE) -> Estimate:
    """Returns what the scenario will ask of its models. Makes no call.

    A few rollouts are played by the scenario's own seats, whose models only count what they are asked and answer with a
    draw from what is allowed. So several calls a turn (reasoning, one question for each field, look-ups, a planner's)
    are counted as they will be made. A seat with a graph of one's own is not run, since its nodes may do anything: it
    counts as one call a turn. A sweep takes what all its variants take together.

    Args:
        scenario: The scenario.
        n_sample: Rollouts that are played for it, at most.

    Raises:
        ScenarioError: If parts of the scenario do not fit together.
    """
    if scenario.sweep:
        return _total([estimate_calls(variant.scenario, n_sample) for variant in checked_variants(scenario)])
    counters: dict[str, _CountingModel] = {}
    session = ModelSession(scenario)

    def make(name: str, build: Callable[[], LanguageModel], settings: Mapping[str, Any]) -> LanguageModel:
        try:
            session.make(name, build, settings)
        except MissingPartError:  # no key or no weights yet: what it will be asked is known all the same
            session.make(name, lambda: ScriptedModel(name, ScriptedParams()), settings)
        counters[name] = _CountingModel(session.guard(name))
        return counters[name]

    compiled = compile_scenario(scenario, make)
    n = min(n_sample, scenario.rollouts.count) if counters else 0
    asyncio.run(_play(_Table(compiled, counters), n))
    scale = scenario.rollouts.count / max(n, 1)
    return Estimate(tuple(_scaled(name, counter, scale) for name, counter in counters.items()), scenario.rollouts.count)


def _total(parts: list[Estimate]) -> Estimate:
    by_name: dict[str, list[ModelEstimate]] = {}
    for model in (model for part in parts for model in part.models):
        by_name.setdefault(model.name, []).append(model)
    return Estimate(
        tuple(
            ModelEstimate(
                name,
                sum(m.calls for m in models),
                sum(m.tokens_in for m in models),
                sum(m.tokens_out for m in models),
                None if any(m.usd is None for m in models) else sum(m.usd or 0.0 for m in models),
            )
            for name, models in by_name.items()
        ),
        sum(part.rollouts for part in parts),
    )


async def _play(table: _Table, n_rollouts: int) -> None:
    for rollout in range(n_rollouts):
        await table.play(rollout)


class _CountingModel:
    """Stands in for a model: answers with a draw from what the seat may do, and counts what it is asked."""

    def __init__(self, guard: GuardedModel) -> None:
        self.guard, self.calls, self.tokens_in, self.tokens_out = guard, 0, 0, 0
        self.turns: dict[str, ActionSpec] = {}
        self._script = ScriptedModel(guard.name, ScriptedParams())

    @property
    def name(self) -> str:
        return self.guard.name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        return self.guard.kinds

    async def respond(self, request: ModelRequest) -> ModelResponse:
        request = self.guard.params.apply(request)
        self.count(request)
        spec = self.turns[request.key.seat]
        if request.kind != "text":
            return await self._script.respond(request)
        action = _draw(spec, Random(request.seed), request.max_tokens)
        text = action if isinstance(action, str) else json.dumps(action)
        return ModelResponse(text, self.name, 0, 0)

    def count(self, request: ModelRequest) -> None:
        """Adds one call; a choice is answered with one token."""
        self.calls += 1
        self.tokens_in += estimate_tokens_in(request)
        self.tokens_out += request.max_tokens if request.kind in ("text", "json") else 1

    async def close(self) -> None:
        """Has nothing to close."""


class _Table:
    """Who sits where, and what stands in for each seat's model."""

    def __init__(self, compiled: Compiled, counters: Mapping[str, _CountingModel]) -> None:
        self._compiled = compiled
        scenario, social = compiled.scenario, to_social_graph(compiled.graph)
        self._seats = {seat: (group.kind, group.model) for seat, group, *_ in deal_seats(scenario, social)}
        self._seats[PLANNER] = (scenario.planner.kind, scenario.planner.model)
        self._counters = counters

    async def play(self, rollout: int) -> None:
        """Plays one rollout."""
        play, rng = self._compiled.play(rollout), Random(rollout)
        play.open()
        while turns := play.due():
            play.advance({turn.seat: await self._reply(play, turn, rng) for turn in turns})

    async def _reply(self, play: Play, turn: Turn, rng: Random) -> Reply:
        """Returns what the seat answers; a draw where it is not run, or could not use what the counting model said."""
        kind, model = self._seats[turn.seat]
        counter = self._counters.get(model or "")
        if counter is not None:
            counter.turns[turn.seat] = turn.spec
        if kind in _NOT_RUN:
            if counter is not None:
                counter.count(self._one_request(play, turn))
            return Reply(draw_action(turn.spec, rng))
        try:
            reply = await self._compiled.agents[turn.seat].act(play.observe(turn.seat), turn.spec)
            return Reply(turn.spec.check(reply.action), reply.thoughts)
        except SeatError:
            return Reply(draw_action(turn.spec, rng))

    def _one_request(self, play: Play, turn: Turn) -> ModelRequest:
        environment, seen = self._compiled.environment, play.observe(turn.seat)
        lines = [environment.describe(event, turn.seat) for event in seen.events]
        text = "\n".join([environment.brief(turn.seat), *lines])
        return ModelRequest(CallKey(seen.rollout, seen.seat, seen.step, 0), (PromptMessage("user", text),))


def _draw(spec: ActionSpec, rng: Random, max_tokens: int) -> Any:
    """Returns an allowed action whose texts are half as long as they may be: prompts grow with what is said."""
    if isinstance(spec, TextSpec):
        n_chars = max(1, min(spec.max_chars, max_tokens * _CHARS_PER_TOKEN) // 2)
        return ("word " * (n_chars // 5 + 1))[:n_chars].strip()
    if isinstance(spec, StructuredSpec):
        return {name: _draw(part, rng, max_tokens) for name, part in spec.fields.items()}
    return draw_action(spec, rng)


def _scaled(name: str, counter: _CountingModel, scale: float) -> ModelEstimate:
    tokens_in, tokens_out = round(counter.tokens_in * scale), round(counter.tokens_out * scale)
    price = counter.guard.price
    usd = price.cost_usd(tokens_in, tokens_out) if price.is_known else None
    return ModelEstimate(name, round(counter.calls * scale), tokens_in, tokens_out, usd)
