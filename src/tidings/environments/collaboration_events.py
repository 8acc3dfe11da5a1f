"""The opening events of a collaboration: the task, the facts, the archive, and what only the analyst sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tidings.core import NOBODY, Event
from tidings.environments.collaboration_items import FactItem, Item, Library
from tidings.environments.collaboration_params import CollaborationParams

__all__ = ["archive_fact", "declare_line", "opening_events", "task_event"]

_FEWEST_WORDS, _FEWEST_WORDS_OF_LINE = 3, 6
"""Shorter facts, and shorter lines of everyday talk, stand in prompts by chance: no prompt is searched for them."""


def opening_events(params: CollaborationParams, item: Item, library: Library, answerer: str) -> Iterator[Event]:
    """Yields what happens before anybody speaks."""
    yield Event("item", NOBODY, _item_data(item))
    if library.lines:
        archive = library.archive
        yield Event("archive", NOBODY, {"sha256": archive.sha256, "n_lines": len(archive.lines)})
    # Whoever sees everything holds everything: the barrier is not broken by the row with full information.
    extra = (answerer,) if params.information == "full" else ()
    for fact in item.facts.values():
        yield _declare(fact, extra)
    for ids in item.params.evidence:
        for line_id in ids:
            if line_id in library.lines:
                yield declare_line(library, line_id, extra)
    for seat, ids in item.held.items():
        reads_all = params.information == "full" and seat == answerer
        for fact in item.facts if reads_all else ids:
            yield _fact_event(item, item.facts[fact], seat)
    yield task_event(params, item, answerer, None)
    if params.information == "private" and item.partner is not None and item.has_open_line:
        yield task_event(params, item, item.partner, item.asker)


def task_event(params: CollaborationParams, item: Item, seat: str, opener: str | None) -> Event:
    """Returns what a seat is told of the task: by the environment, or by the contact who brings it in.

    The asker learns who the partner is, and through whom the partner can be reached, only in items of mode `pair`.
    """
    data: dict[str, Any] = {
        "question": item.params.question,
        "options": list(item.params.options),
        "type": item.params.type,
        "asked": list(item.params.asked) if item.params.mode == "pair" else [item.asker],
        "you": item.name(seat),
        "contacts": {} if params.information != "private" else item.contacts(seat),
    }
    if opener is not None:
        data["from"] = item.name(opener)
    if opener is None and params.information == "private" and item.params.mode == "pair" and item.partner:
        data["partner"] = item.name(item.partner)
        if not item.has_open_line:
            known = item.graph.hearers
            routes = [other for other in known.get(seat, ()) if item.partner in known.get(other, ())]
            data["routes"] = [item.name(other) for other in routes]
    return Event("task", (seat,), data, seat)


def archive_fact(library: Library, line_id: str) -> FactItem:
    """Returns a line of the archive as a fact."""
    line = library.lines[line_id]
    return FactItem(fact=line.id, owner=line.speaker, text=line.text, hearers=line.hearers, time=line.time)


def declare_line(library: Library, line_id: str, extra: tuple[str, ...] = ()) -> Event:
    """Returns the event that names a line of the archive in the ledger; `extra` seats hold it too."""
    line = library.lines[line_id]
    owners = tuple(dict.fromkeys((*library.holders(line_id), *extra)))
    data = _declaration(line.id, line.text, owners, ["*"], None, _FEWEST_WORDS_OF_LINE)
    if elsewhere := [seat for seat in library.seats_with_words(line.text) if seat not in owners]:
        data["same_words"] = elsewhere
    return Event("fact_declared", NOBODY, data, line.speaker)


def _declare(fact: FactItem, extra: tuple[str, ...]) -> Event:
    owners = dict.fromkeys((fact.owner, *fact.hearers, *extra))
    data = _declaration(fact.fact, fact.text, tuple(owners), list(fact.visibility), fact.prior_p)
    return Event("fact_declared", NOBODY, data, fact.owner)


def _declaration(
    fact: str,
    text: str,
    owners: tuple[str, ...],
    visibility: list[str],
    prior_p: float | None,
    fewest_words: int = _FEWEST_WORDS,
) -> dict[str, Any]:
    return {
        "fact": fact,
        "value": text,
        "owners": list(owners),
        "visibility": visibility,
        "prior_p": prior_p,
    } | ({"phrases": [text]} if len(text.split()) >= fewest_words else {})


def _fact_event(item: Item, fact: FactItem, seat: str) -> Event:
    data: dict[str, Any] = {"fact": fact.fact, "value": fact.text, "time": fact.time}
    data |= {"owner": fact.owner, "name": item.name(fact.owner)}
    return Event("fact", (seat,), data | ({"session": fact.session} if fact.session else {}), seat)


def _item_data(item: Item) -> dict[str, Any]:
    params = item.params
    return {
        "id": params.id,
        "group": params.group,
        "type": params.type,
        "asked": list(params.asked),
        "mode": params.mode,
        "options": list(params.options),
        "evidence": [list(ids) for ids in params.evidence],
        "gold": params.gold,
        "gold_kind": params.gold_kind,
        "catalogue": list(params.catalogue),
    }
