"""`tidings doctor`."""

from __future__ import annotations

import typer

__all__ = ["doctor"]


def doctor() -> None:
    """Say what is installed, what is missing, and what to type."""
    from tidings.runner.doctor import diagnose

    checks = diagnose()
    for check in checks:
        mark, fix = ("ok", "") if check.is_ok else ("--", f"  ->  {check.fix}")
        print(f"{mark}  {check.name:20} {check.found}{fix}")
    if not all(check.is_ok for check in checks if check.is_needed):
        raise typer.Exit(1)
