"""What the documents promise is tried: the scenarios, the tutorial, the README's example."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import tidings
from tidings.core import SocialGraph, World
from tidings.simulation.conformance import check_environment

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda path: path.name)
def test_every_scenario_is_valid_and_completes_in_editors(path: Path) -> None:
    scenario = tidings.load_scenario(path)
    assert scenario.description
    first = path.read_text().splitlines()[0]
    schema = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert schema is not None
    assert (path.parent / schema.group(1)).is_file()


def test_the_tutorial_environment_passes_the_conformance_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples"))
    from whispers import Whispers, WhispersParams

    chain = SocialGraph.from_edges(("a", "b", "c"), [("a", "b"), ("b", "c")], directed=True)
    check_environment(Whispers.build(WhispersParams(), World(chain)), n_seeds=20)
    assert len((ROOT / "docs/examples/whispers.py").read_text().splitlines()) < 120


def test_the_tutorial_scenario_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples"))
    run = tidings.run(ROOT / "docs/examples/whispers.yaml", out=tmp_path)
    assert run.status["done"] == 3
    assert len(run.facts()) == 3


def test_every_python_line_of_the_tutorial_stands_in_the_example() -> None:
    text = (ROOT / "docs/tutorial-environment.md").read_text()
    example = (ROOT / "docs/examples/whispers.py").read_text()
    first = re.search(r"```python\n(class WhispersParams.*?)```", text, re.DOTALL)
    assert first is not None
    for line in first.group(1).strip().splitlines():
        assert line in example


def test_the_readme_scenario_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(# yaml-language-server.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = tmp_path / "herd.yaml"
    path.write_text(block)
    assert tidings.load_scenario(path).rollouts.count == 20


def test_links_of_the_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_every_component_of_the_tables_has_its_page_or_line() -> None:
    from tidings.simulation.registry import AGENTS, ENVIRONMENTS

    for name in ENVIRONMENTS:
        assert (ROOT / "docs" / "environments" / f"{name}.md").is_file(), name
    for name in AGENTS:
        assert (ROOT / "docs" / "agents" / f"{name}.md").is_file(), name


def test_the_makefile_knows_the_two_commands() -> None:
    done = subprocess.run(["make", "-n", "help"], cwd=ROOT, capture_output=True, text=True)
    assert "make run" in done.stdout, (done.stderr, sys.version)
