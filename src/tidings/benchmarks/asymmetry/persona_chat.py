"""Synthetic-Persona-Chat (CSV), as base dialogues in which needles are hidden.

Licence of the data: CC BY 4.0; a user who points here at a copy must name the source in what is published.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from tidings.benchmarks.asymmetry.sources import require_file
from tidings.core.errors import DataError

__all__ = ["Dialogue", "load_persona_chat", "rename_speakers"]

Dialogue = tuple[tuple[int, str], ...]
"""Turns: (speaker 0 or 1, sentence)."""

_COLUMN = "Best Generated Conversation"
_WHAT = "a Synthetic-Persona-Chat CSV file"


def load_persona_chat(path: Path | str) -> tuple[Dialogue, ...]:
    """Returns the dialogues of a file; rows whose dialogue is empty are left out.

    Raises:
        DataError: The file is missing, lacks the column, or a turn names no speaker.
    """
    with require_file(path, _WHAT).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if _COLUMN not in (reader.fieldnames or ()):
            found = f"columns {', '.join(reader.fieldnames or ()) or 'none'}"
            raise DataError(str(path), found, f"a column {_COLUMN!r}", "check the download")
        rows = [(reader.line_num, row[_COLUMN] or "") for row in reader]
    dialogues = tuple(_read_turns(text, f"{path}:{line}") for line, text in rows if text.strip())
    if not dialogues:
        raise DataError(str(path), "no dialogue in it", f"expected {_WHAT}", "check the download")
    return dialogues


def rename_speakers(dialogue: Dialogue, names: tuple[str, str]) -> list[tuple[int, str]]:
    """Returns the turns with the placeholders `[User 1's name]` and `[User 2's name]` replaced."""

    def name(match: re.Match[str]) -> str:
        return names[int(match[1]) - 1]

    return [(speaker, re.sub(r"\[User ([12])(?:'s name)?\]", name, text)) for speaker, text in dialogue]


def _read_turns(text: str, where: str) -> Dialogue:
    turns: list[tuple[int, str]] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        match = re.fullmatch(r"User ([12]):\s*(.*)", line)
        if match:
            turns.append((int(match[1]) - 1, match[2]))
        elif turns:
            turns[-1] = (turns[-1][0], f"{turns[-1][1]} {line}")
        else:
            raise DataError(where, f"first turn {line[:40]!r}", "turns begin with 'User 1:' or 'User 2:'")
    return tuple(turns)
