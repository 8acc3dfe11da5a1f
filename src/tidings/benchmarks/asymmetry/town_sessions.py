"""The town's conversations: small talk in cliques, and the needles, on one rising clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tidings.benchmarks.asymmetry.records import PrivateItem
from tidings.benchmarks.asymmetry.town_graph import Town
from tidings.benchmarks.asymmetry.town_needles import Needle
from tidings.benchmarks.asymmetry.town_text import draw_filler, write_claim
from tidings.benchmarks.streams import Draws
from tidings.core.errors import RequestError

__all__ = ["draw_corpus"]

_P_HUBS, _P_COMMON_FRIEND, _P_COMMON_HUB, _P_ALL_HEAR = 0.62, 0.4, 0.5, 0.7
_P_BEFORE, _P_AFTER = 0.5, 0.5


class _Line(NamedTuple):
    speaker: str
    hearers: tuple[str, ...]
    text: str
    needle: Needle | None = None


_Session = list[_Line]


def draw_corpus(
    seed: int, town: Town, needles: Sequence[Needle], things: Sequence[str], n_rows: int
) -> tuple[list[PrivateItem], dict[Needle, str]]:
    """Returns the lines of the town in time order, and needle -> fact id.

    There are exactly `n_rows` rows, one per line and hearer: the last small talk is cut where they are reached. Every
    relation is used at least once.

    Args:
        seed: Seed of the town.
        town: The graph.
        needles: Facts to be told.
        things: Objects and events that small talk may name idly.
        n_rows: Rows of the whole corpus.

    Raises:
        RequestError: `n_rows` is less than needles and relations need.
    """
    told = [_needle_session(Draws(seed, "town", "needle", i), needle, things) for i, needle in enumerate(needles)]
    greetings = _greetings(seed, town, told, things)
    budget = n_rows - _n_rows(told) - _n_rows(greetings)
    if budget < 0:
        found = f"{n_rows}, but needles and relations alone take {n_rows - budget}"
        raise RequestError("town.rows", found, "at least that many", "ask for more rows or for fewer questions")
    small_talk = _small_talk(seed, town, things, budget)
    positions = Draws(seed, "town", "positions")
    others = [(positions.uniform(), session) for session in [*greetings, *small_talk]]
    dated = [(needle.position, session) for needle, session in zip(needles, told, strict=True)]
    sessions = [session for _, session in sorted([*others, *dated], key=lambda pair: pair[0])]
    return _lay_on_clock(Draws(seed, "town", "clock"), sessions)


def _n_rows(sessions: Sequence[_Session]) -> int:
    return sum(len(line.hearers) for session in sessions for line in session)


def _needle_session(draws: Draws, needle: Needle, things: Sequence[str]) -> _Session:
    lines = [_Line(needle.speaker, needle.hearers, write_claim(draws, needle.claim), needle)]
    if draws.coin(_P_BEFORE):
        lines.insert(0, _Line(needle.speaker, needle.hearers, draw_filler(draws, things)))
    if draws.coin(_P_AFTER):
        lines.append(_Line(needle.speaker, needle.hearers, draw_filler(draws, things)))
    return lines


def _greetings(seed: int, town: Town, told: Sequence[_Session], things: Sequence[str]) -> list[_Session]:
    """Returns a line for each relation that no needle uses, so that the graph of rows is the social graph."""
    used = {frozenset((line.speaker, hearer)) for session in told for line in session for hearer in line.hearers}
    unused = [edge for edge in town.edges() if frozenset(edge) not in used]
    draws = Draws(seed, "town", "greetings")
    return [[_Line(a, (b,), draw_filler(draws, things))] for a, b in unused]


def _small_talk(seed: int, town: Town, things: Sequence[str], budget: int) -> list[_Session]:
    sessions: list[_Session] = []
    while budget > 0:
        draws = Draws(seed, "town", "session", len(sessions))
        lines = _draw_session(draws, _draw_company(draws, town), things)
        kept: _Session = []
        for line in lines:
            if budget > 0:
                kept.append(line._replace(hearers=line.hearers[:budget]))
                budget -= len(kept[-1].hearers)
        sessions.append(kept)
    return sessions


def _draw_company(draws: Draws, town: Town) -> list[str]:
    if draws.coin(_P_HUBS) and len(town.hubs) >= 2:
        company = draws.sample(town.hubs, draws.between(2, min(4, len(town.hubs))))
        pool, p = [person for circle in town.circles for person in circle], _P_COMMON_FRIEND
    else:
        circle = draws.pick(town.circles)
        company = draws.sample(circle, draws.between(2, min(5, len(circle))))
        pool, p = list(town.hubs), _P_COMMON_HUB
    if draws.coin(p):
        known = frozenset.intersection(*(town.friends[person] for person in company))
        common = [person for person in pool if person in known]
        company += [draws.pick(common)] if common else []
    return company


def _draw_session(draws: Draws, company: list[str], things: Sequence[str]) -> _Session:
    lines: _Session = []
    for _ in range(draws.between(8, 20)):
        speaker = draws.pick(company)
        others = [person for person in company if person != speaker]
        if not draws.coin(_P_ALL_HEAR):
            others = draws.sample(others, draws.between(1, len(others)))
        lines.append(_Line(speaker, tuple(others), draw_filler(draws, things)))
    return lines


def _lay_on_clock(draws: Draws, sessions: Sequence[_Session]) -> tuple[list[PrivateItem], dict[Needle, str]]:
    items: list[PrivateItem] = []
    facts: dict[Needle, str] = {}
    time = 0
    for number, session in enumerate(sessions):
        time += draws.between(10, 60)
        for line in session:
            time += draws.between(1, 3)
            fact = f"l{len(items)}"
            items.append(PrivateItem(fact, line.speaker, line.text, time, line.hearers, f"s{number}"))
            if line.needle is not None:
                facts[line.needle] = fact
    return items, facts
