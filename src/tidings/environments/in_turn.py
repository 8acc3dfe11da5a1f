"""Agents who decide one after another, each after a private signal whose precision a planner may set.

What `social_learning` and `many_states` share: whose turn it is, what a planner's choice and an action lead to, and how
the next signal reaches its agent and the analyst's ledger.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from tidings.core import (
    NOBODY,
    PLANNER,
    ChoiceSpec,
    Event,
    NumberSpec,
    Reply,
    SeedPath,
    SocialGraph,
    StructuredSpec,
    Transition,
    Turn,
)
from tidings.environments.precision_control import PrecisionControl, describe_line
from tidings.theory.herd_events import of_seat

__all__ = ["InTurn", "InTurnState", "Signal"]


class InTurnParams(Protocol):
    """What the rules read of an environment's settings."""

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states, which are also the actions."""
        ...

    @property
    def state(self) -> str | None:
        """The true state, where it is fixed."""
        ...

    @property
    def precision(self) -> float | dict[str, float]:
        """P(signal = state) that costs nothing, for all agents or by seat."""
        ...

    @property
    def ask_belief(self) -> bool:
        """Whether agents also state a belief."""
        ...

    @property
    def story(self) -> str:
        """The situation in words; empty for the rules in neutral words."""
        ...


P = TypeVar("P", bound=InTurnParams)


class InTurnState(NamedTuple):
    """Where a rollout stands.

    Attributes:
        seed: Seed path of the rollout.
        truth: Index of the true state.
        order: Seats in order of play.
        position: Next agent to act.
        precision: What the planner chose for that agent; None until it has.
        spent: What the planner has paid so far.
    """

    seed: SeedPath
    truth: int
    order: tuple[str, ...]
    position: int = 0
    precision: float | None = None
    spent: float = 0.0


class Signal(NamedTuple):
    """A private signal.

    Attributes:
        value: The state it names.
        prior_p: How likely it is to somebody who has seen nothing that it names this state.
        text: How it is told; None: as what it is.
    """

    value: str
    prior_p: float
    text: str | None = None


@dataclass(frozen=True)
class InTurn(ABC, Generic[P]):
    """Rules of deciding one after another.

    Attributes:
        params: Settings of the environment.
        graph: Who hears whom.
        control: What the planner may do; None if nobody sits in its seat.
    """

    params: P
    graph: SocialGraph
    control: PrecisionControl | None = None

    @abstractmethod
    def asked(self) -> ChoiceSpec | StructuredSpec:
        """Returns what an agent is asked; with `ask_belief` a structure with the part `action`."""

    @abstractmethod
    def rules(self) -> list[str]:
        """Returns the rules in neutral words, a line each."""

    @abstractmethod
    def hearers(self, seat: str) -> tuple[str, ...]:
        """Returns who hears an agent's action, the planner left out."""

    @abstractmethod
    def signal(self, state: InTurnState, precision: float) -> Signal:
        """Returns the signal of the agent whose turn it is."""

    @property
    def has_planner(self) -> bool:
        """Whether somebody sets the precisions."""
        return self.control is not None

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats; the planner last, if there is one."""
        return self._with_planner(self.graph.seats)

    def opening(self, seed: SeedPath, drawn: int, order: tuple[str, ...], setup: dict[str, Any]) -> Transition:
        """Returns the opening: public rules, hidden state, and the first signal unless a planner moves first.

        Args:
            seed: Seed path of the rollout.
            drawn: Index of the state that was drawn; one that the settings fix goes before.
            order: Seats in order of play.
            setup: The public rules.
        """
        p = self.params
        state = InTurnState(seed, drawn if p.state is None else p.states.index(p.state), order)
        events = [Event("setup", self._all, setup), Event("state", NOBODY, {"value": p.states[state.truth]})]
        if self.control:
            events.append(Event("control", (PLANNER,), self.control.declared(), PLANNER))
        return Transition(state, (*events, *self._next_signal(state)))

    def turns(self, state: InTurnState) -> tuple[Turn, ...]:
        """Returns the planner's turn or the next agent's; none when all have acted."""
        if state.position == len(state.order):
            return ()
        seat = state.order[state.position]
        if self.control and state.precision is None:
            low, high = self.control.affordable(of_seat(self.params.precision, seat), state.spent)
            return (Turn(PLANNER, NumberSpec(low, high, f"How precise shall the signal of {seat} be?")),)
        return (Turn(seat, self.asked()),)

    def apply(self, state: InTurnState, replies: Mapping[str, Reply]) -> Transition:
        """Returns what follows: a chosen precision and the signal it buys, or a public action and the next signal."""
        ((seat, reply),) = replies.items()
        if seat == PLANNER:
            return self._set_precision(state, reply)
        following = state._replace(position=state.position + 1, precision=None)
        if reply.failure:
            return Transition(following, self._next_signal(following))
        action = reply.action["action"] if self.params.ask_belief else reply.action
        event = Event("action", self._with_planner(self.hearers(seat)), {"action": action}, seat)
        return Transition(following, (event, *self._next_signal(following)))

    def brief(self, seat: str) -> str:
        """Returns the rules in words."""
        p = self.params
        lines = [p.story] if p.story else self.rules()
        if seat == PLANNER and self.control:
            lines.append(self.control.brief(p.precision))
        elif not p.story:
            lines.append("You decide once. You want your decision to be what is true.")
        return "\n".join(lines)

    def describe(self, event: Event, seat: str) -> str:
        """Returns one line of words for the events seats may see."""
        return describe_line(event, seat)

    @property
    def _all(self) -> tuple[str, ...]:
        return self._with_planner(("*",))

    def _with_planner(self, seats: tuple[str, ...]) -> tuple[str, ...]:
        return (*seats, PLANNER) if self.has_planner else seats

    def _set_precision(self, state: InTurnState, reply: Reply) -> Transition:
        """Returns what follows from the planner's choice."""
        assert self.control is not None
        seat = state.order[state.position]
        event = self.control.choice(seat, of_seat(self.params.precision, seat), reply, self._all)
        chosen = state._replace(precision=event.data["precision"], spent=state.spent + event.data["cost"])
        return Transition(chosen, (event, *self._next_signal(chosen)))

    def _next_signal(self, state: InTurnState) -> tuple[Event, ...]:
        """Returns the private signal of the agent whose turn is next, once its precision is set."""
        if state.position == len(state.order) or (self.has_planner and state.precision is None):
            return ()
        seat = state.order[state.position]
        precision = of_seat(self.params.precision, seat) if state.precision is None else state.precision
        value, prior_p, text = self.signal(state, precision)
        data = {"fact": f"signal/{seat}", "value": value, "precision": precision}
        if text is not None:
            data["text"] = text
        audience = (seat, PLANNER) if self.control and self.control.sees_all else (seat,)
        declared = {
            "fact": data["fact"],
            "value": value,
            "owners": [seat],
            "visibility": list(audience),
            "prior_p": prior_p,
            "domain": list(self.params.states),
        }
        return (Event("fact_declared", NOBODY, declared, seat), Event("signal", audience, data, seat))
