"""`tidings view [RUN ...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["view"]


def view(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Run folders, or folders of runs; `runs` by default.", metavar="[RUN ...]"),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; a free one by default.")] = 0,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the address in the web browser.")] = True,
) -> None:
    """Look at runs in the web browser: graph, messages, what each seat could see, model calls."""
    import webbrowser

    from tidings.analysis.viewer import Library, ViewerServer

    server = ViewerServer(Library(runs or [Path("runs")]), port)
    print(f"viewer: {server.address}  (Ctrl-C ends it)", flush=True)
    if open_:
        webbrowser.open(server.address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
