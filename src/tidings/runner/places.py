"""Where the rollouts of a scenario run: in this process, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from tidings.log.store import EventStore
from tidings.models.session import ModelSession
from tidings.runner.dispatch import dispatch_rollouts
from tidings.runner.local import run_rollouts
from tidings.runner.progress import Progress
from tidings.simulation.compile import Compiled

__all__ = ["RunRollouts", "chosen_runner"]

RunRollouts = Callable[[EventStore, Iterable[int], int, Progress], Awaitable[None]]
"""(log, rollouts, rollouts at the same time in one process, progress)"""


@contextmanager
def chosen_runner(compiled: Compiled, session: ModelSession) -> Iterator[RunRollouts]:
    """Gives what plays rollouts where the scenario says; what it started is ended with it.

    Raises:
        RequestError: If there is no such place.
    """
    scenario = compiled.scenario
    if scenario.runner.kind == "local":
        yield partial(run_rollouts, compiled)
        return
    from tidings.runner.ray_seam import RayCluster, connected

    n_local_models = sum(getattr(guard.model, "runs_in_engine", False) for guard in session.guards.values())
    with connected(scenario.runner, n_local_models):
        cluster = RayCluster(scenario.runner, n_local_models)
        try:
            yield partial(dispatch_rollouts, cluster, compiled, session, process=cluster.process)
        finally:
            cluster.close()
