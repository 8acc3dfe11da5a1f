"""The social graph as a frozen value, and the one function by which a message reaches anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tidings.core.errors import RequestError, suggest
from tidings.core.events import EVERYONE

__all__ = ["SocialGraph", "deliver"]


@dataclass(frozen=True)
class SocialGraph:
    """Who can hear whom.

    Attributes:
        seats: All seats in a fixed order.
        hearers: Seat -> the seats that hear it, in seat order. An edge u -> v means: v hears u.
        is_directed: Whether the source graph was directed (an undirected edge lets both hear each other).
        attributes: Edge attributes (u, v) -> mapping, for environments that use weights or relations.
    """

    seats: tuple[str, ...]
    hearers: Mapping[str, tuple[str, ...]]
    is_directed: bool = False
    attributes: Mapping[tuple[str, str], Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        hears: dict[str, list[str]] = {seat: [] for seat in self.seats}
        for sender in self.seats:
            for hearer in self.hearers.get(sender, ()):
                hears[hearer].append(sender)
        n = len(self.seats)
        complete = all(len(set(self.hearers.get(seat, ()))) == n - 1 for seat in self.seats)
        object.__setattr__(self, "_hears", {seat: tuple(senders) for seat, senders in hears.items()})
        object.__setattr__(self, "_audiences", {})
        object.__setattr__(self, "is_complete", complete)

    is_complete: bool = field(init=False, default=False)

    def hears(self, seat: str) -> tuple[str, ...]:
        """Returns the seats that `seat` hears, in seat order."""
        return self._hears[seat]  # type: ignore[attr-defined]

    def edges(self) -> Iterable[tuple[str, str]]:
        """Yields every directed pair (sender, hearer)."""
        return ((sender, hearer) for sender in self.seats for hearer in self.hearers.get(sender, ()))

    @classmethod
    def from_edges(cls, seats: Iterable[str], edges: Iterable[tuple[str, str]], *, directed: bool) -> SocialGraph:
        """Returns the graph with these seats and edges; undirected edges are laid both ways, loops are dropped."""
        order = tuple(seats)
        position = {seat: i for i, seat in enumerate(order)}
        heard: dict[str, set[str]] = {seat: set() for seat in order}
        for sender, hearer in edges:
            if sender == hearer:
                continue
            heard[sender].add(hearer)
            if not directed:
                heard[hearer].add(sender)
        return cls(order, {seat: tuple(sorted(heard[seat], key=position.__getitem__)) for seat in order}, directed)


def deliver(graph: SocialGraph, sender: str, to: Iterable[str] | None = None) -> tuple[str, ...]:
    """Returns the audience of what `sender` says: those who hear it, and the sender itself.

    Deny by default: a seat outside `graph.hearers[sender]` is never in the result, whatever `to` holds.

    Args:
        graph: Who hears whom.
        sender: The seat that speaks.
        to: Only these hearers are addressed; None addresses all of them.

    Returns:
        Seats in seat order, sender first; `EVERYONE` when the graph is complete and nobody is left out.

    Raises:
        RequestError: If `to` names a seat that does not exist. A misspelt name is an error, never a broadcast.
    """
    if to is None:
        if graph.is_complete:
            return EVERYONE
        cache: dict[str, tuple[str, ...]] = graph._audiences  # type: ignore[attr-defined]
        audience = cache.get(sender)
        if audience is None:
            audience = cache[sender] = (sender, *graph.hearers.get(sender, ()))
        return audience
    addressed = set(to)
    known = set(graph.seats)
    for name in sorted(addressed - known):
        raise RequestError("message.to", f"no seat {name!r}", f"{len(known)} seats exist", suggest(name, known))
    return (sender, *(hearer for hearer in graph.hearers.get(sender, ()) if hearer in addressed))
