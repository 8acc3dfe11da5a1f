"""What the viewer costs on a run of 1,000 agents and 100,000 events.

The server's work is measured in CPU time and as a ratio to decoding the same log once; with Playwright and Chromium
also the first paint of each page, the time of a step, and how many frames a second playing gives.
`--keep DIR` keeps the run for looking at it.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tidings
from tidings.analysis.viewer import Library, ViewerServer
from tidings.analysis.viewer.views import RunView
from tidings.log.reader import read_events

SCENARIO = """
name: crowd
description: A thousand agents talk for fifty rounds over a small world.
graph: {kind: watts_strogatz, n: 1000, k: 8, p: 0.1}
agents: [{kind: scripted, policy: talk, text: "{seat} has something to say in step {step}.", count: 1000}]
environment: {kind: talk, rounds: 50, facts: {a0: {where: in the old mill}, a500: {when: at noon}}}
rollouts: {count: 1, seed: 1}
"""

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def cpu(work: Callable[[], Any]) -> float:
    """Returns the CPU seconds of this process that `work` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def make_run(out: Path) -> Path:
    path = out / "crowd.yaml"
    path.write_text(SCENARIO)
    return tidings.run(path, out=out).path


def measure_server(run: Path) -> None:
    decoding = min(cpu(lambda: sum(1 for _ in read_events(run / "events"))) for _ in range(3))
    print(f"decoding the log once: {decoding:.2f} CPU s; the rest in multiples of that")
    view = RunView(run)
    for words, work in (
        ("run page, index built", view.head),
        ("columns of the rollout", lambda: view.columns(0)),
        ("a page of events", lambda: view.events(0, 200)),
        ("a block of states", lambda: view.block(0, 0)),
        ("search in all events", lambda: view.search(0, "step 33.")),
        ("columns again", lambda: view.columns(0)),
    ):
        print(f"  {words:24} {cpu(work) / decoding:6.2f}")


def measure_pages(run: Path) -> None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("no playwright: the pages are not measured")
        return
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        print("no Chromium: the pages are not measured")
        return
    server = ViewerServer(Library([run]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    name = server.library.runs()[0]["id"]
    home = server.address.split("/?")[0]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(viewport={"width": 1400, "height": 850})
        context.new_page().goto(server.address)
        for words, where, ready in (
            ("table of runs", "#/", "tr[data-run]"),
            ("run page", f"#/run/{name}", "tr[data-rollout]"),
            ("stage, list, timeline", f"#/run/{name}/0?step=20", ".row[data-event]"),
        ):
            page = context.new_page()
            start = time.perf_counter()
            page.goto(f"{home}/{where}")
            page.wait_for_selector(ready)
            shown = time.perf_counter() - start
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")
            print(f"  {words:24} first paint {paint / 1000:5.2f} s, filled {shown:5.2f} s")
        page.wait_for_timeout(6000)
        print(f"  {'forty steps by key':24} {1000 * _steps(page) / 40:5.0f} ms each")
        print(f"  {'playing at 8x':24} {_frames(page):5.0f} frames a second")
        browser.close()
    server.shutdown()


def _steps(page: Any) -> float:
    start = time.perf_counter()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return time.perf_counter() - start


def _frames(page: Any) -> float:
    page.keyboard.press(" ")
    n = page.evaluate(
        """() => new Promise(done => {
          let n = 0;
          const end = performance.now() + 3000;
          const next = () => { n++; performance.now() < end ? requestAnimationFrame(next) : done(n); };
          requestAnimationFrame(next);
        })"""
    )
    page.keyboard.press(" ")
    return n / 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="make the run here and keep it")
    folder = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as temporary:
        out = folder or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        start = time.process_time()
        run = make_run(out)
        print(f"{sum(1 for _ in read_events(run / 'events'))} events, made in {time.process_time() - start:.1f} CPU s")
        measure_server(run)
        measure_pages(run)


if __name__ == "__main__":
    main()
