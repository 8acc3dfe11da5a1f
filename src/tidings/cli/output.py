"""What the commands print at their end."""

from __future__ import annotations

import json as jsonlib
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from tidings.core import RequestError, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from rich.console import Console
    from rich.table import Table

    from tidings.analysis.run import Run
    from tidings.runner.execute import Outcome
    from tidings.runner.sweeps import RunStatus

__all__ = [
    "AsJson",
    "Notes",
    "check_word",
    "finish",
    "finish_sweep",
    "metric_table",
    "print_json",
    "print_metrics",
    "run_json",
    "status_table",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def print_json(value: Mapping[str, Any]) -> None:
    """Prints one JSON object on a line; a number that is none becomes null."""
    from tidings.metrics.result import json_value

    print(jsonlib.dumps(json_value(value), default=str, allow_nan=False))


def check_word(where: str, found: str, allowed: Sequence[str]) -> None:
    """Checks that an argument is one of a few words.

    Raises:
        RequestError: If it is none of them.
    """
    if found not in allowed:
        raise RequestError(where, f"found {found!r}", f"allowed: {', '.join(allowed)}", suggest(found, allowed))


def finish(outcome: Outcome, *, as_json: bool) -> None:
    """Prints how a run ended and exits with 0 if all went well, else 1."""
    from tidings.analysis.run import load_run

    run = load_run(outcome.folder)
    if as_json:
        print(jsonlib.dumps(run_json(run, outcome)))
    else:
        _print_run(run, outcome)
    if outcome.status == "interrupted":
        raise typer.Exit(130)
    raise typer.Exit(1 if outcome.n_failed or outcome.status != "done" else 0)


def finish_sweep(outcomes: dict[str, Outcome], *, as_json: bool) -> NoReturn:
    """Prints the figures of every variant of a sweep and exits with 0 if all went well, else 1."""
    from rich.console import Console

    from tidings.analysis.run import load_run
    from tidings.runner.sweeps import read_statuses

    runs = {name: load_run(outcome.folder) for name, outcome in outcomes.items()}
    if as_json:
        rows = {name: run_json(runs[name], outcome) for name, outcome in outcomes.items()}
        print(jsonlib.dumps({"variants": rows, "failed": sum(outcome.n_failed for outcome in outcomes.values())}))
    else:
        console = Console()
        for name, outcome in outcomes.items():
            words = f"{outcome.n_done} of {outcome.n_rollouts} rollouts, {outcome.status}"
            failed = f", {outcome.n_failed} failed" if outcome.n_failed else ""
            print_metrics(runs[name].metrics(), f"{name}: {words}{failed}")
            console.print("")
        console.print(status_table(read_statuses(next(iter(outcomes.values())).folder.parent)), "")
        console.print(f"run folders: {next(iter(outcomes.values())).folder.parent}", highlight=False, soft_wrap=True)
    stopped = next((outcome for outcome in outcomes.values() if outcome.status != "done"), None)
    if stopped is not None and not as_json:
        print(f"stopped: {stopped.message}; the same command goes on where it stopped")
    if stopped is not None and stopped.status == "interrupted":
        raise typer.Exit(130)
    raise typer.Exit(1 if stopped or any(outcome.n_failed for outcome in outcomes.values()) else 0)


def run_json(run: Run, outcome: Outcome) -> dict[str, Any]:
    """Returns the JSON object of `--json`."""
    from tidings.metrics.result import json_row

    return {
        "run": str(outcome.folder),
        "status": outcome.status,
        "rollouts": outcome.n_rollouts,
        "done": outcome.n_done,
        "failed": outcome.n_failed,
        "metrics": {row["name"]: json_row(row) for row in run.metrics().to_dicts()},
    }


def print_metrics(frame: pl.DataFrame, title: str | None = None) -> None:
    """Prints the figures as a table, and below it why the others have no value: a reason is longer than a column."""
    from rich.console import Console

    console = Console()
    rows = frame.to_dicts()
    if title:
        console.print(title, style="italic", highlight=False)
    for part in _fitting([row for row in rows if row["value"] is not None], console):
        console.print(metric_table(part))
    without: dict[str, list[str]] = {}
    for row in rows:
        if row["value"] is None:
            without.setdefault(row["reason"], []).append(row["name"])
    for reason, names in without.items():
        reason = reason.replace("ask with failed='drop'", "tidings metrics RUN --failed drop")
        console.print(f"no value: {', '.join(names)}: {reason}", style="dim", highlight=False, markup=False)


def _fitting(rows: list[dict[str, Any]], console: Console) -> list[list[dict[str, Any]]]:
    """Returns the rows of one table, or of several by the columns they need where one is wider than the terminal."""
    unbounded = console.options.update(max_width=10_000)
    if not rows or console.measure(metric_table(rows), options=unbounded).maximum <= console.width:
        return [rows] if rows else []
    parts: dict[tuple[bool, bool], list[dict[str, Any]]] = {}
    for row in rows:
        parts.setdefault((row["twin"] is not None, row["null_mean"] is not None), []).append(row)
    return list(parts.values())


def metric_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Returns metrics as a table for the terminal; what keeps one from being taken at its word is a note below it."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    has_twin = any(row["twin"] is not None for row in rows)
    has_null = any(row["null_mean"] is not None for row in rows)
    table.add_column("metric", no_wrap=True)
    for heading in ("value", *(["null"] if has_null else []), "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    if has_twin:
        table.add_column("rational twin", justify="right")
    table.add_column("unit")
    notes = Notes()
    for row in rows:
        cells = [row["name"], _number(row["value"])]
        cells += [_number(row["null_mean"])] if has_null else []
        cells += [_interval(row["low"], row["high"])]
        cells += [_number(row["twin"])] if has_twin else []
        table.add_row(*cells, (row["unit"] if row["value"] is not None else "") + notes.mark(row["reason"]))
    notes.put_below(table)
    return table


class Notes:
    """Numbered notes below a table, for words that are longer than a column; equal ones stand there once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, words: str) -> str:
        """Returns the mark to put behind a cell, empty without words."""
        return f" ({self._numbers.setdefault(words, len(self._numbers) + 1)})" if words else ""

    def put_below(self, table: Table) -> None:
        """Puts the notes below the table."""
        from rich.text import Text

        if self._numbers:
            lines = [f"({number}) {words}" for words, number in self._numbers.items()]
            table.caption, table.caption_justify = Text("\n".join(lines), style="dim"), "left"


def status_table(rows: Sequence[RunStatus]) -> Table:
    """Returns how far runs are as a table for the terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("run", overflow="fold")
    table.add_column("status")
    for heading in ("done", "failed", "calls", "tokens", "USD", "seconds"):
        table.add_column(heading, justify="right")
    for row in rows:
        done = "-" if row.rollouts is None else f"{row.done} of {row.rollouts}"
        usd = f"{row.usd:.4f}" if row.usd else "-"
        seconds = "-" if row.rollouts is None else f"{row.elapsed_s:.1f}"
        table.add_row(row.name, row.status, done, str(row.failed), str(row.calls), str(row.tokens), usd, seconds)
    if len(rows) > 1:
        table.caption = f"{sum(row.status == 'done' for row in rows)} of {len(rows)} done"
    return table


def _print_run(run: Run, outcome: Outcome) -> None:
    from rich.console import Console

    console = Console()
    words = f"{outcome.n_done} of {outcome.n_rollouts} rollouts"
    console.print(f"[bold]{run.scenario.name}[/bold]: {words}, {outcome.status}", highlight=False)
    if outcome.n_done:
        print_metrics(run.metrics())
    if usage := _usage(run):
        console.print(usage, highlight=False)
    console.print(f"run folder: {outcome.folder}", highlight=False, soft_wrap=True)
    if outcome.status != "done":
        console.print(f"stopped: {outcome.message}; go on with: tidings resume {outcome.folder}", soft_wrap=True)
    elif not outcome.n_failed:
        console.print(f"look at it: tidings report {outcome.folder}", highlight=False, soft_wrap=True)
    is_let_off = run.scenario.rollouts.on_failure == "abstain"
    failures = run.failure_counts() if outcome.n_failed or is_let_off else {}
    if failures and not outcome.n_failed:
        console.print(f"turns that failed and were let off: {sum(failures.values())}", highlight=False)
    for reason, count in failures.items():
        console.print(f"  {count} x {reason}{_address(run, reason)}", highlight=False, markup=False, soft_wrap=True)
    if outcome.n_failed:
        sys.stdout.flush()
        print(f"{outcome.n_failed} of {outcome.n_rollouts} rollouts failed")


def _address(run: Run, reason: str) -> str:
    """Returns which addresses could not be reached; the log, which must not depend on them, does not say."""
    if not reason.startswith("model/connection"):
        return ""
    urls = [spec.params.get("base_url") for spec in run.scenario.models.values()]
    named = [url for given in urls if given for url in ([given] if isinstance(given, str) else given)]
    return f"; is a server listening at {', '.join(named)}?" if named else ""


def _usage(run: Run) -> str:
    status = run.status
    if not status.get("calls") and not status.get("cached"):
        return ""
    usd = status.get("usd")
    price = f", ${usd:.4f}" if usd else ""
    cached = f" ({status['cached']} more from the record)" if status.get("cached") else ""
    return f"model calls: {status['calls']}{cached}, {status['tokens']} tokens{price}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3g} to {high:.3g}"
