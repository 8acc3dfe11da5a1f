"""`tidings metrics RUN ... [METRIC ...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson

__all__ = ["metrics"]


def metrics(
    words: Annotated[
        list[str],
        typer.Argument(
            help="Folders of runs, of sweeps, or of several; then metrics or tiers from `tidings list metrics`, "
            "or figures by name; all by default.",
            metavar="RUN ... [METRIC ...]",
        ),
    ],
    failed: Annotated[str, typer.Option(help="About failed rollouts: refuse (no value), or drop them.")] = "refuse",
    json: AsJson = False,
) -> None:
    """Say what runs came to: every figure with its interval and null, or why it has no value."""
    import json as jsonlib

    from tidings.analysis.run import load_run
    from tidings.cli.output import check_word, print_metrics
    from tidings.metrics.result import json_row
    from tidings.runner.sweeps import find_runs

    check_word("--failed", failed, ("refuse", "drop"))
    paths = [Path(word) for word in words if Path(word).exists()] or [Path(words[0])]
    runs = find_runs(paths)
    names = [word for word in words if Path(word) not in paths] or ["all"]
    frames = [load_run(run).metrics(*names, failed=failed) for run in runs]  # type: ignore[arg-type]
    if json:
        rows = [
            {"run": str(run), "metrics": {row["name"]: json_row(row) for row in frame.to_dicts()}}
            for run, frame in zip(runs, frames, strict=True)
        ]
        print(jsonlib.dumps(rows[0] if len(rows) == 1 else {"runs": rows}, allow_nan=False))
        return
    for run, frame in zip(runs, frames, strict=True):
        print_metrics(frame, str(run) if len(runs) > 1 else None)
