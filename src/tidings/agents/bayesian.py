"""The rational twin of a social learner: exact Bayes from what the seat saw, nothing else.

It assumes that everybody else is rational too. An action that no rational agent could have taken tells it nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tidings.core import ActionSpec, Observation, Reply, SeatContext, StructuredSpec
from tidings.core.errors import ReplyError
from tidings.spec.base import Params
from tidings.theory.herd_events import HerdBelief, follow_herd, of_seat
from tidings.theory.herding import p_play_good, posterior
from tidings.theory.many_states import LineBelief, action_after, follow_line, posteriors
from tidings.theory.network_learning import naive_posterior, network_posterior

__all__ = ["BayesianAgent"]


class BayesianParams(Params):
    """Settings of the agent `bayesian`."""

    approximation: Literal["none", "naive"] = "none"
    """`naive` takes every seen action for an independent signal, where exact enumeration would be too large."""
    max_ancestors: Annotated[int, Field(ge=1, le=24)] = 16
    """On graphs that are not complete: most agents whose actions are enumerated (cost doubles with each)."""


@dataclass(frozen=True)
class BayesianAgent:
    """Plays the state its exact posterior favours, and states that posterior as its belief."""

    params: BayesianParams

    Params: ClassVar[type[Params]] = BayesianParams
    plays: ClassVar[tuple[str, ...]] = ("social_learning", "many_states")

    @classmethod
    def build(cls, params: BayesianParams, context: SeatContext) -> BayesianAgent:
        """Returns the agent; it needs nothing but its observations."""
        return cls(params)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the rational action, with the belief where the spec asks for one.

        Raises:
            ReplyError: `not_applicable` if the seat is in no social learning situation; `too_many_ancestors` if exact
                enumeration would pass the stated size.
        """
        if len(observation.public) and isinstance(observation.public[0].data.get("prior"), list):
            return _among_many(observation, spec)
        belief, p_good, states = self._decide(observation)
        plays_good = p_good == 1.0 or (p_good == 0.5 and observation.seed.uniform("coin") < 0.5)
        return _reply(belief, states[int(plays_good)], spec)

    def policy(self, observation: Observation, spec: ActionSpec) -> Sequence[tuple[Reply, float]]:
        """Returns the rational action, or both with probability 1/2 where it tosses a coin.

        Raises:
            ReplyError: As `act`.
        """
        if len(observation.public) and isinstance(observation.public[0].data.get("prior"), list):
            return [(_among_many(observation, spec), 1.0)]
        belief, p_good, states = self._decide(observation)
        chances = ((states[1], p_good), (states[0], 1.0 - p_good))
        return [(_reply(belief, action, spec), p) for action, p in chances if p > 0]

    def _decide(self, observation: Observation) -> tuple[float, float, list[str]]:
        """Returns the posterior, the probability of playing the second state, and the states."""
        herd = observation.fold_public(follow_herd, HerdBelief())
        signal = next((event.data for event in reversed(observation.private) if event.kind == "signal"), None)
        if herd.setup is None or signal is None:
            raise ReplyError("not_applicable", "a bayesian agent needs a setup and a signal; use it in social_learning")
        setup, precision = herd.setup, signal["precision"]
        says_good = int(signal["value"] == setup["states"][1])
        before = herd.belief if setup["seen"] is None else self._network_belief(observation, setup)
        belief = posterior(before, precision, says_good)
        belief = before if belief != belief else belief
        p_good = p_play_good(belief, says_good, setup["ties"], herd.threshold(observation.seat))
        return belief, p_good, setup["states"]

    def _network_belief(self, observation: Observation, setup: dict[str, Any]) -> float:
        """Returns the belief from the seen actions on a graph where nobody sees everything."""
        order = setup["order"]
        place = {seat: i for i, seat in enumerate(order)}
        me = place[observation.seat]
        baseline = setup["precision"]
        chosen = {e.data["seat"]: float(e.data["precision"]) for e in observation.public if e.kind == "precision"}
        given = dict(baseline) if isinstance(baseline, dict) else dict.fromkeys(order, float(baseline))
        precisions = [float((given | chosen)[seat]) for seat in order[: me + 1]]
        seen = [[place[other] for other in setup["seen"][seat]] for seat in order[: me + 1]]
        actions = {
            place[event.seat]: int(event.data["action"] == setup["states"][1])
            for event in observation.private
            if event.kind == "action" and event.seat != observation.seat
        }
        if self.params.approximation == "naive":
            return naive_posterior(actions, precisions, setup["prior"])
        seen[me] = sorted(actions)
        thresholds = [of_seat(setup["threshold"], seat) for seat in order[: me + 1]]
        law = (setup["prior"], setup["ties"], thresholds, self.params.max_ancestors)
        try:
            return network_posterior(me, actions, seen, precisions, *law)
        except ValueError as error:
            raise ReplyError("too_many_ancestors", str(error)) from None


def _reply(belief: float, action: str, spec: ActionSpec) -> Reply:
    return Reply({"belief": belief, "action": action} if isinstance(spec, StructuredSpec) else action)


def _among_many(observation: Observation, spec: ActionSpec) -> Reply:
    """Returns the rational action among K states, with the posterior of that action where the spec asks for one."""
    line = observation.fold_public(follow_line, LineBelief())
    signal = next((event.data for event in reversed(observation.private) if event.kind == "signal"), None)
    if line.setup is None or signal is None:
        raise ReplyError("not_applicable", "a bayesian agent needs a setup and a signal")
    states = line.setup["states"]
    index = states.index(signal["value"])
    action = action_after(line.belief, signal["precision"], index)
    belief = posteriors(line.belief, signal["precision"], index)[action]
    belief = line.belief[action] if belief != belief else min(belief, 1.0)
    return Reply({"action": states[action], "belief": belief} if isinstance(spec, StructuredSpec) else states[action])
