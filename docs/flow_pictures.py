"""Makes the pictures of `docs/information-flow.md` from `scenarios/rumour.yaml`; no model is asked."""

from __future__ import annotations

import tempfile
from pathlib import Path

import tidings

__all__ = ["draw_flow"]


def draw_flow(images: Path, runs: Path) -> None:
    """Writes `flow-*.png` under `images`; the run goes to `runs`."""
    run = tidings.run(Path(__file__).parents[1] / "scenarios" / "rumour.yaml", out=runs)
    for name, file in (("spread", "flow-spread"), ("exposure_tree", "flow-exposure-tree")):
        getattr(run.plot, name)().savefig(images / f"{file}.png", dpi=144)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        draw_flow(Path(__file__).parent / "img", Path(folder))
