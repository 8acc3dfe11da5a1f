"""`tidings fork RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson, Notes

__all__ = ["fork"]


def fork(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    at: Annotated[str, typer.Option(help="Where to leave it: rollout:index of an event, or the rollout alone.")] = "0",
    drop: Annotated[list[str], typer.Option(help="Message that does not arrive: its index, or index:seat,seat.")] = [],  # noqa: B006
    swap: Annotated[list[str], typer.Option(help="Another private fact: fact=value.")] = [],  # noqa: B006
    mute: Annotated[list[str], typer.Option(help="Seat that nobody hears any more.")] = [],  # noqa: B006
    planner: Annotated[str | None, typer.Option(help="Another planner from there on: kind or {kind: ...}.")] = None,
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="Samples of each arm.")] = 5,
    out: Annotated[Path, typer.Option(help="Folder for run folders.")] = Path("runs"),
    json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Play a logged rollout on from some event with something changed, beside the same without change."""
    import json as jsonlib

    from tidings.analysis.fork_effects import fork_effects
    from tidings.api import play_fork
    from tidings.runner.fork_spec import parse_fork
    from tidings.runner.progress import live_progress

    spec = parse_fork(at, drop=drop, swap=swap, mute=mute, planner=planner, n=n)
    outcome = play_fork(run, spec, out, live_progress(quiet=quiet or json))
    effects = fork_effects(outcome.folder).to_dicts() if outcome.status == "done" else []
    n_failed = sum(outcome.n_failed.values())
    if json:
        fields = {"fork": str(outcome.folder), "status": outcome.status, "failed": n_failed, "effects": effects}
        print(jsonlib.dumps(fields, allow_nan=False))
    else:
        _print(effects)
        print(f"fork: {outcome.folder} ({', '.join(outcome.n_failed)}; {outcome.n} samples each)")
        if outcome.status != "done":
            print(f"stopped: {outcome.message}")
    if n_failed:
        print(f"{n_failed} samples failed", flush=True) if not json else None
    raise typer.Exit(1 if n_failed or outcome.status != "done" else 0)


def _print(effects: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("outcome", "control", "changed", "effect", "95 % interval", "floor", "n"):
        table.add_column(name, justify="left" if name == "outcome" else "right", no_wrap=True)
    notes = Notes()
    for row in effects:
        has_interval = row["low"] is not None
        interval = f"{row['low']:.3g} to {row['high']:.3g}" if has_interval else ""
        numbers = ["-" if row[c] is None else f"{row[c]:.4g}" for c in ("control", "changed", "effect")]
        floor = "-" if row["noise_floor"] is None else f"{row['noise_floor']:.4g}"
        table.add_row(str(row["outcome"]), *numbers, interval, floor, f"{row['n']}{notes.mark(str(row['reason']))}")
    notes.put_below(table)
    Console().print(table)
