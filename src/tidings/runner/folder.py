"""The folder of a run: what was asked, what happened, what it cost."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import networkx as nx

from tidings.core import DataError

__all__ = ["RunFolder", "is_alive", "provenance", "write_atomically"]

_PACKAGES = ("tidings", "networkx", "numpy", "langgraph", "openai", "transformers", "torch", "ray")


_RESTORE = "restore the file, or run again"


def write_atomically(path: Path, text: str) -> None:
    """Writes a whole file or leaves the old one: never half of it."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


class RunFolder:
    """Paths and small files of one run.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, out: Path, name: str) -> RunFolder:
        """Makes a new folder `<out>/<name>-<n>` with the next free number.

        Raises:
            DataError: If it cannot be made.
        """
        try:
            out.mkdir(parents=True, exist_ok=True)
            for n in range(1, 1_000_000):
                path = out / f"{name}-{n:03d}"
                with suppress(FileExistsError):  # taken by now: another process counts too
                    path.mkdir()
                    return cls(path)
        except OSError as error:
            raise DataError(
                str(out), f"cannot make a run folder ({error.strerror})", fix="choose another --out"
            ) from None
        raise DataError(str(out), f"more than a million runs called {name!r}", fix="choose another --out")

    @classmethod
    def at(cls, path: Path) -> RunFolder:
        """Makes exactly this folder, or takes it as it is.

        Raises:
            DataError: If it cannot be made.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(str(path), f"cannot make a run folder ({error.strerror})") from None
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Returns the folder of an existing run.

        Raises:
            DataError: If there is none.
        """
        if not path.is_dir():
            raise DataError(str(path), "no such run folder", "the folder that `tidings run` printed")
        if not (path / "scenario.yaml").is_file():
            raise DataError(str(path), "no scenario.yaml in it", "a folder that `tidings run` made")
        return cls(path)

    def refuse_fork(self, verb: str) -> None:
        """Checks that the run was played from its beginning.

        Raises:
            DataError: If it is an arm of a fork, which does not follow from its scenario alone.
        """
        if self.read_json("manifest.json").get("fork"):
            fix = "fork its parent again; equal forks are equal"
            raise DataError(str(self.path), f"an arm of a fork cannot be {verb}", fix=fix)

    @property
    def events(self) -> Path:
        """Folder of the event log."""
        return self.path / "events"

    @property
    def calls(self) -> Path:
        """Folder of the recorded model calls."""
        return self.path / "calls"

    @property
    def summary(self) -> Path:
        """Folder of the per-rollout rows of runs that log summaries."""
        return self.path / "summary"

    @property
    def scenario(self) -> Path:
        """The resolved scenario."""
        return self.path / "scenario.yaml"

    def read_json(self, name: str) -> dict[str, Any]:
        """Returns a small JSON file of the run; empty if it is not there.

        Raises:
            DataError: If it is damaged.
        """
        path = self.path / name
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise DataError(str(path), f"not JSON ({error})", fix=_RESTORE) from None
        if not isinstance(found, dict):
            raise DataError(str(path), "holds no JSON object", fix=_RESTORE)
        return found

    def read_graph(self) -> nx.Graph:
        """Returns the social graph as networkx has it.

        Raises:
            DataError: If it is missing or damaged.
        """
        try:
            return nx.node_link_graph(self.read_json("graph.json"), edges="edges")
        except (KeyError, TypeError, nx.NetworkXException):
            raise DataError(str(self.path / "graph.json"), "missing, or no node-link graph", fix=_RESTORE) from None

    def read_status(self) -> dict[str, Any]:
        """Returns how far the run is; `running` becomes `interrupted` where the process that wrote it is gone."""
        status = self.read_json("status.json")
        if status.get("status") == "running" and not is_alive(status.get("pid")):
            status["status"] = "interrupted"
        return status

    def write_json(self, name: str, value: Mapping[str, Any], indent: int | None = 2) -> None:
        """Writes a JSON file whole; without `indent` on one line, which is faster for large values."""
        write_atomically(self.path / name, json.dumps(value, indent=indent, allow_nan=False) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the run for one writer.

        Raises:
            DataError: If another process is writing to it.
        """
        try:
            import fcntl
        except ImportError:
            yield
            return
        with (self.path / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise DataError(str(self.path), "another process is writing to this run", fix="wait for it") from None
            yield


def is_alive(pid: object) -> bool:
    """Returns whether a process of this machine has this id."""
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def provenance() -> dict[str, Any]:
    """Returns versions of what a result depends on, and the state of the working copy it was started in."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _versions(),
        "git": _git(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git() -> dict[str, Any] | None:
    def ask(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, timeout=5, check=True).stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "is_dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None
