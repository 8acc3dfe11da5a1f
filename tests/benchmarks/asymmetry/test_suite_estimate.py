"""A full suite says what it will ask of models before it starts; what is done is not counted again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tidings.benchmarks.asymmetry.hidden_profile_suite import run_hidden_profile
from tidings.log.calls import CallStore

WORDS = re.compile(r"hidden_profile: (\d+) of (\d+) plays are not done, ([\d,]+) rollouts: about ([\d,]+) calls, ")


def told(capsys: pytest.CaptureFixture[str]) -> list[int]:
    found = WORDS.search(capsys.readouterr().err)
    assert found is not None
    return [int(number.replace(",", "")) for number in found.groups()]


def test_the_estimate_comes_first_and_is_what_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_hidden_profile("scripted/x", tmp_path, is_full=True, items=1, seeds=1)
    left, plays, rollouts, calls = told(capsys)
    assert left == plays == 4
    assert rollouts == 4
    asked = sum(len(CallStore(path)) for path in tmp_path.glob("*/calls"))
    assert calls == pytest.approx(asked, rel=0.1)
    run_hidden_profile("scripted/x", tmp_path, is_full=True, items=1, seeds=1)
    assert told(capsys) == [0, 4, 0, 0]


def test_a_quick_look_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_hidden_profile(None, tmp_path, is_full=True, items=1, seeds=1)
    assert "not done" not in capsys.readouterr().err
