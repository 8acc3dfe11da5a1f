"""HTML that cannot be broken by what it holds: every text that is not markup made here is escaped.

Control characters and those that turn the direction of writing are shown as their code, so that a text cannot hide or
reorder anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

__all__ = ["Markup", "Part", "cut", "el", "number", "table", "visible"]

_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_DIRECTION = "\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_UNSAFE = re.compile(f"[{_CONTROL}{_DIRECTION}\ud800-\udfff\ufffe\uffff]")
_VOID = frozenset({"br", "meta", "line", "circle", "rect"})


class Markup(str):
    """Text that is HTML already; only this module and the figures make it."""

    __slots__ = ()


Part: TypeAlias = Markup | str | None


def visible(text: str) -> str:
    """Returns the text with control, zero-width and direction characters as their code, `<U+202E>`."""
    return _UNSAFE.sub(lambda match: f"<U+{ord(match.group()):04X}>", text)


def cut(text: str, n_chars: int, where: str) -> str:
    """Returns the text, or its beginning and a note that says how much is left out and where it is."""
    if len(text) <= n_chars:
        return text
    return f"{text[:n_chars]} [... {len(text) - n_chars:,} more characters: {where}]"


def el(tag: str, *parts: Part | Iterable[Part], **attributes: str | bool | None) -> Markup:
    """Returns an element. Parts that are not `Markup` are escaped; `class_` is `class`; True is a bare attribute."""
    words = [tag]
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            words.append(key)
        elif value is not None and value is not False:
            words.append(f'{key}="{escape(visible(str(value)))}"')
    inside = "".join(_text(part) for part in parts)
    if tag in _VOID:
        return Markup(f"<{' '.join(words)} />")
    return Markup(f"<{' '.join(words)}>{inside}</{tag}>")


def table(
    headings: Iterable[Part], rows: Iterable[Iterable[Part | Iterable[Part]]], numeric: frozenset[int] = frozenset()
) -> Markup:
    """Returns a table that scrolls sideways by itself; columns in `numeric` stand to the right."""

    def cells(kind: str, row: Iterable[Part | Iterable[Part]]) -> list[Part]:
        return [el(kind, cell, class_="n" if i in numeric else None) for i, cell in enumerate(row)]

    head = el("thead", el("tr", cells("th", headings)))
    body = el("tbody", [el("tr", cells("td", row)) for row in rows])
    return el("div", el("table", head, body), class_="scroll", tabindex="0")


def number(value: float | None, digits: int = 4) -> str:
    """Returns a number in so many significant digits, trailing zeros kept below a thousand; a dash for none."""
    if value is None or value != value:
        return "\u2013"
    return f"{value:#.{digits}g}" if 0.001 <= abs(value) < 1000 and value != int(value) else f"{value:.{digits}g}"


def _text(part: Part | Iterable[Part]) -> str:
    if part is None:
        return ""
    if isinstance(part, Markup):
        return part
    if isinstance(part, str):
        return escape(visible(part))
    return "".join(_text(item) for item in part)
