from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.theory.words import split_words


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_ascii_are_runs_of_letters_digits_and_underscores(text: str) -> None:
    assert split_words(text) == re.findall(r"[a-z0-9_]+", text.lower())


@given(st.text())
def test_one_foreign_sign_changes_no_other_word(text: str) -> None:
    """The two ways, for ASCII and for all else, agree: an em dash is punctuation."""
    ascii_text = text.encode("ascii", "ignore").decode()
    assert split_words(ascii_text + " — ") == split_words(ascii_text)


@pytest.mark.parametrize(
    ("text", "words"),
    [("C++ is 3", ["c", "is", "3"]), ("x_Y-z", ["x_y", "z"]), ("don't", ["don", "t"]), ("\x1ca\x00b", ["a", "b"])],
)
def test_punctuation_separates(text: str, words: list[str]) -> None:
    assert split_words(text) == words
