"""Playing a set of questions: its items in a file, each of its scenarios in a run folder of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tidings.benchmarks.asymmetry.suite import Item, PlaySpec, SetPlan
from tidings.benchmarks.plays import play_missing, run_key
from tidings.metrics.table import check_metrics
from tidings.runner.estimate import estimate_calls
from tidings.runner.folder import RunFolder, write_atomically
from tidings.simulation.compile import check_components
from tidings.spec.io import check_scenario, make_source
from tidings.spec.scenario import Scenario

__all__ = ["Played", "estimate_words", "play_set", "write_items"]


@dataclass(frozen=True)
class Played:
    """A play and its run folder.

    Attributes:
        name: Of the play.
        folder: Its run folder.
        status: `done`, or `limit` when a cap stopped it.
        elapsed_s: Wall-clock seconds it took, over all processes that worked on it.
    """

    name: str
    folder: Path
    status: str
    elapsed_s: float


def write_items(items: tuple[Item, ...], folder: Path) -> tuple[Path, str]:
    """Writes an items file, named by its content, and returns its path and SHA-256."""
    lines = [json.dumps(item, sort_keys=True, ensure_ascii=False, allow_nan=False) for item in items]
    text = "\n".join(lines) + "\n"
    digest = sha256(text.encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.resolve() / f"items-{digest[:12]}.jsonl"
    if not path.exists():
        write_atomically(path, text)
    return path, digest


def play_set(plan: SetPlan, suite: str, folder: Path) -> list[Played]:
    """Plays all scenarios of a set and returns where they are.

    A play that is done is left alone; one that was killed or stopped goes on where its log ends; a scenario that
    differs in anything (model, setting, items, number of seeds) has another folder.

    Args:
        plan: The set.
        suite: Name of the suite.
        folder: Folder of the suite.

    Raises:
        RequestError: If a scenario is wrong; nothing is played then.
        KeyboardInterrupt: If a play was interrupted; the same call goes on.
    """
    played = []
    for name, scenario, path in _ready(plan, suite, folder):
        status = play_missing(scenario, path).read_status()
        played.append(Played(name, path, str(status["status"]), float(status.get("elapsed_s", 0.0))))
    return played


def estimate_words(plans: Sequence[SetPlan], suite: str, folder: Path) -> str:
    """Returns what the plays that are not done will ask of models, in one line; makes no call.

    Raises:
        RequestError: If a scenario is wrong.
    """
    ready = [part for plan in plans for part in _ready(plan, suite, folder)]
    left = [scenario for _, scenario, path in ready if RunFolder(path).read_status().get("status") != "done"]
    models = [model for scenario in left if scenario.models for model in estimate_calls(scenario, 1).models]
    calls, tokens_in, tokens_out = (
        sum(getattr(m, name) for m in models) for name in ("calls", "tokens_in", "tokens_out")
    )
    n = sum(scenario.rollouts.count for scenario in left)
    return (
        f"{len(left)} of {len(ready)} plays are not done, {n:,} rollouts: about {calls:,} calls, {tokens_in:,} tokens "
        f"in, at most {tokens_out:,} out, if none of them has begun; stop with Ctrl-C, the same command goes on"
    )


def _ready(plan: SetPlan, suite: str, folder: Path) -> list[tuple[str, Scenario, Path]]:
    """Returns name, scenario and run folder of each play of a set."""
    path, digest = write_items(plan.items, folder)
    ready = [(play.name, _scenario(plan, play, suite, path)) for play in plan.plays]
    return [(name, s, folder / f"{plan.name}-{name}-{run_key(s, digest)}") for name, s in ready]


def _scenario(plan: SetPlan, play: PlaySpec, suite: str, items: Path) -> Scenario:
    given: dict[str, Any] = dict(play.scenario)
    rollouts: Mapping[str, Any] = given.get("rollouts", {})
    source = make_source(
        {
            **given,
            "name": f"{suite}-{plan.name}-{play.name}".replace("_", "-"),
            "environment": {**given["environment"], "items": str(items)},
            "rollouts": {
                "on_failure": "abstain",
                "log": "full",
                **rollouts,
                "count": len(plan.items) * plan.n_seeds * play.repeats,
                "seed": plan.seed,
            },
        }
    )
    scenario = check_scenario(source)
    check_components(scenario, source)
    check_metrics(scenario.environment.kind, scenario.metrics)
    return scenario
