"""A seat that says nothing: the floor of every situation in which people may talk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tidings.core import ActionSpec, ChoiceSpec, Observation, Reply, ReplyError, SeatContext, StructuredSpec, TextSpec
from tidings.spec.base import Params

__all__ = ["SilentAgent", "SilentParams"]

_DONE = ("stuck", "complete", "done", "yes", "abstain", "pass")


class SilentParams(Params):
    """The agent `silent` has no settings."""


@dataclass(frozen=True)
class SilentAgent:
    """Leaves empty what may be empty, says that it is done where it is asked, and decides nothing."""

    Params: ClassVar[type[Params]] = SilentParams

    @classmethod
    def build(cls, params: SilentParams, context: SeatContext) -> SilentAgent:
        """Returns the agent."""
        return cls()

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns an empty message.

        Raises:
            ReplyError: `silent` if the turn asks for a decision: there is no default one.
        """
        return Reply(spec.check(_nothing(spec)))


def _nothing(spec: ActionSpec) -> Any:
    if isinstance(spec, TextSpec) and spec.allow_empty:
        return ""
    if isinstance(spec, StructuredSpec) and any(_is_silence(part) for part in spec.fields.values()):
        return {name: _part(part) for name, part in spec.fields.items() if name not in spec.optional}
    raise ReplyError("silent", "a silent seat decides nothing")


def _is_silence(spec: ActionSpec) -> bool:
    return isinstance(spec, TextSpec) and spec.allow_empty


def _part(spec: ActionSpec) -> Any:
    if isinstance(spec, ChoiceSpec):
        done = [option for option in _DONE if option in spec.options]
        # How nothing is said does not matter; that it is said to be done does.
        return done[0] if done else spec.options[0]
    return _nothing(spec)
