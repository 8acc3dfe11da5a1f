"""What a script or a notebook calls: load, run, resume."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tidings.analysis.run import Run, load_run
from tidings.core import ScenarioError
from tidings.metrics.table import check_metrics
from tidings.runner.execute import Outcome, resume_run, start_run
from tidings.runner.fork import ForkOutcome, fork_run
from tidings.runner.fork_spec import MIN_SAMPLES, ForkSpec, parse_fork
from tidings.runner.progress import Progress
from tidings.runner.sweeps import checked_variants, run_sweep
from tidings.simulation.compile import check_components
from tidings.simulation.interventions import Swap
from tidings.spec.io import check_scenario, make_source, read_source
from tidings.spec.scenario import Scenario
from tidings.spec.yaml_source import YamlSource

__all__ = [
    "change_scenario",
    "fork",
    "load_run",
    "load_scenario",
    "play",
    "play_fork",
    "play_on",
    "play_sweep",
    "resume",
    "run",
]


def load_scenario(path: str | Path, overrides: Iterable[str] | Mapping[str, Any] = ()) -> Scenario:
    """Returns the scenario of a YAML file, with every component it names checked.

    Args:
        path: The file.
        overrides: `path=value` texts, or a mapping of dotted paths to values.

    Raises:
        ScenarioError: If anything in it is wrong; the text says where, what was found and what is allowed.
    """
    return _checked(read_source(path, overrides.items() if isinstance(overrides, Mapping) else overrides))


def change_scenario(scenario: Scenario, overrides: Mapping[str, Any]) -> Scenario:
    """Returns the scenario with the values at some dotted paths changed, and checked again."""
    return _checked(make_source(scenario, overrides.items()))


def _checked(source: YamlSource) -> Scenario:
    scenario = check_scenario(source)
    check_components(scenario, source)
    check_metrics(scenario.environment.kind, scenario.metrics)
    return scenario


def run(
    scenario: Scenario | str | Path,
    *,
    rollouts: int | None = None,
    seed: int | None = None,
    out: str | Path = "runs",
    overrides: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Plays a scenario and returns its run.

    Args:
        scenario: A scenario, or the path of its YAML file.
        rollouts: How many rollouts, if not as the scenario says.
        seed: The seed, if not as the scenario says.
        out: Where the run folder goes.
        overrides: Dotted paths and values to change, for a scenario given by path.
        progress: What to tell while it runs; silent by default.

    Raises:
        RequestError: If the scenario is wrong, or stands for several variants.
    """
    ready = _ready(scenario, rollouts, seed, overrides or {})
    if ready.sweep:
        raise ScenarioError("sweep", "the scenario stands for several runs", fix="use tidings.api.play_sweep")
    return load_run(play(ready, out, progress or Progress()).folder)


def resume(path: str | Path, *, progress: Progress | None = None) -> Run:
    """Goes on with a stopped run and returns it.

    Raises:
        RequestError: If there is no such run or its log was changed.
    """
    play_on(path, progress or Progress())
    return load_run(path)


def play(scenario: Scenario, out: str | Path, progress: Progress) -> Outcome:
    """Plays a scenario and returns how it ended; what `run` and the command line share."""
    return _with_metrics(start_run(scenario, Path(out), progress))


def play_sweep(
    scenario: Scenario, out: str | Path, make_progress: Callable[[], Progress] = Progress
) -> dict[str, Outcome]:
    """Plays every variant of a scenario with a sweep; called again, it finishes what is missing and repeats nothing.

    Each variant has its folder, `<out>/<name>-sweep/<variant>`; rollouts of equal number share their random draws.

    Returns:
        Variant -> how its run ended. Stops after a variant that was interrupted or reached a cap.

    Raises:
        ScenarioError: If a variant is wrong; nothing is played then.
        DataError: If a variant's folder holds a run of another scenario.
    """
    return run_sweep(
        scenario, checked_variants(scenario), Path(out) / f"{scenario.name}-sweep", make_progress, _with_metrics
    )


def play_on(
    path: str | Path, progress: Progress, changes: Iterable[str] = (), *, retry_failed: bool = False
) -> Outcome:
    """Goes on with a stopped run and returns how it ended; what `resume` and the command line share."""
    return _with_metrics(resume_run(Path(path), progress, changes=tuple(changes), retry_failed=retry_failed))


def fork(
    path: str | Path,
    *,
    rollout: int = 0,
    at: int | None = None,
    drop: Iterable[int | str] = (),
    swap: Mapping[str, Any] | None = None,
    mute: Iterable[str] = (),
    planner: str | Mapping[str, Any] | None = None,
    n: int = MIN_SAMPLES,
    out: str | Path = "runs",
    progress: Progress | None = None,
) -> ForkOutcome:
    """Plays a logged rollout on from some event with something changed, beside the same without change.

    `tidings.analysis.fork_effects.fork_effects(outcome.folder)` says what it came to.

    Args:
        path: The run folder; only read.
        rollout: Which of its rollouts.
        at: Index of an event: up to its step every seat does what it did. By default where the change happens.
        drop: Messages that do not arrive, by index; `index:seat,seat` for some hearers only.
        swap: Private fact -> the value its owner is told instead.
        mute: Seats that nobody hears any more after `at`.
        planner: Another planner after `at`: its kind, or kind and parameters.
        n: Samples of each arm.
        out: Where the folder of the fork goes.
        progress: What to tell while it plays; silent by default.

    Raises:
        RequestError: If the run, the event or the change is not there.
    """
    where = f"{rollout}" if at is None else f"{rollout}:{at}"
    spec = parse_fork(where, drop=[str(message) for message in drop], mute=mute, planner=planner, n=n)
    swaps = tuple(Swap(fact, value) for fact, value in (swap or {}).items())
    spec = replace(spec, interventions=(*spec.interventions, *swaps))
    return play_fork(path, spec, out, progress or Progress())


def play_fork(path: str | Path, spec: ForkSpec, out: str | Path, progress: Progress) -> ForkOutcome:
    """Plays a fork and keeps the figures of each arm in its folder; what `fork` and the command line share."""
    outcome = fork_run(Path(path), spec, Path(out), progress)
    for arm in outcome.n_failed:
        load_run(outcome.folder / arm).write_metrics()
    return outcome


def _with_metrics(outcome: Outcome) -> Outcome:
    """Keeps the figures of a run in its folder as `metrics.json`."""
    load_run(outcome.folder).write_metrics()
    return outcome


def _ready(
    scenario: Scenario | str | Path, rollouts: int | None, seed: int | None, overrides: Mapping[str, Any]
) -> Scenario:
    changes = {"rollouts.count": rollouts, "rollouts.seed": seed}
    wanted = {**overrides, **{key: value for key, value in changes.items() if value is not None}}
    if isinstance(scenario, Scenario):
        return change_scenario(scenario, wanted) if wanted else scenario
    return load_scenario(scenario, wanted)
