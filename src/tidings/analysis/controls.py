"""What stands beside the key figure of a run: what was possible without the others, and with everything on the table.

A control is made from the same rollouts: the same true states and the same private hints, so differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from tidings.core import Event
from tidings.theory.herding import p_play_good, posterior

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["Control", "herd_controls", "pooled_and_alone"]


class Control(NamedTuple):
    """One control.

    Attributes:
        name: Its name, short.
        words: How it is made; one line.
        values: One value for each rollout, in order; None where a rollout has none.
    """

    name: str
    words: str
    values: dict[int, float]


def herd_controls(run: Run) -> list[Control]:
    """Returns the floor and the ceiling of P(correct) on the hints of this run; empty for a run of summaries.

    The floor decides from the own hint alone; the ceiling from all hints handed out so far, as if everybody had told
    theirs.
    """
    alone, pooled = dict[int, float](), dict[int, float]()
    for rollout, lines in run.ended():
        found = pooled_and_alone(line.event() for line in lines)
        if found is not None:
            pooled[rollout], alone[rollout] = found
    if not alone:
        return []
    return [
        Control("own hint alone", "exact Bayes on the same hints, without seeing anybody", alone),
        Control("all hints shared", "exact Bayes on the same hints, as if everybody had told theirs", pooled),
    ]


def pooled_and_alone(events: Iterable[Event]) -> tuple[float, float] | None:
    """Returns the expected share of right decisions with all hints so far, and with the own hint alone.

    Args:
        events: All events of one rollout of social learning. Only agents that acted are counted.

    Undefined: None if nobody acted.
    """
    setup, truth, signal, shared = None, "", None, 0.5
    right = [0.0, 0.0]
    n = 0
    for event in events:
        if event.kind == "setup":
            setup, shared = event.data, event.data["prior"]
        elif event.kind == "state":
            truth = event.data["value"]
        elif event.kind == "signal" and setup is not None:
            signal = (int(event.data["value"] == setup["states"][1]), event.data["precision"])
            shared = posterior(shared, signal[1], signal[0])
        elif event.kind == "action" and setup is not None and signal is not None:
            n += 1
            for i, belief in enumerate((shared, posterior(setup["prior"], signal[1], signal[0]))):
                p_good = p_play_good(belief, signal[0], setup["ties"], setup["threshold"])
                right[i] += p_good if truth == setup["states"][1] else 1.0 - p_good
    return (right[0] / n, right[1] / n) if n else None
