"""Text to search words, and keywords to what the index is asked.

A word is a run of letters, digits, marks and underscores; a Chinese or Japanese character is a word by itself, since
those scripts set no spaces; so is a symbol such as an emoji. Case, compatibility forms and Latin accents do not count.
Punctuation separates words and is not searched: `C++` is the word `c`.
"""

from __future__ import annotations

from typing import NamedTuple

from tidings.theory.words import split_words

__all__ = ["Pattern", "parse_keyword", "split_words"]


class Pattern(NamedTuple):
    """One keyword as the index is asked for it.

    Attributes:
        words: Its words, which must stand next to each other.
        is_prefix: Whether the last word is only the beginning of one (`clock*`).
    """

    words: tuple[str, ...]
    is_prefix: bool


def parse_keyword(keyword: str) -> Pattern | None:
    """Returns the pattern of a keyword, or None when it holds no word.

    Several words must stand next to each other. A `*` at the end, after a letter or digit, finds all words that begin
    so. Every other sign is punctuation: no keyword is ever read as a query language.
    """
    words = split_words(keyword)
    if not words:
        return None
    bare = keyword.rstrip()
    return Pattern(tuple(words), bare.endswith("*") and bool(split_words(bare[-2:-1])))
