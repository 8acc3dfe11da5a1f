"""Counterfactual rollouts: a logged rollout is followed to a point, something is changed, and it is played on.

A fork is a folder with three runs in it, each with `n` samples of the same rollout:

| arm | what it is | model calls |
|---|---|---|
| `control` | nothing is changed | answered from the parent's record where the prompt and the seed are the same |
| `floor` | nothing is changed, and every call is made anew: what differs from `control` is noise | its own |
| `changed` | the intervention | answered from the control's record where the prompt is the same |

Sample k of each arm has the same seeds, so differences are paired; sample 0 has those of the parent. The draws of the
environment are the parent's in every sample. The parent is only read.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import networkx as nx

from tidings.core import (
    DataError,
    Event,
    LanguageModel,
    LimitError,
    ModelRequest,
    ModelResponse,
    ReplayError,
    RequestError,
)
from tidings.core.calls import RequestKind
from tidings.log.branched_calls import Earlier
from tidings.log.calls import CallStore
from tidings.log.codec import encode_step
from tidings.log.gaps import watching
from tidings.log.reader import read_rollouts
from tidings.log.store import ENDED, EventStore
from tidings.models.session import ModelSession
from tidings.runner.execute import blocking
from tidings.runner.folder import RunFolder, provenance
from tidings.runner.fork_spec import ForkSpec
from tidings.runner.progress import Progress
from tidings.simulation.compile import Compiled, check_components, compile_scenario
from tidings.simulation.forked_play import ForkedPlay
from tidings.simulation.interventions import SPOKEN, Drop, Intervention, Mute, Swap, check_interventions, edit_events
from tidings.simulation.loop import drive
from tidings.spec.io import check_scenario, dump_scenario, make_source, read_scenario
from tidings.spec.scenario import PlannerSpec, Scenario

__all__ = ["ARMS", "ForkOutcome", "fork_run", "read_logged"]

ARMS = ("control", "floor", "changed")

_OWN_OF_PLANNER = ("kind", "model", "persona")


@dataclass(frozen=True)
class ForkOutcome:
    """How a fork ended.

    Attributes:
        folder: The folder that holds the arms.
        status: `done`, or `limit` if a cap of the scenario was reached.
        n: Samples of each arm.
        n_failed: Arm -> samples that failed.
        message: What stopped it early, in words.
    """

    folder: Path
    status: str
    n: int
    n_failed: Mapping[str, int]
    message: str = ""


def fork_run(path: Path, spec: ForkSpec, out: Path, progress: Progress) -> ForkOutcome:
    """Plays the arms of a fork and keeps them in `<out>/<name>-fork-<n>/`.

    Raises:
        DataError: If there is no such run or rollout, or it has no event log.
        RequestError: If the intervention changes nothing that is there.
        ReplayError: If the parent's log does not follow from its scenario.
    """
    fork = _Fork(RunFolder.open(path), spec)
    folder = RunFolder.create(out, f"{fork.scenario.name}-fork").path
    try:
        return blocking(fork.play(folder, progress))
    except (RequestError, ReplayError):
        shutil.rmtree(folder)
        raise
    finally:
        progress.stop()


def read_logged(folder: RunFolder, rollout: int) -> list[Event]:
    """Returns the events of one rollout of a run.

    Raises:
        DataError: If the run has no event log, or not this rollout.
    """
    if folder.read_json("manifest.json").get("log") == "summary":
        fix = "run it again with `--set rollouts.log=full`; equal seeds give equal rollouts"
        raise DataError(str(folder.path), "it logged one row a rollout, no events", fix=fix)
    known: list[int] = []
    for number, lines in read_rollouts(folder.events):
        if number == rollout:
            return [line.event() for line in lines]
        known.append(number)
    allowed = f"its rollouts are 0 to {known[-1]}" if known else "its log is empty"
    raise DataError(str(folder.path), f"no rollout {rollout}", allowed)


class _Fork:
    """One fork: what the parent logged, where it is left, and what is changed."""

    def __init__(self, parent: RunFolder, spec: ForkSpec) -> None:
        if spec.n < 1:
            raise RequestError("n", f"found {spec.n}", "need at least one sample")
        if not spec.interventions and spec.planner is None:
            raise RequestError("fork", "nothing is changed", "need one of --drop, --swap, --mute, --planner")
        self.parent, self.spec = parent, spec
        self.scenario = read_scenario(parent.scenario)
        with watching():
            self.logged = read_logged(parent, spec.rollout)
        self.step = _fork_step(self.logged, spec)
        self.interventions = tuple(
            replace(one, after=self.step) if isinstance(one, Mute) and one.after is None else one
            for one in spec.interventions
        )
        self.before = [event for event in self.logged if event.step <= self.step]
        self._models: dict[str, LanguageModel] = {}

    async def play(self, folder: Path, progress: Progress) -> ForkOutcome:
        """Plays all arms, one after another, with the same models."""
        progress.start(self.spec.n * len(ARMS), 0, 0)
        status, message = "done", ""
        n_failed: dict[str, int] = {}
        parent_calls = CallStore(self.parent.calls)
        earlier: dict[str, tuple[Earlier, ...]] = {"control": ((parent_calls, self._as_in_parent),), "floor": ()}
        try:
            for arm in ARMS:
                before = progress.n_failed
                if arm == "changed":
                    earlier[arm] = ((CallStore(folder / "control" / "calls"), _as_it_is), *earlier["control"])
                await self._play_arm(RunFolder.at(folder / arm), arm, earlier[arm], progress)
                n_failed[arm] = progress.n_failed - before
        except LimitError as error:
            status, message = "limit", str(error)
        finally:
            for model in self._models.values():
                await model.close()
        return ForkOutcome(folder, status, self.spec.n, n_failed, message)

    async def _play_arm(self, folder: RunFolder, arm: str, earlier: Sequence[Earlier], progress: Progress) -> None:
        scenario = self._arm_scenario(arm)
        session = ModelSession(scenario)
        compiled = compile_scenario(
            scenario, lambda name, build, how: session.make(name, self._shared(name, build), how)
        )
        environment, seed = compiled.environment, compiled.seed(self.spec.rollout)
        self._check(compiled)
        changes = self.interventions if arm == "changed" else ()
        edit = edit_events(changes, environment, seed, self.spec.rollout)
        folder.scenario.write_text(dump_scenario(scenario), encoding="utf-8")
        folder.write_json("graph.json", nx.node_link_data(compiled.graph, edges="edges"), indent=None)
        folder.write_json("manifest.json", self._manifest(compiled, session, arm, folder))
        store = EventStore(folder.events)
        session.open(folder.calls, earlier)
        progress.usage = session.usage
        turn = asyncio.Semaphore(scenario.rollouts.concurrency or 8)
        n_failed, status = 0, "running"

        async def play_one(sample: int) -> None:
            nonlocal n_failed
            play = ForkedPlay(environment, seed, self.spec.rollout, sample, edit)

            def commit(events: list[Event]) -> None:
                store.append(sample, events)
                progress.advance(play.status)

            async with turn:
                for events in play.follow(self.before):
                    commit(events)
                await drive(play, compiled.agents, commit, scenario.rollouts.on_failure)
                store.finish(sample)
                progress.finish(play.status)
                n_failed += play.status == "failed"

        try:
            async with asyncio.TaskGroup() as group:
                for sample in range(self.spec.n):
                    group.create_task(play_one(sample))
            status = "done"
        except* LimitError as errors:
            status = "limit"
            raise errors.exceptions[0] from None
        finally:
            n_done = store.next_rollout
            store.close()
            session.close()
            _write_status(folder, status, self.spec.n, n_done, n_failed, session)

    def _check(self, compiled: Compiled) -> None:
        """Checks that the log follows from the rules, that what is changed is there, and that no person is asked."""
        people = [seat for seat, agent in compiled.agents.items() if getattr(agent, "is_human", False)]
        if people:
            raise RequestError("fork", f"seat {people[0]!r} is a person", "only seats that can be asked again fork")
        compiled.play(self.spec.rollout).replay(self.before)
        check_interventions(self.interventions, self.logged, compiled.environment.seats)
        seed = compiled.seed(self.spec.rollout)
        edit = edit_events(self.interventions, compiled.environment, seed, self.spec.rollout)
        if edit is not None:
            for event in self.logged:
                edit(event)  # a fact that cannot be reworded is refused here, before anything is played

    def _arm_scenario(self, arm: str) -> Scenario:
        changes: list[tuple[str, Any]] = [("rollouts.count", self.spec.n), ("rollouts.log", "full")]
        if arm == "changed" and self.spec.planner is not None:
            changes.append(("planner", _planner(self.scenario, self.spec.planner)))
        scenario = check_scenario(make_source(self.scenario, changes))
        check_components(scenario)
        return scenario

    def _shared(self, name: str, build: Callable[[], LanguageModel]) -> Callable[[], LanguageModel]:
        def get() -> LanguageModel:
            if name not in self._models:
                self._models[name] = build()
            return _InParent(self._models[name], self._as_in_parent)

        return get

    def _as_in_parent(self, request: ModelRequest) -> ModelRequest:
        """Returns the request as the parent would make it: samples are numbered like rollouts, the parent is one."""
        return replace(request, key=request.key._replace(rollout=self.spec.rollout))

    def _manifest(self, compiled: Compiled, session: ModelSession, arm: str, folder: RunFolder) -> dict[str, Any]:
        fork = {
            "run": os.path.relpath(self.parent.path, folder.path),
            "name": self.parent.path.name,
            "rollout": self.spec.rollout,
            "at": self.spec.at,
            "step": self.step,
            "log_blake2b": blake2b(encode_step(self.spec.rollout, self.before), digest_size=16).hexdigest(),
            "arm": arm,
            "interventions": [one.to_json() for one in self.interventions] if arm == "changed" else [],
            "planner": dict(self.spec.planner) if arm == "changed" and self.spec.planner is not None else None,
        }
        return {
            "format": 1,
            "name": compiled.scenario.name,
            "seed": compiled.scenario.rollouts.seed,
            "rollouts": self.spec.n,
            "environment": compiled.scenario.environment.kind,
            "log": "full",
            "items_sha256": compiled.items_sha256,
            "models": session.describe(),
            "fork": fork,
            **provenance(),
        }


class _InParent:
    """A model shared by the arms, asked as the parent would ask it."""

    def __init__(self, model: LanguageModel, as_in_parent: Callable[[ModelRequest], ModelRequest]) -> None:
        self._model, self._as_in_parent = model, as_in_parent

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        return self._model.kinds

    async def respond(self, request: ModelRequest) -> ModelResponse:
        return await self._model.respond(self._as_in_parent(request))

    async def close(self) -> None:
        """Does nothing: the fork closes the model when all arms are played."""


def _as_it_is(request: ModelRequest) -> ModelRequest:
    return request


def _fork_step(logged: Sequence[Event], spec: ForkSpec) -> int:
    """Returns the last step in which the seats do what they did."""
    by_index = {event.index: event for event in logged}
    if spec.at is not None:
        if spec.at not in by_index:
            raise RequestError("at", f"no event {spec.at} in rollout {spec.rollout}", f"0 to {len(logged) - 1}")
        step = by_index[spec.at].step
    else:
        step = max((_first_step(one, logged) for one in spec.interventions), default=0)
    if step >= logged[-1].step and logged[-1].kind == ENDED:
        fix = "name an earlier event with --at"
        raise RequestError("at", f"the rollout ends in step {step}; nothing is left to play", fix=fix)
    for one in spec.interventions:
        said = by_index.get(one.message) if isinstance(one, Drop) else None
        if said is not None and said.step > step:
            # Seats that decide anew say other things: what stands in this place then is another event.
            found = f"event {said.index} is of step {said.step}, after the fork (step {step})"
            raise RequestError(
                "drop", found, "a message said by then", "leave the index of --at out, or name a later one"
            )
    return step


def _first_step(one: Intervention, logged: Sequence[Event]) -> int:
    """Returns the step in which what an intervention changes happened; 0 if it changes what comes later."""
    if isinstance(one, Drop):
        steps = [event.step for event in logged if event.index == one.message]
    elif isinstance(one, Swap):
        steps = [event.step for event in logged if event.data.get("fact") == one.fact and event.kind not in SPOKEN]
    else:
        steps = [one.after or 0]
    return min(steps, default=0)


def _planner(scenario: Scenario, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the planner's settings: what is declared of the seat stays, who sits there changes."""
    if scenario.planner.kind == "none":
        raise RequestError("planner", "the parent has none", "only a planner that is there can be replaced")
    declared = [name for name in wanted if name in PlannerSpec.model_fields and name not in _OWN_OF_PLANNER]
    if declared:
        allowed = "kind, model, persona and the parameters of that kind; the rules stay those of the parent"
        raise RequestError("planner", f"found {declared[0]!r}", allowed)
    kept = scenario.planner.model_dump(mode="json", exclude_unset=True, include=set(PlannerSpec.model_fields))
    return {name: value for name, value in kept.items() if name not in _OWN_OF_PLANNER} | dict(wanted)


def _write_status(folder: RunFolder, status: str, n: int, n_done: int, n_failed: int, session: ModelSession) -> None:
    usage = session.usage()
    counts = {"status": "broken" if status == "running" else status, "message": "", "rollouts": n, "done": n_done}
    used = {"calls": usage.calls, "cached": usage.cached, "tokens": usage.tokens}
    usd = usage.usd if usage.usd == usage.usd else None
    folder.write_json("status.json", {**counts, "failed": n_failed, "pid": os.getpid(), **used, "usd": usd})
