"""Words that figures and reports share."""

from __future__ import annotations

__all__ = ["plural"]


def plural(n: int, word: str) -> str:
    """Returns the number with the word, `1 rollout`, `1,000 rollouts`."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"
