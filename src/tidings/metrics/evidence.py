"""What metrics read: the events of a run, rollout by rollout, and rows that were measured beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import polars as pl

from tidings.core.events import Event
from tidings.core.graph import SocialGraph
from tidings.metrics.claims import Claim
from tidings.metrics.detectors import trusts_judge
from tidings.metrics.ledger import Ledger, read_ledger

__all__ = ["SIDE_TABLES", "Evidence", "name_events"]

SIDE_TABLES: Mapping[str, Mapping[str, type[pl.DataType] | pl.DataType]] = {
    "probes": {
        "rollout": pl.Int64,
        "step": pl.Int64,
        "index": pl.Int64,
        "seat": pl.String,
        "order": pl.Int64,
        "about": pl.String,
        "variable": pl.String,
        "worlds": pl.List(pl.String),
        "belief": pl.List(pl.Float64),
        "prior": pl.List(pl.Float64),
        "bayes": pl.List(pl.Float64),
        "truth": pl.String,
        "estimator": pl.String,
    },
    "density": {
        "rollout": pl.Int64,
        "step": pl.Int64,
        "index": pl.Int64,
        "seat": pl.String,
        "fact": pl.String,
        "bits": pl.Float64,
        "cap_bits": pl.Float64,
        "n_worlds": pl.Int64,
        "tokens": pl.Int64,
        "mode": pl.String,
        "scorer": pl.String,
    },
    "influence": {
        "rollout": pl.Int64,
        "source": pl.Int64,
        "target": pl.Int64,
        "seat": pl.String,
        "method": pl.String,
        "value": pl.Float64,
        "unit": pl.String,
        "n": pl.Int64,
        "null_mean": pl.Float64,
    },
    "claims": {
        "rollout": pl.Int64,
        "index": pl.Int64,
        "fact": pl.String,
        "value": pl.String,
        "polarity": pl.Int64,
        "hedged": pl.Boolean,
        "detector": pl.String,
        "confidence": pl.Float64,
        "n_asked": pl.Int64,
        "n_failed": pl.Int64,
        "reason": pl.String,
    },
    "judges": {
        "detector": pl.String,
        "precision": pl.Float64,
        "recall": pl.Float64,
        "n": pl.Int64,
        "n_failed": pl.Int64,
    },
}
"""Rows measured beside the events, kept in the run folder as `rows/<name>.parquet`: name -> least columns.

`probes`: what a seat believed after event `index`, asked on a fork that no seat remembers; `value`s as JSON texts.
`density`: bits that message `index` says about a private fact. `influence`: effect of event `source` on event `target`.
`claims`: what a judge read in message `index`; a row without a fact counts what it was asked in a rollout and did not
answer. `judges`: how good a judge was on `n` labelled messages.
"""


class Evidence:
    """The rollouts of one run that ended well. What several metrics need is worked out once.

    Attributes:
        rollouts: Gives (rollout, its events) in order; may be asked more than once.
        graph: Who hears whom.
        seed: Seed of the run; all permutations are drawn from it.
        side: Name -> rows, see `SIDE_TABLES`; only those that exist.
        absent: Why there are no events, if there are none by design.
    """

    def __init__(
        self,
        rollouts: Callable[[], Iterable[tuple[int, Sequence[Event]]]],
        graph: SocialGraph,
        seed: int = 0,
        side: Mapping[str, pl.DataFrame] | None = None,
        absent: str = "",
    ) -> None:
        self.rollouts, self.graph, self.seed, self.absent = rollouts, graph, seed, absent
        self.side: Mapping[str, pl.DataFrame] = side or {}

    @cached_property
    def ledgers(self) -> list[Ledger]:
        """The fact ledger of each rollout, in order."""
        return [self.read(rollout, events) for rollout, events in self.rollouts()]

    def read(self, rollout: int, events: Iterable[Event]) -> Ledger:
        """Returns the fact ledger of one rollout, with what a judge read in it."""
        is_first = self._trusts_judge
        return read_ledger(events, self.graph.seats, rollout, judged=self.judged, judge_first=is_first)

    @cached_property
    def _trusts_judge(self) -> bool:
        return trusts_judge(self.side)

    @cached_property
    def judged(self) -> dict[tuple[int, int], list[Claim]]:
        """What a judge read: (rollout, index of a message) -> claims."""
        found: dict[tuple[int, int], list[Claim]] = {}
        rows = self.side.get("claims")
        for row in [] if rows is None else rows.drop_nulls("fact").iter_rows(named=True):
            claim = Claim(*(row[name] for name in Claim._fields))
            found.setdefault((row["rollout"], row["index"]), []).append(claim)
        return found


def name_events(indices: Mapping[int, Iterable[int]] | Iterable[int]) -> tuple[str, ...]:
    """Returns the names of events, neighbours with equal indices together.

    Args:
        indices: Rollout -> indices of its events; or rollouts alone, for all of their events.
    """
    if isinstance(indices, Mapping):
        spans = [(rollout, _spans(sorted(set(found)))) for rollout, found in sorted(indices.items())]
    else:
        spans = [(rollout, "*") for rollout in sorted(indices)]
    groups: list[tuple[list[int], str]] = []
    for rollout, text in spans:
        if groups and groups[-1][1] == text:
            groups[-1][0].append(rollout)
        elif text:
            groups.append(([rollout], text))
    return tuple(f"{_spans(rollouts)}:{text}" for rollouts, text in groups)


def _spans(numbers: Sequence[int]) -> str:
    """Returns sorted numbers as text, runs of neighbours as `first-last`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)
