"""What seats said they believed, beside what exact Bayes would have believed from the same view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tidings.core.events import Event
from tidings.theory.herd_events import HerdBelief, follow_herd, places_of
from tidings.theory.herding import posterior

__all__ = ["herd_beliefs"]


def herd_beliefs(events: Iterable[Event]) -> Iterator[dict[str, Any]]:
    """Yields one row for each agent of one rollout of `social_learning` that stated a belief.

    Yields:
        `step`, `seat`, `position` (in the order of play), `signal`, `precision`, `belief` (stated), `public` (the
        rational public belief before the agent moved) and `bayes` (the rational belief after its signal). On a graph
        that is not complete there is no public belief; both are None there.
    """
    herd = HerdBelief()
    signal: dict[str, Any] = {}
    places: Mapping[str, int] = {}
    for event in events:
        if event.kind == "setup":
            places = places_of(event.data)
        elif event.kind == "signal":
            signal = event.data
        elif event.kind == "reply" and isinstance(event.data["action"], dict) and "belief" in event.data["action"]:
            assert herd.setup is not None
            is_common = herd.setup["seen"] is None
            says_good = int(signal["value"] == herd.setup["states"][1])
            yield {
                "step": event.step,
                "seat": event.seat,
                "position": places[event.seat or ""],
                "signal": signal["value"],
                "precision": signal["precision"],
                "belief": event.data["action"]["belief"],
                "public": herd.belief if is_common else None,
                "bayes": posterior(herd.belief, signal["precision"], says_good) if is_common else None,
            }
        herd = follow_herd(herd, event)
