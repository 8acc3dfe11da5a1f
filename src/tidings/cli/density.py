"""`tidings density RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.output import AsJson

__all__ = ["density"]


def density(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    fact: Annotated[str | None, typer.Option(help="Id of the fact; every declared one by default.")] = None,
    scorer: Annotated[str | None, typer.Option(help="Model of the scenario that scores; each seat's own.")] = None,
    json: AsJson = False,
) -> None:
    """Measure how many bits each message says about a private fact, from log-probabilities; kept beside the events."""
    import json as jsonlib

    from tidings.analysis.run import load_run
    from tidings.metrics.density import SILENCE, SILENT_REPLY
    from tidings.metrics.result import json_row

    found = load_run(run)
    rows = found.measure_density(fact, scorer=scorer)
    results = [json_row(result.row()) for result in found.metric_results("message_bits", failed="drop")]
    n_silent = int(rows["what"].is_in([SILENCE, SILENT_REPLY]).sum())
    n_messages = rows.height - n_silent
    if json:
        counts = {"messages": n_messages, "silent_turns": n_silent}
        print(jsonlib.dumps({"run": str(run), **counts, "metrics": results}, allow_nan=False))
        return
    silent = f" and {n_silent} silent turns" if n_silent else ""
    print(f"{run}: {n_messages} messages{silent}, {rows['bits'].null_count()} without a value")
    for row in results:
        value = "no value" if row["value"] is None else f"{row['value']:.4g} {row['unit']}"
        print(f"{row['name']}: {value} ({'; '.join(filter(None, [row['estimator'], row['reason']]))})")
