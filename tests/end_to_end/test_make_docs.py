"""`docs/make.py` makes what it is told to, and says in one line what it cannot make."""

import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs"))
    import make  # type: ignore[import-not-found]

    yield make
    sys.modules.pop("make")


def test_names_choose_what_is_made(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(make, "PARTS", {name: lambda *_, name=name: made.append(name) for name in make.PARTS})
    assert make.main(["frames", "schema", "frames"]) == 0
    assert made == ["frames", "schema"]
    made.clear()
    assert make.main([]) == 0
    assert made == ["schema", "frames", "quickstart", "viewer", "steering", "flow", "self_organisation"]


def test_a_name_that_is_not_known_is_one_line_and_nothing_is_made(
    make: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[str] = []
    monkeypatch.setattr(make, "PARTS", {name: lambda *_, name=name: made.append(name) for name in make.PARTS})
    assert make.main(["schema", "steerin"]) == 2
    assert made == []
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("docs/make.py: no part 'steerin'; allowed: schema, frames, ")
    assert "did you mean 'steering'" in line
