"""The suite informative: floors and ceilings, a scripted model end to end, the barrier in recorded prompts."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tidings.benchmarks.asymmetry.house import items_of, write_items
from tidings.benchmarks.asymmetry.informative_data import Source, own_sources, released_sources
from tidings.benchmarks.asymmetry.informative_floors import symbolic_rows
from tidings.benchmarks.asymmetry.informative_scores import gold_of, plan_figures, score_answers
from tidings.benchmarks.asymmetry.informative_suite import plan_informative, run_informative
from tidings.benchmarks.asymmetry.needle import generate_needles
from tidings.benchmarks.asymmetry.rows import scan_play
from tidings.benchmarks.asymmetry.schedule import generate_schedule
from tidings.benchmarks.asymmetry.suite import suite_options
from tidings.benchmarks.asymmetry.town import generate_town
from tidings.core import DataError, Event, ModelRequest, RequestError
from tidings.environments.collaboration import Collaboration
from tidings.log.calls import CallStore
from tidings.log.reader import read_rollouts
from tidings.runner.execute import start_run
from tidings.runner.folder import RunFolder
from tidings.runner.progress import Progress
from tidings.spec.io import make_scenario

MODEL = "scripted/fast"


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Returns the report of the suite without a model, twelve questions a set."""
    return run_informative(None, tmp_path_factory.mktemp("exact"), is_full=False, items=12)


def test_perfect_pairs_score_one_on_every_generated_set(exact: Any) -> None:
    assert [part.plan.name for part in exact.sets] == [
        *("schedule-easy", "schedule-medium", "schedule-hard"),
        *("paper-easy", "paper-medium", "paper-hard"),
        *("needle", "town"),
    ]
    for part in exact.sets:
        assert part.mean("exact, full") == 1.0, part.plan.name
        assert part.mean("exact, full information") == 1.0, part.plan.name
        assert part.mean(part.plan.floor) < 0.95, part.plan.name
    assert exact.n_failed == 0


def test_the_distance_is_printed_first_and_the_floors_are_those_of_the_sheet(exact: Any) -> None:
    lines = exact.text().split("\n\n")
    assert lines[1].startswith("**schedule-easy**: floor")
    assert "on 2,000 fresh ones floor 0.274 (asker), distance 0.726: this is all the suite can show." in lines[1]
    floors = {part.plan.name: part.plan.about.get("symbolic floors, 2000 fresh items", "") for part in exact.sets}
    constant = {name: float(words.split(",")[0].split()[-1]) for name, words in floors.items() if words}
    asker = {name: float(words.split(",")[1].split()[-1]) for name, words in floors.items() if words}
    assert constant["paper-easy"] == pytest.approx(0.45, abs=0.03)
    assert constant["paper-medium"] == pytest.approx(0.734, abs=0.02)
    assert asker["paper-medium"] == pytest.approx(0.737, abs=0.02)
    assert asker["paper-hard"] == pytest.approx(0.666, abs=0.02)
    assert constant["schedule-easy"] == pytest.approx(0.25, abs=0.02)
    assert asker["schedule-hard"] == pytest.approx(0.20, abs=0.02)


def test_half_the_facts_are_worth_what_the_sheet_says(tmp_path: Path) -> None:
    sources = own_sources(suite_options(None, tmp_path, is_full=False, items=200))
    rows = {source.name: {row.name: row.values for row in symbolic_rows(source)} for source in sources}
    means = {
        name: {row: sum(values.values()) / len(values) for row, values in found.items()} for name, found in rows.items()
    }
    assert means["needle"] == {
        "constant": 0.0,
        "asker, symbolic": pytest.approx(0.25),
        "partner, symbolic": pytest.approx(0.25),
    }
    assert means["paper-hard"]["asker, symbolic"] == pytest.approx(0.666, abs=0.05)
    assert means["paper-medium"]["asker, symbolic"] == pytest.approx(0.737, abs=0.06)
    assert means["paper-easy"]["constant"] == pytest.approx(0.45, abs=0.08)
    assert means["town"]["asker, symbolic"] < 0.13


def test_a_model_plays_all_mandatory_rows_and_nothing_twice(tmp_path: Path) -> None:
    report = run_informative(MODEL, tmp_path, is_full=False, items=1)
    names = [row.name for row in report.sets[0].rows]
    for row in ("no communication", "partner alone", "without InfoNav", "full", "full information", "constant"):
        assert row in names
    for part in report.sets:
        assert part.barrier["talk"].n_prompts > 0
        assert not any(scan.leaks for scan in part.barrier.values())
        assert sum(scan.n_looks for scan in part.barrier.values()) > 0
    calls = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("calls/*") if path.is_file()}
    again = run_informative(MODEL, tmp_path, is_full=False, items=1)
    assert again.to_json() == report.to_json()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("calls/*") if path.is_file()} == calls
    shutil.rmtree(next(tmp_path.glob("needle-talk-*")))
    assert run_informative(MODEL, tmp_path, is_full=False, items=1).sets[3].mean("full") == pytest.approx(
        report.sets[3].mean("full"), nan_ok=True
    )


def test_the_full_suite_plans_the_ablations(tmp_path: Path) -> None:
    plans, _ = plan_informative(suite_options(MODEL, tmp_path, is_full=True, items=2))
    town = {play.name: play.scenario for play in plans[-1].plays}
    assert town["no-clear"]["agents"][0]["memory"] == "fuzzy"
    assert town["no-fuzzy"]["agents"][0]["memory"] == "clear"
    assert town["no-recursion"]["environment"]["depth"] == 1
    assert town["anonymised"]["environment"]["anonymous"] is True
    assert "persona" in town["privacy"]["agents"][0]
    assert len(town["talk"]["graph"]["nodes"]) == 140
    assert len(town["talk"]["graph"]["edges"]) == 582
    assert {plan.n_seeds for plan in plans} == {3}


# -- the barrier, in the words that reached the model ------------------------------------------------------------------


def needle_run(folder: Path, n: int = 2, **group: Any) -> Path:
    """Returns a run of language-model seats on needles."""
    write_items(folder / "items.jsonl", items_of(generate_needles(n, 0)))
    scenario = make_scenario(
        {
            "name": "needles",
            "graph": {"edges": [["A", "B"], ["C", "D"], ["B", "C"]]},
            "agents": [{"kind": "informative", "model": "m", "nodes": "rest", **group}],
            "models": {"m": {"use": MODEL}},
            "environment": {"kind": "collaboration", "items": str(folder / "items.jsonl"), "rounds": 4},
            "rollouts": {"count": n, "on_failure": "abstain"},
        }
    )
    return start_run(scenario, folder, Progress()).folder


@pytest.mark.parametrize("kind", ["informative", "llm"])
def test_no_prompt_holds_what_its_seat_cannot_know(kind: str, tmp_path: Path) -> None:
    scan = scan_play(needle_run(tmp_path, kind=kind))
    assert scan.n_prompts > 4
    assert scan.n_looks > 50
    assert scan.leaks == ()


def test_a_planted_leak_is_caught(tmp_path: Path) -> None:
    item = items_of(generate_needles(1, 0))[0]
    secret = next(fact["text"] for fact in item["facts"] if fact["owner"] == "A")
    path = needle_run(tmp_path, n=1, persona=f"Remember: {secret}")
    leaks = scan_play(path).leaks
    assert {leak.seat for leak in leaks} == {"C"}
    assert secret in {leak.phrase for leak in leaks}


def chatty(request: ModelRequest) -> Any:
    """Plays a model that brings in everybody, looks for what is asked, and repeats all it has found."""
    prompt, schema = request.messages[-1].content, request.schema or {}
    if "To whom do you write now?" in prompt:
        return prompt.rpartition("Your contacts: ")[2]
    if "Write your message" in prompt:
        found = prompt.rpartition("You looked up:")[2].partition("\n\n")[0]
        return " ".join(found.split())[:1500] or "I know nothing."
    if "facts" in schema.get("properties", {}):
        return {"facts": ["who has it", "where it is"]}
    if "keywords" in schema.get("properties", {}):
        return {"keywords": ["the", "at"], "query": "where is it"}
    if "answer" in schema.get("properties", {}):
        return {"answer": schema["properties"]["answer"]["enum"][0]}
    return {}


def town_prompts(folder: Path, **environment: Any) -> tuple[Any, dict[str, list[str]], list[Event]]:
    """Returns lines of a town, seat -> prompts of a run on it, and the run's events."""
    town = generate_town(0, rows=3000, n_people=20, n_relations=70, n_hubs=2, n_chain_pairs=2, n_common=2, n_stale=2)
    options = suite_options(MODEL, folder, is_full=False, items=1)
    plans, _ = plan_informative(options)
    play = next(play for play in plans[-1].plays if play.name == "talk")
    archive, items = folder / "a.jsonl", folder / "i.jsonl"
    from tidings.benchmarks.asymmetry.house import archive_of, edges_of, write_archive

    folder.mkdir(exist_ok=True)
    lines = archive_of(town.problems[0])
    write_archive(archive, lines)
    write_items(items, items_of(town, has_archive=True)[:2])
    scenario = make_scenario(
        {
            **play.scenario,
            "name": "town",
            "graph": {"edges": [list(edge) for edge in edges_of(town.problems[0])]},
            "models": {"m": {"use": "scripted/m", "function": f"{__name__}:chatty"}},
            "environment": {
                **play.scenario["environment"],
                "items": str(items),
                "archive": str(archive),
                **environment,
            },
            "rollouts": {"count": 2, "on_failure": "abstain"},
        }
    )
    path = start_run(scenario, folder, Progress()).folder
    prompts: dict[str, list[str]] = {}
    for record in CallStore(RunFolder.open(path).calls).records():
        text = "\n".join(message.content for message in record.request.messages)
        prompts.setdefault(record.request.key.seat, []).append(text)
    events = [line.event() for _, log in read_rollouts(RunFolder.open(path).events) for line in log]
    return lines, prompts, events


def test_the_archive_of_others_never_reaches_a_prompt(tmp_path: Path) -> None:
    lines, prompts, events = town_prompts(tmp_path)
    told: dict[str, str] = {}
    for event in events:
        if event.kind == "message":
            for seat in event.audience:
                told[seat] = told.get(seat, "") + event.data["text"]
    assert len(prompts) > 4
    assert told
    n_looks = 0
    for seat, texts in prompts.items():
        own = {line.text for line in lines if seat in (line.speaker, *line.hearers)}
        hidden = {line.text for line in lines} - own
        everything = "\n".join(texts)
        for text in hidden:
            n_looks += 1
            assert text not in everything or text in told.get(seat, "")
    assert n_looks > 1000


def test_a_memory_that_hands_out_the_lines_of_others_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    town_prompts(tmp_path / "sound")
    [sound] = (tmp_path / "sound").glob("town-*")
    scan = scan_play(sound)
    assert not scan.leaks
    assert scan.n_looks > 300 * scan.n_prompts, "every line of others is looked for in every prompt"
    town_prompts(tmp_path / "all", information="full", answers="asker")
    [pooled] = (tmp_path / "all").glob("town-*")
    assert not scan_play(pooled).leaks, "who may read everything is told nothing too much"
    monkeypatch.setattr(Collaboration, "reads_archive", lambda self, seat: "all")
    town_prompts(tmp_path / "leaky")
    monkeypatch.undo()
    [leaky] = (tmp_path / "leaky").glob("town-*")
    assert scan_play(leaky).leaks


# -- scores ------------------------------------------------------------------------------------------------------------


def answered(*answers: str, **more: Any) -> list[Event]:
    return [Event("stop", (), {"reason": "complete"}), *[Event("answer", ("a",), {"answer": a}) for a in answers]]


ITEM = {
    "id": "q",
    "group": "q",
    "type": "schedule-hard",
    "question": "?",
    "asked": ["A", "D"],
    "mode": "pair",
    "options": [],
    "gold": "10:00-14:00",
    "gold_kind": "spans",
    "catalogue": [],
}


def test_answers_are_scored_exactly_and_what_cannot_be_read_is_missing() -> None:
    assert gold_of(ITEM).value == ((600, 840),)
    score = score_answers("mean")
    assert score(ITEM, answered("9:00-12:00")).value == pytest.approx(0.4)
    assert score(ITEM, answered("9:00-12:00", "10:00-14:00")).value == pytest.approx(0.7)
    assert score_answers("majority")(ITEM, answered("9:00-12:00", "10:00-14:00", "10:00-14:00")).value == 1.0
    unread = score(ITEM, answered("in the morning"))
    assert (unread.value != unread.value, unread.failure, unread.stop) == (True, "unparsable", "complete")
    looked = Event("thought", ("a",), {"about": "recall", "n_held": 7}, "a")
    assert score(ITEM, [looked, *answered("in the morning")]).n_scanned == 7, "a failed answer cost its searches too"
    partly = score(ITEM, answered("in the morning", "10:00-14:00"))
    assert (partly.value, partly.n_failed) == (1.0, 1)
    assert score(ITEM, []).failure == "no answer"
    with pytest.raises(RequestError):
        score_answers("median")


def plan(seat: str, *facts: tuple[str, bool, list[str]]) -> Event:
    kept = [{"status": status, "was_fake": fake, "sources": sources} for status, fake, sources in facts]
    return Event("thought", (seat,), {"about": "plan", "facts": kept}, seat)


def test_plan_figures() -> None:
    events = [
        plan("a", ("unknown", False, []), ("unknown", False, [])),
        plan("a", ("known", False, ["f0", "f1"]), ("fake", True, [])),
        plan("b", ("known", True, ["f1"]), ("conflict", False, ["f2"])),
    ]
    assert plan_figures(events) == {
        "facts in plan": 2.0,
        "solved": 0.5,
        "fake solved": 0.5,
        "conflicts": 0.25,
        "solved per update": 2.0,
        "consensus": 0.5,
    }
    assert plan_figures([]) == {}


def test_data_that_cannot_be_used_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        run_informative(None, tmp_path, is_full=False, data=str(tmp_path / "no.jsonl"))
    (tmp_path / "some.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="does not tell what it is"):
        run_informative(None, tmp_path, is_full=False, data=str(tmp_path / "some.jsonl"))
    (tmp_path / "schedule_easy.jsonl").write_text("{\n")
    with pytest.raises(DataError, match="not JSON"):
        run_informative(None, tmp_path, is_full=False, data=str(tmp_path / "schedule_easy.jsonl"))


def test_all_released_files_of_a_folder_are_played(tmp_path: Path) -> None:
    folder = next((Path(__file__).parents[2] / "fixtures").rglob("*schedule*easy*.jsonl")).parent
    for level in ("easy", "hard"):
        [file] = folder.glob(f"*schedule*{level}*.jsonl")
        shutil.copy(file, tmp_path / f"schedule_{level}.jsonl")
    sources, _ = released_sources(str(tmp_path), 1)
    assert [source.name for source in sources] == ["released-easy", "released-hard"]
    assert sources[1].about["source"].endswith(", schedule_hard.jsonl")
    shutil.copy(tmp_path / "schedule_easy.jsonl", tmp_path / "another_easy.jsonl")
    with pytest.raises(DataError, match="a second file for released-easy"):
        released_sources(str(tmp_path), 1)


def test_a_released_file_has_a_constant_of_its_own_names() -> None:
    tasks = generate_schedule("paper", "medium", 40, 0)
    values = [[f"Their {name}" for name in list(gold.value)] for gold in tasks.golds]  # type: ignore[arg-type]
    golds = tuple(replace(gold, value=tuple(names)) for gold, names in zip(tasks.golds, values, strict=True))
    released = replace(tasks, level="released/medium", golds=golds)
    source = Source("released-medium", released, tuple(range(40)), "F1", {}, is_free=True)
    row = symbolic_rows(source)[0]
    assert row.name == "constant"
    assert 0.6 < sum(row.values.values()) / 40 < 0.85, "the sheet says 0.734"
    assert "other questions" in row.about
    one = replace(released, problems=tasks.problems[:1], golds=golds[:1])
    assert symbolic_rows(replace(source, tasks=one)) == (), "nothing to choose a constant on"


def test_released_files_are_played_and_their_terms_named(tmp_path: Path) -> None:
    fixture = sorted((Path(__file__).parents[2] / "fixtures").rglob("*schedule*easy*.jsonl"))
    assert fixture
    report = run_informative(None, tmp_path, is_full=False, data=str(fixture[0]))
    assert report.sets[0].mean("exact, full") == 1.0
    assert "CC BY-NC" in report.notes[0]
    assert json.dumps(report.to_json())
