"""What a report of 1,000 rollouts costs: how large it is, and how soon a browser shows something of it.

With Playwright and Chromium the first contentful paint is measured over five fresh pages, opened from disk; the median
and the largest are printed. `--keep DIR` keeps the run for looking at it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import tidings
from tidings.analysis.report import write_report

SCENARIO = """
name: thousand
description: A thousand herds of ten, two of whom decide at random.
graph: {kind: complete, n: 10}
agents: [{kind: scripted, count: 2, policy: random}, {kind: bayesian, count: 8}]
environment: {kind: social_learning, precision: 0.7}
rollouts: {count: 1000, seed: 1}
"""

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"


def measure(report: Path) -> None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("no playwright: the paint is not measured")
        return
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        print("no Chromium: the paint is not measured")
        return
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS, timeout=120_000)
        browser.new_page().close()
        paints = []
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(report.as_uri(), timeout=120_000)
            page.wait_for_function(f"Number.isFinite({PAINT})")
            paints.append(page.evaluate(PAINT) / 1000)
            page.close()
        browser.close()
    load = os.getloadavg()[0]
    print(f"first paint: median {statistics.median(paints):.2f} s, largest {max(paints):.2f} s, load {load:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="make the run here and keep it")
    folder = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as temporary:
        out = folder or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        (out / "thousand.yaml").write_text(SCENARIO)
        run = tidings.run(out / "thousand.yaml", out=out)
        start = time.process_time()
        report = write_report(run)
        print(
            f"report of 1,000 rollouts: {report.stat().st_size / 1e6:.2f} MB, "
            f"written in {time.process_time() - start:.1f} CPU s"
        )
        measure(report)


if __name__ == "__main__":
    main()
