"""A run for other tools: Parquet files of every frame, or transcripts as chat JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tidings.analysis.frames.table import FRAMES, find_frame
from tidings.core import PLANNER, Event
from tidings.log.gaps import names_gaps
from tidings.runner.folder import write_atomically
from tidings.simulation.compile import build_environment

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["chats", "export_chat", "export_parquet"]


@names_gaps
def export_parquet(run: Run, out: Path) -> list[Path]:
    """Writes every frame of the run as `<out>/<frame>.parquet`, with the run's name in a first column `run`.

    Frames are written in batches, so a large run needs little memory. A run of summaries has no frames of events.

    Returns:
        The files, in order.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name in FRAMES:
        if find_frame(name).needs_events and run.is_summary:
            continue
        _named(run, run.scan(name)).sink_parquet(out / f"{name}.parquet")
        written.append(out / f"{name}.parquet")
    for name, frame in (("rollouts", run.rollouts()), ("twin", run.twin()), ("metrics", run.metrics())):
        if frame.width:
            _named(run, frame.lazy()).sink_parquet(out / f"{name}.parquet")
            written.append(out / f"{name}.parquet")
    return written


@names_gaps
def export_chat(run: Run, path: Path) -> int:
    """Writes the transcript of every seat in every rollout as one line of OpenAI-style chat JSON.

    Returns:
        Number of lines.
    """
    lines = [json.dumps(chat, ensure_ascii=False) for chat in chats(run)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, "".join(f"{line}\n" for line in lines))
    return len(lines)


def chats(run: Run) -> Iterator[dict[str, Any]]:
    """Yields `{"messages": [...], "metadata": {...}}` for each seat that answered in each rollout.

    The system message is the seat's brief; what it saw between two of its answers is one user message, in the words of
    the environment; its answers are assistant messages (JSON unless they are text). Nothing a seat could not see is in
    it. What a model was sent word for word is in `calls/`.
    """
    environment = build_environment(run.scenario)
    for rollout, lines in run.rollout_lines():
        events = [line.event() for line in lines]
        for seat in environment.seats:
            messages = [{"role": "system", "content": environment.brief(seat)}]
            heard: list[str] = []
            for event in events:
                if event.kind == "reply" and event.seat == seat:
                    messages += [{"role": "user", "content": "\n".join(heard)}] if heard else []
                    messages.append({"role": "assistant", "content": _text(event.data["action"])})
                    heard = []
                elif _sees(event, seat) and (words := environment.describe(event, seat)):
                    heard.append(words)
            if any(message["role"] == "assistant" for message in messages):
                metadata = {"run": run.path.name, "rollout": rollout, "seat": seat, "environment": _kind(run)}
                yield {"messages": messages, "metadata": metadata}


def _sees(event: Event, seat: str) -> bool:
    return seat in event.audience or ("*" in event.audience and seat != PLANNER)


def _text(action: Any) -> str:
    return action if isinstance(action, str) else json.dumps(action, ensure_ascii=False)


def _kind(run: Run) -> str:
    return run.scenario.environment.kind


def _named(run: Run, frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.select(pl.lit(run.path.name).alias("run"), pl.all())
