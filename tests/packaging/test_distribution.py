"""The built wheel and sdist: what they hold, and that they install and run in a clean environment."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOORS = ("agents", "environments", "planners")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds the sdist, and the wheel out of the sdist, from a clean copy of the tracked files."""
    folder = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source") / "tidings"
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    for name in filter(None, files):
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        origin = ROOT / name
        if origin.is_symlink():
            target.symlink_to(os.readlink(origin))
        elif origin.is_file():
            target.write_bytes(origin.read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(source)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder


@pytest.mark.slow
def test_sdist_keeps_the_doors_and_wheel_holds_each_module_once(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    for door in DOORS:
        assert any(name == door or name.startswith(f"{door}/") for name in names), door
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as archive:
        names = archive.namelist()
    assert all(name.startswith(("tidings/", "tidings-")) for name in names)
    assert len(names) == len(set(names))
    expected = {f"tidings/{path.relative_to(ROOT / 'src/tidings')}" for path in (ROOT / "src/tidings").rglob("*.py")}
    assert expected <= set(names)
    static = {
        f"tidings/analysis/viewer/static/{name}" for name in ("index.html", "viewer.js", "viewer.css", "icon.svg")
    }
    assert {"tidings/py.typed", "tidings/analysis/report/report.css", *static} <= set(names)


@pytest.mark.slow
def test_wheel_runs_in_a_clean_environment(dist: Path, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    wheel = next(dist.glob("*.whl"))
    lock = ROOT / "requirements.lock"
    pip = [
        str(venv / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        str(lock),
    ]
    subprocess.run([*pip, str(wheel)], check=True, env=environment, timeout=600)
    scenario = tmp_path / "herd.yaml"
    scenario.write_text(
        "name: herd\ngraph: {kind: complete, n: 5}\nagents: [{kind: bayesian, count: 5}]\n"
        "environment: {kind: social_learning}\nrollouts: {count: 3, seed: 1}\n"
    )
    tidings = str(venv / "bin" / "tidings")
    for words in (["run", str(scenario)], ["replay", "runs/herd-001"], ["report", "runs/herd-001"], ["list", "agents"]):
        done = subprocess.run(
            [tidings, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, (words, done.stderr)
    scenario.write_text(
        scenario.read_text().replace("kind: bayesian", "kind: llm, model: m")
        + "models: {m: {use: transformers/smollm2}}\n"
    )
    done = subprocess.run(
        [tidings, "run", str(scenario)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "tidings[local]" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_nothing_imports_through_the_doors() -> None:
    for door in DOORS:
        link = ROOT / door
        assert link.is_symlink()
        assert os.readlink(link) == f"src/tidings/{door}"
    import re

    wrong = re.compile(rf"^\s*(?:from|import)\s+(?:{'|'.join(DOORS)})\b", re.MULTILINE)
    for folder in ("src", "tests", "benchmarks", "docs"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not wrong.search(path.read_text(encoding="utf-8")), path
