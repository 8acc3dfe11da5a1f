"""What can go wrong, as a tree.

    TidingsError
    ├── RequestError        the request itself was wrong: one line, exit status 2 (also a ValueError)
    │   ├── ScenarioError   a scenario file or value
    │   ├── DataError       a file the user owns: a run folder, a graph, a data set
    │   │   └── GapError    an event of a log lacks what its kind holds
    │   └── MissingPartError   an optional part (extra, weights, server) is not installed
    ├── SeatError           a seat gave no usable action: the rollout fails, the failure is an event
    │   ├── ReplyError      an answer that cannot be read or lies outside its action spec
    │   └── ModelError      a model call that failed for good (`kind` says how)
    ├── LimitError          a cap on calls, tokens, money or time was reached: the run stops cleanly, resumable
    ├── ReplayError         a replayed run differs from its record
    └── RecordError         a model call cannot be recorded: the run stops (also an OSError)

A user reads `RequestError` without a traceback, so its text is always *where: what was found; what is allowed;
what to do*.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "DataError",
    "GapError",
    "LimitError",
    "MissingPartError",
    "ModelError",
    "RecordError",
    "ReplayError",
    "ReplyError",
    "RequestError",
    "ScenarioError",
    "SeatError",
    "TidingsError",
    "suggest",
]


class TidingsError(Exception):
    """Base of every error tidings raises on purpose."""


class RequestError(TidingsError, ValueError):
    """The request itself was wrong. The text is one line a user can act on."""

    def __init__(self, where: str, found: str, allowed: str = "", fix: str = "") -> None:
        """Joins the four parts; empty parts are left out.

        Args:
            where: Dotted path, file or option, for example `agents[1].model`.
            found: What was found there.
            allowed: What would have been right.
            fix: What to type or do.
        """
        self.where, self.found, self.allowed, self.fix = where, found, allowed, fix
        super().__init__(f"{where}: " + "; ".join(part for part in (found, allowed, fix) if part))

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return type(self), (self.where, self.found, self.allowed, self.fix)


class ScenarioError(RequestError):
    """A scenario, or an override of it, is not valid."""


class DataError(RequestError):
    """A file the user points at is missing, malformed or of another kind."""


class GapError(DataError):
    """An event of a log lacks a key in its data: somebody changed the file."""


class MissingPartError(RequestError):
    """An optional part is not installed or not reachable."""


class SeatError(TidingsError):
    """A seat gave no usable action. Becomes a `failure` event; never a default action."""

    boundary = "seat"

    def __init__(self, kind: str, message: str) -> None:
        """Keeps a stable `kind` (goes into the log) apart from the free `message`.

        Args:
            kind: Short stable word, for example `timeout`, `unparsable`, `out_of_range`.
            message: One line for people; must hold no key, address or time, since it is logged.
        """
        self.kind, self.message = kind, message
        super().__init__(f"{kind}: {message}")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.kind, self.message)


class ReplyError(SeatError):
    """An answer that cannot be read, or that its action spec does not allow."""

    boundary = "reply"


class ModelError(SeatError):
    """A model call that failed for good, after its retries.

    `kind` is one of `timeout`, `rate_limit`, `server`, `connection`, `request`, `context_length`, `refusal`, `empty`.
    """

    boundary = "model"


class LimitError(TidingsError):
    """A hard cap was reached. The run ends with status `limit` and can be resumed with a higher cap."""

    def __init__(self, limit: str, cap: float, used: float) -> None:
        """Names the cap.

        Args:
            limit: `calls`, `tokens`, `usd` or `seconds`.
            cap: Its value.
            used: What had been used when the next call was refused.
        """
        self.limit, self.cap, self.used = limit, cap, used
        super().__init__(f"limits.{limit}: the cap of {cap:g} is reached ({used:g} used)")

    def __reduce__(self) -> tuple[type, tuple[str, float, float]]:
        return type(self), (self.limit, self.cap, self.used)


class ReplayError(TidingsError):
    """A replay differs from the record, at the step the text names."""


class RecordError(TidingsError, OSError):
    """A model call cannot be written down: no seat may go on with an answer that is not on the disk."""


def suggest(word: object, options: Iterable[str]) -> str:
    """Returns `did you mean 'x'?` for the closest option, or an empty string when none is close."""
    close = get_close_matches(str(word), [str(option) for option in options], n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
