"""What a seat may know at one moment: the events whose audience holds it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar, overload

from tidings.core.events import Event
from tidings.core.seeds import SeedPath

__all__ = ["EventView", "Observation", "PublicRecord"]

T = TypeVar("T")


class EventView(Sequence[Event]):
    """A read-only view of the first `n` events of a list that may grow later."""

    __slots__ = ("_events", "_n")

    def __init__(self, events: list[Event], n: int) -> None:
        self._events, self._n = events, n

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[Event]:
        return islice(self._events, self._n)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            return self._events[: self._n][index]
        if not -self._n <= index < self._n:
            raise IndexError(index)
        return self._events[index % self._n]


class PublicRecord:
    """The events everyone may know, with running folds over them.

    A fold over public events has the same value for every seat, so it is computed once per rollout, not once per
    seat: the n-th agent of a herd updates the public belief in constant time.
    """

    __slots__ = ("_folds", "events")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._folds: dict[Any, tuple[int, Any]] = {}

    def fold(self, step: Callable[[T, Event], T], initial: T, n: int) -> T:
        """Returns `step` folded over the first `n` events; `step` must be pure, its values never changed in place."""
        done, value = self._folds.get(step, (0, initial))
        if done > n:
            done, value = 0, initial
        for event in islice(self.events, done, n):
            value = step(value, event)
        self._folds[step] = (n, value)
        return value


class Observation:
    """All a seat may use to decide.

    Attributes:
        seat: Whose observation it is.
        rollout: Number of the rollout, for call keys.
        step: The step that is being decided.
        seed: Seed path of this seat and step, for the seat's own draws.
        public: Events that everyone may know.
        private: Events that only some seats, this one among them, may know.
    """

    __slots__ = ("_record", "private", "public", "rollout", "seat", "seed", "step")

    def __init__(
        self, seat: str, rollout: int, step: int, seed: SeedPath, record: PublicRecord, private: EventView
    ) -> None:
        self.seat, self.rollout, self.step, self.seed = seat, rollout, step, seed
        self.private = private
        self.public = EventView(record.events, len(record.events))
        self._record = record

    @property
    def events(self) -> list[Event]:
        """All visible events in the order in which they happened."""
        return sorted([*self.public, *self.private], key=lambda event: event.index)

    def fold_public(self, step: Callable[[T, Event], T], initial: T) -> T:
        """Returns `step` folded over the public events, in amortised constant time (see `PublicRecord.fold`)."""
        return self._record.fold(step, initial, len(self.public))
