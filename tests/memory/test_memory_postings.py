from __future__ import annotations

from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_memory import occurrences

from tidings.memory import Line
from tidings.memory.postings import Postings, find_places
from tidings.memory.words import parse_keyword

WORDS = ("a", "ab", "abc", "b", "東")
texts_strategy = st.lists(st.lists(st.sampled_from((*WORDS, "?")), min_size=1, max_size=8).map(" ".join), max_size=20)


def take_up(texts: list[str], step: int = 99) -> tuple[list[Line], Postings]:
    lines = [Line(f"m{i}", i, "s", "ann", (), text) for i, text in enumerate(texts)]
    postings = Postings()
    for start in range(0, len(lines), step):
        postings.take_up((3 * i + 1, lines[i]) for i in range(start, min(start + step, len(lines))))
    return lines, postings


def held_counts(
    texts: list[str], held: list[bool], keyword: str, step: int = 99
) -> tuple[dict[int, int], dict[int, int]]:
    """Returns how often each line that is held has the keyword: by the index, and by looking at each line."""
    lines, postings = take_up(texts, step)
    wanted = [i for i in range(len(lines)) if held[i % len(held)]]
    spans = postings.spans(np.array([3 * i + 1 for i in wanted], np.int64))
    pattern = parse_keyword(keyword)
    assert pattern is not None
    places, counts = spans.hold(postings.find(pattern))
    found = dict(zip(spans.numbers[places].tolist(), counts.tolist(), strict=True))
    expected = {3 * i + 1: occurrences(keyword, lines[i]) for i in wanted}
    return found, {number: n for number, n in expected.items() if n}


@settings(deadline=None, max_examples=300)
@given(
    texts=texts_strategy,
    held=st.lists(st.booleans(), min_size=1, max_size=5),
    keyword=st.sampled_from((*WORDS, "a*", "ab*", "x", "a b", "a a", "b a*", "東 a b", "a a a*")),
    step=st.integers(1, 9),
)
def test_the_index_counts_what_looking_at_every_line_counts(texts, held, keyword, step) -> None:
    found, expected = held_counts(texts, held, keyword, step)
    assert found == expected


@pytest.mark.parametrize("held", [[True], [True, False, False, False, False]])
def test_a_word_beyond_the_end_of_a_line_would_be_noticed(held: list[bool]) -> None:
    """The fault planted: lines without a place between them, so that two words meet across their border."""
    texts = ["b a", "b a", "b", "a a a a", "b"] * 4

    def run_together(self: Postings, lines) -> None:
        take_up(self, lines)
        starts = np.array(self._starts) - np.arange(len(self._starts))
        borders = np.searchsorted(np.array(self._starts), np.arange(self._end), "right") - 1
        for word, positions in self._words.items():
            self._words[word] = type(positions)("q", [p - int(borders[p]) for p in positions])
        self._starts[:] = type(self._starts)("q", starts.tolist())

    found, expected = held_counts(texts, held, "a b")
    assert found == expected
    take_up = Postings.take_up
    with patch.object(Postings, "take_up", run_together):
        found, expected = held_counts(texts, held, "a b")
    assert found != expected


def test_a_copy_learns_for_itself() -> None:
    _, postings = take_up(["a b", "b"])
    copy = postings.copy()
    copy.take_up([(99, Line("m", 9, "s", "ann", (), "a"))])
    keyword = parse_keyword("a")
    assert keyword is not None
    assert Counter(map(len, (postings.find(keyword), copy.find(keyword)))) == {1: 1, 2: 1}


def test_places_of_values_that_are_not_there() -> None:
    rising = np.array([2, 5, 9])
    assert find_places(rising, np.array([9, 3, 2, 10])).tolist() == [2, 0]
    assert find_places(rising[:0], rising).tolist() == []
