"""A static copy of the viewer: the same pages over files, for any web server or straight from the disk.

A page opened from the disk may not fetch files, but it may load scripts. So each file of data is a script that hands
values over to the page; it holds JSON and one call, and nothing in it comes from outside unquoted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec

from tidings.analysis.viewer.fold import STEPS_PER_BLOCK
from tidings.analysis.viewer.library import Library
from tidings.analysis.viewer.server import STATIC, read_static
from tidings.core import DataError, RequestError

__all__ = ["MOST_COMPARED", "write_bundle"]

MOST_COMPARED = 20
"""Comparisons of all pairs are kept for at most so many runs."""

_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"

Resource = tuple[str, Any]


def write_bundle(library: Library, folder: Path, max_rollouts: int | None = None) -> int:
    """Writes a static copy and returns its size in bytes.

    Args:
        library: The runs it is to hold.
        folder: Where to; made if missing.
        max_rollouts: Only the first so many rollouts of each run; the copy says so where one is missing.

    Raises:
        DataError: If the folder is not empty, or cannot be written.
        RequestError: If there is no run, or one cannot be read.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(str(folder), "not empty", "a new or an empty folder", "choose another --bundle")
    if not library.runs():
        raise RequestError("view", "no run to copy", "run folders, or folders of runs", "name one before --bundle")
    size = 0
    try:
        for name in STATIC:
            size += _write(folder / name, _page(max_rollouts) if name == "index.html" else read_static(name))
        for path, resources in _files(library, max_rollouts):
            size += _write(folder / "data" / f"{path}.js", b"".join(map(_script, resources)))
    except OSError as error:
        raise DataError(str(folder), f"cannot write ({error.strerror})", fix="choose another --bundle") from None
    return size


def _page(max_rollouts: int | None) -> bytes:
    page = read_static("index.html").decode()
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    limit = f'<meta name="tidings-rollouts" content="{max_rollouts}">\n' if max_rollouts is not None else ""
    page = page.replace('<meta charset="utf-8">\n', f'<meta charset="utf-8">\n{policy}{limit}')
    return page.replace('content="live"', 'content="files"').encode()


def _script(resource: Resource) -> bytes:
    path, value = resource
    return b"tidings(%b,%b);\n" % (msgspec.json.encode(path), msgspec.json.encode(value))


def _write(path: Path, data: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(data)


def _files(library: Library, max_rollouts: int | None) -> Iterator[tuple[str, list[Resource]]]:
    """Yields each file of data with what it holds; the front end knows which resource stands in which file."""
    rows = library.runs()
    yield "runs", [("runs", rows)]
    readable = [row["id"] for row in rows if not row["problem"]]
    for name in readable:
        yield from _run_files(library, name, max_rollouts)
    for first, second in combinations(readable, 2) if len(readable) <= MOST_COMPARED else ():
        for path in (f"compare/{first}/{second}", f"compare/{second}/{first}"):
            try:
                yield path, [(path, library.get(path))]
            except RequestError:
                break


def _run_files(library: Library, name: str, max_rollouts: int | None) -> Iterator[tuple[str, list[Resource]]]:
    def take(path: str) -> Resource:
        return path, library.get(path)

    base = f"run/{name}"
    yield base, [take(base)]
    for kind in ("rollouts", "failures", "summary"):
        page = 0
        while True:
            found = take(f"{base}/{kind}/{page}")
            yield found[0], [found]
            page += 1
            if page * found[1]["page"] >= found[1]["n"]:
                break
    for rollout in library.view(name).rollout_numbers()[:max_rollouts]:
        yield from _rollout_files(library, f"{base}/{rollout}")


def _rollout_files(library: Library, base: str) -> Iterator[tuple[str, list[Resource]]]:
    columns = library.get(base)
    facts, calls = library.get(f"{base}/facts"), library.get(f"{base}/calls")
    n_blocks = -(-len(columns["step_sizes"]) // STEPS_PER_BLOCK)
    paths = [f"{base}/block/{number}" for number in range(n_blocks)]
    paths += [f"{base}/fact/{number}" for number in range(len(facts))]
    own = [(base, columns), (f"{base}/facts", facts), (f"{base}/calls", calls)]
    yield base, [*own, *((path, library.get(path)) for path in (f"{base}/planner", *paths))]
    singles = [f"{base}/events/{page}" for page in range(-(-columns["n"] // columns["page"]))]
    for path in (*singles, *(f"{base}/call/{number}" for number in range(len(calls)))):
        yield path, [(path, library.get(path))]
