"""Reading data a user owns: every fault is one line that says where, what, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tidings.core.errors import DataError, MissingPartError

__all__ = ["convert_record", "fetch_snapshot", "file_sha256", "read_json", "read_json_lines", "require_file"]

T = TypeVar("T")


def require_file(path: Path | str, what: str) -> Path:
    """Returns the path of an existing file.

    Raises:
        DataError: There is no such file.
    """
    path = Path(path)
    if path.is_file():
        return path
    found = "found a folder" if path.is_dir() else "no such file"
    raise DataError(str(path), found, f"expected {what}", "give the path of your own copy of the data")


def file_sha256(path: Path | str) -> str:
    """Returns the SHA-256 of a file's bytes, 64 hexadecimal digits."""
    return sha256(Path(path).read_bytes()).hexdigest()


def read_json(path: Path | str, what: str) -> Any:
    """Returns the content of a JSON file.

    Raises:
        DataError: The file is missing, not UTF-8 or not JSON.
    """
    return _decode(_read_text(require_file(path, what), what), str(path), what)


def read_json_lines(path: Path | str, what: str) -> Iterator[tuple[str, Any]]:
    """Yields (`path:line`, record) for each line that is not empty.

    Raises:
        DataError: The file is missing, holds no record, or a line is not JSON.
    """
    lines = _read_text(require_file(path, what), what).splitlines()
    if not any(line.strip() for line in lines):
        raise DataError(str(path), "the file is empty", f"expected {what}", "check the download")
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"{path}:{number}", _decode(line, f"{path}:{number}", what)


def convert_record(value: Any, record_type: type[T], where: str) -> T:
    """Returns foreign data as a typed record; fields the type does not name are dropped.

    Raises:
        DataError: A field is missing or of another type.
    """
    try:
        return msgspec.convert(value, record_type)
    except msgspec.ValidationError as error:
        allowed = ", ".join(field.name for field in msgspec.structs.fields(record_type))  # type: ignore[arg-type]
        raise DataError(where, str(error), f"expected the fields {allowed}", "check the file's format") from None


def fetch_snapshot(repository: str) -> Path:
    """Returns the local folder of a Hugging Face data set, downloaded now if it is not cached.

    Args:
        repository: `owner/name` of a data set.

    Raises:
        MissingPartError: `huggingface_hub` is not installed.
        DataError: The hub did not give it.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        fix = "pip install huggingface_hub, or give a local path"
        raise MissingPartError(repository, "huggingface_hub is not installed", fix=fix) from None
    try:
        return Path(snapshot_download(repository, repo_type="dataset"))
    except (OSError, ValueError) as error:
        found = f"the hub did not give it ({type(error).__name__})"
        raise DataError(repository, found, "expected an existing data set id", "give a local path") from error


def _read_text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(str(path), f"not UTF-8 at byte {error.start}", f"expected {what}", "check the file") from None


def _decode(text: str, where: str, what: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        found = f"not JSON at line {error.lineno}, column {error.colno}"
        raise DataError(where, found, f"expected {what}", "check the download") from None
