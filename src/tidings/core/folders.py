"""Where tidings keeps what it may make again."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Returns the folder for what is made once: `TIDINGS_CACHE`, or `tidings` in the user's cache folder."""
    if own := os.environ.get("TIDINGS_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tidings"
