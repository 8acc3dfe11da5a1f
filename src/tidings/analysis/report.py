"""One self-contained HTML file about a run. All text from outside is escaped; nothing is loaded from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from importlib.resources import files
from pathlib import Path

from tidings.analysis.canvas import to_svg
from tidings.analysis.run import Run
from tidings.core import DataError
from tidings.log.reader import read_rollouts
from tidings.runner.folder import write_atomically

__all__ = ["TRANSCRIPTS", "report_html", "write_report"]

TRANSCRIPTS = 20
"""Rollouts whose transcript the report holds; the others are in the run folder, and the report says so."""


def write_report(run: Run) -> Path:
    """Writes `report.html` into the run folder and returns its path."""
    path = run.path / "report.html"
    write_atomically(path, report_html(run))
    return path


def report_html(run: Run) -> str:
    """Returns the report as one HTML document."""
    style = (files("tidings.analysis") / "report.css").read_text(encoding="utf-8")
    name = escape(run.scenario.name)
    body = "\n".join([_head(run), _metrics(run), _figures(run), _failures(run), _transcripts(run), _details(run)])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name} - tidings</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{style}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )


def _head(run: Run) -> str:
    status, scenario = run.status, run.scenario
    words = f"{status.get('done', 0)} of {status.get('rollouts', 0)} rollouts"
    state = status.get("status", "unknown")
    failed = f", {status['failed']} failed" if status.get("failed") else ""
    calls = status.get("calls") or 0
    cost = f" · {calls} model calls, {status.get('tokens')} tokens" if calls else ""
    about = f"<p>{escape(scenario.description)}</p>" if scenario.description else ""
    mark = "" if state == "done" and not failed else ' class="warning"'
    return (
        f"<header><h1>{escape(scenario.name)}</h1>{about}<p{mark}>{words}, {escape(state)}{failed}{cost}</p></header>"
    )


def _metrics(run: Run) -> str:
    frame = run.metrics()
    if frame.is_empty():
        return ""
    has_twin = frame["twin"].null_count() < len(frame)
    headings = ["metric", "value", "95 % interval", *(["rational twin"] if has_twin else []), "n", "unit"]
    rows = []
    for row in frame.to_dicts():
        interval = "" if row["low"] is None else f"{row['low']:.3g} to {row['high']:.3g}"
        cells = [row["name"], _number(row["value"]), interval, *([_number(row["twin"])] if has_twin else [])]
        rows.append([*cells, str(row["n"]), row["unit"] if row["value"] is not None else row["reason"]])
    note = (
        "<p class=note>The rational twin plays the same seeds with exact Bayes in every seat.</p>" if has_twin else ""
    )
    return f"<section><h2>What came out</h2>{_table(headings, rows)}{note}</section>"


def _figures(run: Run) -> str:
    drawn = []
    for name in ("correctness", "actions", "beliefs"):
        make: Callable[[], object] = getattr(run.plot, name)
        try:
            drawn.append(f"<figure>{to_svg(make())}</figure>")  # type: ignore[arg-type]
        except DataError:
            continue
    return f"<section><h2>What happened</h2>{''.join(drawn)}</section>" if drawn else ""


def _failures(run: Run) -> str:
    counts = run.failure_counts()
    if not counts:
        return ""
    rows = [[str(count), reason] for reason, count in counts.items()]
    return f"<section><h2>Failures</h2>{_table(['times', 'what'], rows)}</section>"


def _transcripts(run: Run) -> str:
    if run.is_summary:
        return "<section><h2>Transcripts</h2><p>This run logged one row a rollout.</p></section>"
    parts, n = [], 0
    for rollout, lines in read_rollouts(run.path / "events"):
        n += 1
        if n <= TRANSCRIPTS:
            rows = [[str(e.step), e.kind, e.seat or "", _audience(e.audience), _data(e.data)] for e in lines]
            table = _table(["step", "event", "seat", "who may know", "what"], rows)
            parts.append(f"<details><summary>rollout {rollout}</summary>{table}</details>")
    rest = f"<p class=note>The first {TRANSCRIPTS} of {n}; all are in the run folder.</p>" if n > TRANSCRIPTS else ""
    return f"<section><h2>Transcripts</h2>{''.join(parts)}{rest}</section>"


def _details(run: Run) -> str:
    manifest = run.manifest
    packages = ", ".join(f"{name} {version}" for name, version in manifest.get("packages", {}).items())
    git = manifest.get("git") or {}
    commit = (
        f"{git['commit'][:12]}{' with local changes' if git['is_dirty'] else ''}" if git else "not in a git checkout"
    )
    rows = [
        ["seed", str(manifest.get("seed"))],
        ["python", str(manifest.get("python"))],
        ["packages", packages],
        ["working copy", commit],
        *[[f"model {name}", str(model["id"])] for name, model in manifest.get("models", {}).items()],
    ]
    scenario = escape((run.path / "scenario.yaml").read_text(encoding="utf-8"))
    table = _table(["", ""], rows)
    source = f"<details><summary>scenario.yaml</summary><pre>{scenario}</pre></details>"
    return f"<section><h2>How to get this again</h2>{table}{source}</section>"


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _audience(audience: tuple[str, ...]) -> str:
    if not audience:
        return "nobody"
    words = ["everyone" if name == "*" else name for name in audience]
    return ", ".join(words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")


def _data(data: dict) -> str:
    return " · ".join(f"{key}: {value}" for key, value in data.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
