r"""Reads a number out of a text: the last one after an answer cue, else the last one at all.

Signs, thousands commas, decimals, fractions, mixed fractions, scientific notation, currency, per cent and LaTeX are
understood; ordinals, exponents and digits inside words are no numbers. Values are exact fractions, so 18, 18.0 and
$18.00 are one key, and 0.5 and 1/2 are too.
"""

from __future__ import annotations

import re
from fractions import Fraction

from tidings.theory.extraction.outcome import boxed, cue_tails

__all__ = ["canonical_number", "find_number"]

_LONGEST = 60

_NUMBER = re.compile(
    r"""
    (?<![\w^/]) (?<![0-9]\.) (?<!\^\{)
    (?: (?: (?<![)\]}%.]) (?P<sign>[-+]) (?=\$?\ ?\.?[0-9]) | (?<==\ )(?P<far>-)\  )? \$?\ ? )
    (?> (?:(?P<whole>[0-9]++)\ (?=[0-9]+/[0-9]))?
        (?P<digits> [0-9]{1,3}(?:,[0-9]{3})++(?![0-9])(?:\.[0-9]++)? | [0-9]++(?:\.[0-9]++)? | (?<![\w.])\.[0-9]++ )
        (?:[eE](?P<exponent>[-+]?[0-9]{1,3})(?!\w|\.[0-9]))?
        (?:\ ?(?:×|x|\*|\\times|\\cdot)\ ?10\^\{?(?P<power>-?[0-9]{1,3})\}?)?
        (?:\ ?/\ ?(?P<denominator>[0-9]++)(?![0-9]*/))?
    )
    (?! \ ?\^ | (?:st|nd|rd|th)\b | [eE][-+]?[0-9] )
    """,
    re.VERBOSE,
)

_FRACTION = re.compile(r"\\[dt]?frac\s*\{\s*(-?[0-9]+)\s*\}\s*\{\s*([0-9]+)\s*\}")
_PLAIN = (("\u2212", "-"), ("\u2013", "-"), ("{,}", ","), ("\\,", ""), ("\\!", ""), ("\\$", "$"), ("\\%", "%"))
_SEGMENT = re.compile(r"[.!?](?=\s|$)|\n|\b(?:because|since)\b")


def canonical_number(value: Fraction) -> str:
    """Returns the one text of a number: an integer, a finite decimal, or a reduced fraction `a/b`."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    n_places = max(twos, fives)
    digits = str(abs(value.numerator) * 10**n_places // value.denominator).zfill(n_places + 1)
    point = len(digits) - n_places
    return ("-" if value < 0 else "") + digits[:point] + ("." + digits[point:] if n_places else "")


def _value(match: re.Match[str]) -> Fraction | None:
    """Returns the number of a match, or None if it is absurdly long or divides by zero."""
    if len(match[0]) > _LONGEST:
        return None
    value = Fraction(match["digits"].replace(",", ""))
    value *= Fraction(10) ** (int(match["exponent"] or 0) + int(match["power"] or 0))
    if match["denominator"]:
        if int(match["denominator"]) == 0:
            return None
        value /= int(match["denominator"])
    value += int(match["whole"] or 0)
    return -value if match["sign"] == "-" or match["far"] else value


def _numbers(text: str) -> list[Fraction]:
    values = (_value(match) for match in _NUMBER.finditer(text))
    return [value for value in values if value is not None]


def _after_cue(tail: str, is_firm: bool) -> Fraction | None:
    """Returns the last number of the tail, or after a firm cue of its first sentence or line that has one."""
    segments = _SEGMENT.split(tail) if is_firm else [tail]
    return next((numbers[-1] for segment in segments if (numbers := _numbers(segment))), None)


def find_number(text: str) -> str | None:
    """Returns the answer as a canonical number, or None if the text has none.

    The last box with a number decides, else the last cue that a number follows, else the last number.

    Args:
        text: The whole reply.
    """
    for written, plain in _PLAIN:
        text = text.replace(written, plain)
    text = _FRACTION.sub(r" \1/\2 ", text)
    for tail, is_firm in [(content, False) for content in boxed(text)] + cue_tails(text):
        value = _after_cue(tail, is_firm)
        if value is not None:
            return canonical_number(value)
    numbers = _numbers(text)
    return canonical_number(numbers[-1]) if numbers else None
