"""Events of a log that was changed: who reads a run says which line lacks what, not only which key.

To know where every event stands would slow the reading of a large log, so it is found out when a key is missing: what
was being read is read again, this time on lines that say where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["names_gaps"]

P = ParamSpec("P")
T = TypeVar("T")


def names_gaps(read: Callable[Concatenate[Run, P], T]) -> Callable[Concatenate[Run, P], T]:
    """Returns the function, with `GapError` in the place of the `KeyError` of an event that lacks a key."""

    @wraps(read)
    def call(run: Run, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(run, *args, **kwargs)
        except KeyError:
            with run.watched():
                return read(run, *args, **kwargs)

    return call
