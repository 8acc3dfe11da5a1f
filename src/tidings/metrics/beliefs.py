"""What seats said they believed, beside what exact Bayes would have believed from the same view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tidings.core.events import Event
from tidings.theory.herding import action_likelihoods, next_belief, posterior

__all__ = ["herd_beliefs"]


def herd_beliefs(events: Iterable[Event]) -> Iterator[dict[str, Any]]:
    """Yields one row for each agent of one rollout of `social_learning` that stated a belief.

    Yields:
        `step`, `seat`, `position`, `signal`, `precision`, `belief` (stated), `public` (the rational public belief before
        the agent moved) and `bayes` (the rational belief after its signal). On a graph that is not complete there is no
        public belief; both are None there.
    """
    setup: dict[str, Any] = {}
    public, signal, precision, position = 0.5, "", 0.5, 0
    for event in events:
        data = event.data
        if event.kind == "setup":
            setup, public = data, data["prior"]
        elif event.kind == "signal":
            signal, precision = data["value"], data["precision"]
        elif event.kind == "reply" and isinstance(data["action"], dict) and "belief" in data["action"]:
            is_common = setup["seen"] is None
            bayes = posterior(public, precision, int(signal == setup["states"][1]))
            yield {
                "step": event.step,
                "seat": event.seat,
                "position": position,
                "signal": signal,
                "precision": precision,
                "belief": data["action"]["belief"],
                "public": public if is_common else None,
                "bayes": bayes if is_common else None,
            }
        elif event.kind == "action":
            _, _, good, bad = action_likelihoods(public, precision, setup["ties"], setup["threshold"])
            if data["action"] != setup["states"][1]:
                good, bad = 1.0 - good, 1.0 - bad
            public = next_belief(public, good, bad)
            position += 1
