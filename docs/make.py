"""Makes what the docs show: the JSON Schema, tables, and the pictures, from runs of the scenarios in this repository.

`python docs/make.py` makes all; with names only these: `python docs/make.py schema frames`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from flow_pictures import draw_flow
from frames_page import write_frames
from self_organisation_pictures import draw_self_organisation
from steering_pictures import draw_steering
from viewer_pictures import draw_viewer

import tidings
from tidings.core import suggest
from tidings.simulation.registry import params_models
from tidings.spec.schema import scenario_schema

DOCS = Path(__file__).parent
SCENARIO = DOCS.parent / "scenarios" / "quickstart.yaml"


def write_schema(images: Path, runs: Path) -> None:
    """Writes `scenario.schema.json`."""
    schema = scenario_schema(params_models())
    (DOCS / "scenario.schema.json").write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


def write_frames_page(images: Path, runs: Path) -> None:
    """Writes `frames.md`."""
    write_frames(DOCS / "frames.md")


def draw_quickstart(images: Path, runs: Path) -> None:
    """Draws `quickstart-*.png` from a run with the local model."""
    run = tidings.run(SCENARIO, rollouts=40, out=runs)
    for name in ("actions", "correctness", "beliefs"):
        getattr(run.plot, name)().savefig(images / f"quickstart-{name}.png", dpi=144)


def draw_viewer_pages(images: Path, runs: Path) -> None:
    """Draws `viewer-*.png` over a run with the local model and runs of its own."""
    if not any(runs.glob("quickstart-*")):
        tidings.run(SCENARIO, rollouts=4, out=runs)
    draw_viewer(images, runs)


PARTS: Mapping[str, Callable[[Path, Path], None]] = {
    "schema": write_schema,
    "frames": write_frames_page,
    "quickstart": draw_quickstart,
    "viewer": draw_viewer_pages,
    "steering": draw_steering,
    "flow": draw_flow,
    "self_organisation": draw_self_organisation,
}
"""Name -> what makes it, given the folder of pictures and one for runs."""


def main(names: Sequence[str]) -> int:
    """Makes the named parts, or all; returns the exit status."""
    for name in names:
        if name not in PARTS:
            hint = suggest(name, PARTS)
            print(
                f"docs/make.py: no part {name!r}; allowed: {', '.join(PARTS)}{f'; {hint}' if hint else ''}",
                file=sys.stderr,
            )
            return 2
    images = DOCS / "img"
    images.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in dict.fromkeys(names or PARTS):
            PARTS[name](images, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
