"""A headless browser and a viewer over one run of every sort."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from viewer_runs import all_runs

from tidings.analysis.viewer import Library, ViewerServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")  # no wider: while it is open, Playwright's event loop stands in every async test's way
def browser() -> Iterator[Any]:
    """Debian's or another installed Chromium, driven by Playwright."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("TIDINGS_TEST_BROWSER") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium found; .ci/run installs Debian's, or set TIDINGS_TEST_BROWSER")
    with driver.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS, timeout=120_000)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def viewer(run_folder: Path) -> Iterator[ViewerServer]:
    server = ViewerServer(Library([run_folder]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ids(viewer: ViewerServer) -> dict[str, str]:
    return {row["label"]: row["id"] for row in viewer.library.runs()}


@pytest.fixture
def page(browser: Any, viewer: ViewerServer) -> Iterator[Any]:
    """A page on the table of runs. The test fails if the page logs an error or asks anybody but the viewer."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(60_000)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    home = viewer.address.split("/?")[0]
    page.on("request", lambda asked: None if asked.url.startswith((home, "data:")) else problems.append(asked.url))
    page.goto(viewer.address)
    page.wait_for_selector("tr[data-run]")
    yield page
    context.close()
    assert problems == []
