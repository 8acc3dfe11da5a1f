"""`tidings probe RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson, print_json

__all__ = ["probe"]


def probe(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    fact: Annotated[str, typer.Option(help="Id of the fact whose value is asked for.")],
    at: Annotated[
        int | None, typer.Option(help="Index of the event after whose step seats are asked; the end.")
    ] = None,
    seats: Annotated[list[str], typer.Option("--seat", help="Who is asked; every agent by default.")] = [],  # noqa: B006
    about: Annotated[str | None, typer.Option(help="Second order: what does this seat believe?")] = None,
    json: AsJson = False,
) -> None:
    """Ask seats what they believe about a fact, on calls that never enter the run; kept beside the events."""
    from tidings.analysis.run import load_run

    rows = load_run(run).probe(fact, at=at, seats=seats, about=about)
    if json:
        print_json({"run": str(run), "fact": fact, "about": about, "rows": rows.to_dicts()})
        return
    without: dict[str, list[str]] = {}
    for row in rows.iter_rows(named=True):
        if row["belief"] is None:
            without.setdefault(row["reason"], []).append(row["seat"])
            continue
        where = f"rollout {row['rollout']}, {row['seat']}" + (f" about {about}" if about else "")
        belief = ", ".join(f"{w} {p:.3g}" for w, p in zip(row["worlds"], row["belief"], strict=True))
        gain = "" if row["gain_bits"] is None else f"; {row['gain_bits']:.3g} bits for the true value {row['truth']}"
        print(f"{where}: {belief}{gain}")
    for reason, names in without.items():
        print(f"no value: {len(names)} of {rows.height} answers, of {', '.join(dict.fromkeys(names))}: {reason}")
