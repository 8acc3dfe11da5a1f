"""The released InformativeBench Schedule files (JSON lines), read into the same problems as ours.

Those files hold no dialogues, so the messages are told by our templates; question, days and gold are theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tidings.benchmarks.asymmetry.records import Answer, Gold, Problem, TaskSet
from tidings.benchmarks.asymmetry.schedule import build_schedule_problem, gold_record
from tidings.benchmarks.asymmetry.schedule_golds import DAY_SLOTS, LEVELS, PEOPLE, Activity, Days, waking
from tidings.benchmarks.asymmetry.schedule_text import told_days
from tidings.benchmarks.asymmetry.sources import convert_record, file_sha256, read_json_lines
from tidings.benchmarks.streams import Draws
from tidings.core.errors import DataError, RequestError

__all__ = ["load_schedule", "read_released_days"]

_WHAT = "an InformativeBench Schedule file (JSON lines)"


class _Block(msgspec.Struct):
    start: int
    end: int
    participants_list: list[str]


class _Row(msgspec.Struct):
    id: int | str
    schedule: dict[str, dict[str, _Block]]
    answer: str | int | list[str]


def load_schedule(path: Path | str, level: str, seed: int = 0) -> TaskSet:
    """Returns the problems of one released file.

    Args:
        path: A `schedule_<level>.jsonl` of your own.
        level: `easy`, `medium` or `hard`; the file does not say it.
        seed: Decides names, templates and chats of the messages.

    Raises:
        RequestError: No such level.
        DataError: The file is missing or a line is malformed; the error names the line.
    """
    if level not in LEVELS["paper"]:
        raise RequestError("schedule.level", f"found {level!r}", f"one of {', '.join(LEVELS['paper'])}")
    problems: list[Problem] = []
    golds: list[Gold] = []
    for where, value in read_json_lines(path, _WHAT):
        row = convert_record(value, _Row, where)
        problem, gold = _read_row(row, level, seed, where)
        problems.append(problem)
        golds.append(gold)
    version = f"source:{file_sha256(path)}"
    return TaskSet("schedule", f"released/{level}", seed, version, tuple(problems), tuple(golds))


def read_released_days(schedule: dict[str, dict[str, _Block]], where: str) -> Days:
    """Returns a released schedule with its six people called A to F.

    Raises:
        DataError: Not six people, an unknown participant, or a block outside the day.
    """
    if len(schedule) != len(PEOPLE):
        raise DataError(f"{where}: schedule", f"found {len(schedule)} people", "six are needed", "check the file")
    letters = dict(zip(schedule, PEOPLE, strict=True))
    return {
        letters[person]: sorted(
            (_read_block(name, block, letters, where) for name, block in blocks.items()), key=_order
        )
        for person, blocks in schedule.items()
    }


def _order(activity: Activity) -> tuple[int, int]:
    return activity.start, activity.end


def _read_block(name: str, block: _Block, letters: dict[str, str], where: str) -> Activity:
    if not 0 <= block.start < block.end <= DAY_SLOTS:
        found = f"slots {block.start}..{block.end}"
        raise DataError(f"{where}: {name}", found, f"0 <= start < end <= {DAY_SLOTS}", "check the line")
    unknown = [person for person in block.participants_list if person not in letters]
    if unknown:
        raise DataError(f"{where}: {name}", f"participant {unknown[0]!r}", f"one of {', '.join(letters)}")
    people = tuple(sorted(letters[person] for person in block.participants_list))
    return Activity(re.sub(r"\d+$", "", name), block.start, block.end, people)


def _read_row(row: _Row, level: str, seed: int, where: str) -> tuple[Problem, Gold]:
    days = read_released_days(row.schedule, where)
    problem_id = f"schedule-released-{level}-{row.id}"
    problem = build_schedule_problem(Draws(seed, "schedule/released", level, str(row.id)), problem_id, level, days)
    told = told_days(problem.items)
    if any(_spans(told.get(person, [])) != _spans(activities) for person, activities in days.items()):
        raise DataError(where, "an activity name that a message cannot carry", "letters, digits, spaces, & ' / -")
    gold = gold_record(problem_id, level, _read_answer(row.answer, level, where))
    if level == "medium":
        names = {activity.name for activity in waking(days, PEOPLE)}
        gold = Gold(gold.question, gold.kind, gold.value, tuple(sorted(names)))
    return problem, gold


def _spans(activities: Iterable[Activity]) -> list[tuple[int, int, str]]:
    return sorted((activity.start, activity.end, activity.name) for activity in activities)


def _read_answer(answer: str | int | list[str], level: str, where: str) -> Answer:
    text = str(answer)
    if level == "easy" and text.strip().isdecimal():
        return int(text)
    if level == "medium" and re.fullmatch(r"\{.*\}|set\(\)", text.strip()):
        # The text of a Python set: its quoted names are picked out, nothing is evaluated.
        return tuple(sorted({a or b for a, b in re.findall(r"'([^']*)'|\"([^\"]*)\"", text)}))
    spans = re.findall(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)", text)
    if level == "hard" and isinstance(answer, list) and len(spans) == len(answer):
        return tuple((int(a) * 60 + int(b), int(c) * 60 + int(d)) for a, b, c, d in spans)
    allowed = {"easy": "an integer as text", "medium": "the text of a set of names", "hard": "a list of H:MM-H:MM"}
    raise DataError(f"{where}: answer", f"found {answer!r}", allowed[level], "give the level this file is of")
