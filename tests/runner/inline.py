"""Runs on the shipped fake of a cluster: `with inline(4) as cluster: tidings.run(...)`."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tidings.runner import execute
from tidings.runner.cluster import InlineCluster
from tidings.runner.dispatch import dispatch_rollouts


@contextmanager
def inline(n_players: int = 2, cluster: InlineCluster | None = None) -> Iterator[InlineCluster]:
    fake = cluster or InlineCluster(n_players)

    @contextmanager
    def chosen(compiled, session):
        yield partial(dispatch_rollouts, fake, compiled, session)
        fake.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execute, "chosen_runner", chosen)
        yield fake
