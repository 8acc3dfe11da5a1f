"""`tidings influence RUN`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tidings.cli.output import AsJson, print_json

__all__ = ["influence"]


def influence(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    at: Annotated[str, typer.Option(help="The answer: rollout:index of the message it made.")],
    inputs: Annotated[list[int], typer.Option("--input", help="A message the seat had heard; the latest six.")] = [],  # noqa: B006
    lam: Annotated[float, typer.Option(min=0.0, help="Bits an answer may lose and still count as explained.")] = 1.0,
    scorer: Annotated[str | None, typer.Option(help="Model of the scenario that scores; the seat's own.")] = None,
    json: AsJson = False,
) -> None:
    """Measure what moved a seat to an answer: leave-one-out, Shapley, minimal labels, and CIC where laws are stated."""
    from tidings.analysis.run import load_run
    from tidings.core import RequestError

    rollout, _, index = at.partition(":")
    if not (rollout.isdigit() and index.isdigit()):
        raise RequestError("--at", f"found {at!r}", "need rollout:index, for example 0:12")
    rows = load_run(run).measure_influence(int(rollout), int(index), inputs=inputs, lam=lam, scorer=scorer)
    if json:
        print_json({"run": str(run), "at": at, "rows": rows.to_dicts()})
        return
    for row in rows.iter_rows(named=True):
        print(f"message {row['source']}: {_words(row)}" + (f" ({row['reason']})" if row["reason"] else ""))


def _words(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return f"{row['method']} no value"
    if row["method"] == "label":
        return f"label: {'' if row['value'] else 'not '}{row['unit']}"
    return f"{row['method']} {row['value']:.4g} {row['unit']}"
