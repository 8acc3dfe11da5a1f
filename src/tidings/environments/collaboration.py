"""Collaboration under information asymmetry: people who each hold a part must talk to answer a question.

Rollout r plays item r modulo their number (`environment.items`): an asker, perhaps a partner, what each person holds,
and a question. In every round all who were written to speak at the same time; messages go along edges of the social
graph only. Whoever writes to a contact who is not in the conversation yet brings that contact in, down to `depth` steps
from the asker and to `width` contacts a seat, at a cost. When both sides are done, or nobody learns anything, or the
rounds are spent, the asker gives the final answer and the ids of the facts it rests on.

| event | audience | data |
|---|---|---|
| `item` | nobody | `id`, `type`, `asked`, `evidence`, `gold` |
| `archive` | nobody | `sha256`, `n_lines` |
| `fact_declared` | nobody | see `docs/design/003-facts-messages-items.md` |
| `fact` | one holder | `fact`, `value`, `name` (who said it), `time` |
| `task` | who is asked or brought in | `question`, `options`, `you`, `contacts`, perhaps `partner`, `routes`, `from` |
| `recruited` | opener and contact | `opener`, `depth`, `cost` |
| `message` | the sender and those addressed who hear it | `text`, `to`, `channel`, `round`, `claims` |
| `refused` | the sender | `name`, `reason` |
| `unknown_citation` | nobody | `facts` that the sender cites but does not know |
| `stop` | nobody | `reason`, `rounds`, `messages`, `recruited`, `cost` |
| `answer` | who answers | `answer`, `evidence` |

What was said before may lie in an archive (`environment.archive`) instead of the items: each seat looks its own share
up through its memory, and the log holds the archive's hash, the lines somebody cited, and what each seat looked up, as
that seat's own thoughts.

Source: the setting of iAgents (arXiv 2406.14928), with typed actions in place of its prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

from tidings.core import (
    NOBODY,
    ActionSpec,
    Archive,
    ChoiceSpec,
    Event,
    Reply,
    ScenarioError,
    SeedPath,
    SocialGraph,
    StructuredSpec,
    TextSpec,
    Transition,
    Turn,
    World,
)
from tidings.environments.collaboration_events import opening_events
from tidings.environments.collaboration_items import Item, Library, anonymise, anonymise_archive, read_items_of
from tidings.environments.collaboration_params import CollaborationParams
from tidings.environments.collaboration_round import Round, split_ids, stop_data
from tidings.environments.collaboration_state import COMPLETE, GO_ON, STUCK, Conversation, Member
from tidings.environments.collaboration_words import brief_words, describe_event
from tidings.spec.base import Params

__all__ = ["Collaboration"]

_MAX_ANSWER = 400
_MOST_NAMED = 2000
"""Characters in which a turn names contacts and fact ids, however short messages must be."""


@dataclass(frozen=True)
class Collaboration:
    """Rules of collaboration."""

    params: CollaborationParams
    graph: SocialGraph
    items: tuple[Item, ...]
    library: Library

    Params: ClassVar[type[Params]] = CollaborationParams

    @classmethod
    def build(cls, params: CollaborationParams, world: World) -> Collaboration:
        """Returns the environment on this graph.

        Raises:
            ScenarioError: If the scenario has a planner or no items, or a partner is to answer where there is none.
            DataError: If an item is malformed, or its evidence is held by nobody who is asked.
        """
        if world.has_planner:
            raise ScenarioError("planner.kind", "the environment collaboration has no planner's turn", "allowed: none")
        if not world.items:
            raise ScenarioError("environment.items", "found none", "a file of items, or a list", "see docs")
        rows, archive = world.items, world.archive
        if params.anonymous:
            archive = anonymise_archive(archive, rows, world.graph)
            rows = tuple(map(anonymise, rows))
        library = Library.of(archive)
        items = read_items_of(rows, world.graph, library)
        for i, item in enumerate(items):
            if params.answers == "partner" and item.partner is None:
                found = f"found 'partner', and items[{i}] has no partner"
                raise ScenarioError("environment.answers", found, "allowed: asker", "name a partner in asked")
        return cls(params, world.graph, items, library)

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats."""
        return self.graph.seats

    @property
    def archive(self) -> Archive:
        """The archive as seats read it: where people are anonymous, without their names."""
        return self.library.archive

    def reads_archive(self, seat: str) -> Literal["own", "all"]:
        """Returns whose lines of the archive a seat may look up."""
        return "all" if self.params.information == "full" else "own"

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening: the task for those who are asked, and each fact for those who hold it."""
        number = rollout % len(self.items)
        item = self.items[number]
        events = list(opening_events(self.params, item, self.library, self._answerer(item)))
        members = {item.asker: Member(0, None)}
        partners: tuple[str, ...] = ()
        if item.partner is not None and item.has_open_line:
            members[item.partner] = Member(1, item.asker)
            partners = (item.partner,)
        declared = frozenset(line for ids in item.params.evidence for line in ids if line in self.library.lines)
        state = Conversation(number, members, {item.asker: partners}, {}, declared)
        if self.params.information != "private":
            state = state._replace(stop="no talk", due={})
            events.append(Event("stop", NOBODY, stop_data("no talk", state)))
        return Transition(state, tuple(events))

    def turns(self, state: Conversation) -> tuple[Turn, ...]:
        """Returns the turns of all who are to speak, or that of the final answer."""
        if state.n_asked == self.params.ballots:
            return ()
        item = self.items[state.item]
        if state.stop:
            return (Turn(self._answerer(item), self._answer_spec(item.params.options)),)
        return tuple(Turn(seat, self._talk_spec(self._may_choose(seat, state))) for seat in state.due)

    def apply(self, state: Conversation, replies: Mapping[str, Reply]) -> Transition:
        """Returns the messages of a round, or the final answer."""
        item = self.items[state.item]
        if state.stop:
            answerer = self._answerer(item)
            asked = state._replace(n_asked=state.n_asked + 1)
            return Transition(asked, _answer_events(answerer, replies[answerer]))
        played = Round(self.params, item, self.library, state)
        played.play(replies)
        return Transition(played.state, tuple(played.events))

    def brief(self, seat: str) -> str:
        """Returns the rules in words."""
        return brief_words(self.params)

    def describe(self, event: Event, seat: str) -> str:
        """Returns one line of words for what a seat may see."""
        return describe_event(event, seat)

    def _answerer(self, item: Item) -> str:
        return item.partner if self.params.answers == "partner" and item.partner else item.asker

    def _may_choose(self, seat: str, state: Conversation) -> bool:
        """Returns whether a seat can reach anybody else than the one it talks to."""
        contacts = self.graph.hearers.get(seat, ())
        reachable = sum(other in state.members for other in contacts)
        member = state.members[seat]
        may_recruit = member.depth < self.params.depth and self.params.width != 0
        return reachable > 1 or (may_recruit and reachable < len(contacts))

    def _answer_spec(self, options: tuple[str, ...]) -> ActionSpec:
        question = "What is the answer to the question?"
        answer = ChoiceSpec(options, question) if options else TextSpec(_MAX_ANSWER, f"{question} Be short.")
        rests = TextSpec(_MAX_ANSWER, "On which facts does it rest? Give their ids, with commas.", allow_empty=True)
        return StructuredSpec({"answer": answer, "evidence": rests}, optional=frozenset({"evidence"}))

    def _talk_spec(self, may_choose: bool) -> ActionSpec:
        return self._talk_specs[may_choose]

    @cached_property
    def _talk_specs(self) -> tuple[ActionSpec, ActionSpec]:
        return _talk_spec(self.params, False), _talk_spec(self.params, True)


def _talk_spec(params: CollaborationParams, may_choose: bool) -> ActionSpec:
    n_named = max(params.max_chars, _MOST_NAMED)
    say = "What do you say? Answer what you were asked, then ask for what you still need."
    fields: dict[str, ActionSpec] = {"say": TextSpec(params.max_chars, say, allow_empty=True)}
    if may_choose:
        words = "To whom? Names of your contacts, with commas; leave it out to answer those who wrote to you."
        fields["to"] = TextSpec(n_named, words, allow_empty=True)
    if len(params.channels) > 1:
        fields["channel"] = ChoiceSpec(params.channels, "To each of them alone, to all of them, or to every contact?")
    cites = "Which facts do you tell in it? Give their ids, with commas."
    fields["cites"] = TextSpec(n_named, cites, allow_empty=True)
    side = "Does your side need more talk, is its knowledge complete, or is it stuck?"
    fields["side"] = ChoiceSpec((GO_ON, COMPLETE, STUCK), side)
    return StructuredSpec(fields, optional=frozenset({"to", "cites"}))


def _answer_events(seat: str, reply: Reply) -> tuple[Event, ...]:
    if reply.failure:
        return ()
    evidence = list(split_ids(reply.action.get("evidence", "")))
    return (Event("answer", (seat,), {"answer": reply.action["answer"], "evidence": evidence}, seat),)
