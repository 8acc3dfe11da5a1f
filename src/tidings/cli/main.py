"""The `tidings` command: puts the commands together and turns request errors into one line."""

from __future__ import annotations

import sys

import typer

from tidings.cli import (
    bench,
    compare,
    density,
    doctor,
    estimate,
    export,
    fork,
    influence,
    judge,
    list_,
    metrics,
    probe,
    replay,
    report,
    resume,
    run,
    schema,
    status,
    validate,
    view,
)
from tidings.core import ReplayError, RequestError

__all__ = ["app", "main"]

app = typer.Typer(
    name="tidings",
    help="Simulate how news travels between agents who each know only a part of the truth.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": "TIDINGS", "help_option_names": ["-h", "--help"]},
)

for name, command in (
    ("run", run.run),
    ("resume", resume.resume),
    ("status", status.status),
    ("validate", validate.validate),
    ("schema", schema.schema),
    ("list", list_.list_),
    ("estimate", estimate.estimate),
    ("replay", replay.replay),
    ("compare", compare.compare),
    ("metrics", metrics.metrics),
    ("fork", fork.fork),
    ("density", density.density),
    ("influence", influence.influence),
    ("probe", probe.probe),
    ("judge", judge.judge),
    ("report", report.report),
    ("export", export.export),
    ("view", view.view),
    ("doctor", doctor.doctor),
    ("bench", bench.bench),
):
    app.command(name)(command)


def main() -> None:
    """Runs the command line. Exit status: 0 all well, 1 some rollouts failed, 2 the request was wrong."""
    try:
        app()
    except RequestError as error:
        print(f"tidings: {error}", file=sys.stderr)
        sys.exit(2)
    except ReplayError as error:
        print(f"tidings: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
