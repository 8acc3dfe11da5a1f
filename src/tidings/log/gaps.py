"""Events of a log that was changed: who reads a run says which line lacks what, not only which key.

To know where every event stands would slow the reading of a large log, so it is found out when a key is missing: what
was being read is read again, this time on lines that say where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from tidings.core.errors import GapError
from tidings.log.codec import LogLine

__all__ = ["is_watching", "names_gaps", "watch", "watching"]

P = ParamSpec("P")
T = TypeVar("T")

_watchers: list[object] = []  # for all threads: lazy frames are read in threads of the library behind them


def names_gaps(read: Callable[P, T]) -> Callable[P, T]:
    """Returns the function, with `GapError` in the place of the `KeyError` of an event that lacks a key.

    The function is called a second time then, so it must do nothing that may not be done twice.
    """

    @wraps(read)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except KeyError:
            with watching():
                return read(*args, **kwargs)

    return call


@contextmanager
def watching() -> Iterator[None]:
    """Within it, events read from a log say in which line they stand if they lack a key; reading takes longer."""
    _watchers.append(watcher := object())
    try:
        yield
    finally:
        _watchers.remove(watcher)


def is_watching() -> bool:
    """Returns whether lines that are read now are to be watched."""
    return bool(_watchers)


def watch(line: LogLine, where: str) -> None:
    """Makes the data of a line raise `GapError` where a key is asked for that it lacks, however deep it lies.

    Args:
        line: The line.
        where: File and number of the line.
    """
    line.data = _watched(line.data, where, f"event {line.index} of rollout {line.rollout} ({line.kind})", "data")


class _WatchedData(dict[str, Any]):
    """A mapping in an event that says where it stands if somebody asks for a key which it lacks."""

    def __init__(self, data: dict[str, Any], where: str, what: str, path: str) -> None:
        super().__init__(data)
        self._where, self._what, self._path = where, what, path

    def __missing__(self, key: str) -> Any:
        fix = "the file was changed by hand or by another program; restore it from a copy"
        raise GapError(self._where, f"{self._what} has no {key!r} in its {self._path}", fix=fix)


def _watched(value: Any, where: str, what: str, path: str) -> Any:
    """Returns the value with all mappings in it watched."""
    if isinstance(value, dict):
        below = cast("dict[str, Any]", value)
        data = {key: _watched(item, where, what, f"{path}.{key}") for key, item in below.items()}
        return _WatchedData(data, where, what, path)
    if isinstance(value, list):
        return [_watched(item, where, what, f"{path}.{i}") for i, item in enumerate(cast("list[Any]", value))]
    return value
