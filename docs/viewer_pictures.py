"""Makes the pictures of `docs/viewer.md`: the viewer in a headless Chromium, over runs that are made here.

Needs Playwright and Chromium; `python docs/viewer_pictures.py` makes only these pictures.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

from PIL import Image

import tidings
from tidings.analysis.viewer import Library, ViewerServer

__all__ = ["draw_viewer"]

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

HERD = """
name: steered-herd
description: Sixteen Bayesians decide one after another; a planner buys the precision of their signals.
graph: {kind: complete, n: 16}
agents: [{kind: bayesian, count: 16}]
planner: {kind: optimal, objective: biased, target: G, cost: {kind: linear, weight: 2.0}, delta: 0.9}
environment: {kind: social_learning, precision: 0.7, state: B}
rollouts: {count: 12, seed: 3}
"""

TALK = """
name: village
description: Forty people talk over a small world; two of them know something.
graph: {kind: watts_strogatz, n: 40, k: 4, p: 0.15}
agents: [{kind: scripted, policy: talk, text: "Good morning from {seat}.", count: 40}]
environment: {kind: talk, rounds: 6, facts: {a3: {where: It is in the old mill.}, a17: {when: It starts at noon.}}}
rollouts: {count: 2, seed: 1}
"""


def draw_viewer(images: Path, runs: Path) -> None:
    """Writes `viewer-*.png` under `images`; `runs` holds a run of the quickstart already.

    Without Playwright or Chromium it says so and leaves the pictures as they are.
    """
    path = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        print("no Playwright or no Chromium: the pictures of the viewer are left as they are")
        return
    for text in (HERD, TALK):
        scenario = runs / "scenario.yaml"
        scenario.write_text(text)
        tidings.run(tidings.load_scenario(scenario), out=runs)
    server = ViewerServer(Library([runs]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ids = {row["name"]: row["id"] for row in server.library.runs()}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        for name, scheme, where, keys in (
            ("runs", "light", "#/", ""),
            ("stage", "light", f"#/run/{ids['quickstart']}/0?step=6&tab=event", "jjj"),
            ("seat", "light", f"#/run/{ids['village']}/0?step=3&seat=3&tab=seat", "v"),
            ("planner", "dark", f"#/run/{ids['steered-herd']}/0?step=12&tab=planner", ""),
        ):
            _draw(browser, server, images / f"viewer-{name}.png", scheme, where, keys)
        browser.close()
    server.shutdown()
    server.server_close()


def _draw(browser: Any, server: ViewerServer, image: Path, scheme: str, where: str, keys: str) -> None:
    context = browser.new_context(
        viewport={"width": 1280, "height": 760}, color_scheme=scheme, device_scale_factor=1.25, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(server.address)
    page.evaluate("where => { location.hash = where; }", where)
    page.wait_for_timeout(2500)
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    page.wait_for_timeout(1500)
    page.screenshot(path=image)
    Image.open(image).quantize(256, dither=Image.Dither.NONE).save(image, optimize=True)
    context.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        quickstart = Path(__file__).parents[1] / "scenarios" / "quickstart.yaml"
        tidings.run(quickstart, rollouts=4, out=folder)
        draw_viewer(Path(__file__).parent / "img", Path(folder))
