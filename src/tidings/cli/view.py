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
    bundle: Annotated[
        Path | None, typer.Option(help="Write a static copy to this folder instead, for any web server.", metavar="DIR")
    ] = None,
    rollouts: Annotated[
        int | None, typer.Option(min=1, help="With --bundle: only the first so many rollouts of each run.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; a free one by default.")] = 0,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the address in the web browser.")] = True,
) -> None:
    """Look at runs in the web browser: graph, messages, what each seat could see, model calls."""
    from contextlib import nullcontext

    from tidings.analysis.viewer import Library, ViewerServer, opened, write_bundle

    library = Library(runs or [Path("runs")])
    if bundle is not None:
        size = write_bundle(library, bundle, rollouts)
        print(f"{bundle / 'index.html'}  ({size / 1e6:.1f} MB)")
        return
    server = ViewerServer(library, port)
    print(f"viewer: {server.address}  (Ctrl-C ends it)", flush=True)
    try:
        with opened(server.address) if open_ else nullcontext():
            server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
