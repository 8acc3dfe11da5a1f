"""Makes what the docs show: the JSON Schema, and the pictures, from runs of the scenarios in this repository."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from flow_pictures import draw_flow
from frames_page import write_frames
from self_organisation_pictures import draw_self_organisation
from steering_pictures import draw_steering
from viewer_pictures import draw_viewer

import tidings
from tidings.simulation.registry import params_models
from tidings.spec.schema import scenario_schema

DOCS = Path(__file__).parent


def main() -> None:
    """Writes `scenario.schema.json` and the pictures under `img/`."""
    schema = scenario_schema(params_models())
    (DOCS / "scenario.schema.json").write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    write_frames(DOCS / "frames.md")
    images = DOCS / "img"
    images.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run = tidings.run(DOCS.parent / "scenarios" / "quickstart.yaml", rollouts=40, out=folder)
        for name in ("actions", "correctness", "beliefs"):
            getattr(run.plot, name)().savefig(images / f"quickstart-{name}.png", dpi=144)
        draw_viewer(images, Path(folder))
        draw_steering(images, Path(folder))
        draw_flow(images, Path(folder))
        draw_self_organisation(images, Path(folder))


if __name__ == "__main__":
    main()
