"""One Ray cluster for the tests of this folder that want one; never two at a time on a machine."""

from importlib.util import find_spec

import pytest

from tidings.spec.scenario import RunnerSpec


@pytest.fixture(scope="module")
def ray_cluster():
    """A local cluster with four CPUs in Ray's books; runs of this process use it, because it is there."""
    if find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'tidings[ray]'")
    from tidings.runner.ray_seam import connected

    with connected(RunnerSpec(kind="ray", workers=4)):
        yield
