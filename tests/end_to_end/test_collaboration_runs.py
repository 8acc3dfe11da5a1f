"""Collaboration from scenario to log: the example, perfect pairs, archives, resuming, user errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.benchmarks.asymmetry import (
    TaskSet,
    generate_needles,
    generate_schedule,
    generate_town,
    score_text,
    summarise_scores,
)
from tidings.benchmarks.asymmetry.house import archive_of, edges_of, items_of, write_archive, write_items
from tidings.core import DataError, Event, ScenarioError
from tidings.log.reader import read_rollouts
from tidings.runner.execute import resume_run, start_run
from tidings.runner.folder import RunFolder
from tidings.runner.progress import Progress
from tidings.spec.io import make_scenario
from tidings.spec.scenario import Scenario

ROOT = Path(__file__).parents[2]
READING = "tidings.benchmarks.asymmetry.reading"


def events_of(path: Path) -> dict[int, list[Event]]:
    return {rollout: [line.event() for line in lines] for rollout, lines in read_rollouts(RunFolder.open(path).events)}


def scenario_of(
    tasks: TaskSet,
    folder: Path,
    *,
    n: int = 1000,
    archive: bool = False,
    agent: Mapping[str, Any] | None = None,
    **env: Any,
) -> Scenario:
    """Returns perfect pairs on the first n questions of a set."""
    items, problem = items_of(tasks, has_archive=archive)[:n], tasks.problems[0]
    write_items(folder / "items.jsonl", items)
    group: dict[str, Any] = {"kind": "oracle", "reader": f"{READING}:read_answer", "nodes": "rest"} | dict(agent or {})
    environment = {"kind": "collaboration", "items": str(folder / "items.jsonl"), **env}
    if archive:
        write_archive(folder / "archive.jsonl", archive_of(problem))
        environment["archive"] = str(folder / "archive.jsonl")
        group |= {"memory": "clear", "cues": f"{READING}:town_cues"}
    return make_scenario(
        {
            "name": "perfect",
            "graph": {"edges": edges_of(problem), "nodes": [person.id for person in problem.people]},
            "agents": [group],
            "environment": environment,
            "rollouts": {"count": len(items)},
        }
    )


def scores(tasks: TaskSet, scenario: Scenario, out: Path) -> Any:
    path = start_run(scenario, out, Progress()).folder
    golds, questions = tasks.gold_of(), {q.id: q for problem in tasks.problems for q in problem.questions}
    results = []
    for events in events_of(path).values():
        data = {event.kind: event.data for event in events}
        question = questions[data["item"]["id"]]
        failure = data.get("failure", {}).get("error", "")
        results.append(score_text(question, golds[question.id], data.get("answer", {}).get("answer"), failure))
    return summarise_scores(results)


TOWN = generate_town(0, rows=6000, n_people=40, n_relations=140, n_hubs=3, n_chain_pairs=4, n_common=6, n_stale=6)
SETS = {
    **{f"paper/{level}": generate_schedule("paper", level, 12, 0) for level in ("easy", "medium", "hard")},
    **{f"balanced/{level}": generate_schedule("balanced", level, 12, 0) for level in ("easy", "medium-total", "hard")},
    "needle": generate_needles(12, 0),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("information", ["private", "full"])
def test_a_perfect_pair_and_a_full_reader_are_always_right(name: str, information: str, tmp_path: Path) -> None:
    result = scores(SETS[name], scenario_of(SETS[name], tmp_path, information=information), tmp_path)
    assert (result.mean, result.n_failed) == (1.0, 0)


def test_needles_do_not_follow_from_one_side(tmp_path: Path) -> None:
    for answers in ("asker", "partner"):
        scenario = scenario_of(SETS["needle"], tmp_path, information="none", answers=answers)
        result = scores(SETS["needle"], scenario, tmp_path)
        assert (result.n_failed, result.failures) == (12, {"undetermined": 12})


def test_the_town_is_solved_through_memory_and_recruitment(tmp_path: Path) -> None:
    picked = [*range(0, 48, 6), *range(48, 60, 3)]
    tasks = TaskSet(TOWN.suite, TOWN.level, 0, TOWN.version, TOWN.problems, TOWN.golds)
    scenario = scenario_of(tasks, tmp_path, archive=True, depth=2, width=None)
    rows = (tmp_path / "items.jsonl").read_text().splitlines()
    (tmp_path / "items.jsonl").write_text("".join(f"{rows[i]}\n" for i in picked))
    scenario = scenario.model_copy(update={"rollouts": scenario.rollouts.model_copy(update={"count": len(picked)})})
    result = scores(tasks, scenario, tmp_path)
    assert (result.mean, result.n_failed) == (1.0, 0)


def test_the_town_alone_is_misled_or_does_not_know(tmp_path: Path) -> None:
    result = scores(TOWN, scenario_of(TOWN, tmp_path, archive=True, information="none"), tmp_path)
    assert result.mean_failed_as_zero == 0.0
    assert result.failures == {"undetermined": 54}
    result = scores(TOWN, scenario_of(TOWN, tmp_path, archive=True, information="full"), tmp_path)
    assert (result.mean, result.n_failed) == (1.0, 0)


def test_the_archive_is_not_copied_into_the_log(tmp_path: Path) -> None:
    scenario = scenario_of(TOWN, tmp_path, n=3, archive=True, depth=1, width=2)
    path = start_run(scenario, tmp_path, Progress()).folder
    size = sum(file.stat().st_size for file in (path / "events").rglob("*.jsonl"))
    assert size < 0.1 * (tmp_path / "archive.jsonl").stat().st_size
    held = {line.id: {line.speaker, *line.hearers} for line in archive_of(TOWN.problems[0])}
    for events in events_of(path).values():
        recalls = [event for event in events if event.kind == "thought" and event.data["about"] == "recall"]
        assert recalls
        assert all(event.audience == (event.seat,) for event in recalls)
        assert all(event.seat in held[line["fact"]] for event in recalls for line in event.data["lines"])


def test_a_changed_archive_stops_resuming(tmp_path: Path) -> None:
    path = start_run(scenario_of(TOWN, tmp_path, n=2, archive=True, information="none"), tmp_path, Progress()).folder
    lines = (tmp_path / "archive.jsonl").read_text().splitlines()
    (tmp_path / "archive.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(DataError, match="the archive has changed since the run began"):
        resume_run(path, Progress(), changes=["rollouts.count=3"])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "no line in it"),
        ('{"id": "x"}\n', "missing required field"),
        ('{"id":"x","time":1,"speaker":"nobody","text":"hi"}\n', "found 'nobody'"),
        ('{"id":"x","time":1,"speaker":"p0","text":" "}\n', "not blank"),
        ('{"id":"x","time":1,"speaker":"p0","text":"a"}\n' * 2, "found 'x' again"),
        (
            '{"id":"x","time":1,"speaker":"p0","text":"a"}\n{"id":"y","time":0,"speaker":"p0","text":"a"}\n',
            "time order",
        ),
        (None, "cannot read the archive"),
    ],
)
def test_a_faulty_archive_is_one_clear_line(content: str | None, match: str, tmp_path: Path) -> None:
    scenario = scenario_of(TOWN, tmp_path, archive=True)
    (tmp_path / "archive.jsonl").unlink()
    if content is not None:
        (tmp_path / "archive.jsonl").write_text(content)
    with pytest.raises(DataError, match=match) as caught:
        start_run(scenario, tmp_path, Progress())
    assert "\n" not in str(caught.value)


def test_a_memory_without_anything_to_look_up_is_refused(tmp_path: Path) -> None:
    needle = SETS["needle"]
    scenario = scenario_of(needle, tmp_path, agent={"memory": "clear", "cues": f"{READING}:town_cues"})
    with pytest.raises(ScenarioError, match=r"agents.0.memory: found a memory, but nothing to look up"):
        start_run(scenario, tmp_path, Progress())


def test_the_example_brings_in_who_knows(tmp_path: Path) -> None:
    run = tidings.run(ROOT / "scenarios/collaboration.yaml", out=tmp_path)
    (events,) = events_of(run.path).values()
    assert [event.seat for event in events if event.kind == "recruited"] == ["bo", "cy"]
    assert [event.seat for event in events if event.kind == "message"] == ["ada", "bo", "cy", "bo"]
    assert [event.data["answer"] for event in events if event.kind == "answer"] == ["barn"]
