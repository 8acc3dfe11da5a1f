"""Settings of the environment `collaboration`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tidings.spec.base import Params

__all__ = ["Channel", "CollaborationParams"]

Channel = Literal["direct", "group", "broadcast"]


class CollaborationParams(Params):
    """Settings of the environment `collaboration`."""

    information: Literal["private", "none", "full"] = "private"
    """`private`: people talk; `none`: the one who answers sees only its own share; `full`: it sees everything."""
    answers: Literal["asker", "partner"] = "asker"
    """Who gives the final answer; `partner` with information none is the row `partner alone`."""
    ballots: Annotated[int, Field(ge=1)] = 1
    """Final answers asked for, one after another, blind to each other: for single agents at equal numbers of calls."""
    anonymous: bool = False
    """Whether people are called Person 1, Person 2, ... in everything that seats read."""
    rounds: Annotated[int, Field(ge=1)] = 10
    """Most rounds; in each one, all who were written to speak at the same time."""
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] = ("direct",)
    """Ways to speak: to each addressee alone, to all addressees together, or to everybody who hears the speaker."""
    depth: Annotated[int, Field(ge=0)] = 0
    """How many steps of recruitment away from the asker a contact may be; 0: nobody is brought in."""
    width: Annotated[int, Field(ge=0)] | None = 3
    """Contacts that each seat may bring in; null for any number."""
    recruit_cost: Annotated[float, Field(ge=0)] = 1.0
    """What bringing in one contact costs."""
    recruit_budget: Annotated[float, Field(ge=0)] | None = None
    """Most that may be spent on bringing in contacts in a rollout; unlimited by default."""
    max_messages: Annotated[int, Field(ge=1)] | None = None
    """Messages after which the talk ends; unlimited by default."""
    patience: Annotated[int, Field(ge=1)] | None = None
    """Rounds in a row without a fact cited that was new to its hearer, after which the talk ends; never by default."""
    max_chars: Annotated[int, Field(ge=1)] = 2000
    """Longest message, in characters."""

    @model_validator(mode="after")
    def _check_answers(self) -> CollaborationParams:
        if self.answers == "partner" and self.information == "private":
            raise ValueError("answers: found 'partner' with information private; allowed: with none or full")
        if len(set(self.channels)) < len(self.channels):
            raise ValueError(f"channels: found {list(self.channels)}; allowed: each once")
        return self
