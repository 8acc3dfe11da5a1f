"""The needle questions of the town: facts told to one of two people and kept from the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tidings.benchmarks.asymmetry.names import draw_names
from tidings.benchmarks.asymmetry.town_graph import Town, pairs_at_distance
from tidings.benchmarks.asymmetry.town_text import EVENTS, OBJECTS, PLACES, Claim
from tidings.benchmarks.streams import Draws
from tidings.core.errors import RequestError

__all__ = ["N_CHAIN", "N_COMMON", "N_STALE_PLACES", "Needle", "NeedleQuestion", "Pair", "draw_needles", "draw_pairs"]

N_CHAIN = 12
"""Facts per side, and questions, of one chain pair."""

N_COMMON = 8
"""Names per side of one common question."""

N_STALE_PLACES = 12
"""Options of one stale question."""


class Pair(NamedTuple):
    """The two people asked.

    Attributes:
        asker: Person id.
        partner: Person id.
        distance: Edges between them, 1 or 2.
    """

    asker: str
    partner: str
    distance: int


@dataclass(frozen=True, slots=True)
class Needle:
    """A fact that one person hears and another does not.

    Attributes:
        claim: The fact.
        speaker: A friend of the hearer, not the person it is kept from.
        hearers: The person it is meant for, then up to two more of the speaker's friends.
        position: When it is said, as a share of the whole time.
    """

    claim: Claim
    speaker: str
    hearers: tuple[str, ...]
    position: float


@dataclass(frozen=True, slots=True)
class NeedleQuestion:
    """A question with its gold and its needles.

    Attributes:
        group: Questions of one group share facts.
        kind: `chain`, `common` or `stale`.
        pair: Who is asked.
        subject: The object or event asked about.
        options: In random order.
        gold: One of the options.
        evidence: The needles (asker's, partner's) without which the answer does not follow.
        n_hops: Facts to be joined.
    """

    group: str
    kind: str
    pair: Pair
    subject: str
    options: tuple[str, ...]
    gold: str
    evidence: tuple[Needle, Needle]
    n_hops: int


def draw_pairs(draws: Draws, town: Town, n: int, are_disjoint: bool) -> list[Pair]:
    """Returns `n` pairs, those of even index adjacent and those of odd index at distance 2.

    Everybody in a pair has a friend other than the partner.

    Args:
        draws: A stream.
        town: The graph.
        n: Number of pairs.
        are_disjoint: Whether nobody may be in two of the pairs; otherwise no pair comes twice.

    Raises:
        RequestError: The town has fewer such pairs.
    """
    queues = [_candidates(draws, town, distance) for distance in (1, 2)]
    used: set[str] = set()
    pairs: list[Pair] = []
    for i in range(n):
        pair = next((p for p in queues[i % 2] if not (are_disjoint and used & {p.asker, p.partner})), None)
        if pair is None:
            raise RequestError("town questions", f"{n} pairs", f"this town has {i} of them", "ask for fewer")
        used |= {pair.asker, pair.partner}
        pairs.append(pair)
    return pairs


def _candidates(draws: Draws, town: Town, distance: int) -> Iterator[Pair]:
    pairs = draws.shuffled(pairs_at_distance(town, distance))
    for a, b in pairs:
        if town.friends[a] - {b} and town.friends[b] - {a}:
            yield Pair(*((a, b) if draws.coin() else (b, a)), distance)


def draw_needles(
    seed: int, town: Town, n_chain_pairs: int, n_common: int, n_stale: int, taken: frozenset[str]
) -> tuple[list[NeedleQuestion], list[Needle], list[str]]:
    """Returns the questions, every needle, and the objects and events that small talk may mention.

    Args:
        seed: Seed of the town.
        town: The graph.
        n_chain_pairs: Pairs with twelve chain questions each.
        n_common: Common questions.
        n_stale: Stale questions.
        taken: Names of the town's people; the facts are about others.
    """
    draws = Draws(seed, "town", "needles", "vocabulary")
    n_objects = n_chain_pairs * N_CHAIN + n_stale
    _check_vocabulary(n_objects, len(OBJECTS), "objects")
    _check_vocabulary(n_common, len(EVENTS), "events")
    objects, events = draws.sample(OBJECTS, n_objects), draws.sample(EVENTS, n_common)
    n_names = n_chain_pairs * N_CHAIN + n_common * (2 * N_COMMON - 1)
    names = iter(draw_names(draws, n_names, taken))
    things = iter(objects)
    questions: list[NeedleQuestion] = []
    needles: list[Needle] = []
    for index, pair in enumerate(draw_pairs(Draws(seed, "town", "pairs", "chain"), town, n_chain_pairs, True)):
        material = _take(things, N_CHAIN), _take(names, N_CHAIN)
        _add(questions, needles, _draw_chain(Draws(seed, "town", "chain", index), town, pair, index, *material))
    for index, pair in enumerate(draw_pairs(Draws(seed, "town", "pairs", "common"), town, n_common, False)):
        who = _take(names, 2 * N_COMMON - 1)
        common = _draw_common(Draws(seed, "town", "common", index), town, pair, index, events[index], who)
        _add(questions, needles, common)
    for index, pair in enumerate(draw_pairs(Draws(seed, "town", "pairs", "stale"), town, n_stale, False)):
        _add(questions, needles, _draw_stale(Draws(seed, "town", "stale", index), town, pair, index, next(things)))
    return questions, needles, objects + events


def _check_vocabulary(n: int, most: int, what: str) -> None:
    if n > most:
        raise RequestError("town questions", f"{n} {what} needed", f"at most {most}", "ask fewer questions")


def _take(names: Iterator[str], n: int) -> list[str]:
    return [next(names) for _ in range(n)]


_Drawn = tuple[list[NeedleQuestion], list[Needle]]


def _add(questions: list[NeedleQuestion], needles: list[Needle], drawn: _Drawn) -> None:
    questions += drawn[0]
    needles += drawn[1]


def _draw_chain(
    draws: Draws, town: Town, pair: Pair, index: int, objects: Sequence[str], keepers: Sequence[str]
) -> _Drawn:
    places = draws.sample(PLACES, N_CHAIN)
    holder = dict(zip(objects, draws.shuffled(keepers), strict=True))
    store = dict(zip(keepers, places, strict=True))
    x_needles = {o: _tell(draws, town, Claim("with", o, holder[o]), pair.asker, pair.partner) for o in objects}
    y_needles = {p: _tell(draws, town, Claim("keeps", p, store[p]), pair.partner, pair.asker) for p in keepers}
    questions = [
        NeedleQuestion(
            group=f"chain-{index}",
            kind="chain",
            pair=pair,
            subject=thing,
            options=tuple(draws.shuffled(places)),
            gold=store[holder[thing]],
            evidence=(x_needles[thing], y_needles[holder[thing]]),
            n_hops=2,
        )
        for thing in objects
    ]
    return questions, [*x_needles.values(), *y_needles.values()]


def _draw_common(draws: Draws, town: Town, pair: Pair, index: int, event: str, names: Sequence[str]) -> _Drawn:
    both, goers, helpers = names[0], names[:N_COMMON], [names[0], *names[N_COMMON:]]
    x_needles = {name: _tell(draws, town, Claim("goes", event, name), pair.asker, pair.partner) for name in goers}
    y_needles = {name: _tell(draws, town, Claim("asked", event, name), pair.partner, pair.asker) for name in helpers}
    options, evidence = tuple(draws.shuffled(names)), (x_needles[both], y_needles[both])
    question = NeedleQuestion(f"common-{index}", "common", pair, event, options, both, evidence, n_hops=2)
    return [question], [*x_needles.values(), *y_needles.values()]


def _draw_stale(draws: Draws, town: Town, pair: Pair, index: int, thing: str) -> _Drawn:
    places = draws.sample(PLACES, N_STALE_PLACES)
    early, late = sorted((draws.uniform(), draws.uniform()))
    old = _tell(draws, town, Claim("at", thing, places[0]), pair.asker, pair.partner, early)
    new = _tell(draws, town, Claim("at", thing, places[1]), pair.partner, pair.asker, late)
    options = tuple(draws.shuffled(places))
    question = NeedleQuestion(f"stale-{index}", "stale", pair, thing, options, places[1], (old, new), n_hops=1)
    return [question], [old, new]


def _tell(
    draws: Draws, town: Town, claim: Claim, hearer: str, secret_from: str, position: float | None = None
) -> Needle:
    order = sorted(town.friends[hearer] - {secret_from})
    speaker = draws.pick(order)
    others = sorted(town.friends[speaker] - {hearer, secret_from})
    hearers = (hearer, *draws.sample(others, min(draws.between(0, 2), len(others))))
    return Needle(claim, speaker, hearers, draws.uniform() if position is None else position)
