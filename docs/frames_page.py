"""Writes `docs/frames.md` from the table of frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tidings.analysis.frames.frame import ID_COLUMNS, Column
from tidings.analysis.frames.table import FRAMES, find_frame

__all__ = ["frames_page", "write_frames"]

_HEAD = """# Frames

A run is read as data frames (polars). `run.events()` or `run.frame("events")` reads one; `run.scan("events")` gives a
`LazyFrame` that reads the log in batches when it is collected, and only as far as needed.

`tidings export RUN --to parquet` writes them all, with a first column `run`;
`tidings export RUN --to chat-jsonl` writes
what every seat saw and said as OpenAI-style chats.

## Other tools

| `tidings export RUN --to` | what it gives | needs |
|---|---|---|
| `mlflow` | a run in the experiment `--project`, where `MLFLOW_TRACKING_URI` says | extra `mlflow` |
| `wandb` | a run in the project `--project`; `WANDB_MODE=offline` keeps it on this machine | extra `wandb` |
| `inspect` | `inspect.json`, an Inspect eval log: a sample for each seat and rollout | nothing |

Trackers get the flattened scenario as parameters, each figure as `name` with `name.low`, `name.high`, `name.n` and
`name.twin`, counts of rollouts and of each kind of failure, the report and the scenario. With failed rollouts there is
no `name`: what the others alone give is `without_failed.name`, and the run there ends as failed. Figures of a run that
has not ended are left out. Tried with mlflow-skinny 3.17.2 (file store), wandb 0.31.0 (offline) and inspect-ai 0.3.285
(`read_eval_log`); only `analysis/adapters/` knows them. The other direction, reading Inspect logs as runs, is left out:
they hold no audiences, so there is no barrier to replay.

This page is made by `make docs` from the table in `src/tidings/analysis/frames/table.py`; a new frame is one file and
one line.
"""


def frames_page() -> str:
    """Returns the page."""
    parts = [_HEAD, "## Columns that mean the same everywhere\n", _table(ID_COLUMNS)]
    for name in FRAMES:
        frame = find_frame(name)
        own = {key: column for key, column in frame.columns.items() if ID_COLUMNS.get(key) != column}
        parts += [f"## {name}\n", f"{frame.words[:1].upper()}{frame.words[1:]}.\n"]
        shared = ", ".join(f"`{key}`" for key in frame.columns if key not in own)
        parts += [f"As above: {shared}.\n"] if shared else []
        parts += [_table(own)] if own else []
    return "\n".join(parts)


def write_frames(path: Path) -> None:
    """Writes the page."""
    path.write_text(frames_page(), encoding="utf-8")


def _table(columns: Mapping[str, Column]) -> str:
    rows = [f"| `{name}` | {column.type} | {column.words.replace('|', '/')} |" for name, column in columns.items()]
    return "\n".join(["| column | type | what it holds |", "|---|---|---|", *rows]) + "\n"
