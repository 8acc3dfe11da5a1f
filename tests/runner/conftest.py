"""One Ray cluster for the tests of this folder that want one; never two at a time on a machine."""

import fcntl
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from tidings.spec.scenario import RunnerSpec

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(autouse=True)
def _seats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))


@pytest.fixture(scope="module")
def ray_alone():
    """Waits until no other test on this machine has a cluster."""
    if find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'tidings[ray]'")
    with (Path(tempfile.gettempdir()) / "tidings-tests-ray.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def ray_cluster(ray_alone):
    """A local cluster with five CPUs in Ray's books; runs of this process use it, because it is there."""
    from tidings.runner.ray_seam import connected

    with connected(RunnerSpec(kind="ray", workers=5)):
        yield
