"""A seat that follows a script: no model, no graph. For floors, controls, tests and measurements of speed.

Exactly one of these says what it does:

| parameter | action |
|---|---|
| `actions: [...]` | the n-th action of the list in the seat's n-th turn; `repeat: true` starts over |
| `by_step: {"3": ...}` | the action for the step with that number |
| `function: package.module:function` | the action, `Reply` or awaitable it returns for (observation, spec) |
| `policy: constant`, `value: ...` | always the same action |
| `policy: talk`, `text: ...` | says a text; `{seat}` and `{step}` in it are filled in |
| `policy: random` | any allowed action, drawn from the seat's seed; this is what it does when nothing is said |
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from tidings.core import (
    ActionSpec,
    Observation,
    Reply,
    ReplyError,
    ScenarioError,
    SeatContext,
    StructuredSpec,
    TextSpec,
    draw_action,
)
from tidings.spec.base import Params

__all__ = ["ScriptedAgent", "ScriptedParams"]

Policy = Callable[[Observation, ActionSpec], Any]


class ScriptedParams(Params):
    """Settings of the agent `scripted`."""

    actions: tuple[Any, ...] | None = Field(default=None, min_length=1)
    """Actions in the order of the seat's turns."""
    repeat: bool = False
    """Whether the list of actions starts over at its end; otherwise the seat fails there."""
    by_step: dict[int, Any] | None = None
    """Step -> action; the seat fails at a step that is not named."""
    function: str | None = None
    """package.module:function, called with the observation and the action spec."""
    policy: Literal["constant", "random", "talk"] | None = None
    """A built-in policy; `random` if nothing else is said."""
    value: Any = None
    """For `constant`: the action."""
    text: str = "I have nothing new."
    """For `talk`: what is said; {seat} and {step} are filled in."""

    @model_validator(mode="after")
    def _check_one(self) -> ScriptedParams:
        said = [name for name in ("actions", "by_step", "function", "policy") if getattr(self, name) is not None]
        if len(said) > 1:
            raise ValueError(f"{said[1]}: found beside {said[0]}; need one of actions, by_step, function, policy")
        if self.policy == "constant" and self.value is None:
            raise ValueError("value: missing for policy constant; need the action")
        for name, needs in (("value", "constant"), ("text", "talk")):
            if name in self.model_fields_set and self.policy != needs:
                raise ValueError(f"{name}: found without policy: {needs}; only {needs} uses it")
        if self.repeat and self.actions is None:
            raise ValueError("repeat: found without actions; only a list can start over")
        return self


@dataclass(frozen=True)
class ScriptedAgent:
    """Does what it was told."""

    params: ScriptedParams
    script: Policy  # not `policy`: an agent with that method says that it states its law

    Params: ClassVar[type[Params]] = ScriptedParams

    @classmethod
    def build(cls, params: ScriptedParams, context: SeatContext) -> ScriptedAgent:
        """Returns the agent.

        Raises:
            ScenarioError: If the function does not exist.
        """
        return cls(params, _policy(params))

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the scripted action, checked.

        Raises:
            ReplyError: `script_ended` if the script says nothing for this turn, `not_applicable` if the policy has no
                such answer, or what the spec's check raises.
        """
        action = self.script(observation, spec)
        if inspect.isawaitable(action):
            action = await action
        if isinstance(action, Reply):
            return Reply(spec.check(action.action), action.thoughts)
        return Reply(spec.check(action))


def _policy(params: ScriptedParams) -> Policy:
    if params.actions is not None:
        return _in_turn(params.actions, params.repeat)
    if params.by_step is not None:
        return _by_step(params.by_step)
    if params.function is not None:
        return _load_function(params.function)
    if params.policy == "constant":
        return lambda observation, spec: params.value
    return _talk(params.text) if params.policy == "talk" else _random


def _in_turn(actions: tuple[Any, ...], repeat: bool) -> Policy:
    def policy(observation: Observation, spec: ActionSpec) -> Any:
        seat = observation.seat
        turn = sum(event.kind == "reply" and event.seat == seat for event in observation.private)
        if turn >= len(actions) and not repeat:
            raise ReplyError("script_ended", f"the script has {len(actions)} actions, this is turn {turn + 1}")
        return actions[turn % len(actions)]

    return policy


def _by_step(actions: dict[int, Any]) -> Policy:
    def policy(observation: Observation, spec: ActionSpec) -> Any:
        if observation.step not in actions:
            raise ReplyError("script_ended", f"the script names no action for step {observation.step}")
        return actions[observation.step]

    return policy


def _talk(text: str) -> Policy:
    def policy(observation: Observation, spec: ActionSpec) -> Any:
        said = text.replace("{seat}", observation.seat).replace("{step}", str(observation.step))
        if isinstance(spec, TextSpec):
            return said
        if isinstance(spec, StructuredSpec):
            asked = {name: part for name, part in spec.fields.items() if name not in spec.optional}
            if all(isinstance(part, TextSpec) for part in asked.values()):
                return dict.fromkeys(asked, said)
        raise ReplyError("not_applicable", f"policy talk has no answer to a {type(spec).__name__}")

    return policy


def _random(observation: Observation, spec: ActionSpec) -> Any:
    return draw_action(spec, observation.seed.generator("action"))


def _load_function(path: str) -> Callable[[Observation, ActionSpec], Any | Awaitable[Any]]:
    module_name, _, name = path.partition(":")
    allowed = "need package.module:function"
    if not module_name or not name:
        raise ScenarioError("function", f"found {path!r}", allowed)
    try:
        function = getattr(import_module(module_name), name)
    except AttributeError:
        raise ScenarioError("function", f"{module_name} has no {name!r}", allowed) from None
    except ModuleNotFoundError as error:
        fix = "is it installed, or on PYTHONPATH?"
        raise ScenarioError("function", f"cannot import {module_name!r} ({error})", allowed, fix) from None
    if not callable(function):
        raise ScenarioError("function", f"{path} is a {type(function).__name__}", allowed)
    return function
