"""Plays the methods on the same questions and seeds, one run folder each, and goes on where it was stopped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidings.benchmarks.asymmetry.plays import write_items
from tidings.benchmarks.deliberation.data import load_items
from tidings.benchmarks.deliberation.methods import FULL, METHODS, QUICK, REFERENCE, Method, Pool, scenario_of
from tidings.benchmarks.deliberation.scores import MethodScore, Test, compare_methods, read_rows, score_method
from tidings.benchmarks.deliberation.tables import report_text
from tidings.benchmarks.plays import play_missing, run_key
from tidings.core import RequestError
from tidings.simulation.compile import check_components
from tidings.spec.io import check_scenario, make_source

__all__ = ["DeliberationReport", "play_methods", "run_deliberation"]

CONTROL = "self_consistency"
FEWEST_SEEDS = 3
_FEW = 4


@dataclass(frozen=True)
class DeliberationReport:
    """The scores of all methods.

    Attributes:
        about: Source of the questions and who answered.
        scores: One for each method, in the order of the table.
        tests: Each method against call-matched self-consistency.
        n_items: Questions.
        n_seeds: Plays of each question.
    """

    about: dict[str, str]
    scores: tuple[MethodScore, ...]
    tests: tuple[Test, ...]
    n_items: int
    n_seeds: int

    @property
    def n_failed(self) -> int:
        """Rollouts that did not end well, over all methods."""
        return sum(score.n_failed for score in self.scores)

    def text(self) -> str:
        """Returns the tables as Markdown."""
        return report_text(self.about, self.scores, self.tests, self.n_items, self.n_seeds)

    def to_json(self) -> dict[str, Any]:
        """Returns the scores as JSON values; undefined numbers are null."""
        methods = [{name: _plain(value) for name, value in vars(s).items() if name != "rows"} for s in self.scores]
        tests = [{name: _plain(value) for name, value in vars(test).items()} for test in self.tests]
        sizes = {"n_items": self.n_items, "n_seeds": self.n_seeds, "n_failed": self.n_failed}
        return {"suite": "deliberation", "about": self.about, **sizes, "methods": methods, "tests": tests}


def run_deliberation(
    model: str | None,
    out: Path,
    *,
    is_full: bool,
    data: str | None = None,
    seeds: int | None = None,
    items: int | None = None,
    agents: int = 5,
    rounds: int = 2,
    max_tokens: int = 512,
) -> DeliberationReport:
    """Answers questions in groups: self-organising, debate and fixed graphs beside self-consistency at equal calls.

    Args:
        model: Language model as `provider/model`; several with commas make a mixed pool.
        out: Folder for run folders.
        is_full: Whether to play all methods, on all questions, instead of four on a few.
        data: `FORMAT:PATH` or `FORMAT:hf:owner/name`; a tiny set of our own by default.
        seeds: Plays of each question; 3 by default.
        items: Number of questions.
        agents: Seats.
        rounds: Most rounds of reading.
        max_tokens: Longest answer, in tokens; one that is cut off is a failure, counted apart.

    Raises:
        RequestError: If there is no model, or the questions cannot be read.
    """
    for name, value in (("--seeds", seeds), ("--items", items), ("--agents", agents), ("--max-tokens", max_tokens)):
        if value is not None and value < 1:
            raise RequestError(name, f"found {value}", "1 or more")
    names = tuple(part.strip() for part in (model or "").split(",") if part.strip())
    pool = Pool(names, agents, rounds, {"max_tokens": max_tokens})
    rows, about = load_items(data, items or (None if is_full else _FEW))
    about |= {"models": ", ".join(names), "agents": str(agents), "rounds": f"at most {rounds}"}
    about |= {"longest answer": f"{max_tokens} tokens"}
    return play_methods(FULL if is_full else QUICK, pool, rows, about, out, seeds or FEWEST_SEEDS)


def play_methods(
    names: Sequence[str], pool: Pool, rows: Sequence[dict[str, Any]], about: dict[str, str], out: Path, n_seeds: int
) -> DeliberationReport:
    """Plays the methods and returns their scores; a method that is done is not played again.

    Args:
        names: Methods, `REFERENCE` before those that are matched to it.
        pool: Who answers.
        rows: Items.
        about: What stands above the table.
        out: Folder for run folders.
        n_seeds: Plays of each question.

    Raises:
        RequestError: If a scenario is wrong.
        KeyboardInterrupt: If a run was interrupted; the same call goes on.
    """
    path, _ = write_items(tuple(rows), out)
    n, scores, samples = len(rows) * n_seeds, [], [pool.n_agents]
    for name in names:
        folder = _play(METHODS[name], pool, path, n, samples, out)
        if name == REFERENCE:
            # A rollout that failed has no number of calls: it is matched to what all seats would cost once.
            spent = {row["rollout"]: row["calls"] for row in read_rows(folder).iter_rows(named=True)}
            samples = [spent.get(rollout, pool.n_agents) for rollout in range(n)]
        scores.append(score_method(name, folder, len(rows), n))
    tests = compare_methods(scores, CONTROL, len(rows))
    return DeliberationReport(about, tuple(scores), tuple(tests), len(rows), n_seeds)


def _play(method: Method, pool: Pool, items: Path, n: int, samples: Sequence[int], out: Path) -> Path:
    """Returns the run folder of a method, played now as far as it was not; named by all that decides what happens."""
    source = make_source(scenario_of(method, pool, str(items), n, 0, samples))
    scenario = check_scenario(source)
    check_components(scenario, source)
    return play_missing(scenario, out / f"{method.name}-{run_key(scenario, items.name)}").path


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
