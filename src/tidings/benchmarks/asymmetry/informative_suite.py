"""The suite `informative`: Schedule, Needle and a town; the one who answers needs what somebody else knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tidings.benchmarks.asymmetry.house import archive_of, edges_of, items_of
from tidings.benchmarks.asymmetry.informative_data import Source, own_sources, released_sources
from tidings.benchmarks.asymmetry.informative_floors import symbolic_rows
from tidings.benchmarks.asymmetry.informative_scores import score_answers
from tidings.benchmarks.asymmetry.judge import judge_sets, make_judge
from tidings.benchmarks.asymmetry.records import Problem
from tidings.benchmarks.asymmetry.suite import PlaySpec, RowSpec, SetPlan, SuiteOptions, suite_options
from tidings.benchmarks.asymmetry.tables import AsymmetryReport, run_plans
from tidings.core import RequestError
from tidings.runner.folder import write_atomically
from tidings.spec.archive import archive_line_json

__all__ = ["plan_informative", "run_informative"]

NAME = "informative"
_FEW = 2
_READING = "tidings.benchmarks.asymmetry.reading"
_PRIVACY = (
    "Keep what your person told you to yourself as far as you can: tell others only what they need for the question."
)


def run_informative(
    model: str | None,
    out: Path,
    *,
    is_full: bool,
    data: str | None = None,
    seeds: int | None = None,
    items: int | None = None,
    judge: str | None = None,
    max_tokens: int | None = None,
) -> AsymmetryReport:
    """Lets pairs with half the facts each talk until they can answer: Schedule, Needle, a town; or --data.

    Args:
        model: Language model as `provider/model`; without one only perfect readers play.
        out: Folder of the suite.
        is_full: Whether to take 300 questions a set, three seeds, the town of 140 people, and the ablations.
        data: A released file of InformativeBench of your own (`schedule_<level>.jsonl`, `dataset_2hop.jsonl`,
            `FriendsComQA.jsonl` with its script beside it), its folder, or `hf:owner/name`.
        seeds: Plays of each question.
        items: Questions of each set.
        judge: Language model as `provider/model` that also judges answers in words; its verdicts change no score.
        max_tokens: Longest answer of a seat, in tokens; one that is cut off is a failure, counted apart.

    Raises:
        RequestError: If the data, a model or a number cannot be used.
    """
    if seeds is None and not is_full:
        seeds = 1
    options = suite_options(model, out, is_full=is_full, data=data, seeds=seeds, items=items, few=_FEW)
    options = replace(options, max_tokens=max_tokens)
    judging = None if judge is None else make_judge(judge)
    plans, notes = plan_informative(options)
    report = run_plans(NAME, plans, out, notes, announce=is_full and model is not None)
    return report if judging is None else replace(report, judged=judge_sets(report.sets, judging, out))


def plan_informative(options: SuiteOptions) -> tuple[list[SetPlan], list[str]]:
    """Returns the sets that these options ask for, and what a reader must know."""
    notes: list[str] = []
    if options.data is not None:
        sources, notice = released_sources(options.data, options.n_items)
        notes.append(notice)
    else:
        sources = own_sources(options)
    if options.model is None:
        if any(source.is_free for source in sources):
            where, found = str(options.data), "answers in free text, which no perfect reader reads"
            raise RequestError(where, found, "a model that plays", "give --model")
        notes.append("No --model was given: only perfect readers play.")
    return [_plan(source, options) for source in sources], notes


def _plan(source: Source, options: SuiteOptions) -> SetPlan:
    items = tuple(items_of(source.tasks, has_archive=source.has_archive))
    items = tuple(items[i] for i in source.picked)
    stage = _Stage(source, options)
    plays, rows = stage.model_rows(options.model) if options.model is not None else ([], [])
    if not source.is_free:
        exact_plays, exact_rows = stage.exact()
        plays, rows = [*plays, *exact_plays], [*rows, *exact_rows]
    prefix = "" if options.model is not None else "exact, "
    symbolic = symbolic_rows(source)
    has_reader = any(row.name == "asker, symbolic" for row in symbolic)
    floor = "no communication" if options.model is not None else "asker, symbolic" if has_reader else "constant"
    return SetPlan(
        name=source.name,
        items=items,
        plays=tuple(plays),
        rows=tuple(rows),
        symbolic=symbolic,
        floor=floor,
        ceiling=f"{prefix}full information",
        full=f"{prefix}full",
        measure=source.measure,
        about=source.about,
        n_seeds=options.n_seeds,
        fresh=source.fresh,
    )


class _Stage:
    """Makes the plays and rows of one set."""

    def __init__(self, source: Source, options: SuiteOptions) -> None:
        self._source, self._is_full, self._max_tokens = source, options.is_full, options.max_tokens
        self._problem: Problem = source.tasks.problems[0]
        self._archive = _write_archive(self._problem, options.out) if source.has_archive else None
        self._talk = {"rounds": 10 if options.is_full else 4}
        self._ballots = 12 if options.is_full else 4
        if source.has_archive:
            self._talk |= {"depth": 2, "width": 3}

    def exact(self) -> tuple[list[PlaySpec], list[RowSpec]]:
        """Returns what perfect readers play; no model takes part."""
        agent: dict[str, Any] = {"kind": "oracle", "reader": f"{_READING}:read_answer"}
        talk: dict[str, Any] = {"rounds": 10}
        if self._archive is not None:
            agent |= {"memory": "clear", "cues": f"{_READING}:town_cues"}
            talk |= {"depth": 2, "width": None}
        plays = [
            self._play("exact-talk", agent, **talk),
            self._play("exact-pooled", agent, information="full"),
        ]
        rows = [
            self._row("exact, full", "exact-talk", "perfect speakers and readers that talk"),
            self._row("exact, full information", "exact-pooled", "perfect reader of everything"),
        ]
        return plays, rows

    def model_rows(self, model: str) -> tuple[list[PlaySpec], list[RowSpec]]:
        """Returns what a language model plays: the mandatory rows, and with --full the ablations."""
        agent: dict[str, Any] = {"kind": "informative", "model": "m"}
        if self._max_tokens is not None:
            agent["max_tokens"] = self._max_tokens
        if self._archive is not None:
            agent["memory"] = "mixed"
        bare = {**agent, "plan": False}
        alone = {"information": "none", "ballots": self._ballots}
        plays = [
            self._play("talk", agent, model, **self._talk),
            self._play("no-infonav", bare, model, **self._talk),
            self._play("alone", bare, model, **alone),
            self._play("partner", bare, model, **alone, answers="partner"),
            self._play("pooled", bare, model, information="full", ballots=self._ballots),
        ]
        n = self._ballots
        rows = [
            self._row("no communication", "alone", f"the asker alone, mean of {n} answers", "mean"),
            self._row("no communication, equal calls", "alone", "majority of these answers", "majority"),
            self._row("partner alone", "partner", f"the partner alone, mean of {n} answers", "mean"),
            self._row("without InfoNav", "no-infonav", "they talk without a plan"),
            self._row("full", "talk", "they talk with InfoNav"),
            self._row("full information", "pooled", f"one agent with all facts, mean of {n} answers", "mean"),
            self._row("full information, equal calls", "pooled", "majority of these answers", "majority"),
        ]
        for name, about, given, talk in self._ablations(agent) if self._is_full else ():
            plays.append(self._play(name, given, model, **{**self._talk, **talk}))
            rows.append(self._row(about, name, f"ablation of the full system: {about}"))
        return plays, rows

    def _ablations(self, agent: dict[str, Any]) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
        found: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
            ("anonymised", "anonymised names", agent, {"anonymous": True}),
            ("privacy", "privacy prompt", {**agent, "persona": _PRIVACY}, {}),
            ("no-early-stop", "without early stop", {**agent, "patience": 1000}, {}),
        ]
        if self._archive is not None:
            found += [
                ("no-fuzzy", "without fuzzy memory", {**agent, "memory": "clear"}, {}),
                ("no-clear", "without clear memory", {**agent, "memory": "fuzzy"}, {}),
                ("no-recursion", "without recursion", agent, {"depth": 1}),
            ]
        return found

    def _play(self, name: str, agent: Mapping[str, Any], model: str | None = None, **environment: Any) -> PlaySpec:
        archive = {} if self._archive is None else {"archive": str(self._archive)}
        scenario: dict[str, Any] = {
            "graph": {
                "nodes": [person.id for person in self._problem.people],
                "edges": [list(edge) for edge in edges_of(self._problem)],
            },
            "agents": [{**agent, "nodes": "rest"}],
            "environment": {"kind": "collaboration", **archive, **environment},
        }
        return PlaySpec(name, scenario if model is None else scenario | {"models": {"m": {"use": model}}})

    def _row(self, name: str, play: str, about: str, votes: str = "mean") -> RowSpec:
        return RowSpec(name, play, score_answers(votes), about)


def _write_archive(problem: Problem, folder: Path) -> Path:
    """Writes the archive of a town, named by its content, and returns its path."""
    text = "".join(f"{archive_line_json(line)}\n" for line in archive_of(problem))
    path = folder.resolve() / f"archive-{sha256(text.encode()).hexdigest()[:12]}.jsonl"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    return path
