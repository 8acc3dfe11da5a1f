"""Opening the viewer in the user's web browser without showing the token to others on the machine."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

__all__ = ["opened"]


@contextmanager
def opened(address: str) -> Iterator[None]:
    """Opens an address as long as there is a screen.

    The browser is handed a file only this user may read, which leads on to the address: the arguments of a process can
    be read by everybody on the machine, and the token must not stand in them.
    """
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tidings-view-") as folder:
        path = Path(folder) / "open.html"
        path.touch(mode=0o600)
        path.write_text(
            f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(address)}"><title>tidings</title>',
            encoding="utf-8",
        )
        webbrowser.open(path.as_uri())
        yield
