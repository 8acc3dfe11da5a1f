"""`tidings export RUN --to parquet|chat-jsonl`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import check_word

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    to: Annotated[str, typer.Option(help="parquet: every frame; chat-jsonl: transcripts, one line a seat.")],
    out: Annotated[Path | None, typer.Option(help="Where to; `export` in the run folder by default.")] = None,
) -> None:
    """Write a run for other tools."""
    from tidings.analysis.export import export_chat, export_parquet
    from tidings.analysis.run import load_run

    check_word("--to", to, ("parquet", "chat-jsonl"))
    loaded = load_run(run)
    folder = out or run / "export"
    if to == "parquet":
        for path in export_parquet(loaded, folder):
            print(path)
    else:
        n = export_chat(loaded, folder / "chat.jsonl")
        print(f"{folder / 'chat.jsonl'}: {n} transcripts")
