"""A report in Markdown as a terminal of some width can show it: tables in columns, long words below them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest

__all__ = ["lay_out"]

_GAP = "  "
_LEAST_FIRST = 16
"""Characters the first column, the name of the row, keeps at least."""
_LINK = re.compile(r"\[[^\]]*\]\(([^)]*)\)")
_NUMBER = re.compile(r"[-+<]?\s?[\d.,]*( \[.*\])?|-")


def lay_out(markdown: str, width: int) -> str:
    """Returns a report for a terminal.

    Tables become columns. As many columns as fit stay beside each other, the rest of a row stands below the table
    behind the row's name. Words are wrapped; a link becomes its target.

    Args:
        markdown: Blocks with blank lines between them, as the suites write them.
        width: Characters of a line; a single longer word, such as a hash, is left whole.
    """
    blocks = (block for block in markdown.strip().split("\n\n") if block.strip())
    return "\n\n".join(_table(block, width) if block.startswith("|") else _words(block, width) for block in blocks)


def _words(block: str, width: int) -> str:
    lines: list[str] = []
    for line in _plain(block).split("\n"):
        indent = "  " if line.startswith("- ") else ""
        lines += _wrap(line, width, indent) or [""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return _LINK.sub(r"\1", text).replace("**", "")


def _wrap(line: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _table(block: str, width: int) -> str:
    rows = [[_plain(cell.strip()) for cell in line.strip().strip("|").split(" | ")] for line in block.split("\n")]
    headings, body = rows[0], rows[2:]
    columns = list(zip_longest(*body, fillvalue="")) if body else [()] * len(headings)
    needs = [
        max(map(len, (*heading.split(), *cells)), default=0) for heading, cells in zip(headings, columns, strict=False)
    ]
    n_shown, room = 1, width - min(needs[0], _LEAST_FIRST)
    while n_shown < len(needs) and needs[n_shown] + len(_GAP) <= room:
        room -= needs[n_shown] + len(_GAP)
        n_shown += 1
    widths = [min(needs[0], _LEAST_FIRST + room if needs[0] > _LEAST_FIRST else needs[0]), *needs[1:n_shown]]
    are_numbers = [False, *(all(_NUMBER.fullmatch(cell) for cell in cells) for cells in columns[1:n_shown])]
    lines = _lines(headings[:n_shown], widths, are_numbers)
    for row in body:
        lines += _lines(row[:n_shown], widths, are_numbers)
    return "\n".join([*lines, *_below(headings, body, n_shown, width)])


def _lines(cells: Sequence[str], widths: Sequence[int], are_numbers: Sequence[bool]) -> list[str]:
    """Returns the lines of a row, its longer cells broken over several."""
    parts = [_wrap(cell, max(width, 1)) for cell, width in zip(cells, widths, strict=True)]
    lines: list[str] = []
    for line in zip_longest(*parts, fillvalue=""):
        places = zip(line, widths, are_numbers, strict=True)
        lines.append(_GAP.join(text.rjust(n) if is_number else text.ljust(n) for text, n, is_number in places).rstrip())
    return lines


def _below(headings: Sequence[str], body: Iterable[Sequence[str]], n_shown: int, width: int) -> list[str]:
    """Returns what does not fit beside the rest, a line or more for each row that has any of it."""
    lines: list[str] = []
    for row in body:
        rest = zip(headings[n_shown:], row[n_shown:], strict=False)
        said = "; ".join(f"{heading}: {cell}" for heading, cell in rest if cell not in ("", "-"))
        if said:
            lines += _wrap(f"{row[0]} - {said}", width, "  ")
    return ["", *lines] if lines else []
