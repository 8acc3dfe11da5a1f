"""What a listener would have done after each message its sender could have sent: exact, for seats that state their law.

p(m) is the law of the sender's message over the values of its private fact, weighted by their prior; pi(.|do(m)) what
the listener would have done if m had been said, everything else as it was: the draws of the environment, and what all
others did in between. So the influence is the direct one.

Source: Jaques et al., arXiv 1810.08647 (social influence); Lowe et al., arXiv 1903.05168 (CIC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tidings.core import Event, Reply, StatesPolicy
from tidings.metrics.facts import canonical, domain_prior
from tidings.runner.rehearsal import NoScoreError, Rehearsal
from tidings.simulation.interventions import SPOKEN, Swap
from tidings.simulation.play import Play, replies_of
from tidings.theory.information import causal_influence_of_communication, social_influence

__all__ = ["DirectInfluence", "direct_influence"]


@dataclass(frozen=True)
class DirectInfluence:
    """How a message bears on one later action, in bits.

    Attributes:
        social: KL of the listener's law after this message to its law over all messages.
        cic: Its mean over messages: I(message; action) under p(m) pi(a | do(m)).
    """

    social: float
    cic: float


class _Said(NamedTuple):
    """A message that the sender could have sent: how probable it was, and the reply that makes it."""

    p: float
    reply: Reply


def direct_influence(rehearsal: Rehearsal, message: Event, listener: str, step: int) -> DirectInfluence:
    """Returns the influence of a message on what a seat did in a later step.

    Raises:
        NoScoreError: If sender or listener do not state their law, or the sender has not one fact of known prior.
    """
    assert message.seat is not None
    for seat in (message.seat, listener):
        if not isinstance(rehearsal.agent(seat), StatesPolicy):
            raise NoScoreError(f"seat {seat!r} states no policy: what else it could have done is not known")
    said = _messages(rehearsal, message)
    laws = [_law(rehearsal, message, one.reply, listener, step) for one in said.values()]
    actions = list(dict.fromkeys(action for law in laws for action in law))
    policy = [[law.get(action, 0.0) for action in actions] for law in laws]
    sent = _key(rehearsal.events, message)
    if sent not in said:
        raise NoScoreError(f"seat {message.seat!r} sent what its stated policy rules out")
    p_m, m = [one.p for one in said.values()], list(said).index(sent)
    return DirectInfluence(social_influence(policy, p_m, m), causal_influence_of_communication(policy, p_m))


def _messages(rehearsal: Rehearsal, message: Event) -> dict[str, _Said]:
    """Returns what the sender could have said -> how probable that was over the values of its private fact."""
    seat, step = message.seat, message.step
    assert seat is not None
    facts = [
        event
        for event in rehearsal.events
        if event.kind == "fact_declared" and event.data["owners"] == [seat] and event.step < step
    ]
    prior = domain_prior(facts[0].data) if len(facts) == 1 else None
    if prior is None:
        raise NoScoreError(f"seat {seat!r} has not exactly one private fact with known prior, but {len(facts)} facts")
    said: dict[str, _Said] = {}
    for value, weight in zip(facts[0].data["domain"], prior, strict=True):
        before = rehearsal.play(step, (Swap(facts[0].data["fact"], value),))
        for reply, p in _policy(rehearsal, before, seat):
            key = _key(_after(rehearsal, message, reply)[1], message)
            said[key] = _Said((said[key].p if key in said else 0.0) + weight * p, reply)
    return said


def _law(rehearsal: Rehearsal, message: Event, reply: Reply, listener: str, step: int) -> Mapping[str, float]:
    """Returns action -> probability of the listener, if the sender had given this reply."""
    play, _ = _after(rehearsal, message, reply)
    for between in range(message.step + 1, step):
        events = [event for event in rehearsal.events if event.step == between]
        play.advance(replies_of(events), [e._replace(step=-1, index=-1) for e in events if e.kind == "failure"])
    law: dict[str, float] = {}
    for answer, p in _policy(rehearsal, play, listener):
        action = canonical(answer.action)
        law[action] = law.get(action, 0.0) + p
    return law


def _policy(rehearsal: Rehearsal, play: Play, seat: str) -> list[tuple[Reply, float]]:
    agent = rehearsal.agent(seat)
    spec = next((turn.spec for turn in play.due() if turn.seat == seat), None)
    if spec is None:
        raise NoScoreError(f"with another message seat {seat!r} would not be asked in that step")
    assert isinstance(agent, StatesPolicy)
    return list(agent.policy(play.observe(seat), spec))


def _after(rehearsal: Rehearsal, message: Event, reply: Reply) -> tuple[Play, list[Event]]:
    """Returns the rollout after the step of the message, with this reply of its sender, and the events of the step."""
    play = rehearsal.play(message.step)
    others = replies_of([event for event in rehearsal.events if event.step == message.step])
    assert message.seat is not None
    return play, play.advance({**others, message.seat: reply})


def _key(events: list[Event], message: Event) -> str:
    """Returns what others heard of the sender in the step of the message, as text."""
    said = [e for e in events if e.step == message.step and e.seat == message.seat and e.kind in SPOKEN]
    return canonical([[event.kind, event.data] for event in said])
