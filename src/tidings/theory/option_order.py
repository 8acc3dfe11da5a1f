"""Shuffled options: the same question with its options in another order, and the way back.

Options that refer to the others stay meaningful: `None of these` and its like keep to the end; a question with options
such as `All of the above`, `Both of these` or `A and B` is not shuffled at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tidings.core.errors import RequestError
from tidings.core.seeds import SeedPath
from tidings.theory.extraction.choice import LETTERS
from tidings.theory.questions import Question

__all__ = ["OptionOrder", "is_fixed_order", "is_last_option", "shuffle_options"]

_NAMES_OTHERS = re.compile(
    r"\b(?:all|both|either|any|some|most|more than one|one or more|(?:any |exactly )?(?:two|three|2|3))"
    r"(?:\s+(?:two|three|2|3))?\s+of\s+(?:the\s+)?(?:above|these|those|them|following|options|choices|answers)\b"
    r"|^(?:both|either|all)\W*$"
    r"|\b(?:both|either|all)\s+(?:the\s+)?(?:above|options|choices|answers)\b",
    re.IGNORECASE,
)
_LAST = re.compile(
    r"^(?:none|neither)\W*$"
    r"|^(?:none|neither|not any)\s+of\s+(?:the\s+)?(?:above|these|those|them|other|others|options|choices|answers)\b"
    r"|^(?:(?:it\s+)?can\s?not|can't)\s+be\s+(?:determined|answered|inferred|calculated)\W*$"
    r"|^(?:not enough|insufficient)\s+(?:information|data)\b"
    r"|^(?:data|information)\s+(?:is\s+)?(?:inadequate|insufficient|not sufficient)\W*$",
    re.IGNORECASE,
)


def _names_letters(option: str, n_options: int) -> bool:
    """Returns whether an option joins letters of other options: `A and B`, `both (a) and (c)`, `neither A nor B`."""
    letter = rf"[(\"']?[a-{LETTERS[n_options - 1].lower()}][)\"'.]*"
    opening = r"^(?:(?:both|either|neither|only|options?|answers?|choices?)\s+)*"
    joined = rf"{opening}{letter}(?:,\s*{letter})*,?\s*(?:and|or|nor|&)\s*{letter}(?![a-z0-9’'])"
    return bool(re.match(joined, option, re.IGNORECASE))


def is_fixed_order(options: tuple[str, ...]) -> bool:
    """Returns whether some option names other options by letter or as a group, so that the order must stay."""
    stripped = [option.strip() for option in options]
    return any(_names_letters(option, len(options)) or _NAMES_OTHERS.search(option) for option in stripped)


def is_last_option(option: str) -> bool:
    """Returns whether an option denies the others (`None of these`, `Cannot be determined`) and so belongs last."""
    return bool(_LAST.search(option.strip()))


@dataclass(frozen=True)
class OptionOrder:
    """How options were moved. It knows no gold.

    Attributes:
        sources: For each new position the position in the source.
    """

    sources: tuple[int, ...]

    def to_source(self, letter: str) -> str:
        """Returns the letter in the source of a letter as shown.

        Raises:
            RequestError: If no option has the letter.
        """
        return LETTERS[self.sources[self._position(letter)]]

    def to_shown(self, letter: str) -> str:
        """Returns the letter as shown of a letter in the source.

        Raises:
            RequestError: If no option has the letter.
        """
        return LETTERS[self.sources.index(self._position(letter))]

    def _position(self, letter: str) -> int:
        letters = LETTERS[: len(self.sources)]
        if len(letter) != 1 or letter not in letters:
            raise RequestError("option letter", f"found {letter!r}", f"need one of {', '.join(letters)}")
        return letters.index(letter)

    def apply(self, question: Question) -> Question:
        """Returns the question with its options in the new order."""
        return replace(question, options=tuple(question.options[source] for source in self.sources))


def shuffle_options(question: Question, seed: SeedPath) -> OptionOrder:
    """Returns a random order of the options, the same for the same seed path and question id.

    Args:
        question: A question of kind `choice`.
        seed: Where the draws come from.

    Returns:
        Every order of the movable options is equally likely; options that deny the others come last, in source order;
        the source order itself if `is_fixed_order`.

    Raises:
        RequestError: If the question has no options.
    """
    if not question.options:
        raise RequestError("shuffle_options.question", f"found {question.id!r} without options", "need a choice")
    positions = range(len(question.options))
    if is_fixed_order(question.options):
        return OptionOrder(tuple(positions))
    last = [i for i in positions if is_last_option(question.options[i])]
    path = seed.child("options", question.id)
    moved = sorted((i for i in positions if i not in last), key=lambda i: path.uniform(i))
    return OptionOrder((*moved, *last))
