"""The middle of a report: scenario and graph, figures, all metrics, cost, failures, provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tidings.analysis.figures import FIGURES, find_figure
from tidings.analysis.report.kinds import kind_of
from tidings.analysis.report.markup import Markup, el, number, table
from tidings.analysis.report.svg import inline_svg
from tidings.core import DataError, GapError, RequestError
from tidings.log.gaps import names_gaps

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["cost", "failures", "figures", "metrics", "provenance", "scenario"]


def metrics(run: Run) -> Markup | None:
    """Returns every metric of the run beside its rational twin, and why one has no value."""
    frame = run.metrics()
    if frame.is_empty():
        return None
    has_twin = frame["twin"].null_count() < len(frame)
    has_null = frame["null_mean"].null_count() < len(frame)
    more = [*(["null"] if has_null else []), *(["rational twin"] if has_twin else [])]
    headings = ["metric", "value", "95 % interval", *more, "n", "unit"]
    rows = []
    listed = frame.to_dicts()
    shared = listed[0]["reason"] if len({(row["value"], row["reason"]) for row in listed}) == 1 else None
    note = el("p", f"No figure has a value: {shared}.", class_="note") if shared else None
    for row in listed:
        interval = "" if row["low"] is None else f"{number(row['low'])}\N{NO-BREAK SPACE}to {number(row['high'])}"
        beside = [*([number(row["null_mean"])] if has_null else []), *([number(row["twin"])] if has_twin else [])]
        reason = el("small", f" {row['reason']}") if row["reason"] and row["value"] is not None else None
        words = [row["unit"], reason] if row["value"] is not None or shared else row["reason"]
        rows.append([row["name"], number(row["value"]), interval, *beside, f"{row['n']:,}", words])
    numeric = frozenset({1, *range(3, 4 + len(more))})
    return _section("metrics", "Every metric", note, table(headings, rows, numeric))


def scenario(run: Run) -> Markup:
    """Returns what was played: graph, seats, settings."""
    s = run.scenario
    groups = [[seat_kind, f"{n:,}"] for seat_kind, n in _count(run.seat_kinds().values()).items()]
    settings = [[name, _words(value)] for name, value in s.environment.params.items()]
    planner = s.planner
    if planner.kind != "none":
        chosen = {name: value for name, value in planner.settings().items() if value is not None}
        settings += [["planner", planner.kind], *([f"planner.{k}", _words(v)] for k, v in chosen.items())]
    return _section(
        "scenario",
        "Scenario and graph",
        _figure(run, "graph"),
        table(["seats", "how many"], groups, frozenset({1})),
        table(["setting", "value"], settings) if settings else None,
    )


def figures(run: Run) -> Markup | None:
    """Returns the figures of this kind of run that have something to draw."""
    names = [name for name in kind_of(run.scenario.environment.kind).figures if name in FIGURES and name != "cost"]
    drawn = [figure for name in names if (figure := _figure(run, name)) is not None]
    return _section("figures", "What happened", *drawn) if drawn else None


def cost(run: Run) -> Markup:
    """Returns what the run cost: calls, tokens, price, time."""
    status, calls = run.status, run.calls()
    rows = [["wall time", _seconds(status["elapsed_s"])]] if status.get("elapsed_s") is not None else []
    if calls.is_empty():
        return _section("cost", "Cost", el("p", "No model was asked."), table(["", ""], rows) if rows else None)
    answered = calls.filter(pl.col("status") == "answered")
    unknown = int(calls["cost_usd"].is_nan().sum())
    usd = float(calls["cost_usd"].fill_nan(None).sum() or 0.0)
    price = (f"${usd:.4f}" if usd else "$0") + (
        f", without {unknown:,} calls whose price is not known" if unknown else ""
    )
    rows += [
        ["calls", f"{len(calls):,}, of which {len(calls) - len(answered):,} failed"],
        ["answered from the record", f"{status.get('cached') or 0:,}"],
        ["prompt tokens", f"{calls['tokens_in'].sum():,}"],
        ["answer tokens", f"{calls['tokens_out'].sum():,}"],
        ["price", "not known" if unknown == len(calls) else price],
        ["latency", _latency(answered)],
    ]
    return _section("cost", "Cost", table(["", ""], rows), _figure(run, "cost"))


def failures(run: Run) -> Markup | None:
    """Returns each kind of failure with how often it happened and where to read the first one."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for e in run.lines():
        if e.kind == "failure":
            reason = (f"{e.data['boundary']}/{e.data['error']}", str(e.data["message"]))
            found.setdefault(reason, []).append((e.rollout, e.index))
    if not found:
        return None
    most = sorted(found.items(), key=lambda item: -len(item[1]))
    rows = []
    for (kind, message), places in most[:50]:
        rollout, _ = places[0]
        n_rollouts = len({r for r, _ in places})
        first = el("a", f"rollout {rollout}", href=f"#rollout-{rollout}")
        rows.append([f"{len(places):,}", f"{n_rollouts:,}", kind, message[:500], first])
    rest = len(most) - 50
    note = el("p", f"{rest:,} rarer kinds are left out here; Run.turns() has them all.", class_="note")
    body = table(["times", "rollouts", "kind", "what was said", "first"], rows, frozenset({0, 1}))
    return _section("failures", "Failures", body, note if rest > 0 else None)


def provenance(run: Run) -> Markup:
    """Returns what is needed to get the run again: versions, seed, models, the scenario itself."""
    manifest = run.manifest
    git = manifest.get("git") or {}
    changes = ", with local changes" if git.get("is_dirty") else ""
    commit = f"{git['commit'][:12]}{changes}" if git else "not in a git checkout"
    packages = ", ".join(f"{name} {version}" for name, version in manifest.get("packages", {}).items())
    rows = [
        ["seed", str(manifest.get("seed"))],
        ["python", f"{manifest.get('python', 'not recorded')} on {manifest.get('platform', 'an unknown platform')}"],
        ["packages", packages or "not recorded"],
        ["working copy", commit],
    ]
    if manifest.get("items_sha256"):
        rows.append(["items, sha256", str(manifest["items_sha256"])])
    for name, model in manifest.get("models", {}).items():
        rows.append([f"model {name}", ", ".join(f"{key} {_words(value)}" for key, value in model.items())])
    text = (run.path / "scenario.yaml").read_text(encoding="utf-8")
    commands = f"tidings run {run.path / 'scenario.yaml'}\ntidings replay {run.path}"
    return _section(
        "provenance",
        "How to get this again",
        table(["", ""], rows),
        el("pre", commands),
        el("details", el("summary", "scenario.yaml"), el("pre", text)),
    )


def _figure(run: Run, name: str) -> Markup | None:
    """Returns a figure with its caption; nothing if there is nothing to draw, and a note if drawing failed."""
    if name not in FIGURES:
        return None
    function = find_figure(name)
    words = (function.__doc__ or name).strip().split("\n\n")[0].replace("\n", " ").removeprefix("Returns ")
    words = " ".join(words.split())
    words = words[:1].upper() + words[1:]
    try:
        drawing = inline_svg(names_gaps(function)(run), name, words)
    except GapError:
        raise
    except (DataError, RequestError):
        return None
    except Exception as error:
        return el("p", f"The figure {name} could not be drawn: {type(error).__name__}: {error}", class_="warning")
    return el("figure", drawing, el("figcaption", words), id=f"figure-{name}")


def _latency(answered: pl.DataFrame) -> str:
    if answered.is_empty():
        return "nothing was answered"
    half, most = (float(answered["latency_s"].quantile(q) or 0.0) for q in (0.5, 0.95))
    return f"median {_seconds(half)}, 95 % below {_seconds(most)}"


def _seconds(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f} s"
    return f"{value:.3g} s" if value >= 0.1 else f"{1000 * value:.3g} ms"


def _words(value: object, is_inside: bool = False) -> str:
    """Returns a setting as a reader would write it: a list with dots, a mapping as `name: value`, a deeper in ()."""
    if isinstance(value, dict):
        words = "; ".join(f"{name}: {_words(inner, True)}" for name, inner in value.items())  # type: ignore[arg-type]
        return f"({words})" if is_inside else words
    if isinstance(value, (list, tuple)):
        return " · ".join(_words(inner, True) for inner in value)  # type: ignore[arg-type]
    return "none" if value is None else str(value)


def _count(names: object) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:  # type: ignore[attr-defined]
        counts[name] = counts.get(name, 0) + 1
    return counts


def _section(anchor: str, heading: str, *parts: Markup | None) -> Markup:
    return el("section", el("h2", heading), *parts, id=anchor)
