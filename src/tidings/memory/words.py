"""Text to search words, and keywords to what the index is asked.

A word is a run of letters, digits, marks and underscores; a Chinese or Japanese character is a word by itself, since
those scripts set no spaces; so is a symbol such as an emoji. Case, compatibility forms and Latin accents do not count.
Punctuation separates words and is not searched: `C++` is the word `c`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tidings.theory.words import split_words

__all__ = ["Pattern", "count_repeats", "encode_words", "parse_keyword", "split_words"]


class Pattern(NamedTuple):
    """One keyword as the index is asked for it.

    Attributes:
        words: Its words, which must stand next to each other.
        is_prefix: Whether the last word is only the beginning of one (`clock*`).
    """

    words: tuple[str, ...]
    is_prefix: bool

    @property
    def is_word(self) -> bool:
        """Whether it is one whole word."""
        return len(self.words) == 1 and not self.is_prefix

    @property
    def match(self) -> str:
        """A full-text expression that every line with this keyword meets; built of encoded words only."""
        parts = [f'text:"{word}"' for word in encode_words(self.words).split()]
        return " AND ".join(parts) + ("*" if self.is_prefix else "")

    def count(self, words: Sequence[str]) -> int:
        """Returns how often the keyword occurs in a list of words."""
        *firsts, last = self.words
        n = len(firsts)
        ends = [i for i, word in enumerate(words) if word == last or (self.is_prefix and word.startswith(last))]
        return sum(i >= n and list(words[i - n : i]) == firsts for i in ends)


def count_repeats(words: Sequence[str]) -> dict[str, int]:
    """Returns how often each word occurs that occurs more than once."""
    if len(set(words)) == len(words):
        return {}
    return {word: n for word, n in Counter(words).items() if n > 1}


def encode_words(words: Sequence[str]) -> str:
    """Returns the words in signs every full-text tokeniser leaves whole, with spaces between.

    Plain ASCII letters and digits stay; any other character becomes its code point in hex between two underscores. So
    the beginning of a word stays the beginning of its code, and no version of a Unicode table decides what is found.
    """
    return " ".join([word if word.isascii() and "_" not in word else _encode(word) for word in words])


def _encode(word: str) -> str:
    return "".join([sign if sign.isascii() and sign != "_" else f"_{ord(sign):x}_" for sign in word])


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
