"""The report as one document: nothing is loaded, nothing runs, and the page's own policy forbids both."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from tidings.analysis.report import sections
from tidings.analysis.report.answer import answer, opening
from tidings.analysis.report.markup import Markup, el
from tidings.analysis.report.transcripts import transcripts
from tidings.log.gaps import names_gaps
from tidings.runner.folder import write_atomically

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["report_html", "write_report"]


def write_report(run: Run, against: tuple[Run, ...] = ()) -> Path:
    """Writes `report.html` into the run folder and returns its path.

    Args:
        run: What the report is about.
        against: Other runs whose key figure stands beside that of this one.
    """
    path = run.path / "report.html"
    write_atomically(path, report_html(run, against))
    return path


@names_gaps
def report_html(run: Run, against: tuple[Run, ...] = ()) -> str:
    """Returns the report as one HTML document."""
    style = (files("tidings.analysis.report") / "report.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    parts = [
        (None, opening(run)),
        ("Answer", answer(run, against)),
        ("Figures", sections.figures(run)),
        ("Metrics", sections.metrics(run)),
        ("Scenario", sections.scenario(run)),
        ("Failures", sections.failures(run)),
        ("Cost", sections.cost(run)),
        ("Provenance", sections.provenance(run)),
        ("Transcripts", transcripts(run)),
    ]
    links = [el("a", name, href=f"#{name.lower()}") for name, part in parts if name and part is not None]
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"{run.scenario.name} - tidings"),
        Markup(f"<style>{style}</style>"),
    )
    body = el("body", el("nav", links, class_="contents"), el("main", [part for _, part in parts]))
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"
