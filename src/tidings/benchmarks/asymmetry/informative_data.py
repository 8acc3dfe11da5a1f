"""Where the questions of the suite `informative` come from: own seeded generators, or released files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidings.benchmarks.asymmetry.data_source import DataFile, find_data_files
from tidings.benchmarks.asymmetry.files import set_sha256
from tidings.benchmarks.asymmetry.friends_released import QUESTIONS, load_friends
from tidings.benchmarks.asymmetry.needle import generate_needles
from tidings.benchmarks.asymmetry.needle_released import load_needles
from tidings.benchmarks.asymmetry.records import TaskSet
from tidings.benchmarks.asymmetry.schedule import generate_schedule
from tidings.benchmarks.asymmetry.schedule_floors import schedule_floors
from tidings.benchmarks.asymmetry.schedule_released import load_schedule
from tidings.benchmarks.asymmetry.suite import FreshFloors, SuiteOptions
from tidings.benchmarks.asymmetry.town import generate_town
from tidings.core import DataError

__all__ = ["Source", "own_sources", "released_sources"]

_LEVELS = (("balanced", "easy"), ("balanced", "medium-total"), ("balanced", "hard"))
_PAPER = (("paper", "easy"), ("paper", "medium"), ("paper", "hard"))
_MEASURES = {"easy": "integer accuracy", "medium": "F1", "medium-total": "accuracy", "hard": "IoU"}
_FREE_MEASURE = "exact match after normalising; `--judge` asks a model too"
_N_FLOORS = 2000
_TERMS = "InformativeBench says CC BY-NC 4.0 in its README and has no licence file"
_SMALL_TOWN = {
    "rows": 6000, "n_people": 40, "n_relations": 140, "n_hubs": 3, "n_chain_pairs": 4, "n_common": 10, "n_stale": 10
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """One set of questions.

    Attributes:
        name: Short name.
        tasks: The set.
        picked: Positions of the questions that are played.
        measure: What the score is.
        about: What stands above the table.
        has_archive: Whether what people hold lies in an archive.
        is_free: Whether answers are free text, which no exact reader reads.
        fresh: What a constant, and the asker alone, are worth on fresh items of the generator, where that is known.
    """

    name: str
    tasks: TaskSet
    picked: tuple[int, ...]
    measure: str
    about: Mapping[str, str]
    has_archive: bool = False
    is_free: bool = False
    fresh: FreshFloors | None = None


def own_sources(options: SuiteOptions) -> list[Source]:
    """Returns the generated sets; without a model also those of the paper's distribution, which cost nothing."""
    n = options.n_items or 1
    levels = _LEVELS if options.model is not None else (*_LEVELS, *_PAPER)
    sources = [_schedule(profile, level, n) for profile, level in levels]
    needles = generate_needles(n, 0)
    about = _about(needles) | {"symbolic floors": "no communication 1/4, partner alone 1/4, pooled 1"}
    sources.append(Source("needle", needles, tuple(range(n)), "exact match after normalising", about))
    town = generate_town(0) if options.is_full else generate_town(0, **_SMALL_TOWN)
    problem = town.problems[0]
    words = f"{len(problem.people)} people, {len(problem.relations)} relations, {len(problem.items)} lines"
    sources.append(Source("town", town, _spread(town, n), "accuracy", _about(town) | {"town": words}, True))
    return sources


def released_sources(data: str, n: int | None) -> tuple[list[Source], str]:
    """Returns the sets of released files of Schedule, Needle in the Persona or FriendsTV, and the line on their terms.

    Args:
        data: A file, or a folder all of whose files are taken.
        n: Questions of each; None for all.

    Raises:
        DataError: If there is no such file, a name does not tell what it is, two are of one kind, or one is malformed.
    """
    names = ("schedule_*.jsonl", "*easy*.jsonl", "*medium*.jsonl", "*hard*.jsonl", QUESTIONS, "*2hop*.jsonl")
    files = find_data_files(data, (*names, "*needle*.jsonl"), "a file of InformativeBench")
    sources: dict[str, Source] = {}
    for file in files:
        source = _released(file, n)
        if source.name in sources:
            raise DataError(file.source, f"a second file for {source.name}", "one of each", "give the path of one file")
        sources[source.name] = source
    return list(sources.values()), files[0].notice(_TERMS)


def _released(file: DataFile, n: int | None) -> Source:
    kind = re.search(r"easy|medium|hard|friends|2hop|needle", Path(file.path).name.casefold())
    if kind is None:
        allowed = "a name with easy, medium, hard, needle, 2hop or FriendsComQA in it"
        raise DataError(str(file.path), "the name does not tell what it is", allowed, "rename the file")
    name, measure, has_archive = kind[0], _MEASURES.get(kind[0], _FREE_MEASURE), False
    if name == "friends":
        tasks, has_archive = load_friends(file.path), True
    elif name in ("2hop", "needle"):
        tasks, name = load_needles(file.path), "needle"
    else:
        tasks = load_schedule(file.path, name)
    picked = tuple(range(len(tasks.golds)))[:n]
    about = file.about() | {"SHA-256 of the set": set_sha256(tasks)}
    is_free = measure == _FREE_MEASURE
    return Source(f"released-{name}", tasks, picked, measure, about, has_archive, is_free)


def _schedule(profile: str, level: str, n: int) -> Source:
    tasks = generate_schedule(profile, level, n, 0)
    floors = schedule_floors(profile, level, _N_FLOORS, 1)
    words = ", ".join(f"{name} {floor.mean:.3f}" for name, floor in floors.items())
    about = _about(tasks) | {f"symbolic floors, {_N_FLOORS} fresh items": words}
    short = level.partition("-")[0]
    name = f"schedule-{short}" if profile == "balanced" else f"paper-{short}"
    fresh = FreshFloors({row: floors[row].mean for row in ("constant", "asker")}, _N_FLOORS)
    return Source(name, tasks, tuple(range(n)), _MEASURES[level], about, fresh=fresh)


def _about(tasks: TaskSet) -> dict[str, str]:
    source = f"generator {tasks.version}, {tasks.level}, seed {tasks.seed}"
    return {"source": source, "SHA-256 of the set": set_sha256(tasks)}


def _spread(tasks: TaskSet, n: int) -> tuple[int, ...]:
    """Returns n positions of questions, types and groups in turn, so that a few questions show all kinds."""
    queues: dict[tuple[str, str], list[int]] = {}
    for i, question in enumerate(tasks.problems[0].questions):
        queues.setdefault((question.type, question.group), []).append(i)
    by_type: dict[str, list[list[int]]] = {}
    for (kind, _), queue in queues.items():
        by_type.setdefault(kind, []).append(queue)
    order = [_round_robin(groups) for groups in by_type.values()]
    return tuple(sorted(_round_robin(order)[:n]))


def _round_robin(queues: Sequence[Sequence[int]]) -> list[int]:
    longest = max(map(len, queues), default=0)
    return [queue[i] for i in range(longest) for queue in queues if i < len(queue)]
