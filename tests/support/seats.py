"""Agents for tests, named in scenarios as `seats:Class`."""

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tidings.core import ActionSpec, Observation, Reply, ReplyError, SeatContext, draw_action
from tidings.spec.base import Params


class DrawParams(Params):
    """Settings of the seats below."""

    latency_s: float = 0.0
    """Longest time to answer; drawn anew in every process, so that replies arrive in any order."""
    kill_at: int | None = None
    """Kill the process at this call, if the file `once` does not exist yet."""
    once: str = ""
    """Marks that the process was killed before."""
    fail_share: float = 0.0
    """Share of turns that fail."""
    crash: bool = False
    """Raise something that is no SeatError."""


@dataclass(frozen=True)
class Drawing:
    """Draws an allowed action from the seed of its turn, and thinks about what it saw."""

    params: DrawParams

    Params: ClassVar[type[Params]] = DrawParams
    calls: ClassVar[list[str]] = []

    @classmethod
    def build(cls, params: DrawParams, context: SeatContext) -> "Drawing":
        return cls(params)

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        p = self.params
        self.calls.append(observation.seat)
        if len(self.calls) == p.kill_at:
            _kill_once(Path(p.once))
        if p.latency_s:
            await asyncio.sleep(p.latency_s * int.from_bytes(os.urandom(2), "big") / 65536)
        if observation.seed.uniform("fail") < p.fail_share:
            raise ReplyError("unparsable", "planted")
        if p.crash:
            raise KeyError("a bug in somebody's agent")
        action: Any = draw_action(spec, observation.seed.generator("act"))
        return Reply(action, ({"saw": len(observation.events)},))


def _kill_once(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
