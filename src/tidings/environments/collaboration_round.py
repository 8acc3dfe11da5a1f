"""One round of talk: messages along edges, contacts brought in, facts cited, and whether the talk is over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tidings.core import CITABLE_ID, NOBODY, Event, Reply, deliver
from tidings.environments.collaboration_events import archive_fact, declare_line, task_event
from tidings.environments.collaboration_items import Item, Library, fold
from tidings.environments.collaboration_params import CollaborationParams
from tidings.environments.collaboration_state import COMPLETE, GO_ON, STUCK, Conversation, Member

__all__ = ["Round", "split_ids"]

_ALL = ("all", "everybody", "everyone")


def split_ids(text: str) -> tuple[str, ...]:
    """Returns the fact ids in a text: words apart by commas, spaces or brackets, each once."""
    return tuple(dict.fromkeys(CITABLE_ID.findall(text)))


class Round:
    """Works out what follows from the replies of one round; its result is `state` and `events`.

    Attributes:
        state: The conversation, after `play` the new one.
        events: What happened.
    """

    def __init__(self, params: CollaborationParams, item: Item, library: Library, state: Conversation) -> None:
        """Starts from a state.

        Args:
            params: The rules.
            item: What is played.
            library: The archive.
            state: Where it stands.
        """
        self._params, self._item, self._library = params, item, library
        self.state = state
        self.events: list[Event] = []
        self._members = dict(state.members)
        self._told = dict(state.told)
        self._declared = set(state.declared)
        self._tally = state.tally._replace(rounds=state.tally.rounds + 1)
        self._due: dict[str, list[str]] = {}
        self._is_news = False

    def play(self, replies: Mapping[str, Reply]) -> None:
        """Takes the replies of all who were due, in order."""
        for seat, reply in replies.items():
            member = self._members[seat]
            if reply.failure:
                self._members[seat] = member._replace(side=STUCK)
                continue
            self._members[seat] = member._replace(side=reply.action["side"])
            if reply.action["say"].strip():
                self._speak(seat, reply.action)
        quiet = 0 if self._is_news else self._tally.quiet + 1
        self._tally = self._tally._replace(quiet=quiet)
        order = {seat: i for i, seat in enumerate(self._item.graph.seats)}
        due = {seat: tuple(self._due[seat]) for seat in sorted(self._due, key=order.__getitem__)}
        told, declared = dict(self._told), frozenset(self._declared)
        self.state = Conversation(self.state.item, dict(self._members), due, told, declared, self._tally)
        if stop := self._stop():
            self.state = self.state._replace(stop=stop, due={})
            self.events.append(Event("stop", NOBODY, stop_data(stop, self.state)))

    def _speak(self, seat: str, action: Mapping[str, Any]) -> None:
        channel = action.get("channel", self._params.channels[0])
        claims = self._claims(seat, split_ids(action.get("cites", "")))
        if channel == "broadcast":
            hearers = self._item.graph.hearers.get(seat, ())
            for hearer in hearers:
                self._join(seat, hearer, is_asked=False)
            groups = [hearers]
        else:
            addressed = self._addressees(seat, action.get("to", ""))
            groups = [addressed] if channel == "group" else [(one,) for one in addressed]
        for group in groups:
            if group:
                self._deliver(seat, group, action["say"], channel, claims)

    def _deliver(self, seat: str, to: tuple[str, ...], text: str, channel: str, claims: list[dict[str, Any]]) -> None:
        data = {
            "text": text,
            "name": self._item.name(seat),
            "to": list(to),
            "to_names": [self._item.name(one) for one in to],
            "channel": channel,
            "round": self._tally.rounds,
            "claims": claims,
        }
        self.events.append(Event("message", deliver(self._item.graph, seat, to), data, seat))
        facts = {claim["fact"] for claim in claims}
        for hearer in to:
            before = self._told.get(hearer, frozenset())
            self._is_news |= any(fact not in before and not self._holds(hearer, fact) for fact in facts)
            self._told[hearer] = before | facts
            if hearer in self._members:
                self._due.setdefault(hearer, []).append(seat)
        self._tally = self._tally._replace(messages=self._tally.messages + len(to))

    def _addressees(self, seat: str, written: str) -> tuple[str, ...]:
        """Returns whom a message goes to; a name that cannot be reached is refused, never replaced by another."""
        contacts = self._item.graph.hearers.get(seat, ())
        names = [name for name in re.split(r"[,;\n]+", written) if name.strip()]
        if not names:
            usual = [one for one in self.state.due[seat] if one in contacts]
            if not usual:
                self._refuse(seat, written, "nobody was named")
            return tuple(dict.fromkeys(usual))
        chosen: list[str] = []
        for name in names:
            one = self._item.seat_of.get(fold(name))
            if one is None and fold(name) in _ALL:
                chosen += [one for one in contacts if one in self._members]
                continue
            if one is None or one not in contacts:
                self._refuse(seat, name.strip(), "not among your contacts")
            elif self._join(seat, one, is_asked=True):
                chosen.append(one)
        return tuple(dict.fromkeys(chosen))

    def _join(self, opener: str, seat: str, *, is_asked: bool) -> bool:
        """Returns whether a contact is in the conversation, after bringing it in if the rules allow that."""
        if seat in self._members:
            return True
        params, member, tally = self._params, self._members[opener], self._tally
        limits = {
            "too many steps away from the asker": member.depth >= params.depth,
            "you may bring in nobody else": params.width is not None and member.n_recruited >= params.width,
            "the budget for new contacts is spent": params.recruit_budget is not None
            and tally.cost + params.recruit_cost > params.recruit_budget + 1e-9,
        }
        if reasons := [reason for reason, holds in limits.items() if holds]:
            if is_asked:
                self._refuse(opener, self._item.name(seat), reasons[0])
            return False
        self._members[opener] = member._replace(n_recruited=member.n_recruited + 1)
        self._members[seat] = Member(member.depth + 1, opener)
        self._tally = tally._replace(recruited=tally.recruited + 1, cost=tally.cost + params.recruit_cost)
        data = {"opener": opener, "depth": member.depth + 1, "cost": params.recruit_cost}
        self.events.append(Event("recruited", (opener, seat), data, seat))
        self.events.append(task_event(self._params, self._item, seat, opener))
        return True

    def _refuse(self, seat: str, name: str, reason: str) -> None:
        self.events.append(Event("refused", (seat,), {"name": name, "reason": reason}, seat))

    def _claims(self, seat: str, ids: Iterable[str]) -> list[dict[str, Any]]:
        """Returns what a speaker cites, as far as it knows it; other ids are counted."""
        claims: list[dict[str, Any]] = []
        unknown: list[str] = []
        for fact in ids:
            if not self._knows(seat, fact):
                unknown.append(fact)
                continue
            known = self._item.facts.get(fact)
            if known is None:
                known = archive_fact(self._library, fact)
                if fact not in self._declared:
                    self._declared.add(fact)
                    self.events.append(declare_line(self._library, fact))
            claims.append(
                {"fact": fact, "value": known.text, "polarity": 1, "hedged": False, "time": known.time}
                | {"owner": known.owner, "name": self._item.name(known.owner)}
            )
        if unknown:
            self.events.append(Event("unknown_citation", NOBODY, {"facts": unknown}, seat))
        return claims

    def _knows(self, seat: str, fact: str) -> bool:
        return self._holds(seat, fact) or fact in self._told.get(seat, frozenset())

    def _holds(self, seat: str, fact: str) -> bool:
        if fact in self._item.facts:
            known = self._item.facts[fact]
            return seat == known.owner or seat in known.hearers
        return seat in self._library.holders(fact)

    def _stop(self) -> str:
        """Returns why the talk is over, or nothing."""
        params, tally = self._params, self._tally
        sides = [self._members[self._item.asker].side]
        if self._item.partner in self._members and self._item.has_open_line:
            sides.append(self._members[self._item.partner].side)
        if GO_ON not in sides:
            return COMPLETE if STUCK not in sides else STUCK
        if tally.rounds >= params.rounds:
            return "rounds"
        if params.max_messages is not None and tally.messages >= params.max_messages:
            return "messages"
        if params.patience is not None and tally.quiet >= params.patience:
            return "no news"
        if self._due:
            return ""
        return sides[0] if sides[0] != GO_ON else "nobody speaks"


def stop_data(reason: str, state: Conversation) -> dict[str, Any]:
    """Returns what the log says about the end of the talk."""
    return {"reason": reason, **state.tally._asdict(), "members": len(state.members)}
