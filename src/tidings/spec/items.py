"""Items: the tasks or questions of a scenario, one JSON object a line. Rollout r plays item r modulo their number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidings.core import DataError
from tidings.spec.scenario import ComponentSpec

__all__ = ["Items", "read_items"]


@dataclass(frozen=True)
class Items:
    """The items of a scenario.

    Attributes:
        rows: One mapping an item, in the file's order.
        sha256: Hash of the file's bytes; None for items written in the scenario itself.
    """

    rows: tuple[Mapping[str, Any], ...] = ()
    sha256: str | None = None


def read_items(spec: ComponentSpec) -> Items:
    """Returns the items that an environment plays; none if the scenario names none.

    Raises:
        DataError: If the file is missing, empty, or a line is no JSON object.
    """
    if spec.items is None:
        return Items()
    if not isinstance(spec.items, str):
        return Items(tuple(spec.items))
    path = Path(spec.items)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(str(path), f"cannot read the items ({error.strerror})", fix="check environment.items") from None
    rows = tuple(_row(path, number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip())
    if not rows:
        raise DataError(str(path), "no item in it", "one JSON object a line")
    return Items(rows, hashlib.sha256(content).hexdigest())


def _row(path: Path, number: int, line: bytes) -> Mapping[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} is not UTF-8"
        raise DataError(f"{path}:{number}", found, "one JSON object a line, in UTF-8", "save it as UTF-8") from None
    except ValueError as error:
        raise DataError(f"{path}:{number}", f"not JSON ({error})", "one JSON object a line") from None
    if not isinstance(row, dict):
        raise DataError(f"{path}:{number}", f"found {type(row).__name__}", "one JSON object a line")
    return row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"found the key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return row


def _refuse(constant: str) -> float:
    raise ValueError(f"found {constant}")
