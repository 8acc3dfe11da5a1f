"""The report in a real browser, opened from disk: no errors, nothing runs or is fetched, links open transcripts."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.analysis.report import write_report

pytestmark = pytest.mark.slow

EVIL = '<script>document.title="hacked"</script><img src=x onerror=document.title="hacked">'
TALK = f"""
name: talk
description: {json.dumps(EVIL)}
graph: {{kind: path, n: 3}}
agents: [{{kind: scripted, count: 3, policy: constant, value: {json.dumps(EVIL)}}}]
environment: {{kind: talk, rounds: 2, topic: {json.dumps(EVIL)}, facts: {{a0: {{f1: {json.dumps(EVIL)}}}}}}}
rollouts: {{count: 3, seed: 3}}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "s.yaml").write_text(TALK)
    return write_report(tidings.run(folder / "s.yaml", out=folder))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """An installed Chromium. Of this module only: while Playwright's loop turns, no asynchronous test can run."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("TIDINGS_TEST_BROWSER") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium found; .ci/run installs Debian's, or set TIDINGS_TEST_BROWSER")
    with driver.sync_playwright() as started:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = started.chromium.launch(executable_path=path, args=flags, timeout=120_000)
        yield browser
        browser.close()


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """An empty page. The test fails if the page logs anything bad or asks for anything but files of this machine."""
    context = browser.new_context(viewport={"width": request.param, "height": 800})
    page = context.new_page()
    page.set_default_timeout(60_000)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else problems.append(asked.url))
    yield page
    context.close()
    assert problems == []


def test_it_opens_from_disk_and_planted_markup_is_text(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    assert page.title() == "talk - tidings"
    assert page.locator("script, img").count() == 0
    assert EVIL in page.inner_text("body")
    assert page.locator("svg").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_link_to_a_rollout_opens_its_transcript(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    is_open = "n => document.getElementById(`rollout-${n}`).closest('details').open"
    assert not page.evaluate(is_open, 1)
    page.goto(f"{report.as_uri()}#rollout-1")
    page.wait_for_function(is_open, arg=1)
    assert not page.evaluate(is_open, 2)
    seen = "words => document.getElementById('rollout-1').closest('details').innerText.includes(words)"
    page.wait_for_function(seen, arg=EVIL)  # of what lies off screen, innerText is empty
