"""From a scenario to a finished run folder, and from an unfinished folder to a finished one."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import networkx as nx
import numpy as np
import polars as pl

from tidings.core import DataError, LimitError, ScenarioError
from tidings.log.reader import failed_rollouts
from tidings.log.store import EventStore
from tidings.models.session import ModelSession
from tidings.runner.folder import RunFolder, provenance, write_atomically
from tidings.runner.places import RunRollouts, chosen_runner
from tidings.runner.progress import Progress
from tidings.runner.twin import has_twin, twin_rows
from tidings.simulation.compile import Compiled, compile_scenario
from tidings.simulation.vectorised import HerdPlan, plan_herds
from tidings.spec.io import dump_scenario, read_scenario
from tidings.spec.scenario import Scenario

__all__ = ["SUMMARY_FROM", "Outcome", "blocking", "resume_run", "start_run"]

SUMMARY_FROM = 1_000
"""With `rollouts.log: auto`, from so many rollouts on a run whose seats are all rational logs one row a rollout."""

_BLOCK = 100_000

_STATUS_EVERY_S = 2.0

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_CHANGEABLE = ("rollouts.count", "rollouts.concurrency")

_REACH = frozenset(
    {"api_key_env", "base_url", "concurrency", "price_in", "price_out", "retries", "rpm", "timeout_s", "tpm"}
)
"""Settings of a model that change how it is reached, not what it says."""

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        folder: Its folder.
        status: `done`, `limit` (a cap was reached), or `interrupted`.
        n_rollouts: Rollouts asked for.
        n_done: Rollouts that ended.
        n_failed: Of these, how many failed.
        message: What stopped the run early, in words.
    """

    folder: Path
    status: str
    n_rollouts: int
    n_done: int
    n_failed: int
    message: str = ""


def start_run(scenario: Scenario, out: Path, progress: Progress, *, is_exact: bool = False) -> Outcome:
    """Makes a run folder for the scenario and plays it.

    Args:
        scenario: What to play.
        out: Where the folder goes, or with `is_exact` the folder itself.
        progress: What to tell.
        is_exact: Whether `out` names the folder.

    Raises:
        RequestError: If the scenario cannot be built; no folder is left behind.
    """
    session = ModelSession(scenario)
    compiled = compile_scenario(scenario, session.make)
    plan = _summary_plan(compiled)
    folder = RunFolder.at(out) if is_exact else RunFolder.create(out, scenario.name)
    folder.scenario.write_text(dump_scenario(scenario), encoding="utf-8")
    folder.write_json("graph.json", nx.node_link_data(compiled.graph, edges="edges"), indent=None)
    folder.write_json("manifest.json", _manifest(compiled, plan, session))
    return _execute(folder, compiled, plan, session, progress)


def resume_run(path: Path, progress: Progress, *, changes: Iterable[str] = (), retry_failed: bool = False) -> Outcome:
    """Goes on with a run where its log ends.

    Args:
        path: The run folder.
        progress: What to tell.
        changes: `path=value` texts; only limits, the runner, the number of rollouts and how models are reached.
        retry_failed: Whether to take failed rollouts up again, from the step in which they failed.

    Raises:
        DataError: If there is no such run, or its log does not follow from its scenario.
        ScenarioError: If a change would make it another run.
    """
    folder = RunFolder.open(path)
    folder.refuse_fork("resumed")
    scenario = _changed(folder, tuple(changes))
    session = ModelSession(scenario, float(folder.read_json("status.json").get("elapsed_s", 0.0)))
    compiled = compile_scenario(scenario, session.make)
    _check_items(folder, compiled)
    plan = _logged_plan(folder, compiled)
    return _execute(folder, compiled, plan, session, progress, retry_failed=retry_failed, is_changed=bool(changes))


def _changed(folder: RunFolder, changes: tuple[str, ...]) -> Scenario:
    """Returns the scenario of a run with changes that do not make it another run."""
    for change in changes:
        name = change.partition("=")[0].strip()
        parts = name.split(".")
        is_model = len(parts) == 3 and parts[0] == "models" and parts[2] in _REACH
        if parts[0] not in ("limits", "runner") and name not in _CHANGEABLE and not is_model:
            allowed = f"limits.*, runner.*, {', '.join(_CHANGEABLE)}, models.*.({'|'.join(sorted(_REACH))})"
            raise ScenarioError(name, "cannot change in a run that has begun", f"allowed: {allowed}", "start a new run")
    scenario = read_scenario(folder.scenario, changes)
    before = int(folder.read_json("manifest.json").get("rollouts", 0))
    if scenario.rollouts.count < before:
        raise ScenarioError("rollouts.count", f"found {scenario.rollouts.count}", f"at least {before}, as begun")
    return scenario


def _execute(
    folder: RunFolder,
    compiled: Compiled,
    plan: HerdPlan | None,
    session: ModelSession,
    progress: Progress,
    *,
    retry_failed: bool = False,
    is_changed: bool = False,
) -> Outcome:
    status, message = "done", ""
    with folder.locked(), _rare_collection():
        if is_changed:  # only now: the folder may have been that of a run that goes on
            write_atomically(folder.scenario, dump_scenario(compiled.scenario))
        progress.usage = session.usage
        try:
            if plan is not None:
                _run_summary(folder, plan, progress)
            else:
                with chosen_runner(compiled, session) as run_rollouts:
                    blocking(_run_logged(folder, compiled, session, progress, run_rollouts, retry_failed=retry_failed))
        except LimitError as error:
            status, message = "limit", str(error)
        except KeyboardInterrupt:
            status, message = "interrupted", "interrupted"
        except BaseException as error:
            is_full = isinstance(error, OSError) and error.errno in _NO_ROOM
            with suppress(OSError):  # a full disk may leave no room for this either; `running` then reads `interrupted`
                words = f"{type(error).__name__}: {error}"
                _write_status(folder, "interrupted" if is_full else "broken", words, progress, session)
            if is_full:
                fix = f"make room, then: tidings resume {folder.path}"
                raise DataError(str(folder.path), f"the disk is full ({error})", fix=fix) from None
            raise
        finally:
            progress.stop()
        _write_status(folder, status, message, progress, session)
    counts = (progress.n_rollouts, progress.n_done, progress.n_failed)
    return Outcome(folder.path, status, *counts, message)


async def _run_logged(
    folder: RunFolder,
    compiled: Compiled,
    session: ModelSession,
    progress: Progress,
    run_rollouts: RunRollouts,
    *,
    retry_failed: bool,
) -> None:
    """Plays what is missing, step by step, with the full event log."""
    store = EventStore(folder.events)
    failed = failed_rollouts(folder.events)
    for rollout in failed if retry_failed else ():
        store.reopen(rollout)
    session.open(folder.calls)
    try:
        n = compiled.scenario.rollouts.count
        n_done = sum(store.is_finished(rollout) for rollout in range(n))
        progress.check = _checks(folder, progress, session)
        progress.start(n, n_done, sum(map(store.is_finished, failed)))  # those taken up again may yet end well
        _write_status(folder, "running", "", progress, session)
        missing = (rollout for rollout in range(n) if not store.is_finished(rollout))
        await run_rollouts(store, missing, _concurrency(compiled), progress)
        if has_twin(compiled.scenario):
            rows = await twin_rows(compiled.scenario, range(n))
            rows.write_parquet(folder.path / "twin.parquet")
    finally:
        store.close()
        await compiled.close()
        session.close()


def _checks(folder: RunFolder, progress: Progress, session: ModelSession) -> Callable[[], None]:
    """Returns what is looked at after every step: the cap on time, and now and then the figures others may read."""
    written = time.monotonic()

    def check() -> None:
        nonlocal written
        session.budget.check_time()
        if (now := time.monotonic()) - written > _STATUS_EVERY_S:
            written = now
            _write_status(folder, "running", "", progress, session)

    return check


def _run_summary(folder: RunFolder, plan: HerdPlan, progress: Progress) -> None:
    """Plays what is missing as arrays, one row a rollout, in blocks."""
    folder.summary.mkdir(exist_ok=True)
    n = plan.compiled.scenario.rollouts.count
    progress.start(n, 0, 0)
    for first in range(0, n, _BLOCK):
        rollouts = np.arange(first, min(first + _BLOCK, n))
        path = folder.summary / f"{first:012d}.parquet"
        if not path.exists() or len(pl.read_parquet(path, columns=["rollout"])) < len(rollouts):
            temporary = path.with_suffix(".tmp")
            plan.rows(rollouts).write_parquet(temporary)
            os.replace(temporary, path)
        progress.n_done += len(rollouts)


def _summary_plan(compiled: Compiled) -> HerdPlan | None:
    """Returns the fast plan if the scenario allows it and its log setting wants summaries."""
    rollouts = compiled.scenario.rollouts
    if rollouts.log == "full" or (rollouts.log == "auto" and rollouts.count < SUMMARY_FROM):
        return None
    plan = plan_herds(compiled)
    if plan is None and rollouts.log == "summary":
        allowed = "only rational seats on a complete graph have a summary log"
        raise ScenarioError("rollouts.log", "found 'summary'", allowed, "use log: full")
    return plan


def _check_items(folder: RunFolder, compiled: Compiled) -> None:
    manifest, environment = folder.read_json("manifest.json"), compiled.scenario.environment
    for what, verb, file, sha256 in (
        ("items", "have", environment.items, compiled.items_sha256),
        ("archive", "has", environment.archive, compiled.archive_sha256),
    ):
        if manifest.get(f"{what}_sha256") != sha256:
            found, allowed = f"the {what} {verb} changed since the run began", "the file as it was, byte for byte"
            raise DataError(str(file), found, allowed, "restore it, or start a new run")


def _logged_plan(folder: RunFolder, compiled: Compiled) -> HerdPlan | None:
    """Returns the plan that a run was begun with."""
    if folder.read_json("manifest.json").get("log") != "summary":
        return None
    plan = plan_herds(compiled)
    if plan is None:
        raise DataError(str(folder.path), "its rows came from rational seats, its scenario no longer does")
    return plan


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Lets the garbage collector look less often: a run keeps its events, and looking at them again finds nothing."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _concurrency(compiled: Compiled) -> int:
    asked = compiled.scenario.rollouts.concurrency
    return asked or (8 if compiled.models else 1)


def _manifest(compiled: Compiled, plan: HerdPlan | None, session: ModelSession) -> dict[str, Any]:
    scenario = compiled.scenario
    return {
        "format": 1,
        "name": scenario.name,
        "seed": scenario.rollouts.seed,
        "rollouts": scenario.rollouts.count,
        "environment": scenario.environment.kind,
        "log": "full" if plan is None else "summary",
        "items_sha256": compiled.items_sha256,
        "archive_sha256": compiled.archive_sha256,
        "models": session.describe(),
        **provenance(),
    }


def _write_status(folder: RunFolder, status: str, message: str, progress: Progress, session: ModelSession) -> None:
    usage = session.usage()
    figures = {
        "rollouts": progress.n_rollouts,
        "done": progress.n_done,
        "failed": progress.n_failed,
        "calls": usage.calls,
        "cached": usage.cached,
        "tokens": usage.tokens,
        "usd": usage.usd if usage.usd == usage.usd else None,
    }
    if not progress.n_rollouts:  # the log was not looked at: what an earlier process found in it still holds
        before = folder.read_json("status.json")
        figures |= {name: before[name] for name in figures if name in before}
    now = {"pid": os.getpid(), "elapsed_s": round(session.budget.elapsed_s, 3)}
    folder.write_json("status.json", {"status": status, "message": message, **figures, **now})


def blocking(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end, also inside a notebook, where a loop is already running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    box: list[Any] = []
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
    is_interrupted, is_over = threading.Event(), threading.Event()

    async def begin() -> T:
        task = asyncio.current_task()
        assert task is not None
        begun.append((asyncio.get_running_loop(), task))
        if is_interrupted.is_set():
            task.cancel()
        return await work

    def run() -> None:
        try:
            box.append((asyncio.run(begin()), None))
        except BaseException as error:
            box.append((None, error))
        finally:
            is_over.set()

    threading.Thread(target=run, name="tidings-run").start()
    while not is_over.is_set():
        try:
            is_over.wait()  # not `join`: after an interrupt it takes the thread for ended
        except KeyboardInterrupt:  # it comes to this thread; the work may not go on when its caller has
            is_interrupted.set()
            for loop, task in begun:
                with suppress(RuntimeError):  # the loop has just ended
                    loop.call_soon_threadsafe(task.cancel)
    if is_interrupted.is_set():
        raise KeyboardInterrupt
    result, error = box[0]
    if error is not None:
        raise error
    return result
