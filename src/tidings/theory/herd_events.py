"""The rational public belief of a herd, followed through its events.

Agents, planners and metrics all need it; it is one pure step per event, so that it can be folded in constant time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tidings.core.events import Event
from tidings.theory.herding import action_likelihoods, next_belief

__all__ = ["HerdBelief", "follow_herd", "of_seat", "places_of"]


def of_seat(value: float | Mapping[str, float], seat: str) -> float:
    """Returns the value of a seat where a setting is given for all seats or by seat."""
    return value[seat] if isinstance(value, Mapping) else value


def places_of(setup: Mapping[str, Any]) -> dict[str, int]:
    """Returns seat -> place in the order of play, from 0; one whose predecessors failed to act keeps its place."""
    return {seat: place for place, seat in enumerate(setup["order"])}


class HerdBelief(NamedTuple):
    """What a rational observer of all actions holds.

    Attributes:
        setup: Data of the `setup` event; None before it.
        belief: P(second state | actions so far).
        precisions: Seat -> precision the planner chose for its signal, latest only.
        position: Actions so far.
        ignored: Whether the last action could not depend on its agent's signal.
        off_path: Actions so far that no rational agent would have taken; they leave the belief as it was.
    """

    setup: dict[str, Any] | None = None
    belief: float = 0.5
    precisions: tuple[tuple[str, float], ...] = ()
    position: int = 0
    ignored: bool = False
    off_path: int = 0

    def precision(self, seat: str) -> float:
        """Returns the precision of a seat's signal: what the planner chose last, or the baseline."""
        assert self.setup is not None
        for chosen_seat, chosen in self.precisions:
            if chosen_seat == seat:
                return chosen
        return of_seat(self.setup["precision"], seat)

    def threshold(self, seat: str) -> float:
        """Returns the belief in the second state above which playing it pays for this seat."""
        assert self.setup is not None
        return of_seat(self.setup["threshold"], seat)


def follow_herd(herd: HerdBelief, event: Event) -> HerdBelief:
    """Returns the belief after one more event; events that say nothing to the public leave it as it is."""
    if event.kind == "setup":
        return HerdBelief(event.data, event.data["prior"])
    if event.kind == "precision":
        return herd._replace(precisions=((event.data["seat"], event.data["precision"]),))
    setup = herd.setup
    if event.kind != "action" or setup is None or event.seat is None:
        return herd
    on_good, on_bad, good, bad = action_likelihoods(
        herd.belief, herd.precision(event.seat), setup["ties"], herd.threshold(event.seat)
    )
    if event.data["action"] != setup["states"][1]:
        good, bad = 1.0 - good, 1.0 - bad
    return HerdBelief(
        setup,
        next_belief(herd.belief, good, bad),
        herd.precisions,
        herd.position + 1,
        on_good == on_bad and on_good != 0.5,
        herd.off_path + (good == 0.0 and bad == 0.0),
    )
