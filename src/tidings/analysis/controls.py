"""What stands beside the key figure of a run: what was possible without the others, and with everything on the table.

A control is made from the same rollouts: the same true states and the same private hints, so differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from tidings.core import Event
from tidings.metrics.hidden_profile import majority_share
from tidings.theory.herd_events import of_seat
from tidings.theory.herding import p_play_good, posterior

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = [
    "Control",
    "answer_controls",
    "first_answers",
    "herd_controls",
    "pooled_and_alone",
    "talk_controls",
    "vote_controls",
]


class Control(NamedTuple):
    """One control.

    Attributes:
        name: Its name, short.
        words: How it is made; one line.
        values: Rollout -> its value, a share from 0 to 1; a rollout without one is left out.
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


def talk_controls(run: Run) -> list[Control]:
    """Returns the share of seats that would know a fact if nobody told anything: its owners and whom it was given."""
    silent: dict[int, float] = {}
    for ledger in run.evidence().ledgers:
        if not ledger.facts or not ledger.seats:
            continue
        given = {name: set(fact.owners) for name, fact in ledger.facts.items()}
        for grant in ledger.grants:
            given.setdefault(grant.fact, set()).add(grant.seat)
        shares = [len(given[name] & set(ledger.seats)) / len(ledger.seats) for name in ledger.facts]
        silent[ledger.rollout] = sum(shares) / len(shares)
    return [Control("nobody tells", "only who owned a fact or was given it knows it", silent)] if silent else []


def vote_controls(run: Run) -> list[Control]:
    """Returns the share of right votes before the talk, by the same seats."""
    rows = run.rollouts()
    if rows.is_empty():
        return []
    known = rows.drop_nulls("right_before")
    before = dict(zip(known["rollout"].to_list(), known["right_before"].to_list(), strict=True))
    return [Control("before the talk", "votes of the same seats, each from what it knew alone", before)]


def answer_controls(run: Run) -> list[Control]:
    """Returns how often a first answer is right, and their majority, before anybody read another's answer."""
    alone, voted = dict[int, float](), dict[int, float]()
    for rollout, lines in run.ended():
        found = first_answers(line.event() for line in lines)
        if found is not None:
            alone[rollout], voted[rollout] = found
    if not alone:
        return []
    return [
        Control("one member alone", "mean over the first answers; one that cannot be read is wrong", alone),
        Control("vote without reading", "majority of the first answers; a tie counts by its share", voted),
    ]


def first_answers(events: Iterable[Event]) -> tuple[float, float] | None:
    """Returns the share of first answers that are right, and whether their majority is (ties by share).

    Undefined: None without gold or without a first answer.
    """
    keys: list[str] | None = None
    for event in events:
        if event.kind == "gold" and event.data.get("kind") != "code":
            keys = event.data["keys"]
        elif event.kind == "ledger" and event.data["round"] == 0 and keys is not None:
            said = [row["key"] for row in event.data["answers"]]
            if not said:
                return None
            marks = ["right" if key in keys else str(key) for key in said]
            votes = [mark for mark, key in zip(marks, said, strict=True) if key is not None]
            return marks.count("right") / len(said), majority_share(votes, "right") or 0.0
    return None


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
            threshold = of_seat(setup["threshold"], event.seat or "")
            for i, belief in enumerate((shared, posterior(setup["prior"], signal[1], signal[0]))):
                p_good = p_play_good(belief, signal[0], setup["ties"], threshold)
                right[i] += p_good if truth == setup["states"][1] else 1.0 - p_good
    return (right[0] / n, right[1] / n) if n else None
