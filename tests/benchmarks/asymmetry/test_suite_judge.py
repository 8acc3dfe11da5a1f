"""A judge beside exact matching: its verdicts are counted, recorded and change no score."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tidings.benchmarks.asymmetry.informative_suite import run_informative
from tidings.benchmarks.asymmetry.judge import PROMPT_SHA256, judge_sets, judge_words, make_judge
from tidings.cli.main import app
from tidings.core import ModelError, ModelRequest, ScenarioError
from tidings.core.calls import RequestKind
from tidings.log.calls import CallStore
from tidings.models.scripted import ScriptedModel, ScriptedParams


def strict(request: ModelRequest) -> str:
    """Plays a judge that says yes to the same words only, and neither yes nor no to a certain question."""
    gold, answer = re.findall(r"(?:Right|Given) answer: (.*)", request.messages[0].content)
    return "yes" if gold == answer else "no"


def silent(request: ModelRequest) -> Any:
    """Plays a judge that gives no verdict."""
    return "perhaps"


def scripted(function: str) -> ScriptedModel:
    return ScriptedModel("judge", ScriptedParams(function=f"{__name__}:{function}"))


def contrary(request: ModelRequest) -> str:
    """Plays a judge to whom nothing is right."""
    return "No."


class Broken:
    """A judge that is not there."""

    name = "broken/judge"
    kinds: frozenset[RequestKind] = frozenset({"text"})

    async def respond(self, request: ModelRequest) -> Any:
        raise ModelError("request", "no such model")

    async def close(self) -> None:
        pass


class TextOnly:
    """A model without choice requests."""

    kinds: frozenset[RequestKind] = frozenset({"text"})

    def __init__(self, inner: ScriptedModel) -> None:
        self._inner, self.name = inner, inner.name

    async def respond(self, request: ModelRequest) -> Any:
        assert request.kind == "text"
        return await self._inner.respond(request)

    async def close(self) -> None:
        await self._inner.close()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("judged")
    return folder, run_informative(None, folder, is_full=False, items=3)


def test_a_perfect_pair_and_a_strict_judge_agree_with_exact_matching(played: tuple[Path, Any]) -> None:
    folder, report = played
    judged = judge_sets(report.sets, scripted("strict"), folder)
    assert [part.name for part in judged] == ["schedule-medium", "needle", "town"], "numbers and times have no judge"
    for part in judged:
        assert part.prompt_sha256 == PROMPT_SHA256
        for row in part.rows:
            assert row.accuracy is not None
            assert row.accuracy.mean == 1.0
            assert row.accuracy.low < 1.0, "three right answers are no proof"
            assert (row.with_match.share, row.n_failed) == (1.0, 0)
    words = judge_words(judged[1])
    assert f"Judge: scripted/judge, prompt SHA-256 {PROMPT_SHA256[:12]}" in words
    assert "| exact, full | 1.000 [0.439, 1.000] | 3 | 0 | 1.000 of 3 (judge only 0, rule only 0) |" in words


def test_verdicts_are_recorded_and_asked_once(played: tuple[Path, Any], tmp_path: Path) -> None:
    _, report = played
    first = judge_sets(report.sets, scripted("strict"), tmp_path)
    n = len(CallStore(tmp_path / "judge"))
    assert n > 0
    assert judge_sets(report.sets, TextOnly(scripted("silent")), tmp_path / "other") != first
    assert judge_sets(report.sets, scripted("strict"), tmp_path) == first
    assert len(CallStore(tmp_path / "judge")) == n


def test_no_verdict_is_counted_and_never_a_no(played: tuple[Path, Any], tmp_path: Path) -> None:
    _, report = played
    for part in judge_sets(report.sets, TextOnly(scripted("silent")), tmp_path):
        for row in part.rows:
            assert (row.accuracy, row.n_answers, row.n_failed) == (None, 0, 3)
    for part in judge_sets(report.sets, TextOnly(scripted("strict")), tmp_path / "text"):
        assert all(row.accuracy is not None and row.accuracy.mean == 1.0 for row in part.rows)


def test_no_is_a_verdict(played: tuple[Path, Any], tmp_path: Path) -> None:
    _, report = played
    for part in judge_sets(report.sets, TextOnly(scripted("contrary")), tmp_path):
        for row in part.rows:
            assert row.accuracy is not None
            assert (row.accuracy.mean, row.n_answers, row.n_failed) == (0.0, 3, 0)
            assert (row.with_match.share, row.with_match.n_rule_only) == (0.0, 3)


def test_a_judge_that_fails_has_no_verdict(played: tuple[Path, Any], tmp_path: Path) -> None:
    _, report = played
    for part in judge_sets(report.sets, Broken(), tmp_path):
        for row in part.rows:
            assert (row.accuracy, row.n_answers, row.n_failed) == (None, 0, 3)


def test_the_command_takes_a_judge(tmp_path: Path) -> None:
    arguments = ["bench", "informative", "--items", "1", "--judge", "scripted/x", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "Judge: scripted/x" in done.stdout
    assert (tmp_path / "informative" / "judge").is_dir()


def test_a_judge_that_is_unknown_is_one_line_before_anything_is_played(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="--judge"):
        run_informative(None, tmp_path, is_full=False, judge="nonsense/x")
    assert not list(tmp_path.iterdir())


@pytest.mark.real_model
@pytest.mark.slow
def test_a_real_model_judges(played: tuple[Path, Any], tmp_path: Path) -> None:
    _, report = played
    needle = [part for part in report.sets if part.plan.name == "needle"]
    (judged,) = judge_sets(needle, make_judge("transformers/smollm2"), tmp_path)
    assert judged.model == "transformers/smollm2"
    assert all(row.n_answers == 3 and row.n_failed == 0 for row in judged.rows)
