"""The table of frames: name -> `module:NAME` of a `Frame`. Adding one is one file and one line here.

`Run.frame(name)`, `Run.scan(name)` and `Run.<name>()` find a frame by this table; `docs/frames.md` is written from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from tidings.analysis.frames.frame import Frame
from tidings.core import RequestError, suggest

__all__ = ["FRAMES", "find_frame"]

FRAMES: Mapping[str, str] = {
    "events": "tidings.analysis.frames.log:EVENTS",
    "turns": "tidings.analysis.frames.log:TURNS",
    "messages": "tidings.analysis.frames.log:MESSAGES",
    "facts": "tidings.analysis.frames.flow:FACTS",
    "claims": "tidings.analysis.frames.flow:CLAIMS",
    "deliveries": "tidings.analysis.frames.flow:DELIVERIES",
    "exposures": "tidings.analysis.frames.flow:EXPOSURES",
    "beliefs": "tidings.analysis.frames.beliefs:BELIEFS",
    "contributions": "tidings.analysis.frames.contributions:CONTRIBUTIONS",
    "calls": "tidings.analysis.frames.calls:CALLS",
}


def find_frame(name: str) -> Frame:
    """Returns a frame of the table.

    Raises:
        RequestError: If there is none of that name.
    """
    if name not in FRAMES:
        raise RequestError("frame", f"no frame {name!r}", f"allowed: {', '.join(FRAMES)}", suggest(name, FRAMES))
    module, _, attribute = FRAMES[name].partition(":")
    return getattr(import_module(module), attribute)
