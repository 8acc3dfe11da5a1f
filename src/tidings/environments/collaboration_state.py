"""Where a collaboration stands: who is in the conversation, who has something to answer, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["COMPLETE", "GO_ON", "STUCK", "Conversation", "Member", "Tally"]

GO_ON, COMPLETE, STUCK = "go on", "complete", "stuck"
"""What a speaker says of its own side: needs more talk, knows all it needs, or learns nothing new any more."""


class Member(NamedTuple):
    """Somebody in the conversation.

    Attributes:
        depth: Steps of recruitment from the asker: the asker 0, the partner and whom the asker recruits 1, and so on.
        opener: Who brought this seat in; None for the asker.
        side: What it said last of its own side.
        n_recruited: Contacts it has brought in.
    """

    depth: int
    opener: str | None
    side: str = GO_ON
    n_recruited: int = 0


class Tally(NamedTuple):
    """What the conversation has cost so far.

    Attributes:
        rounds: Rounds spoken.
        messages: Messages delivered, counted once per addressee.
        recruited: Contacts brought in.
        cost: What that cost.
        quiet: Rounds since somebody was last told a fact that was new to them.
    """

    rounds: int = 0
    messages: int = 0
    recruited: int = 0
    cost: float = 0.0
    quiet: int = 0


class Conversation(NamedTuple):
    """The state of a rollout.

    Attributes:
        item: Position of the item that is played.
        members: Seat -> its place in the conversation.
        due: Seats that are to speak -> those who wrote to them since they last spoke.
        told: Seat -> ids of facts that messages told it.
        declared: Ids of facts of the archive that are in the log.
        tally: Costs so far.
        stop: Why the talk is over; empty while it goes on.
        n_asked: How often the final answer was asked for.
    """

    item: int
    members: Mapping[str, Member]
    due: Mapping[str, tuple[str, ...]]
    told: Mapping[str, frozenset[str]]
    declared: frozenset[str]
    tally: Tally = Tally()
    stop: str = ""
    n_asked: int = 0
