"""From what a server answers to the kind of failure: status codes, Retry-After, bodies. Knows no client library."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tidings.models.failures import AttemptError

__all__ = ["connection_failure", "parse_retry_after", "status_failure", "timeout_failure"]

_DETAIL_CHARS = 500
_CONTEXT_WORDS = (
    "context length",
    "context size",
    "context window",
    "context_length",
    "maximum context",
    "too many tokens",
)
_REFUSAL_WORDS = ("content_filter", "content_policy", "safety")
_SPENT_WORDS = ("insufficient_quota", "billing")


def parse_retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Returns how long the server asks to wait, in seconds; None if it does not say, or not readably.

    Reads `retry-after-ms`, then `retry-after` as seconds or as an HTTP date.
    """
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * scale
        except ValueError:
            continue
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except (TypeError, ValueError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def status_failure(status: int, headers: Mapping[str, str], said: str, key: str = "") -> AttemptError:
    """Returns the failure of an answer with an error status.

    The message holds the status only: what the server said may hold addresses, times and parts of keys, so it goes into
    `detail`, which is kept beside the events, with the key blotted out.

    Args:
        status: HTTP status code.
        headers: Headers of the answer, names in lower case.
        said: Body or message of the error.
        key: The key that must not be recorded.
    """
    kind, words = _kind_of(status, said.lower())
    return AttemptError(kind, f"{words} (status {status})", parse_retry_after(headers), _clean(said, key))


def timeout_failure() -> AttemptError:
    """Returns the failure of a call without an answer in time."""
    return AttemptError("timeout", "the server did not answer in time")


def connection_failure(said: str, key: str = "") -> AttemptError:
    """Returns the failure of a call whose connection could not be made or broke."""
    return AttemptError("connection", "the connection could not be made, or broke", detail=_clean(said, key))


def _kind_of(status: int, said: str) -> tuple[str, str]:
    if status in (400, 413, 422, 500) and any(word in said for word in _CONTEXT_WORDS):
        return "context_length", "the prompt is longer than the model takes"
    if status in (400, 403) and any(word in said for word in _REFUSAL_WORDS):
        return "refusal", "the server refused the content"
    if status in (401, 403):
        return "request", "the server did not accept the key: see api_key_env"
    if status in (402, 429) and any(word in said for word in _SPENT_WORDS):
        return "request", "the account has nothing left to spend"
    if status == 429:
        return "rate_limit", "too many requests"
    if status in (408, 504):
        return "timeout", "the server did not answer in time"
    if status in (409, 425) or (status >= 500 and status != 501):
        return "server", "the server failed"
    return "request", "the server refused the request"


def _clean(said: str, key: str) -> str:
    said = said.replace(key, "***") if key else said
    return " ".join(said.split())[:_DETAIL_CHARS]
