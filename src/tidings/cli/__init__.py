"""The `tidings` command: one small file per command, no logic."""

import sys

__all__ = ["start"]


def start() -> None:
    """Runs the command line (see `tidings.cli.main.main`); Ctrl-C ends it quietly while it is still loading, too."""
    try:
        from tidings.cli.main import main as run_command

        run_command()
    except KeyboardInterrupt:
        sys.exit(130)
