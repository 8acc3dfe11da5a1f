"""Social learning with K states: agents decide one after another which of several things is true.

An extension of `social_learning` to more than two states and actions, on a complete graph: everybody sees all actions
before its own. A signal names the state with the stated precision and each other state equally often. With a planner in
its seat, the planner sets the precision of each signal first.

| event | audience | data |
|---|---|---|
| `setup` | all | states, prior (one probability a state), precision, order |
| `state` | nobody | `value`: the true state |
| `control` | the planner | its declared objective, target, cost, budget, error cost and discount factor |
| `precision` | all | `seat`, `precision`: what the planner chose for this agent; `cost`: what it pays |
| `fact_declared` | nobody | the signal as the analyst knows it, see docs/design/003 |
| `signal` | the agent; the planner if it `sees: all` | `fact`, `value`, `precision` |
| `action` | all, the planner | `action` |

Source: an extension of arXiv 2504.02648, stated in `tidings.theory.many_states`; no result is known for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field, model_validator

from tidings.core import (
    NOBODY,
    PLANNER,
    ChoiceSpec,
    Event,
    NumberSpec,
    Reply,
    RequestError,
    ScenarioError,
    SeedPath,
    SocialGraph,
    StructuredSpec,
    Transition,
    Turn,
    World,
)
from tidings.environments.precision_control import PrecisionControl, describe_line
from tidings.spec.base import Params
from tidings.theory.herd_events import of_seat

__all__ = ["ManyStates"]

Precision = Annotated[float, Field(gt=0.0, le=1.0)]


class ManyStatesParams(Params):
    """Settings of the environment `many_states`."""

    states: Annotated[tuple[str, ...], Field(min_length=2, max_length=26)] = ("A", "B", "C")
    """Names of the states, which are also the actions."""
    prior: tuple[Annotated[float, Field(gt=0.0, lt=1.0)], ...] | None = None
    """P(state) for each state before anybody acts; uniform by default."""
    precision: Precision | dict[str, Precision] = 0.6
    """P(signal = state), at least one over the number of states; for all agents or by seat."""
    state: str | None = None
    """Fixes the true state; drawn from the prior by default."""
    ask_belief: bool = True
    """Whether agents also state how likely they think their action is right."""
    story: str = ""
    """The situation in words, told to every seat; a neutral text by default."""

    @model_validator(mode="after")
    def _check_states(self) -> ManyStatesParams:
        n = len(self.states)
        if len(set(self.states)) != n:
            raise ValueError(f"states: found {list(self.states)}; need different names")
        if self.state is not None and self.state not in self.states:
            raise ValueError(f"state: found {self.state!r}; allowed: {list(self.states)}")
        if self.prior is not None and (len(self.prior) != n or abs(sum(self.prior) - 1.0) > 1e-9):
            raise ValueError(f"prior: found {list(self.prior)}; need {n} probabilities that sum to 1")
        least = min(self.precision.values()) if isinstance(self.precision, dict) else self.precision
        if least < 1.0 / n - 1e-12:
            raise ValueError(f"precision: found {least:g}; with {n} states it lies in [{1 / n:.4g}, 1]")
        return self


class ManyStatesState(NamedTuple):
    """Where a rollout stands.

    Attributes:
        seed: Seed path of the rollout.
        truth: Index of the true state.
        position: Next agent to act.
        precision: What the planner chose for that agent; None until it has.
        spent: What the planner has paid so far.
    """

    seed: SeedPath
    truth: int
    position: int = 0
    precision: float | None = None
    spent: float = 0.0


@dataclass(frozen=True)
class ManyStates:
    """Rules of social learning with K states."""

    params: ManyStatesParams
    graph: SocialGraph
    control: PrecisionControl | None = None

    Params: ClassVar[type[Params]] = ManyStatesParams

    @classmethod
    def build(cls, params: ManyStatesParams, world: World) -> ManyStates:
        """Returns the environment on this graph.

        Raises:
            ScenarioError: If the graph is not complete, or precisions by seat leave a seat out.
        """
        seats = world.graph.seats
        if not world.graph.is_complete:
            fix = "use social_learning (two states) for other graphs"
            raise ScenarioError("graph", "found a graph that is not complete", "many_states needs a complete one", fix)
        if isinstance(params.precision, dict) and set(params.precision) != set(seats):
            odd = sorted(set(params.precision) ^ set(seats))[0]
            raise ScenarioError("environment.precision", f"found {odd!r} missing or unknown", "one value for each seat")
        control = PrecisionControl.build(world.planner, params.states) if world.has_planner else None
        return cls(params, world.graph, control)

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats; the planner last, if there is one."""
        return (*self.graph.seats, PLANNER) if self.control else self.graph.seats

    @property
    def prior(self) -> tuple[float, ...]:
        """P(state) for each state."""
        n = len(self.params.states)
        return self.params.prior or (1.0 / n,) * n

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening: public rules, hidden state, and the first signal unless a planner moves first."""
        p = self.params
        truth = p.states.index(p.state) if p.state else _draw(self.prior, seed.uniform("state"))
        setup = {
            "states": list(p.states),
            "prior": list(self.prior),
            "precision": p.precision,
            "order": list(self.graph.seats),
        }
        state = ManyStatesState(seed, truth)
        events = [Event("setup", self._all, setup), Event("state", NOBODY, {"value": p.states[truth]})]
        if self.control:
            events.append(Event("control", (PLANNER,), self.control.declared(), PLANNER))
        return Transition(state, (*events, *self._next_signal(state)))

    def turns(self, state: ManyStatesState) -> tuple[Turn, ...]:
        """Returns the planner's turn or the next agent's; none when all have acted."""
        if state.position == len(self.graph.seats):
            return ()
        seat = self.graph.seats[state.position]
        if self.control and state.precision is None:
            low, high = self.control.affordable(of_seat(self.params.precision, seat), state.spent)
            return (Turn(PLANNER, NumberSpec(low, high, f"How precise shall the signal of {seat} be?")),)
        choice = ChoiceSpec(self.params.states, "What do you decide?")
        if not self.params.ask_belief:
            return (Turn(seat, choice),)
        belief = NumberSpec(0.0, 1.0, "How likely is it, from 0 to 1, that your decision is right?")
        return (Turn(seat, StructuredSpec({"action": choice, "belief": belief})),)

    def apply(self, state: ManyStatesState, replies: Mapping[str, Reply]) -> Transition:
        """Returns what follows: a chosen precision and the signal it buys, or a public action and the next signal."""
        (seat, reply) = next(iter(replies.items()))
        if seat == PLANNER:
            return self._set_precision(state, reply)
        following = state._replace(position=state.position + 1, precision=None)
        if reply.failure:
            return Transition(following, self._next_signal(following))
        action = reply.action["action"] if self.params.ask_belief else reply.action
        return Transition(
            following, (Event("action", self._all, {"action": action}, seat), *self._next_signal(following))
        )

    def brief(self, seat: str) -> str:
        """Returns the rules in words."""
        p = self.params
        neutral = [
            f"Exactly one of these is true: {', '.join(p.states)}. Nobody knows which.",
            "People decide one after another. Each gets a private hint, which may be wrong, and sees what all before "
            "it decided, but not their hints.",
        ]
        lines = [p.story] if p.story else neutral
        if seat == PLANNER and self.control:
            lines.append(self.control.brief(p.precision))
        elif not p.story:
            lines.append("You decide once. You want your decision to be what is true.")
        return "\n".join(lines)

    def describe(self, event: Event, seat: str) -> str:
        """Returns one line of words for the events seats may see."""
        return describe_line(event, seat)

    def with_fact(self, event: Event, value: Any, seed: SeedPath, rollout: int) -> Event:
        """Returns the event as it would be if the signal in it had this value.

        Raises:
            RequestError: If there is no such state.
        """
        if value not in self.params.states:
            raise RequestError("swap", f"{event.data['fact']} = {value!r}", f"states: {', '.join(self.params.states)}")
        return event._replace(data={**event.data, "value": value})

    @property
    def _all(self) -> tuple[str, ...]:
        return ("*", PLANNER) if self.control else ("*",)

    def _set_precision(self, state: ManyStatesState, reply: Reply) -> Transition:
        """Returns what follows from the planner's choice."""
        assert self.control is not None
        seat = self.graph.seats[state.position]
        event = self.control.choice(seat, of_seat(self.params.precision, seat), reply, self._all)
        chosen = state._replace(precision=event.data["precision"], spent=state.spent + event.data["cost"])
        return Transition(chosen, (event, *self._next_signal(chosen)))

    def _next_signal(self, state: ManyStatesState) -> tuple[Event, ...]:
        """Returns the private signal of the agent whose turn is next, once its precision is set."""
        if state.position == len(self.graph.seats) or (self.control and state.precision is None):
            return ()
        seat, states = self.graph.seats[state.position], self.params.states
        precision = of_seat(self.params.precision, seat) if state.precision is None else state.precision
        draw = state.seed.uniform("signal", state.position)
        index = state.truth
        if draw >= precision:  # one of the other states, each as often
            others = [k for k in range(len(states)) if k != state.truth]
            index = others[min(int((draw - precision) / (1.0 - precision) * len(others)), len(others) - 1)]
        audience = (seat, PLANNER) if self.control and self.control.sees_all else (seat,)
        data = {"fact": f"signal/{seat}", "value": states[index], "precision": precision}
        declared = {
            "fact": data["fact"],
            "value": data["value"],
            "owners": [seat],
            "visibility": list(audience),
            "prior_p": self._chance(index, precision),
            "domain": list(states),
        }
        return (Event("fact_declared", NOBODY, declared, seat), Event("signal", audience, data, seat))

    def _chance(self, index: int, precision: float) -> float:
        """Returns how likely it is to somebody who has seen nothing that a signal names this state."""
        p = self.prior[index]
        return p * precision + (1.0 - p) * (1.0 - precision) / (len(self.params.states) - 1)


def _draw(law: tuple[float, ...], uniform: float) -> int:
    """Returns the index that a uniform draw picks under this law."""
    total = 0.0
    for index, probability in enumerate(law):
        total += probability
        if uniform < total:
            return index
    return len(law) - 1
