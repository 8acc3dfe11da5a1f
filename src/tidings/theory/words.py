"""Text to words: the one rule that search and hashed vectors share.

A word is a run of letters, digits, marks and underscores; a Chinese or Japanese character is a word by itself, since
those scripts set no spaces; so is a symbol such as an emoji. Case, compatibility forms and Latin accents do not count.
Punctuation separates words: `C++` is the word `c`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby

__all__ = ["split_words"]

_ASCII = "".join(chr(i).lower() if chr(i).isalnum() or chr(i) == "_" else " " for i in range(128))
"""What becomes of each ASCII sign: letters small, digits and the underscore themselves, all others a space."""
_ACCENTS = re.compile("[\u0300-\u036f\ufe00-\ufe0f]+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def split_words(text: str) -> list[str]:
    """Returns the search words of a text, in order, repeated ones included."""
    if text.isascii():
        return text.translate(_ASCII).split()
    return _split_unicode(text)


def _split_unicode(text: str) -> list[str]:
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    folded = unicodedata.normalize("NFC", bare).casefold()
    words: list[str] = []
    for kind, run in groupby(folded, _kind):
        if kind == "word":
            words.append("".join(run))
        elif kind == "single":
            words.extend(run)
    return words


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    if _UNSPACED.match(character):
        return "single"
    category = unicodedata.category(character)
    if category[0] in "LNM" or category in ("Pc", "Co"):
        return "word"
    return "single" if category == "So" else "gap"
