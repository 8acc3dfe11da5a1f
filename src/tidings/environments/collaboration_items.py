"""One item of the environment `collaboration`: people, what each of them holds, what is asked, and what is right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from tidings.core import CITABLE_ID, Archive, ArchiveLine, DataError, SocialGraph, suggest
from tidings.spec.base import Params
from tidings.spec.errors import validate

__all__ = ["FactItem", "Item", "ItemParams", "Library", "anonymise", "anonymise_archive", "read_items_of"]


class FactItem(Params):
    """A line or fact that some people hold and others do not."""

    fact: str = Field(min_length=1)
    """Id, unique within the item."""
    owner: str
    """Seat that said it or holds it."""
    text: str = Field(min_length=1)
    """The fact in words."""
    hearers: tuple[str, ...] = ()
    """Seats that hold it too."""
    time: float = 0
    """Position on the item's clock."""
    session: str = ""
    """The talk it comes from."""
    prior_p: float | None = Field(default=None, gt=0, le=1)
    """Probability of this value before anybody speaks; bits of information are counted only where it is known."""
    visibility: tuple[str, ...] = ("*",)
    """Seats that may be told; `*` for all. Telling others is counted as a leak, not prevented."""


class ItemParams(Params):
    """One item, as a line of the items file holds it."""

    question: str = Field(min_length=1)
    """What is asked."""
    asked: tuple[str, ...] = Field(min_length=1)
    """The seat that answers; then, if there is one, its partner."""
    mode: Literal["pair", "open"] = "pair"
    """`pair` tells the asker who the partner is, `open` does not: the partner must be found."""
    options: tuple[str, ...] = ()
    """Allowed answers; none if the answer is free text."""
    facts: tuple[FactItem, ...] = ()
    """What people hold, beside the archive."""
    names: dict[str, str] = Field(default_factory=dict)
    """Seat -> what others call this person; the seat's own name by default."""
    evidence: tuple[tuple[str, ...], ...] = ()
    """Fact ids needed from each of `asked`; for the analyst only."""
    gold: Any = None
    """The right answer, for the analyst only."""
    gold_kind: Literal["integer", "names", "spans", "option", "exact", "assignment"] | None = None
    """How answers are read and scored."""
    catalogue: tuple[str, ...] = ()
    """For `names`: the spelling of every name there is."""
    id: str = ""
    """For the analyst only: in some sets an id tells the answer."""
    group: str = ""
    """Items of one group share facts."""
    type: str = ""
    """Suite and kind, for the analyst and for perfect readers."""


@dataclass(frozen=True)
class Item:
    """A checked item on its graph.

    Attributes:
        params: As given.
        graph: Who hears whom.
        facts: Fact id -> fact.
        held: Seat -> ids of the facts it holds, in order.
    """

    params: ItemParams
    graph: SocialGraph
    facts: Mapping[str, FactItem]
    held: Mapping[str, tuple[str, ...]]

    @property
    def asker(self) -> str:
        """The seat that is asked first."""
        return self.params.asked[0]

    @property
    def partner(self) -> str | None:
        """The other seat that is asked, if there is one."""
        return self.params.asked[1] if len(self.params.asked) > 1 else None

    @property
    def has_open_line(self) -> bool:
        """Whether asker and partner know of each other from the start and hear each other."""
        return self.params.mode == "pair" and self.partner in self.graph.hearers.get(self.asker, ())

    def name(self, seat: str) -> str:
        """Returns what others call this person."""
        return self.params.names.get(seat, seat)

    def contacts(self, seat: str) -> dict[str, str]:
        """Returns those who hear a seat: seat -> name."""
        return {other: self.name(other) for other in self.graph.hearers.get(seat, ())}

    @cached_property
    def seat_of(self) -> Mapping[str, str]:
        """Folded name -> seat."""
        return {fold(self.name(seat)): seat for seat in self.graph.seats}


@dataclass(frozen=True)
class Library:
    """The archive as the rules need it.

    Attributes:
        archive: Its lines.
        lines: Id -> line.
    """

    archive: Archive
    lines: Mapping[str, ArchiveLine] = field(default_factory=dict)

    @classmethod
    def of(cls, archive: Archive) -> Library:
        """Returns the archive with its lines by id."""
        return cls(archive, {line.id: line for line in archive.lines})

    def holders(self, line_id: str) -> tuple[str, ...]:
        """Returns the seats that hold a line; none if there is no such line."""
        line = self.lines.get(line_id)
        return () if line is None else tuple(dict.fromkeys((line.speaker, *line.hearers)))

    def seats_with_words(self, text: str) -> tuple[str, ...]:
        """Returns the seats that hold any line of this text, in the archive's order."""
        return tuple(dict.fromkeys(seat for one in self._ids_of.get(fold(text), ()) for seat in self.holders(one)))

    @cached_property
    def _ids_of(self) -> Mapping[str, Sequence[str]]:
        ids: dict[str, list[str]] = {}
        for line in self.archive.lines:
            ids.setdefault(fold(line.text), []).append(line.id)
        return ids


def fold(name: str) -> str:
    """Returns a name for comparison: case and spaces do not count."""
    return " ".join(name.split()).casefold()


def read_items_of(rows: Iterable[Mapping[str, Any]], graph: SocialGraph, library: Library) -> tuple[Item, ...]:
    """Returns the checked items.

    Raises:
        DataError: If an item is malformed, names somebody who has no seat, two people share a name or one cannot be
            written to, a fact id comes twice or cannot be cited, an option comes twice, the gold is no option, nobody
            holds anything, or the evidence of a side is held by nobody on that side.
    """
    return tuple(_check(row, f"environment.items[{i}]", graph, library) for i, row in enumerate(rows))


def anonymise(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an item in which people are called Person 1, Person 2, ... wherever their names stand as words."""
    names = row.get("names")
    if not names or not isinstance(names, Mapping) or not all(isinstance(x, str) and x for x in names.values()):
        return dict(row)
    rename = _renamer(names)

    def change(value: Any) -> Any:
        if isinstance(value, str):
            return rename(value)
        if isinstance(value, Mapping):
            return {key: change(item) for key, item in value.items()}
        return [change(item) for item in value] if isinstance(value, list | tuple) else value

    texts = {key: change(row[key]) for key in ("question", "options", "gold", "catalogue", "names") if key in row}
    facts = [{**fact, "text": change(fact.get("text"))} for fact in row.get("facts", ())]
    return {**row, **texts, **({"facts": facts} if facts else {})}


def anonymise_archive(archive: Archive, rows: Sequence[Mapping[str, Any]], graph: SocialGraph) -> Archive:
    """Returns the archive with people called as in the items that `anonymise` returns; its hash stays the file's.

    Raises:
        DataError: If a seat has no name in an item, or, where there is an archive, two items name people differently.
    """
    for i, row in enumerate(rows):
        names = row.get("names") or {}
        if isinstance(names, Mapping) and (nameless := [seat for seat in graph.seats if seat not in names]):
            found, fix = f"no name for {', '.join(nameless[:5])}", "name everybody, or leave environment.anonymous out"
            raise DataError(f"environment.items[{i}].names", found, "a name for each seat", fix)
        if archive.lines and names != rows[0].get("names"):
            found = "people have other names here"
            raise DataError(f"environment.items[{i}].names", found, "the names of items[0]: all share the archive")
    if not archive.lines or not isinstance(rows[0].get("names"), Mapping):
        return archive
    rename = _renamer(rows[0]["names"])
    return replace(archive, lines=tuple(line._replace(text=rename(line.text)) for line in archive.lines))


def _renamer(names: Mapping[str, str]) -> Callable[[str], str]:
    new = {name: f"Person {i}" for i, name in enumerate(names.values(), 1)}
    longest_first = sorted(map(re.escape, new), key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)")
    return lambda text: pattern.sub(lambda match: new[match[0]], text)


def _check(row: Mapping[str, Any], where: str, graph: SocialGraph, library: Library) -> Item:
    params = validate(ItemParams, dict(row), where)
    _check_seats(params, where, graph)
    _check_words(params, where)
    facts: dict[str, FactItem] = {}
    held: dict[str, list[str]] = {seat: [] for seat in graph.seats}
    for number, fact in enumerate(params.facts):
        if fact.fact in facts or fact.fact in library.lines:
            raise DataError(f"{where}.facts[{number}].fact", f"found {fact.fact!r} again", "each id once")
        facts[fact.fact] = fact
        for seat in dict.fromkeys((fact.owner, *fact.hearers)):
            held[seat].append(fact.fact)
    if not facts and not library.lines:
        raise DataError(f"{where}.facts", "found none, and no archive", "something that people know", "add facts")
    item = Item(params, graph, facts, {seat: tuple(ids) for seat, ids in held.items()})
    _check_evidence(item, where, library)
    return item


def _check_seats(params: ItemParams, where: str, graph: SocialGraph) -> None:
    seats = frozenset(graph.seats)
    places = [(f"asked[{i}]", seat) for i, seat in enumerate(params.asked)]
    places += [("names", seat) for seat in params.names]
    for i, fact in enumerate(params.facts):
        places += [(f"facts[{i}].owner", fact.owner), *((f"facts[{i}].hearers", seat) for seat in fact.hearers)]
        places += [(f"facts[{i}].visibility", seat) for seat in fact.visibility if seat != "*"]
    for place, seat in places:
        if seat not in seats:
            raise DataError(f"{where}.{place}", f"found {seat!r}", f"one of {len(seats)} seats", suggest(seat, seats))
    if len(params.asked) > 2 or len(set(params.asked)) < len(params.asked):
        raise DataError(f"{where}.asked", f"found {list(params.asked)}", "the asker, then perhaps one partner")
    names = [fold(params.names.get(seat, seat)) for seat in graph.seats]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"{where}.names", f"found {twice} more than once", "each name once")


def _check_words(params: ItemParams, where: str) -> None:
    """Checks what can be said, cited, written to and answered."""
    texts = [("question", params.question)]
    for i, fact in enumerate(params.facts):
        texts.append((f"facts[{i}].text", fact.text))
        if not CITABLE_ID.fullmatch(fact.fact):
            allowed = "an id that can be cited: no spaces, commas, semicolons, brackets or quotes"
            raise DataError(f"{where}.facts[{i}].fact", f"found {fact.fact!r}", allowed)
    for place, text in (*texts, *((f"options[{i}]", option) for i, option in enumerate(params.options))):
        if not text.strip():
            raise DataError(f"{where}.{place}", f"found {text!r}", "text that is not blank")
    for name in params.names.values():
        if not name.strip() or re.search(r"[,;\n]", name):
            allowed = "a name without commas, semicolons and line ends: they stand between names"
            raise DataError(f"{where}.names", f"found {name!r}", allowed)
    options = [fold(option) for option in params.options]
    for i, option in enumerate(options):
        if option in options[:i]:
            raise DataError(f"{where}.options[{i}]", f"found {params.options[i]!r} again", "each option once")
    gold = params.gold
    if gold is not None and options and fold(str(gold)) not in options:
        raise DataError(f"{where}.gold", f"found {gold!r}", f"one of the options {', '.join(params.options)}")
    if gold is not None and params.gold_kind == "integer" and not re.fullmatch(r"\s*[+-]?\d+\s*", str(gold)):
        raise DataError(f"{where}.gold", f"found {gold!r}", "a whole number: gold_kind is 'integer'")


def _check_evidence(item: Item, where: str, library: Library) -> None:
    asked, evidence = item.params.asked, item.params.evidence
    if evidence and len(evidence) != len(asked):
        raise DataError(f"{where}.evidence", f"found {len(evidence)} lists", f"one for each of asked ({len(asked)})")
    for i, (seat, ids) in enumerate(zip(asked, evidence, strict=False)):
        for fact in ids:
            holders = library.holders(fact) or tuple(s for s, held in item.held.items() if fact in held)
            if not holders:
                fix = "give it an owner, or correct the id"
                raise DataError(f"{where}.evidence[{i}]", f"nobody holds fact {fact!r}", "facts somebody holds", fix)
            if seat not in holders:
                allowed = f"a fact that {seat} holds, so that it can be told"
                raise DataError(f"{where}.evidence[{i}]", f"{fact!r} is held by {', '.join(holders)}", allowed)
