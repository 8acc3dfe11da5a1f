"""How one attempt of a model call can fail, and the switch that forbids real calls."""

from __future__ import annotations

import os

from tidings.core import ModelError

__all__ = ["FORBID_REAL_MODELS", "PASSING_KINDS", "AttemptError", "check_real_calls_allowed"]

FORBID_REAL_MODELS = "TIDINGS_FORBID_REAL_MODELS"
"""Environment variable: `1` makes every provider that loads weights or opens a connection refuse to answer."""

PASSING_KINDS = frozenset({"timeout", "rate_limit", "server", "connection"})
"""Kinds of failure that may pass when the same call is made again."""


class AttemptError(ModelError):
    """One failed attempt. The guard reads `retry_after_s` and tries again if the kind may pass.

    Attributes:
        retry_after_s: How long the server asks to wait, in seconds; None if it did not say.
        detail: What the server said, for the call record; may hold addresses and times, so never for an event.
    """

    def __init__(self, kind: str, message: str, retry_after_s: float | None = None, detail: str = "") -> None:
        super().__init__(kind, message)
        self.retry_after_s, self.detail = retry_after_s, detail

    def __reduce__(self) -> tuple[type, tuple[str, str, float | None, str]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self), (self.kind, self.message, self.retry_after_s, self.detail)


def check_real_calls_allowed(name: str) -> None:
    """Refuses a real model call where none is allowed.

    Raises:
        RuntimeError: If the environment variable `TIDINGS_FORBID_REAL_MODELS` is 1.
    """
    if os.environ.get(FORBID_REAL_MODELS) == "1":
        raise RuntimeError(
            f"{name}: a real model call while {FORBID_REAL_MODELS}=1; mark the test with pytest.mark.real_model"
        )
