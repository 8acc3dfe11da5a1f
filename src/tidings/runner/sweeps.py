"""Sweeps: every variant of a scenario in a folder of its own, played once however often the command is repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tidings.core import DataError
from tidings.runner.execute import Outcome, resume_run, start_run
from tidings.runner.folder import RunFolder, write_atomically
from tidings.runner.progress import Progress
from tidings.simulation.compile import check_components
from tidings.spec.io import make_source, read_scenario
from tidings.spec.scenario import Scenario
from tidings.spec.sweeps import Variant, expand

__all__ = ["RunStatus", "changed_bounds", "checked_variants", "find_runs", "read_statuses", "run_sweep"]

_PLAN = "sweep.json"

_FREE = {"name", "description", "limits", "metrics", "runner", "sweep"}
"""What a variant may have changed since it was played: nothing that happens in a rollout depends on it."""


@dataclass(frozen=True)
class RunStatus:
    """How far one run is.

    Attributes:
        name: Name of its folder, behind that of its sweep or fork where several are told; of a variant, its id.
        status: `missing` (of a sweep, not begun), `running`, `done`, `limit`, `interrupted` or `broken`.
        rollouts: Rollouts asked for; None if it has not begun.
        done: Rollouts that ended.
        failed: Of these, how many failed.
        calls: Attempts of model calls.
        tokens: Tokens, prompts and answers together.
        usd: Their price; None if it is not known.
        elapsed_s: Wall-clock time, in seconds.
        values: The swept values, by path.
    """

    name: str
    status: str
    rollouts: int | None = None
    done: int = 0
    failed: int = 0
    calls: int = 0
    tokens: int = 0
    usd: float | None = None
    elapsed_s: float = 0.0
    values: dict[str, Any] = field(default_factory=dict)


def checked_variants(scenario: Scenario) -> tuple[Variant, ...]:
    """Returns every variant of a scenario with a sweep, with every component it names checked.

    Raises:
        ScenarioError: If a swept path leads nowhere or a variant is wrong.
    """
    variants = expand(make_source(scenario))
    for variant in variants:
        check_components(variant.scenario, variant.source)
    return variants


def run_sweep(
    scenario: Scenario,
    variants: Sequence[Variant],
    folder: Path,
    make_progress: Callable[[], Progress],
    after: Callable[[Outcome], Outcome],
) -> dict[str, Outcome]:
    """Plays what is missing of every variant; repeats nothing and starts nothing for what is done.

    Args:
        scenario: The scenario with its sweep.
        variants: Its variants.
        folder: The folder of the sweep; each variant has one of its own in it.
        make_progress: Makes what is told of one variant.
        after: Called with every outcome that was not there before.

    Returns:
        Variant -> how its run ended. Stops after a variant that was interrupted or reached a cap.

    Raises:
        DataError: If a variant's folder holds another scenario.
    """
    _write_plan(folder, variants)
    outcomes: dict[str, Outcome] = {}
    with ExitStack() as stack:
        is_connected = False
        for variant in variants:
            path = folder / variant.id
            changes = _changes(path, variant.scenario)
            if not changes and (kept := _done(path)) is not None:
                outcomes[variant.id] = kept
                continue
            if variant.scenario.runner.kind == "ray" and not is_connected:
                from tidings.runner.ray_seam import connected

                # One cluster for all variants: starting one takes longer than most of them.
                stack.enter_context(connected(variant.scenario.runner, len(scenario.models)))
                is_connected = True
            if (path / "manifest.json").is_file():
                outcome = resume_run(path, make_progress(), changes=changes)
            else:
                outcome = start_run(variant.scenario, path, make_progress(), is_exact=True)
            outcomes[variant.id] = after(outcome)
            if outcome.status != "done":
                break
    return outcomes


def find_runs(paths: Iterable[Path]) -> list[Path]:
    """Returns the folders of all runs at some paths: each a run, a sweep or a fork, or a folder of several.

    Of several paths, as a shell makes them from `runs/*`, those without a run are passed over.

    Raises:
        DataError: If a path is not there, or none of them holds a run.
    """
    return [place.path for place in _places(paths) if (place.path / "scenario.yaml").is_file()]


def read_statuses(*paths: Path) -> list[RunStatus]:
    """Returns how far runs are, variants of a sweep that have not begun among them; changes nothing.

    Args:
        *paths: As `find_runs` takes them.

    Raises:
        DataError: If a path is not there, or none of them holds a run.
    """
    return [_status(place) for place in _places(paths)]


@dataclass(frozen=True)
class _Place:
    name: str
    path: Path
    values: dict[str, Any] = field(default_factory=dict)


def _places(paths: Iterable[Path]) -> list[_Place]:
    given = list(paths)
    found = {place.path: place for path in given for place in _places_at(path)}
    bad = [path for path in given if not path.exists()] or given
    if not found or not bad[0].exists():
        allowed = "the folder of a run, of a sweep, or of several (runs)"
        raise DataError(str(bad[0]), "no run in it" if bad[0].is_dir() else "no such folder", allowed)
    return list(found.values())


def _places_at(path: Path) -> list[_Place]:
    if (path / _PLAN).is_file():
        plan = RunFolder(path).read_json(_PLAN)
        return [_Place(variant["id"], path / variant["id"], variant["values"]) for variant in plan["variants"]]
    if (path / "scenario.yaml").is_file():
        return [_Place(path.name, path)]
    below = sorted(_runs_below(path)) if path.is_dir() else []
    return [
        place if place.path == folder else replace(place, name=f"{folder.name}/{place.name}")
        for folder in below
        for place in _places_at(folder)
    ]


def _runs_below(path: Path) -> Iterator[Path]:
    for name in ("*/scenario.yaml", f"*/{_PLAN}"):
        yield from (file.parent for file in path.glob(name))


def _status(place: _Place) -> RunStatus:
    found = RunFolder(place.path).read_status()
    if not found:
        is_begun = (place.path / "scenario.yaml").is_file()
        return RunStatus(place.name, "interrupted" if is_begun else "missing", values=place.values)
    figures = ("rollouts", "done", "failed", "calls", "tokens", "usd", "elapsed_s")
    known = {name: found[name] for name in figures if name in found}
    return RunStatus(place.name, found.get("status", "interrupted"), values=place.values, **known)


def _write_plan(folder: Path, variants: Sequence[Variant]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"id": variant.id, "values": dict(variant.overrides)} for variant in variants]
    text = json.dumps({"format": 1, "variants": rows}, indent=1) + "\n"
    path = folder / _PLAN
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_atomically(path, text)


def _done(path: Path) -> Outcome | None:
    """Returns how a run ended that needs nothing more; None for any other folder."""
    status = RunFolder(path).read_status()
    if status.get("status") != "done":
        return None
    return Outcome(path, "done", status["rollouts"], status["done"], status["failed"])


def _changes(path: Path, scenario: Scenario) -> list[str]:
    """Returns what has to be changed in a variant that was begun before, as `path=value`.

    Raises:
        DataError: If it is another scenario: its figures must not stand for this one.
    """
    if not (path / "scenario.yaml").is_file() or not (path / "manifest.json").is_file():
        return []
    before = read_scenario(path / "scenario.yaml")
    if _rules(before) != _rules(scenario) or scenario.rollouts.count < before.rollouts.count:
        allowed = "the scenario it was begun with; more rollouts, other limits or another runner are fine"
        raise DataError(str(path), "holds a run of another scenario", allowed, "choose another name or --out")
    if RunFolder(path).read_status().get("status") == "done" and scenario.rollouts.count == before.rollouts.count:
        return []
    return [f"rollouts.count={scenario.rollouts.count}", *changed_bounds(before, scenario)]


def changed_bounds(before: Scenario, now: Scenario) -> list[str]:
    """Returns the limits and the settings of the runner that are others now, as `path=value`."""
    changed: list[str] = []
    for part in ("limits", "runner"):
        old, new = (getattr(scenario, part).model_dump(mode="json") for scenario in (before, now))
        changed += [f"{part}.{name}={json.dumps(value)}" for name, value in new.items() if old[name] != value]
    return changed


def _rules(scenario: Scenario) -> dict[str, Any]:
    """Returns everything that what happens in a rollout depends on."""
    rules = scenario.model_dump(mode="json", exclude=_FREE)
    for name in ("count", "concurrency", "log"):
        rules["rollouts"].pop(name)
    return rules
