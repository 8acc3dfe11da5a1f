"""A node that leaves a cluster of several takes its workers with it, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_dispatch import answered, event_bytes, with_model

import tidings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_alone")]

HERE, SUPPORT = Path(__file__).parent, Path(__file__).parents[1] / "support"
ALONE = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def test_a_node_that_leaves_in_the_middle_of_a_run(tmp_path: Path) -> None:
    if subprocess.run([*ALONE, "true"], capture_output=True).returncode:
        pytest.skip("several nodes on one machine need a network of their own: unshare -n (root) and ip")
    calm = tidings.run(with_model(tmp_path, count=60), out=tmp_path / "local")
    slow = with_model(tmp_path, count=60)
    slow.write_text(slow.read_text().replace("latency_s: [0.0, 0.004]", "latency_s: [0.0, 0.5]"))
    paths = [str(SUPPORT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    done = subprocess.run(
        [*ALONE, sys.executable, str(HERE / "leaving_node.py"), str(slow), str(tmp_path / "ray")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert (said["n_left"], said["n_alive"]) == (1, 2)
    assert (said["status"]["status"], said["status"]["done"], said["status"]["failed"]) == ("done", 60, 0)
    run = Path(said["folder"])
    assert event_bytes(run) == event_bytes(calm.path)
    assert answered(run) == answered(calm.path)
