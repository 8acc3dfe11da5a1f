r"""Reads an option letter out of a text: `\boxed{X}`, a letter after an answer cue, `(X)`, else the one option quoted.

A letter that cannot be told is unparsable: there is no default option.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tidings.theory.extraction.outcome import boxed, cue_tails

__all__ = ["AMBIGUOUS", "LETTERS", "find_letter"]

LETTERS = "ABCDEFGHIJ"
AMBIGUOUS = "ambiguous"

_WRAP = r"\\(?:text|mathrm|mathbf|textbf)\s*\{"
_OPENING = rf"""[\s:*_"'(\[{{$]*(?:{_WRAP})?(?:(?:option|choice|letter|answer)\b[\s:*_"'(\[]*)?"""
_AFTER_LETTER = "because|since|as|and|or|which|is|for|with|due|by|in|based|given|but|not|from|when|if"
_END = r"(?![A-Za-z0-9'’])"


def _upper(n_options: int) -> str:
    return f"[A-{LETTERS[n_options - 1]}]"


def _capital(n_options: int) -> str:
    """Returns the pattern of a capital letter that is no article (`A robe`), pronoun (`I think`) or part of a word."""
    return rf"(?!A\ (?!(?:{_AFTER_LETTER})\b)[a-z])(?!I\ [a-z]){_upper(n_options)}{_END}"


def _without_list(letters: list[str], n_options: int) -> list[str]:
    """Returns the letters after the last full list of the options, all of them if there is no such list."""
    full = list(LETTERS[:n_options])
    for start in range(len(letters) - n_options, -1, -1):
        if n_options > 1 and letters[start : start + n_options] == full:
            return letters[start + n_options :]
    return letters


def _first_sentence(tail: str) -> str:
    sentences = re.split(r"\n|[.!?](?=\s|$)|\b(?:because|since)\b", tail)
    return next((sentence for sentence in sentences if sentence.strip()), "")


def _after_cue(tail: str, n_options: int) -> str | None:
    """Returns the letter announced by a cue: the one that follows at once, else the last one that stands alone."""
    upper, capital = _upper(n_options), _capital(n_options)
    small = rf"{upper.lower()}(?=[)\].,:*\"'}}]|\s*(?:\n|$)){_END}"
    first = re.compile(rf"{_OPENING}(?P<letter>{capital}|{small})").match(tail)
    if first is None:
        alone = _without_list(re.findall(rf"(?<![A-Za-z0-9'’])(?<!\bnot\ ){capital}", tail), n_options)
        return alone[-1] if alone else None
    beside = re.compile(
        rf"[)\]*.\"']*\s*(?:(?:and|or|/|&)\s*(?:option\s+)?\(?|,\s*(?=\(?{upper}\)?\s*(?:[.,\n)]|$|and\b|or\b))\(?)"
        rf"(?P<letter>{upper}){_END}"
    )
    letter, second = first["letter"].upper(), beside.match(tail, first.end())
    return AMBIGUOUS if second and second["letter"] != letter else letter


def _declared(text: str, n_options: int) -> str | None:
    """Returns the letter of the last `option X is correct`."""
    letter = rf"[(*]*({_upper(n_options)})[)*]*"
    said = re.findall(rf"\b[Oo]ption\s+{letter}\s+is\s+(?:the\s+)?(?:correct|right|best)\b", text)
    return said[-1] if said else None


def _bracketed(text: str, n_options: int) -> str | None:
    """Returns the last `(X)`; a list of all options, repeated from the question, does not count."""
    letters = re.findall(rf"(?<![A-Za-z0-9])(?<!\bnot\ )\(({_upper(n_options)})\)", text)
    letters = _without_list(letters, n_options)
    return letters[-1] if letters else None


def _leading(text: str, n_options: int) -> str | None:
    """Returns the letter with which the reply opens (`B)`, `B.`, or `B` alone), if no other letter is marked so."""
    upper = _upper(n_options)
    whole = re.fullmatch(rf"[^A-Za-z0-9]*({upper})[^A-Za-z0-9]*", text, re.IGNORECASE)
    if whole:
        return whole[1].upper()
    opening = re.match(rf"[\s*_(\[\"']*({upper})(?:[*_\]\"']*[).:]|[*_)\]\"']*[ ]*\n)", text)
    marked = set(re.findall(rf"(?<![A-Za-z0-9'’])({upper})[*_\]\"']*[).:]", text))
    return opening[1] if opening and marked <= {opening[1]} else None


def _normal(text: str) -> str:
    return " ".join(re.sub(r"[*_`$\\]", "", text).casefold().split()).strip(" .")


def _quoted(text: str, options: Sequence[str]) -> str | None:
    """Returns the letter of the one option whose text is quoted, longer options taking their words first."""
    rest, found = _normal(text), []
    texts = [_normal(option) for option in options]
    for words in sorted({words for words in texts if words}, key=lambda words: (-len(words), words)):
        quote = re.compile(rf"(?<![\w/-])(?<!\w[.,]){re.escape(words)}(?![\w/]|[.,][0-9])")
        if quote.search(rest):
            found.append(words)
            rest = quote.sub(" \0 ", rest)
    is_told = len(found) == 1 and texts.count(found[0]) == 1
    return LETTERS[texts.index(found[0])] if is_told else None


def _boxed(content: str, options: Sequence[str]) -> str | None:
    content = re.sub(_WRAP + r"([^{}]*)\}", r"\1", content)
    letter = rf"[\s(\[*]*({_upper(len(options))})(?:[\s)\].*]*|[).:]\s.*)"
    single = re.fullmatch(letter, content, re.IGNORECASE)
    if single:
        return single[1].upper()
    same = [i for i, option in enumerate(options) if _normal(option) == _normal(content)]
    return LETTERS[same[0]] if len(same) == 1 else None


def find_letter(text: str, options: Sequence[str]) -> str | None:
    """Returns the letter of the chosen option, `AMBIGUOUS` if several are named as the answer, or None.

    In order: the last box; the last cue with a letter; `option X is correct`; the last `(X)`; the letter that opens the
    reply; the only option quoted after a cue; the only option quoted at all.

    Args:
        text: The whole reply.
        options: Option texts, 1 to 10; the first is A.

    Raises:
        ValueError: If there are no options or too many.
    """
    n = len(options)
    if not 1 <= n <= len(LETTERS):
        raise ValueError(f"find_letter.options: found {n!r}; need 1 to {len(LETTERS)} options")
    tails = [tail for tail, _ in cue_tails(text)]
    attempts = [_boxed(content, options) for content in boxed(text)]
    attempts += [_after_cue(tail, n) for tail in tails]
    attempts += [_declared(text, n), _bracketed(text, n), _leading(text, n)]
    attempts += [_quoted(_first_sentence(tail), options) for tail in tails] + [_quoted(text, options)]
    return next((letter for letter in attempts if letter), None)
