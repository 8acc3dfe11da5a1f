"""Where the questions of a suite come from when they are not ours: a local file, or a Hugging Face data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidings.benchmarks.asymmetry.sources import fetch_snapshot, file_sha256
from tidings.core import DataError

__all__ = ["HUB", "DataFile", "find_data", "find_data_files"]

HUB = "hf:"
"""What a Hugging Face data set id begins with."""


@dataclass(frozen=True)
class DataFile:
    """A file of questions that is not ours.

    Attributes:
        path: The file.
        source: What the user named, for the report; with the file's name if that was a folder.
        sha256: Hash of its bytes.
        licence: Name of a licence file beside it; empty if there is none.
    """

    path: Path
    source: str
    sha256: str
    licence: str

    def notice(self, terms: str) -> str:
        """Returns the one line about licences that a report prints.

        Args:
            terms: What is known about the terms of this data set.
        """
        beside = f"its licence file is {self.licence}" if self.licence else "no licence file lies beside it"
        return f"Data are not part of tidings: {terms}; {beside}. Keep to its terms when you publish."

    def about(self) -> dict[str, str]:
        """Returns what stands above a table."""
        return {"source": self.source, "SHA-256 of the source": self.sha256}


def find_data(data: str, names: Sequence[str], what: str) -> DataFile:
    """Returns the first of the files that `--data` names; see `find_data_files`.

    Raises:
        DataError: If there is no such file, or the hub does not give it.
        MissingPartError: If the hub's library is not installed.
    """
    return find_data_files(data, names, what)[0]


def find_data_files(data: str, names: Sequence[str], what: str) -> list[DataFile]:
    """Returns the files that `--data` names: one, or all of a folder or hub data set that have one of the names.

    Args:
        data: A file, a folder that holds some of `names`, or `hf:owner/name`.
        names: Patterns of file names that this suite reads, the usual one first.
        what: What is expected, for errors.

    Raises:
        DataError: If there is no such file, or the hub does not give it.
        MissingPartError: If the hub's library is not installed.
    """
    if data.startswith(HUB):
        repository = data.removeprefix(HUB)
        if repository.count("/") != 1 or not all(repository.split("/")):
            raise DataError("--data", f"found {data!r}", f"{HUB}owner/name, or a local path")
        place = fetch_snapshot(repository)
    else:
        place = Path(data).expanduser()
    if place.is_dir():
        found = [path for name in names for path in sorted(place.rglob(name)) if path.is_file()]
        if not found:
            raise DataError(data, f"no {' or '.join(names)} in it", f"expected {what}", "give the path of the file")
        return [_data_file(path, f"{data}, {path.relative_to(place)}") for path in dict.fromkeys(found)]
    if not place.is_file():
        raise DataError(data, "no such file", f"expected {what}", f"give a path, or {HUB}owner/name")
    return [_data_file(place, data)]


def _data_file(path: Path, source: str) -> DataFile:
    beside = sorted(one.name for one in path.parent.iterdir() if one.name.upper().startswith(("LICENSE", "LICENCE")))
    return DataFile(path, source, file_sha256(path), beside[0] if beside else "")
