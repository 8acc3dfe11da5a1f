"""The social graph of the town: hubs who all know each other, small circles, and ties between the two."""

from __future__ import annotations

from dataclasses import dataclass

from tidings.benchmarks.streams import Draws
from tidings.core.errors import RequestError

__all__ = ["Town", "draw_town", "pairs_at_distance"]

_MIN_CIRCLE, _MAX_CIRCLE = 4, 6


@dataclass(frozen=True, slots=True)
class Town:
    """Who knows whom.

    Attributes:
        hubs: Person ids; a clique.
        circles: Person ids; each circle is a clique.
        friends: Person id -> ids of everybody this person knows.
    """

    hubs: tuple[str, ...]
    circles: tuple[tuple[str, ...], ...]
    friends: dict[str, frozenset[str]]

    def edges(self) -> list[tuple[str, str]]:
        """Returns every relation once, in the order of the people."""
        order = {person: place for place, person in enumerate(self.friends)}
        return [
            (a, b) for a in self.friends for b in sorted(self.friends[a], key=order.__getitem__) if order[a] < order[b]
        ]


def draw_town(draws: Draws, n_people: int, n_relations: int, n_hubs: int) -> Town:
    """Returns a connected graph of exactly `n_relations` edges.

    The hubs form a clique; everybody else gets one hub, with probability proportional to its degree + 1; the others
    form circles of 4-6, which are cliques; then (hub by degree, random circle member) edges until there are enough.

    Raises:
        RequestError: No such graph exists (for this draw of circle sizes).
    """
    if n_hubs < 1 or n_people - n_hubs < _MIN_CIRCLE or n_people - n_hubs == 2 * _MIN_CIRCLE - 1:
        raise RequestError("town.n_people", f"{n_people} people with {n_hubs} hubs", "circles of 4-6 beside the hubs")
    people = [f"p{i}" for i in range(n_people)]
    hubs, others = people[:n_hubs], people[n_hubs:]
    friends: dict[str, set[str]] = {person: set() for person in people}
    circles = _cut_circles(draws, draws.shuffled(others))
    for clique in (hubs, *circles):
        for a in clique:
            friends[a] |= set(clique) - {a}
    for person in others:
        _tie(friends, person, draws.weighted(hubs, [len(friends[hub]) + 1 for hub in hubs]))
    _add_ties(draws, friends, hubs, others, n_relations)
    return Town(tuple(hubs), circles, {person: frozenset(known) for person, known in friends.items()})


def pairs_at_distance(town: Town, distance: int) -> list[tuple[str, str]]:
    """Returns the unordered pairs of people at distance 1 or 2, in the order of the people."""
    people = list(town.friends)
    pairs = []
    for i, a in enumerate(people):
        for b in people[i + 1 :]:
            is_adjacent = b in town.friends[a]
            if is_adjacent if distance == 1 else not is_adjacent and town.friends[a] & town.friends[b]:
                pairs.append((a, b))
    return pairs


def _tie(friends: dict[str, set[str]], a: str, b: str) -> None:
    friends[a].add(b)
    friends[b].add(a)


def _cut_circles(draws: Draws, people: list[str]) -> tuple[tuple[str, ...], ...]:
    circles, left = [], len(people)
    while left:
        # What remains must again be cut into circles of 4-6: anything but 1, 2, 3 and 7.
        sizes = [s for s in range(_MIN_CIRCLE, _MAX_CIRCLE + 1) if left - s == 0 or (left - s >= 4 and left - s != 7)]
        size = draws.pick(sizes)
        circles.append(tuple(people[left - size : left]))
        left -= size
    return tuple(circles)


def _add_ties(draws: Draws, friends: dict[str, set[str]], hubs: list[str], others: list[str], n_relations: int) -> None:
    n_edges = sum(map(len, friends.values())) // 2
    most = n_edges + sum(len(others) - len(friends[hub] & set(others)) for hub in hubs)
    if not n_edges <= n_relations <= most:
        found = f"{n_relations} with {len(friends)} people and {len(hubs)} hubs"
        raise RequestError("town.n_relations", found, f"{n_edges} to {most} for this seed")
    while n_edges < n_relations:
        hub, person = draws.weighted(hubs, [len(friends[hub]) for hub in hubs]), draws.pick(others)
        if person not in friends[hub]:
            _tie(friends, hub, person)
            n_edges += 1
