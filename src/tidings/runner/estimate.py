"""What a scenario will ask of its models, before anything is asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from tidings.core import PLANNER, Reply, draw_action
from tidings.models.session import ModelSession
from tidings.simulation.compile import compile_scenario, deal_seats
from tidings.spec.graphs import to_social_graph
from tidings.spec.scenario import Scenario

__all__ = ["Estimate", "ModelEstimate", "estimate_calls"]

_CHARS_PER_TOKEN = 4.0
_SAMPLE = 3
_MAX_TOKENS = 256


@dataclass(frozen=True)
class ModelEstimate:
    """What one model will be asked.

    Attributes:
        name: Its name in the scenario.
        calls: Calls, without repairs and retries.
        tokens_in: Prompt tokens, at four characters a token.
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
            return f"{self.rollouts} rollouts, no model calls"
        lines = [
            f"{m.name}: about {m.calls} calls, {m.tokens_in} tokens in, at most {m.tokens_out} out, "
            + ("price not given (set price_in and price_out)" if m.usd is None else f"${m.usd:.2f}")
            for m in self.models
        ]
        return "\n".join([*lines, "without repairs and retries; tokens at four characters each"])


def estimate_calls(scenario: Scenario) -> Estimate:
    """Returns what the scenario will ask of its models, from a few rollouts with random actions. Makes no call."""
    session = ModelSession(scenario)
    compiled = compile_scenario(scenario, session.make)
    social = to_social_graph(compiled.graph)
    model_of = {seat: group.model for seat, group, *_ in deal_seats(scenario, social) if group.model}
    if scenario.planner.model:
        model_of[PLANNER] = scenario.planner.model
    calls: dict[str, float] = {}
    chars: dict[str, float] = {}
    n = min(_SAMPLE, scenario.rollouts.count)
    for rollout in range(n if model_of else 0):
        play, rng = compiled.play(rollout), Random(rollout)
        play.open()
        while turns := play.due():
            for turn in turns:
                if name := model_of.get(turn.seat):
                    seen = compiled.environment.brief(turn.seat), *_lines(compiled, play, turn.seat)
                    n_calls = getattr(compiled.agents[turn.seat], "calls_per_turn", 1)
                    calls[name] = calls.get(name, 0) + n_calls
                    chars[name] = chars.get(name, 0) + n_calls * (sum(map(len, seen)) + 400)
            play.advance({turn.seat: Reply(draw_action(turn.spec, rng)) for turn in turns})
    scale = scenario.rollouts.count / max(n, 1)
    return Estimate(
        tuple(_model(session, name, calls[name] * scale, chars[name] * scale) for name in calls),
        scenario.rollouts.count,
    )


def _lines(compiled: Any, play: Any, seat: str) -> list[str]:
    return [compiled.environment.describe(event, seat) for event in play.observe(seat).events]


def _model(session: ModelSession, name: str, calls: float, chars: float) -> ModelEstimate:
    guard = session.guard(name)
    tokens_in, tokens_out = round(chars / _CHARS_PER_TOKEN), round(calls * (guard.params.max_tokens or _MAX_TOKENS))
    usd = guard.price.cost_usd(tokens_in, tokens_out) if guard.price.is_known else None
    return ModelEstimate(name, round(calls), tokens_in, tokens_out, usd)
