"""The questions of the suite: a few of our own, a local file in a public format, or a Hugging Face data set."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from tidings.benchmarks.asymmetry.data_source import HUB, find_data
from tidings.benchmarks.question_formats import FORMATS, load_questions
from tidings.benchmarks.questions import QuestionSet
from tidings.core import DataError, suggest

__all__ = ["DATA_VARIABLE", "load_items", "to_items"]

DATA_VARIABLE = "TIDINGS_QUESTIONS"
"""Environment variable that stands for `--data`."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "aqua": ("test.json", "test*.parquet"),
    "gsm8k": ("test.jsonl", "test*.parquet"),
    "humaneval": ("HumanEval.jsonl.gz", "HumanEval.jsonl", "test*.parquet"),
    "mmlu": ("all/test*.parquet", "test*.parquet"),
    "svamp": ("SVAMP.json",),
}


def load_items(data: str | None, n_items: int | None) -> tuple[tuple[dict[str, Any], ...], dict[str, str]]:
    """Returns items of the environment `deliberation`, and what is known about their source.

    Args:
        data: `FORMAT:PATH` or `FORMAT:hf:owner/name`, for example `gsm8k:data/test.jsonl`; None: the variable
            `TIDINGS_QUESTIONS`, else the tiny set that comes with tidings.
        n_items: The first so many; None for all.

    Raises:
        DataError: If the format is unknown, or the file is missing or malformed.
    """
    named = data or os.environ.get(DATA_VARIABLE)
    if not named:
        text = files("tidings.benchmarks.deliberation").joinpath("questions.jsonl").read_text(encoding="utf-8")
        rows = tuple(json.loads(line) for line in text.splitlines() if line.strip())
        return rows[:n_items], {"questions": "the tiny set of tidings: for a look, not for claims"}
    kind, mark, path = named.partition(":")
    if not mark or kind not in FORMATS:
        allowed = f"FORMAT:PATH with FORMAT one of {', '.join(FORMATS)}"
        raise DataError("--data", f"found {named!r}", allowed, suggest(kind, FORMATS) or "try gsm8k:PATH")
    about = {"questions": named}
    if kind == "mmlu" and not path.startswith(HUB):  # a folder of CSV files is one set, not a choice of files
        return to_items(load_questions(kind, Path(path).expanduser()), n_items), about
    found = find_data(path, _NAMES[kind], f"questions in the format {kind}")
    return to_items(load_questions(kind, found.path), n_items), about | {"SHA-256 of the source": found.sha256}


def to_items(questions: QuestionSet, n_items: int | None = None) -> tuple[dict[str, Any], ...]:
    """Returns questions with their golds as rows of `environment.items`."""
    rows = []
    for question in questions.questions[:n_items]:
        gold = questions.golds[question.id]
        row: dict[str, Any] = {"id": question.id, "kind": question.kind, "text": question.text}
        if question.options:
            row["options"] = list(question.options)
        if question.kind == "code":
            row |= {"entry_point": question.entry_point, "tests": gold.tests}
        else:
            row["gold"] = sorted(gold.keys)
        rows.append(row)
    return tuple(rows)
