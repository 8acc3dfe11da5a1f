"""Players and engines as Ray actors. The only place that imports ray.

The driver owns every object: parcels are the items of streaming generators, which Ray holds back while the driver has
not taken the last ones, and which it cancels when a batch is given up. Players are not restarted by Ray: their state is
lost with them, and the dispatcher knows better what is left. Engines keep nothing between requests, so Ray restarts
them, on another node if need be, and repeats what they had not answered.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tidings.core import MissingPartError, ModelRequest, ModelResponse, RequestError, ScenarioError
from tidings.runner.cluster import LostError
from tidings.runner.folder import is_alive
from tidings.runner.parcels import Batch, EngineJob, Order, Parcel, PlayerJob, ProcessSettings
from tidings.runner.player import OWN_SETTINGS, Engine, Player
from tidings.spec.scenario import RunnerSpec

__all__ = ["RayCluster", "connected"]

_PARCELS_AHEAD = 4
"""Parcels of a batch that may be under way before the player is held back."""

_ENGINE_RETRIES = 3
_REACH_S = 5.0
_OBJECT_STORE_BYTES = 256 * 1024 * 1024


@contextmanager
def connected(spec: RunnerSpec, n_local_models: int = 0) -> Iterator[None]:
    """Connects this process to Ray, unless it is already; what was started here is shut down at the end.

    Args:
        spec: Address and needs.
        n_local_models: Local models that engines will hold.

    Raises:
        MissingPartError: If ray is not installed.
        RequestError: If the address cannot be reached.
    """
    if find_spec("ray") is None:
        raise MissingPartError("runner.kind: ray", "ray is not installed", fix="pip install 'tidings[ray]'")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        yield
        return
    with _kept_signals(), _short_folder() as folder:
        if spec.address is None:
            _start(spec, n_local_models, folder)
        else:
            _connect(spec.address)
        try:
            yield
        finally:
            ray.shutdown()


def _start(spec: RunnerSpec, n_local_models: int, folder: str) -> None:
    # Ray gives its workers niceness 15, and beside other programs of the machine they starve: thirty times less CPU.
    os.environ.setdefault("RAY_worker_niceness", "0")
    import ray

    n_cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Whoever asks for more workers than there are cores gets them: what counts as one CPU is for Ray's books only.
    wanted = (spec.workers or 1) * (spec.num_cpus or 1.0) + n_local_models * (spec.engines or 1)
    ray.init(
        address="local",
        num_cpus=max(n_cpus, int(-(-wanted // 1))),
        include_dashboard=False,
        object_store_memory=_OBJECT_STORE_BYTES,
        logging_level=logging.ERROR,
        _temp_dir=folder,
    )


def _connect(address: str) -> None:
    import ray

    if address.startswith("ray://"):
        fix = "run the command on a node of the cluster, with runner.address: auto or host:port"
        raise RequestError("runner.address", f"found {address!r}", "the writer has to be a node of the cluster", fix)
    try:
        if address not in ("auto", "local"):  # Ray itself tries for minutes
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), _REACH_S).close()
        ray.init(address=address, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        found = f"no Ray cluster at {address!r} ({str(error).splitlines()[0][:200]})"
        raise RequestError("runner.address", found, fix="start one with `ray start --head`, or leave it out") from None


@contextmanager
def _kept_signals() -> Iterator[None]:
    """Puts the handlers back that Ray replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _short_folder() -> Iterator[str]:
    """Makes a folder for Ray's sockets, whose paths may not be long, and its logs."""
    parent = "/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()
    for old in Path(parent).glob("tidings-ray-*-*"):  # of commands that were killed
        pid = old.name.split("-")[2]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"tidings-ray-{os.getpid()}-", dir=parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class RayCluster:
    """Players and engines on the Ray cluster that this process is connected to."""

    def __init__(self, spec: RunnerSpec, n_local_models: int = 0) -> None:
        """Works out how many players and engines there is room for.

        Args:
            spec: Needs.
            n_local_models: Local models that engines will hold.

        Raises:
            ScenarioError: If the cluster has too few CPUs or GPUs for a single one.
        """
        import ray

        resources = ray.cluster_resources()
        cpus, gpus = resources.get("CPU", 0.0), resources.get("GPU", 0.0)
        self._cpus = spec.num_cpus or 1.0
        self._gpus = spec.num_gpus if spec.num_gpus is not None else min(1.0, gpus)
        if n_local_models and self._gpus > gpus:
            raise ScenarioError("runner.num_gpus", f"found {self._gpus:g}", f"the cluster has {gpus:g} GPUs")
        largest = max((node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]), default=0.0)
        if self._cpus > largest:
            raise ScenarioError("runner.num_cpus", f"found {self._cpus:g}", f"the largest node has {largest:g} CPUs")
        fitting = int(gpus // self._gpus // n_local_models) if n_local_models and self._gpus else 1
        self.n_engines = spec.engines or max(1, fitting)
        self.n_players = spec.workers or max(1, int((cpus - self.n_engines * n_local_models) // self._cpus))
        self._actors: list[Any] = []

    @property
    def process(self) -> ProcessSettings:
        """What processes on the cluster take over from this one."""
        own = {name: value for name, value in os.environ.items() if name.startswith(OWN_SETTINGS)}
        return ProcessSettings(tuple(os.path.abspath(path or ".") for path in sys.path), own)

    def start_player(self, job: PlayerJob) -> _RayPlayer:
        """Starts a player; players are spread over the nodes."""
        import ray

        actor = ray.remote(Player).options(  # pyright: ignore[reportAttributeAccessIssue]
            num_cpus=self._cpus, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )
        self._actors.append(actor.remote(job))
        return _RayPlayer(self._actors[-1])

    def start_engine(self, job: EngineJob) -> _RayEngine:
        """Starts an engine, with its share of a GPU if there are any."""
        import ray

        actor = ray.remote(Engine).options(  # pyright: ignore[reportAttributeAccessIssue]
            num_cpus=1, num_gpus=self._gpus, max_restarts=-1, max_task_retries=_ENGINE_RETRIES
        )
        self._actors.append(actor.remote(job))
        return _RayEngine(self._actors[-1])

    def close(self) -> None:
        """Ends all players and engines."""
        for actor in self._actors:
            _kill(actor)
        self._actors.clear()


def _kill(actor: Any) -> None:
    import ray

    with suppress(Exception):
        ray.kill(actor)


class _RayPlayer:
    """A player in an actor."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    async def ready(self) -> Exception | None:
        with _losses():
            return await self._actor.ready.remote()

    async def play(self, batch: Batch) -> AsyncIterator[Parcel]:
        import ray

        how = {"num_returns": "streaming", "_generator_backpressure_num_objects": _PARCELS_AHEAD}
        stream = self._actor.play.options(**how).remote(batch)
        is_ended = False
        try:
            with _losses():
                async for reference in stream:
                    yield await reference
            is_ended = True
        finally:
            if not is_ended:
                with suppress(Exception):
                    ray.cancel(stream)

    def hear(self, orders: Sequence[Order]) -> None:
        self._actor.hear.remote(orders)

    def kill(self) -> None:
        _kill(self._actor)


class _RayEngine:
    """An engine in an actor."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    async def respond(self, request: ModelRequest) -> ModelResponse | Exception:
        with _losses():
            return await self._actor.respond.remote(request)

    def kill(self) -> None:
        _kill(self._actor)


@contextmanager
def _losses() -> Iterator[None]:
    """Turns Ray's ways to say that a process, a node or an object is gone into one."""
    from ray.exceptions import RayError, RayTaskError, TaskCancelledError

    try:
        yield
    except (RayTaskError, TaskCancelledError):
        raise
    except RayError as error:
        raise LostError(str(error).splitlines()[0]) from error
