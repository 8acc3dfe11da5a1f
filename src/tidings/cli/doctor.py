"""`tidings doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from tidings.cli.output import AsJson, print_json

__all__ = ["doctor"]


def doctor(json: AsJson = False) -> None:
    """Say what is installed, what is missing, and what to type."""
    from tidings.runner.doctor import diagnose

    checks = diagnose()
    if json:
        print_json({check.name: asdict(check) for check in checks})
    for check in () if json else checks:
        mark, fix = ("ok", "") if check.is_ok else ("--", f"  ->  {check.fix}")
        print(f"{mark}  {check.name:20} {check.found}{fix}")
    if not all(check.is_ok for check in checks if check.is_needed):
        raise typer.Exit(1)
