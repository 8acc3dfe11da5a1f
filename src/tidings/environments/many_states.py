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

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from tidings.core import (
    EVERYONE,
    ChoiceSpec,
    Event,
    NumberSpec,
    RequestError,
    ScenarioError,
    SeedPath,
    StructuredSpec,
    Transition,
    World,
)
from tidings.environments.in_turn import InTurn, InTurnState, Signal
from tidings.environments.precision_control import PrecisionControl
from tidings.spec.base import Params

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


@dataclass(frozen=True)
class ManyStates(InTurn[ManyStatesParams]):
    """Rules of social learning with K states."""

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
    def prior(self) -> tuple[float, ...]:
        """P(state) for each state."""
        n = len(self.params.states)
        return self.params.prior or (1.0 / n,) * n

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening."""
        setup = {
            "states": list(self.params.states),
            "prior": list(self.prior),
            "precision": self.params.precision,
            "order": list(self.graph.seats),
        }
        return self.opening(seed, _draw(self.prior, seed.uniform("state")), self.graph.seats, setup)

    def asked(self) -> ChoiceSpec | StructuredSpec:
        """Returns what an agent is asked."""
        choice = ChoiceSpec(self.params.states, "What do you decide?")
        if not self.params.ask_belief:
            return choice
        belief = NumberSpec(0.0, 1.0, "How likely is it, from 0 to 1, that your decision is right?")
        return StructuredSpec({"action": choice, "belief": belief})

    def rules(self) -> list[str]:
        """Returns the rules in neutral words."""
        return [
            f"Exactly one of these is true: {', '.join(self.params.states)}. Nobody knows which.",
            "People decide one after another. Each gets a private hint, which may be wrong, and sees what all before "
            "it decided, but not their hints.",
        ]

    def hearers(self, seat: str) -> tuple[str, ...]:
        """Returns everybody."""
        return EVERYONE

    def signal(self, state: InTurnState, precision: float) -> Signal:
        """Returns the signal of the agent whose turn it is: the true state or, each as often, one of the others."""
        states, index = self.params.states, state.truth
        draw = state.seed.uniform("signal", state.position)
        if draw >= precision:
            others = [k for k in range(len(states)) if k != state.truth]
            index = others[min(int((draw - precision) / (1.0 - precision) * len(others)), len(others) - 1)]
        p = self.prior[index]
        return Signal(states[index], p * precision + (1.0 - p) * (1.0 - precision) / (len(states) - 1))

    def with_fact(self, event: Event, value: Any, seed: SeedPath, rollout: int) -> Event:
        """Returns the event as it would be if the signal in it had this value.

        Raises:
            RequestError: If there is no such state.
        """
        if value not in self.params.states:
            raise RequestError("swap", f"{event.data['fact']} = {value!r}", f"states: {', '.join(self.params.states)}")
        return event._replace(data={**event.data, "value": value})


def _draw(law: tuple[float, ...], uniform: float) -> int:
    """Returns the index that a uniform draw picks under this law."""
    total = 0.0
    for index, probability in enumerate(law):
        total += probability
        if uniform < total:
            return index
    return len(law) - 1
