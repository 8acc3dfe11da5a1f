"""Readers of public question formats, one function each: GSM8K, AQuA, MMLU, SVAMP, HumanEval.

Worked solutions in the files (`rationale`, `Equation`, `canonical_solution`, the steps of GSM8K) are not read into any
object. Every malformed row is an error with its file and place; no row is dropped in silence. All but SVAMP
are also read from Parquet, with the columns that the Hugging Face hub stores.

Source: the files of openai/grade-school-math, google-deepmind/AQuA, hendrycks/test, arkilpatel/SVAMP and
openai/human-eval; on the hub openai/gsm8k, deepmind/aqua_rat (raw), cais/mmlu and openai/openai_humaneval.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from tidings.benchmarks.questions import Gold, QuestionSet
from tidings.core.errors import DataError, suggest
from tidings.theory.extraction.choice import LETTERS
from tidings.theory.extraction.number import find_number
from tidings.theory.questions import Question

__all__ = ["FORMATS", "load_questions"]

Pair: TypeAlias = tuple[Question, Gold]
_PARQUET = ".parquet"


def _refuse(where: str, found: object, allowed: str) -> DataError:
    return DataError(where, f"found {found!r}", allowed, "correct the file or leave the row out of it")


def _read(path: Path) -> str:
    """Returns the text of a file, unpacked if its name ends in `.gz`; line ends stay as they are."""
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(
            str(path), f"cannot be read: {type(error).__name__}", "need a UTF-8 file", "check it"
        ) from error


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(where, f"is no JSON ({error})", "need valid JSON", "correct the file") from error


def _records(path: Path) -> Iterator[tuple[str, Any]]:
    """Yields (place, row) of a file of JSON lines, or of a Parquet file."""
    if path.suffix == _PARQUET:
        yield from _parquet_rows(path)
        return
    for number, line in enumerate(_read(path).split("\n"), start=1):
        if line.strip():
            yield f"{path}:{number}", _json(line, f"{path}:{number}")


def _parquet_rows(path: Path) -> Iterator[tuple[str, Any]]:
    shards = re.search(r"-of-(\d+)", path.stem)
    if shards and int(shards[1]) != 1:
        raise _refuse(str(path), f"one of {int(shards[1])} parts", "need all questions in one file")
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            str(path), f"is no Parquet ({type(error).__name__})", "need a whole file", "check it"
        ) from error
    for i, row in enumerate(frame.iter_rows(named=True)):
        yield f"{path}, row {i}", row


def _field(row: Any, name: str, kind: type | tuple[type, ...], where: str) -> Any:
    """Returns a field of a row.

    Raises:
        DataError: If it is missing or of another type.
    """
    value = row.get(name) if isinstance(row, Mapping) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _refuse(f"{where}, field {name!r}", value, "need the field of the published format")
    return value


def _number_pair(id: str, text: str, answer: str, where: str) -> Pair:
    key = find_number(answer) if re.fullmatch(r"\s*[-$+0-9.,/]+\s*", answer) else None
    if key is None:
        raise _refuse(where, answer, "need one number as the answer")
    return Question(id, "number", text), Gold(id, "number", frozenset({key}))


def _choice_pair(id: str, text: str, options: tuple[str, ...], letter: str, where: str) -> Pair:
    if letter not in tuple(LETTERS[: len(options)]):
        raise _refuse(where, letter, f"need a letter of the {len(options)} options as the answer")
    right = options[LETTERS.index(letter)]
    keys = frozenset(mark for mark, option in zip(LETTERS, options, strict=False) if option == right)
    return Question(id, "choice", text, options), Gold(id, "choice", keys)


def _gsm8k(path: Path) -> Iterator[Pair]:
    for i, (where, row) in enumerate(_records(path)):
        steps, mark, answer = _field(row, "answer", str, where).rpartition("#### ")
        if not mark:
            raise _refuse(f"{where}, field 'answer'", steps[-40:] or answer[-40:], "need '#### ' before the answer")
        yield _number_pair(f"gsm8k/{i}", _field(row, "question", str, where), answer, where)


def _aqua(path: Path) -> Iterator[Pair]:
    for i, (where, row) in enumerate(_records(path)):
        listed = _field(row, "options", list, where)
        if [str(option)[:2] for option in listed] != [f"{letter})" for letter in LETTERS[: len(listed)]]:
            raise _refuse(f"{where}, field 'options'", listed, "need 'A)...', 'B)...' in order")
        options = tuple(str(option)[2:].strip() for option in listed)
        letter = _field(row, "correct", str, where).strip()
        yield _choice_pair(f"aqua/{i}", _field(row, "question", str, where), options, letter, where)


def _mmlu(path: Path) -> Iterator[Pair]:
    if path.suffix == _PARQUET:
        yield from _mmlu_parquet(path)
        return
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    for file in files:
        subject = re.sub(r"_(?:test|dev|val)$", "", file.stem)
        rows = csv.reader(io.StringIO(_read(file), newline=""), strict=True)
        try:
            for i, row in enumerate(rows):
                where = f"{file}, row {i + 1}"
                if len(row) != 6:
                    raise _refuse(where, row, "need question,A,B,C,D,letter")
                text, *options, letter = (cell.replace("\r\n", "\n").strip() for cell in row)
                yield _choice_pair(f"mmlu/{subject}/{i}", text, tuple(options), letter, where)
        except csv.Error as error:
            raise DataError(f"{file}, line {rows.line_num}", f"is no CSV ({error})", "need quoted cells") from error


def _mmlu_parquet(path: Path) -> Iterator[Pair]:
    for i, (where, row) in enumerate(_parquet_rows(path)):
        options = _field(row, "choices", list, where)
        if len(options) != 4 or not all(isinstance(option, str) for option in options):
            raise _refuse(f"{where}, field 'choices'", options, "need four texts")
        right = _field(row, "answer", int, where)
        if not 0 <= right < len(options):
            raise _refuse(f"{where}, field 'answer'", right, "need 0, 1, 2 or 3")
        id = f"mmlu/{_field(row, 'subject', str, where)}/{i}"
        text = _field(row, "question", str, where).strip()
        yield _choice_pair(id, text, tuple(option.strip() for option in options), LETTERS[right], where)


def _svamp(path: Path) -> Iterator[Pair]:
    rows = _json(_read(path), str(path))
    if not isinstance(rows, list):
        raise _refuse(str(path), type(rows).__name__, "need one JSON array")
    for i, row in enumerate(rows):
        where = f"{path}, item {i}"
        body, asked = (_field(row, name, str, where).strip() for name in ("Body", "Question"))
        stop = "" if not body or body[-1] in ".?!,;:" else "."
        answer = _field(row, "Answer", (int, float), where)
        id = _field(row, "ID", str, where)
        yield _number_pair(f"svamp/{id}", f"{body}{stop} {asked}".strip(), repr(answer), where)


def _humaneval(path: Path) -> Iterator[Pair]:
    for where, row in _records(path):
        id, prompt, name, tests = (_field(row, key, str, where) for key in ("task_id", "prompt", "entry_point", "test"))
        if not name.isidentifier() or f"def {name}" not in prompt or "check" not in tests:
            raise _refuse(where, name, "need an entry point that the prompt defines, and tests with `check`")
        key = f"humaneval/{id.rpartition('/')[2]}"
        yield Question(key, "code", prompt, entry_point=name), Gold(key, "code", frozenset(), tests)


FORMATS: dict[str, Callable[[Path], Iterator[Pair]]] = {
    "aqua": _aqua,
    "gsm8k": _gsm8k,
    "humaneval": _humaneval,
    "mmlu": _mmlu,
    "svamp": _svamp,
}


def load_questions(format: str, path: str | Path) -> QuestionSet:
    """Returns the questions of a local file with their golds beside them.

    Args:
        format: `gsm8k` (JSON lines), `aqua` (JSON lines), `mmlu` (a CSV file or a folder of them), `svamp` (JSON
            array), `humaneval` (JSON lines). A name ending in `.gz` is unpacked; one ending in `.parquet` is read as
            the hub stores it (all but `svamp`).
        path: The file or, for `mmlu`, the folder.

    Raises:
        DataError: If the format is unknown, the path is missing or empty, or a row does not follow the format.
    """
    if format not in FORMATS:
        allowed = f"need one of {', '.join(FORMATS)}"
        raise DataError("load_questions.format", f"found {format!r}", allowed, suggest(format, FORMATS))
    place = Path(path)
    if not place.exists() or (place.is_dir() and format != "mmlu"):
        raise DataError("load_questions.path", f"found {str(path)!r}", "need an existing file", "check the path")
    pairs = list(FORMATS[format](place))
    if not pairs:
        raise DataError("load_questions.path", f"found no question in {str(path)!r}", "need one or more", "check it")
    return QuestionSet(format, tuple(question for question, _ in pairs), {gold.question_id: gold for _, gold in pairs})
