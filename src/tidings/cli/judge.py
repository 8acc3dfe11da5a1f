"""`tidings judge RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson, print_json

__all__ = ["judge"]


def judge(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    model: Annotated[str, typer.Option(help="Model of the scenario that reads the messages.")],
    labelled: Annotated[
        Path | None,
        typer.Option(help="Messages whose claims are known (JSON lines): measures how often the judge is right."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Have a model say what each message claims about each fact; kept beside the events, used by the ledger."""
    from tidings.analysis.run import load_run
    from tidings.metrics.detectors import publish

    found = load_run(run)
    rows = found.judge(model, labelled=labelled)
    claims, totals = rows.filter(rows["fact"].is_not_null()), rows.filter(rows["fact"].is_null())
    n_asked, n_failed = int(totals["n_asked"].sum()), int(totals["n_failed"].sum())
    if json:
        totals_row = {"claims": claims.height, "questions": n_asked, "unanswered": n_failed}
        print_json({"run": str(run), **totals_row, "rows": claims.to_dicts()})
        return
    print(f"{run}: {claims.height} claims in {n_asked} questions; {n_failed} without an answer")
    print(publish([], found.evidence().side))
