"""Needle in the Persona, without a model: the one value that Alice and Dave both name.

Alice tells Bob `k` things she likes, Dave tells Charlie `k` things he likes (even ids) or dislikes (odd ids), exactly
one of them in common. Bob and Charlie are asked for it. The values are exchangeable, so either side alone is right with
probability 1/k exactly, and both together always.

Source: the form of InformativeBench's Needle in the Persona (arXiv 2406.14928), whose k is 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidings.benchmarks.asymmetry.names import draw_names
from tidings.benchmarks.asymmetry.needle_text import (
    DISLIKES,
    LIKES,
    content_words,
    draw_small_talk,
    draw_values,
    read_needle,
)
from tidings.benchmarks.asymmetry.persona_chat import Dialogue, rename_speakers
from tidings.benchmarks.asymmetry.records import Gold, Person, PrivateItem, Problem, Question, Relation, TaskSet
from tidings.benchmarks.streams import Draws
from tidings.core.errors import DataError, RequestError

__all__ = ["VERSION", "answer_from_items", "candidates_from_items", "generate_needles"]

VERSION = "needle-1"
"""Version of the generator: it changes whenever an item would come out differently."""

_CHATS = (("A", "B"), ("C", "D"), ("B", "C"))
_MAX_K = 7
_N_TURNS = 10
_Talk = list[tuple[int, str]]
_Lines = list[tuple[str, str]]


def generate_needles(n: int, seed: int, k: int = 4, base_dialogues: Sequence[Dialogue] = ()) -> TaskSet:
    """Returns `n` problems, each drawn from its own stream (seed, set, k, id).

    Args:
        n: Number of problems, one question each; even ids ask what both like, odd ids what Alice likes and Dave
            dislikes.
        seed: Seed of the set.
        k: Values each of Alice and Dave states, 1 to 7. k = 1 is the paper's form: each side alone holds the answer.
        base_dialogues: Dialogues to hide the needles in (see `load_persona_chat`); empty: small talk of our own.

    Raises:
        RequestError: `k` is out of range.
        DataError: Fewer than three base dialogues are free of the item's needle words and of open placeholders.
    """
    if not 1 <= k <= _MAX_K:
        raise RequestError("needle.k", f"found {k!r}", f"1 to {_MAX_K}")
    pairs = [_draw_problem(seed, k, index, base_dialogues) for index in range(n)]
    return TaskSet("needle", f"k={k}", seed, VERSION, tuple(p for p, _ in pairs), tuple(g for _, g in pairs))


def candidates_from_items(question: Question, items: Iterable[PrivateItem]) -> tuple[str, ...]:
    """Returns the sorted values that may be the answer, each equally likely, for a reader of these items.

    The values both A and D state with the asked sentiments; with one side only, all values of that side.
    """
    dave_likes = question.type == "needle-same"
    stated: dict[str, set[str]] = {"A": set(), "D": set()}
    for item in items:
        needle = read_needle(item.text)
        if needle and item.owner in stated and needle[1] == (item.owner == "A" or dave_likes):
            stated[item.owner].add(needle[0])
    alice, dave = stated["A"], stated["D"]
    return tuple(sorted(alice & dave if alice and dave else alice | dave))


def answer_from_items(question: Question, items: Iterable[PrivateItem]) -> str | None:
    """Returns what a perfect reader of these items answers, or None when more than one value may be right."""
    candidates = candidates_from_items(question, items)
    return candidates[0] if len(candidates) == 1 else None


def _draw_problem(seed: int, k: int, index: int, base: Sequence[Dialogue]) -> tuple[Problem, Gold]:
    draws = Draws(seed, "needle", f"k={k}", index)
    names = dict(zip("ABCD", draw_names(draws, 4), strict=True))
    values = draw_values(draws, 2 * k - 1)
    is_same = index % 2 == 0
    common, alice, dave = values[0], draws.shuffled(values[:k]), draws.shuffled([values[0], *values[k:]])
    said = {
        "A": [draws.pick(LIKES).format(value=value) for value in alice],
        "D": [draws.pick(LIKES if is_same else DISLIKES).format(value=value) for value in dave],
    }
    talks = _draw_talks(draws, base, names, values)
    items = _lay_items([_chat_lines(draws, talk, chat, said) for chat, talk in talks])
    problem_id = f"needle-{k}-{index}"
    question = _question(problem_id, is_same, names, items, common)
    people = tuple(Person(person, name) for person, name in names.items())
    relations = tuple(Relation(a, b) for a, b in _CHATS)
    return Problem(problem_id, people, items, relations, (question,)), Gold(problem_id, "exact", common)


def _chat_lines(draws: Draws, talk: _Talk, chat: tuple[str, str], said: dict[str, list[str]]) -> _Lines:
    lines: _Lines = [(chat[speaker], text) for speaker, text in talk]
    for person in chat:
        for sentence in said.get(person, ()):
            # Never first or last: a dialogue opens and closes with small talk.
            lines.insert(draws.between(1, max(1, len(lines) - 1)), (person, sentence))
    return lines


def _draw_talks(
    draws: Draws, base: Sequence[Dialogue], names: dict[str, str], values: Sequence[str]
) -> Iterable[tuple[tuple[str, str], _Talk]]:
    speakers = [(names[a], names[b]) for a, b in _CHATS]
    if not base:
        return [(chat, draw_small_talk(draws, pair, _N_TURNS)) for chat, pair in zip(_CHATS, speakers, strict=True)]
    needle_words = content_words(" ".join(values))
    fit = [dialogue for dialogue in base if _is_fit(dialogue, needle_words)]
    if len(fit) < len(_CHATS):
        found = f"{len(fit)} dialogues free of needle words and of open placeholders"
        raise DataError("needle.base_dialogues", found, f"at least {len(_CHATS)}", "give more dialogues")
    chosen = draws.sample(fit, len(_CHATS))
    return [(c, rename_speakers(d, pair)) for c, d, pair in zip(_CHATS, chosen, speakers, strict=True)]


def _is_fit(dialogue: Dialogue, needle_words: frozenset[str]) -> bool:
    text = " ".join(text for _, text in rename_speakers(dialogue, ("", "")))
    return "[" not in text and not needle_words & content_words(text)


def _lay_items(chats: Sequence[_Lines]) -> tuple[PrivateItem, ...]:
    items: list[PrivateItem] = []
    for chat, lines in zip(_CHATS, chats, strict=True):
        for person, text in lines:
            hearer = chat[1] if person == chat[0] else chat[0]
            items.append(PrivateItem(f"m{len(items)}", person, text, len(items), (hearer,), "-".join(chat)))
    return tuple(items)


def _question(
    problem_id: str, is_same: bool, names: dict[str, str], items: Sequence[PrivateItem], common: str
) -> Question:
    verb = "also likes" if is_same else "dislikes"
    return Question(
        id=problem_id,
        group=problem_id,
        type="needle-same" if is_same else "needle-opposite",
        asked=("B", "C"),
        mode="pair",
        text=(
            f"Which one thing does {names['A']} like that {names['D']} {verb}? "
            "Answer with the exact three words that were used."
        ),
        evidence=tuple(
            tuple(item.fact for item in items if item.owner == person and common in item.text) for person in ("A", "D")
        ),
    )
