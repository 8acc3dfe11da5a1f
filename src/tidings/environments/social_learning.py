"""Social learning: agents decide one after another, from a private signal and the actions they can see.

Nature draws a state. Each agent in turn receives a private signal that is right with a known precision, sees the
actions of the predecessors it hears over the social graph, and picks the state it believes in. On a complete graph this
is the classic model of herds. With a planner in its seat, the planner sets the precision of each signal first.

| event | audience | data |
|---|---|---|
| `setup` | all | states, prior, precision, ties, threshold, order, seen |
| `state` | nobody | `value`: the true state |
| `control` | the planner | its declared objective, target, cost, budget, error cost and discount factor |
| `precision` | all | `seat`, `precision`: what the planner chose for this agent; `cost`: what it pays |
| `fact_declared` | nobody | the signal as the analyst knows it, see docs/design/003 |
| `signal` | the agent; the planner if it `sees: all` | `fact`, `value`, `precision`, perhaps `text` |
| `action` | those who hear the agent, the planner | `action` |

Source: Bikhchandani, Hirshleifer, Welch 1992; Acemoglu et al. 2011 (networks); arXiv 2504.02648 (chosen precision).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from tidings.core import (
    ChoiceSpec,
    Event,
    NumberSpec,
    ScenarioError,
    SeedPath,
    SocialGraph,
    StructuredSpec,
    Transition,
    World,
    deliver,
    suggest,
)
from tidings.environments.fact_sheet import FactSheet
from tidings.environments.in_turn import InTurn, InTurnState, Signal
from tidings.environments.precision_control import PrecisionControl
from tidings.spec.base import Params
from tidings.theory.herd_events import of_seat

__all__ = ["SocialLearning"]

Precision = Annotated[float, Field(ge=0.5, le=1.0)]
Loss = Annotated[float, Field(gt=0.0)]


class SocialLearningParams(Params):
    """Settings of the environment `social_learning`."""

    prior: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    """P(state = second of `states`) before anybody acts."""
    precision: Precision | dict[str, Precision] = 0.7
    """P(signal = state), for all agents or by seat; with a planner, the free baseline."""
    ties: Literal["own_signal", "coin"] = "own_signal"
    """What an indifferent agent does: follow its signal, or toss a fair coin."""
    order: Literal["given", "random", "graph"] | tuple[str, ...] = "given"
    """Order of play: as the graph lists the seats, shuffled per rollout, along the graph, or a list of seats."""
    horizon: Annotated[int, Field(ge=1)] | None = None
    """Number of agents that act; all by default."""
    states: tuple[str, str] = ("B", "G")
    """Names of the two states, which are also the two actions."""
    state: str | None = None
    """Fixes the true state; drawn from the prior by default."""
    loss_false_good: Loss | dict[str, Loss] = 1.0
    """Loss of an agent that plays the second state when the first is true, for all agents or by seat; public."""
    loss_false_bad: Loss | dict[str, Loss] = 1.0
    """Loss of an agent that plays the first state when the second is true, for all agents or by seat; public."""
    ask_belief: bool = True
    """Whether agents also state their belief that the second state is true."""
    story: str = ""
    """The situation in words, told to every seat; a neutral text by default."""
    fact_sheet: FactSheet | None = None
    """Turns signals into messages of true statements; without it a signal is told as what it is."""

    @model_validator(mode="after")
    def _check_states(self) -> SocialLearningParams:
        if self.states[0] == self.states[1]:
            raise ValueError(f"states: found {list(self.states)}; need two different names")
        if self.state is not None and self.state not in self.states:
            raise ValueError(f"state: found {self.state!r}; allowed: {list(self.states)}")
        if self.fact_sheet is not None and set(self.fact_sheet.statements) != set(self.states):
            found = list(self.fact_sheet.statements)
            raise ValueError(f"fact_sheet.statements: found {found}; need statements for {list(self.states)}")
        return self


@dataclass(frozen=True)
class SocialLearning(InTurn[SocialLearningParams]):
    """Rules of social learning over a graph."""

    Params: ClassVar[type[Params]] = SocialLearningParams

    @classmethod
    def build(cls, params: SocialLearningParams, world: World) -> SocialLearning:
        """Returns the environment on this graph.

        Raises:
            ScenarioError: If a named seat does not exist or the horizon is longer than the order.
        """
        seats = world.graph.seats
        for where in ("precision", "loss_false_good", "loss_false_bad", "order"):
            _check_seats(where, getattr(params, where), seats)
        n_order = len(params.order) if isinstance(params.order, tuple) else len(seats)
        if params.horizon is not None and params.horizon > n_order:
            raise ScenarioError("environment.horizon", f"found {params.horizon}", f"at most {n_order} agents can act")
        if isinstance(params.order, tuple) and len(set(params.order)) != n_order:
            raise ScenarioError("environment.order", "found a seat twice", "each agent acts once")
        control = PrecisionControl.build(world.planner, params.states) if world.has_planner else None
        return cls(params, world.graph, control)

    @property
    def threshold(self) -> float | dict[str, float]:
        """Belief in the second state above which playing it has the smaller expected loss; by seat if losses are."""
        good, bad = self.params.loss_false_good, self.params.loss_false_bad
        if not isinstance(good, dict) and not isinstance(bad, dict):
            return good / (good + bad)
        by_seat = ((seat, of_seat(good, seat), of_seat(bad, seat)) for seat in self.graph.seats)
        return {seat: false_good / (false_good + false_bad) for seat, false_good, false_bad in by_seat}

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening."""
        p = self.params
        order = self._order(seed)[: p.horizon]
        setup = {
            "states": list(p.states),
            "prior": p.prior,
            "precision": p.precision,
            "ties": p.ties,
            "threshold": self.threshold,
            "order": list(order),
            "seen": None if self.graph.is_complete else self._seen(order),
        }
        return self.opening(seed, int(seed.uniform("state") < p.prior), order, setup)

    def asked(self) -> ChoiceSpec | StructuredSpec:
        """Returns what an agent is asked."""
        bad, good = self.params.states
        choice = ChoiceSpec(self.params.states, "What do you decide?")
        if not self.params.ask_belief:
            return choice
        belief = NumberSpec(0.0, 1.0, f"How likely is it, from 0 to 1, that {good} is true (and not {bad})?")
        return StructuredSpec({"belief": belief, "action": choice})

    def rules(self) -> list[str]:
        """Returns the rules in neutral words."""
        p, (bad, good) = self.params, self.params.states
        return [
            f"One of two things is true: {bad} or {good}. Nobody knows which; before any news, {good} has probability "
            f"{p.prior:g}.",
            "People decide one after another. Each gets a private hint, which may be wrong, and sees what some of "
            "those before it decided, but not their hints.",
        ]

    def hearers(self, seat: str) -> tuple[str, ...]:
        """Returns who hears an agent over the graph."""
        return deliver(self.graph, seat)

    def signal(self, state: InTurnState, precision: float) -> Signal:
        """Returns the signal of the agent whose turn it is; with a fact sheet it is told as a true statement."""
        p, states = self.params.prior, self.params.states
        is_right = state.seed.uniform("signal", state.position) < precision
        value = states[state.truth if is_right else 1 - state.truth]
        p_good = p * precision + (1.0 - p) * (1.0 - precision)
        text = self._message(value, state.seed, state.position) if self.params.fact_sheet else None
        return Signal(value, p_good if value == states[1] else 1.0 - p_good, text)

    def with_fact(self, event: Event, value: Any, seed: SeedPath, rollout: int) -> Event:
        """Returns the event as it would be if the signal in it had this value.

        With a fact sheet the message is the one that the same draw picks for the other value.
        """
        data = {**event.data, "value": value}
        if "prior_p" in data and value != event.data["value"]:
            data["prior_p"] = 1.0 - data["prior_p"]
        if self.params.fact_sheet is not None and "text" in data:
            assert event.seat is not None
            data["text"] = self._message(value, seed, self._order(seed).index(event.seat))
        return event._replace(data=data)

    def _message(self, value: str, seed: SeedPath, position: int) -> str:
        assert self.params.fact_sheet is not None
        return self.params.fact_sheet.message(value, self.params.states, seed.child("oracle", position))

    def given_order(self) -> tuple[str, ...]:
        """Returns the seats in order of play; where it is random, in the graph's order before shuffling."""
        order = self.params.order
        if isinstance(order, tuple):
            return order
        return _along_graph(self.graph) if order == "graph" else self.graph.seats

    def _order(self, seed: SeedPath) -> tuple[str, ...]:
        seats = list(self.given_order())
        if self.params.order == "random":
            seed.generator("order").shuffle(seats)
        return tuple(seats)

    def _seen(self, order: tuple[str, ...]) -> dict[str, list[str]]:
        """Returns for each seat the predecessors it hears."""
        place = {seat: i for i, seat in enumerate(order)}
        return {s: [o for o in self.graph.hears(s) if place.get(o, len(order)) < place[s]] for s in order}


def _check_seats(where: str, given: object, seats: tuple[str, ...]) -> None:
    """Refuses names of seats that do not exist, and values by seat that leave a seat out."""
    if not isinstance(given, dict | tuple):
        return
    for name in given:
        if name not in seats:
            found, hint = f"found seat {name!r}", suggest(name, seats)
            raise ScenarioError(f"environment.{where}", found, f"{len(seats)} seats exist", hint)
    if isinstance(given, dict) and (missing := [seat for seat in seats if seat not in given]):
        raise ScenarioError(f"environment.{where}", f"no value for seat {missing[0]!r}", "need one for every seat")


def _along_graph(graph: SocialGraph) -> tuple[str, ...]:
    """Returns the seats breadth first from the first one, so that most agents hear somebody before them."""
    order: dict[str, None] = {}
    for start in graph.seats:
        queue = [start]
        while queue:
            seat = queue.pop(0)
            if seat not in order:
                order[seat] = None
                queue.extend(hearer for hearer in graph.hearers.get(seat, ()) if hearer not in order)
    return tuple(order)
