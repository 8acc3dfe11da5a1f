"""The static copy: the same values as the server gives, opened from the disk and from a plain web server."""

import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from typer.testing import CliRunner
from viewer_runs import HERD, MODELS, evil, gossip, play, write_run

from tidings.analysis.viewer import Library, write_bundle
from tidings.cli.main import app
from tidings.core import DataError, RequestError


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    play(HERD, out)
    play(MODELS, out)
    write_run(out / "gossip", nx.cycle_graph(8), [gossip(), gossip(8, 2)])
    write_run(out / "evil", nx.path_graph(3), [evil()])
    return out


@pytest.fixture(scope="module")
def bundle(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "copy"
    assert write_bundle(Library([runs]), folder) == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    return folder


def test_every_value_in_the_copy_is_what_the_server_would_say(runs: Path, bundle: Path) -> None:
    library = Library([runs])
    n = 0
    for path in (bundle / "data").rglob("*.js"):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            found = re.fullmatch(r'tidings\("([a-z0-9/]+)",(.*)\);', line)
            assert found is not None, line[:200]
            expected = json.loads(library.json(found[1]))
            assert json.loads(found[2]) == expected
            n += 1
    assert n > 60


def test_the_copy_names_no_place_of_this_machine(runs: Path, bundle: Path) -> None:
    for path in bundle.rglob("*"):
        if path.is_file():
            assert str(runs).encode() not in path.read_bytes()


def test_the_page_of_the_copy_allows_scripts_of_the_copy_only(bundle: Path) -> None:
    page = (bundle / "index.html").read_text()
    assert "script-src 'self'" in page
    assert "unsafe" not in page
    assert 'content="files"' in page
    assert (bundle / "THIRD_PARTY.txt").is_file()


def test_a_folder_that_is_not_empty_is_left_alone(runs: Path, bundle: Path) -> None:
    with pytest.raises(DataError, match="not empty"):
        write_bundle(Library([runs]), bundle)


def test_the_command_writes_a_copy_with_the_first_rollouts(runs: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["view", str(runs / "gossip"), "--bundle", str(tmp_path / "b"), "--rollouts", "1"])
    assert done.exit_code == 0, done.output
    assert "index.html" in done.output
    data = tmp_path / "b" / "data" / "run"
    names = {path.relative_to(data).as_posix().partition("/")[2] for path in data.rglob("*.js")}
    assert "0.js" in names
    assert "0/events/0.js" in names
    assert not any(name.startswith("1") for name in names)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def web(bundle: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(bundle)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("place", ["disk", "server"])
def test_the_copy_opens_from_the_disk_and_from_a_plain_web_server(
    browser: Any, bundle: Path, web: str, place: str
) -> None:
    page = browser.new_page()
    page.set_default_timeout(60_000)
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{bundle.as_uri()}/index.html" if place == "disk" else web)
    page.wait_for_selector("tr[data-run]")
    assert page.locator("tr[data-run]").count() == 4
    page.click("td.name >> text=gossip")
    page.wait_for_selector("tr[data-rollout]")
    page.click("tr[data-rollout='0']")
    page.wait_for_selector(".stage-canvas")
    page.keyboard.press("End")
    page.fill(".events .search", "SOMETHING else")
    page.wait_for_function("() => document.querySelector('[data-shown]').dataset.shown === '1'")
    page.click(".row[data-event]")
    for key, words in (("2", "Who may know"), ("3", "Click a seat"), ("5", "No planner"), ("6", "No language model")):
        page.keyboard.press(key) if key != "2" else page.click(".tab[data-tab='event']")
        page.wait_for_function(f"() => document.querySelector('.side-body').textContent.includes('{words}')")
    page.keyboard.press("4")
    page.click(".fact-row[data-fact='0']")
    page.wait_for_selector(".uplot")
    page.evaluate("location.hash = '#/'")
    page.wait_for_selector("tr[data-run]")
    for box in page.locator("tr[data-run] input").all()[:2]:
        box.click()
    page.click("button.primary")
    page.wait_for_selector(".compare")
    assert page.evaluate("window.hacked") is None
    page.close()
    assert problems == []


def test_a_copy_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(RequestError, match="no run to copy"):
        write_bundle(Library([tmp_path / "runs"]), tmp_path / "site")
    assert not (tmp_path / "site").exists()
