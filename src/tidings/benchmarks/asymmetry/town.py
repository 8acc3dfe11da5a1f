"""A town at the scale of FriendsTV: 140 people, 582 relations, tens of thousands of messages, needle questions.

Every question needs a fact that the asker heard and one that the partner heard, each kept from the other:

- `chain`: the asker knows who has an object, the partner where that person keeps things;
- `common`: the asker knows eight who go to an event, the partner eight who were asked to help, one in common;
- `stale`: the asker knows an old place of an object, the partner the latest.

Names are random syllables and the things are odd pairs of words, so that no model knows an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from tidings.benchmarks.asymmetry.names import draw_names
from tidings.benchmarks.asymmetry.records import Gold, Person, PrivateItem, Problem, Question, Relation, TaskSet
from tidings.benchmarks.asymmetry.town_graph import Town, draw_town
from tidings.benchmarks.asymmetry.town_needles import Needle, NeedleQuestion, draw_needles
from tidings.benchmarks.asymmetry.town_sessions import draw_corpus
from tidings.benchmarks.asymmetry.town_text import read_claim
from tidings.benchmarks.streams import Draws

__all__ = [
    "VERSION",
    "Row",
    "answer_from_items",
    "candidates_from_items",
    "check_town",
    "evidence_rows",
    "generate_town",
    "subject_of",
    "symbolic_rows",
    "town_rows",
]

VERSION = "town-1"
"""Version of the generator: it changes whenever a row would come out differently."""


class Row(NamedTuple):
    """One message as one hearer got it.

    Attributes:
        id: `<fact>><hearer>`.
        line: Fact id; the rows of one line share it.
        session: Conversation id.
        time: Minutes on the town's clock.
        speaker: Person id.
        hearer: Person id.
        text: What was said.
    """

    id: str
    line: str
    session: str
    time: int
    speaker: str
    hearer: str
    text: str


def generate_town(
    seed: int,
    rows: int = 40_000,
    n_people: int = 140,
    n_relations: int = 582,
    n_hubs: int = 6,
    n_chain_pairs: int = 25,
    n_common: int = 50,
    n_stale: int = 50,
) -> TaskSet:
    """Returns one problem, the town, with all its questions.

    Args:
        seed: Seed of the town.
        rows: Messages, counted once per hearer; exactly as many are made.
        n_people: People.
        n_relations: Edges.
        n_hubs: People who know each other and many more.
        n_chain_pairs: Disjoint pairs of people, each asked twelve chain questions.
        n_common: Common questions.
        n_stale: Stale questions.

    Raises:
        RequestError: No such graph exists, too many questions for the town, or too few rows for the questions.
    """
    town = draw_town(Draws(seed, "town", "graph"), n_people, n_relations, n_hubs)
    names = dict(zip(town.friends, draw_names(Draws(seed, "town", "names"), n_people), strict=True))
    drawn, needles, things = draw_needles(seed, town, n_chain_pairs, n_common, n_stale, frozenset(names.values()))
    items, facts = draw_corpus(seed, town, needles, things, rows)
    questions = tuple(_as_question(f"town-{number}", number, q, facts) for number, q in enumerate(drawn))
    golds = tuple(Gold(f"town-{number}", "option", q.gold) for number, q in enumerate(drawn))
    problem = Problem(f"town-{seed}", _people(town, names), tuple(items), _relations(town), questions)
    check_town(problem, golds)
    return TaskSet("town", f"rows={rows}", seed, VERSION, (problem,), golds)


def town_rows(problem: Problem) -> Iterator[Row]:
    """Yields the rows, one per line and hearer, in time order."""
    for item in problem.items:
        for hearer in item.hearers:
            row_id = f"{item.fact}>{hearer}"
            yield Row(row_id, item.fact, item.session, item.time, item.owner, hearer, item.text)


def evidence_rows(question: Question) -> tuple[tuple[str, ...], ...]:
    """Returns the row ids needed from each of the asked, in their order."""
    return tuple(
        tuple(f"{fact}>{person}" for fact in facts)
        for person, facts in zip(question.asked, question.evidence, strict=True)
    )


def candidates_from_items(question: Question, items: Iterable[PrivateItem]) -> tuple[str, ...]:
    """Returns the answers that a reader who follows links, and eliminates nothing, holds equally likely.

    `chain`: places of those who have the object; `common`: who is on both lists, or on the only list known; `stale`:
    the place told last. Nothing known: all options.
    """
    subject = subject_of(question)
    told: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.time):
        claim = read_claim(item.text)
        if claim is not None:
            told[claim.kind].append((claim.subject, claim.value))
    solver = {"town-chain": _solve_chain, "town-common": _solve_common, "town-stale": _solve_stale}[question.type]
    found = solver(subject, told)
    return tuple(option for option in question.options if option in found) or question.options


def answer_from_items(question: Question, items: Iterable[PrivateItem]) -> str | None:
    """Returns what a link-following reader of these items answers, or None when several answers are possible."""
    candidates = candidates_from_items(question, items)
    return candidates[0] if len(candidates) == 1 else None


def symbolic_rows(tasks: TaskSet) -> dict[str, dict[str, float]]:
    """Returns question type -> reader (`asker`, `partner`, `pooled`) -> mean probability of being right.

    The readers see every row the asker, the partner, or either of them sent or received, and guess uniformly among
    the candidates left.
    """
    problem, golds = tasks.problems[0], tasks.gold_of()
    telling = _telling_items(problem.items)
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for question in problem.questions:
        gold = golds[question.id].value
        for reader, people in _readers(question).items():
            candidates = candidates_from_items(question, _items_of(telling, people))
            scores[question.type][reader].append((gold in candidates) / len(candidates))
    return {kind: {r: sum(s) / len(s) for r, s in readers.items()} for kind, readers in scores.items()}


def check_town(problem: Problem, golds: Sequence[Gold]) -> None:
    """Checks what makes the questions questions, for each of them.

    The evidence of one side is invisible to the other; the link-following reader of the pooled rows gives exactly the
    gold; without either evidence line of a chain or common question it does not.

    Raises:
        AssertionError: One of these fails; the text names the question.
    """
    telling = _telling_items(problem.items)
    lines = {item.fact: item for item in problem.items}
    for question, gold in zip(problem.questions, golds, strict=True):
        facts = [lines[fact] for side in question.evidence for fact in side]
        for line, hearer, stranger in zip(facts, question.asked, reversed(question.asked), strict=True):
            _require(hearer in line.hearers, question, "evidence was not heard")
            _require(stranger not in (line.owner, *line.hearers), question, "evidence was heard by the other side")
        pooled = _items_of(telling, question.asked)
        _require(answer_from_items(question, pooled) == gold.value, question, "the pooled rows do not give the gold")
        for line in facts if question.type != "town-stale" else ():
            rest = [item for item in pooled if item.fact != line.fact]
            _require(answer_from_items(question, rest) != gold.value, question, "evidence is not needed")


def _require(holds: bool, question: Question, fault: str) -> None:
    if not holds:
        raise AssertionError(f"{question.id}: {fault}")


def _readers(question: Question) -> Mapping[str, tuple[str, ...]]:
    asker, partner = question.asked
    return {"asker": (asker,), "partner": (partner,), "pooled": (asker, partner)}


def _telling_items(items: Iterable[PrivateItem]) -> dict[str, dict[str, PrivateItem]]:
    """Returns person -> fact id -> the lines this person sent or received that tell a fact."""
    telling: dict[str, dict[str, PrivateItem]] = defaultdict(dict)
    for item in items:
        if read_claim(item.text) is not None:
            for person in (item.owner, *item.hearers):
                telling[person][item.fact] = item
    return telling


def _items_of(telling: Mapping[str, dict[str, PrivateItem]], people: Iterable[str]) -> list[PrivateItem]:
    merged: dict[str, PrivateItem] = {}
    for person in people:
        merged |= telling.get(person, {})
    return list(merged.values())


_Told = Mapping[str, Sequence[tuple[str, str]]]


def _solve_chain(subject: str, told: _Told) -> set[str]:
    holders = {person for thing, person in told["with"] if thing == subject}
    return {place for person, place in told["keeps"] if person in holders}


def _solve_common(subject: str, told: _Told) -> set[str]:
    goes = {person for event, person in told["goes"] if event == subject}
    asked = {person for event, person in told["asked"] if event == subject}
    return goes & asked or goes | asked


def _solve_stale(subject: str, told: _Told) -> set[str]:
    places = [place for thing, place in told["at"] if thing == subject]
    return set(places[-1:])


_TEXTS = {
    "chain": ("Where is the ", "? Things are where the person who has them keeps everything."),
    "common": ("Who goes to the ", " and was also asked to help there?"),
    "stale": ("Where is the ", " now?"),
}


def subject_of(question: Question) -> str:
    """Returns the object or event that a question of the town asks about."""
    before, after = _TEXTS[question.type.removeprefix("town-")]
    return question.text.removeprefix(before).removesuffix(after)


def _as_question(question_id: str, number: int, drawn: NeedleQuestion, facts: Mapping[Needle, str]) -> Question:
    before, after = _TEXTS[drawn.kind]
    modes: tuple[Literal["pair"], Literal["open"]] = ("pair", "open")
    return Question(
        id=question_id,
        group=drawn.group,
        type=f"town-{drawn.kind}",
        asked=(drawn.pair.asker, drawn.pair.partner),
        # Pairs alternate in distance, so that each distance has as many questions of either mode.
        mode=modes[number % 2 if drawn.kind == "chain" else number // 2 % 2],
        text=f"{before}{drawn.subject}{after}",
        options=drawn.options,
        evidence=tuple((facts[needle],) for needle in drawn.evidence),
        n_hops=drawn.n_hops,
        distance=drawn.pair.distance,
    )


def _people(town: Town, names: Mapping[str, str]) -> tuple[Person, ...]:
    return tuple(Person(person, names[person], "hub" if person in town.hubs else "") for person in town.friends)


def _relations(town: Town) -> tuple[Relation, ...]:
    return tuple(Relation(a, b) for a, b in town.edges())
