"""`tidings bench SUITE`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson

__all__ = ["bench"]


def bench(
    suite: Annotated[str, typer.Argument(help="Name from `tidings list suites`.", metavar="SUITE")],
    model: Annotated[str | None, typer.Option(help="Language model, provider/model, for suites that need one.")] = None,
    full: Annotated[bool, typer.Option("--full", help="The large grid instead of the quick one.")] = False,
    data: Annotated[
        str | None, typer.Option(help="Questions of your own: a path, or hf:owner/name of a Hugging Face data set.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Plays of each question.")] = None,
    items: Annotated[int | None, typer.Option(help="Number of questions.")] = None,
    agents: Annotated[int | None, typer.Option(help="Seats that answer.")] = None,
    rounds: Annotated[int | None, typer.Option(help="Most rounds of reading.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer, in tokens.")] = None,
    judge: Annotated[
        str | None, typer.Option(help="Language model, provider/model, that also judges answers in words.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for run folders and reports.")] = Path("runs"),
    json: AsJson = False,
) -> None:
    """Play a benchmark suite, score it and keep its tables. The same command goes on where it was stopped."""
    import json as jsonlib

    from tidings.benchmarks.table import check_options, find_suite
    from tidings.runner.folder import write_atomically

    more = {"agents": agents, "rounds": rounds, "max_tokens": max_tokens, "judge": judge}
    folder, play = out / suite, find_suite(suite)
    options = check_options(suite, play, {"data": data, "seeds": seeds, "items": items} | more)
    try:
        report = play(model, folder, is_full=full, **options)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        raise typer.Exit(130) from None
    scores = jsonlib.dumps(report.to_json(), allow_nan=False)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "report.json", scores + "\n")
    write_atomically(folder / "report.md", report.text())
    print(scores if json else f"{_shown(report.text())}\nkept in: {folder / 'report.md'}")
    raise typer.Exit(1 if report.n_failed else 0)


def _shown(markdown: str) -> str:
    """Returns a report as it is, for a file or another command, or laid out for the terminal that shows it."""
    from rich.console import Console

    from tidings.cli.report_text import lay_out

    console = Console()
    return f"{lay_out(markdown, console.width)}\n" if console.is_terminal else markdown
