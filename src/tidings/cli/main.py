"""The `tidings` command: puts the commands together and turns request errors into one line."""

from __future__ import annotations

import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NoReturn

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
    """Runs the command line; nothing that goes wrong is more than one line.

    Exit status: 0 all well, 1 some rollouts failed or a replay differs, 2 the request was wrong, 70 a mistake in
    tidings (its traceback is kept in a file), 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show a character is shown its code
            stream.reconfigure(errors="backslashreplace")
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="tidings", standalone_mode=False)
    except BrokenPipeError:
        sys.exit(1)
    except ReplayError as error:
        _stop(1, str(error))
    except RequestError as error:
        _stop(2, str(error))
    except Exception as error:
        _stop(*_explain(error))
    sys.exit(status if isinstance(status, int) else 0)


def _stop(status: int, line: str) -> NoReturn:
    print(f"tidings: {line}", file=sys.stderr)
    sys.exit(status)


def _explain(error: Exception) -> tuple[int, str]:
    """Returns the exit status and the line for an error that no room of tidings raised on purpose."""
    # The library behind typer is another one from version to version; what its usage errors can do is not.
    if hasattr(error, "format_message"):
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "tidings"
        words = " ".join(error.format_message().replace("Value error, ", "").split()).rstrip(".")  # type: ignore[attr-defined]
        return 2, f"{words}; see {command} --help"
    if isinstance(error, OSError) and error.filename is not None:
        return 2, f"{error.filename}: {error.strerror}; check the path, its rights and the space left"
    place = traceback.extract_tb(error.__traceback__)[-1]
    with NamedTemporaryFile("w", prefix="tidings-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    fix = "if no file of a run folder was changed by hand, it is a mistake in tidings: report it with"
    return 70, f"{Path(place.filename).name}:{place.lineno}: {what}; {fix} {file.name}"
