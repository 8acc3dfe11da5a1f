"""`tidings run --runner ray` as a person types it: interrupts, kill -9 of the command, a full disk, clean ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from test_dispatch import answered, event_bytes, with_model, write

import tidings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_alone")]

SUPPORT = Path(__file__).parents[1] / "support"
MAIN = [sys.executable, "-c", "from tidings.cli.main import main; main()"]
RAY = ["--runner", "ray", "--set", "runner.workers=2"]


def environment() -> dict[str, str]:
    paths = [str(SUPPORT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def start(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MAIN, *map(str, words)], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def command(*words: object) -> tuple[int, str, str]:
    with start(*words) as process:
        try:
            out, err = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return process.returncode, out, err


def ray_processes(*, with_agents: bool = True) -> set[int]:
    """Every process of Ray on this machine; its two agents outlive a killed head by about a minute."""
    words = ("ray::", "/ray/core/", "ray/_private", "ray/dashboard")
    words = words if with_agents else ("ray::Player", "/ray/core/", "ray::IDLE")
    found = set()
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or ())
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(word in line for word in words):
            found.add(process.pid)
    return found


def assert_all_gone(before: set[int], *, with_agents: bool = True) -> None:
    ends = time.monotonic() + 30
    while left := ray_processes(with_agents=with_agents) - before:
        assert time.monotonic() < ends, [psutil.Process(pid).cmdline() for pid in left if psutil.pid_exists(pid)]
        time.sleep(0.2)


def wait_for_steps(process: subprocess.Popen[str], run: Path, n_bytes: int) -> None:
    ends = time.monotonic() + 90
    while sum(path.stat().st_size for path in run.rglob("*.jsonl") if "events" in path.parts) < n_bytes:
        assert process.poll() is None, "the command ended at once"
        assert time.monotonic() < ends, "nothing was written"
        time.sleep(0.05)


def slow_scenario(folder: Path, count: int = 40) -> Path:
    path = with_model(folder, count=count)
    path.write_text(path.read_text().replace("latency_s: [0.0, 0.004]", "latency_s: [0.0, 0.4]"))
    return path


def test_a_run_by_command_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    before, folders = ray_processes(), set(Path("/tmp").glob("tidings-ray-*"))
    calm = tidings.run(write(tmp_path), out=tmp_path / "local")
    status, out, err = command("run", write(tmp_path), "--out", tmp_path / "runs", "--json", *RAY)
    assert status == 0, err
    assert json.loads(out)["done"] == 12
    assert_all_gone(before)
    assert set(Path("/tmp").glob("tidings-ray-*")) <= folders
    assert event_bytes(tmp_path / "runs" / "drawn-001") == event_bytes(calm.path)


def test_kill_9_of_the_command_then_resume(tmp_path: Path) -> None:
    """What was written before the kill is still there, begins the end result, and no call is paid twice."""
    before = ray_processes()
    calm = tidings.run(with_model(tmp_path, count=40), out=tmp_path / "local")
    process = start("run", slow_scenario(tmp_path), "--out", tmp_path / "runs", *RAY)
    run = tmp_path / "runs" / "drawn-001"
    wait_for_steps(process, run, 4000)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert tidings.load_run(run).status["status"] == "interrupted"
    assert_all_gone(before, with_agents=False)
    kept, paid = b"".join(p.read_bytes() for p in sorted((run / "events").glob("0*.jsonl"))), answered(run)
    status, _, err = command("resume", run)
    assert status == 0, err
    assert event_bytes(run) == event_bytes(calm.path)
    assert event_bytes(run).startswith(kept[: kept.rfind(b"\n") + 1])
    assert paid
    assert answered(run) == answered(calm.path)


def test_control_c_ends_cleanly(tmp_path: Path) -> None:
    before = ray_processes()
    process = start("run", slow_scenario(tmp_path, 100), "--out", tmp_path / "runs", *RAY)
    run = tmp_path / "runs" / "drawn-001"
    wait_for_steps(process, run, 4000)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert f"tidings resume {run}" in out
    assert json.loads((run / "status.json").read_text())["status"] == "interrupted"
    assert_all_gone(before)


def test_a_cap_is_a_clean_stop_and_can_be_raised(tmp_path: Path) -> None:
    calm = tidings.run(with_model(tmp_path), out=tmp_path / "local")
    capped = with_model(tmp_path, more="limits: {calls: 20}\nrunner: {kind: ray, workers: 2}")
    status, out, _ = command("run", capped, "--out", tmp_path / "runs")
    run = tmp_path / "runs" / "drawn-001"
    assert status == 1
    assert "limits.calls: the cap of 20 is reached" in out.replace("\n", " ")
    assert len(answered(run)) == 20
    status, _, err = command("resume", run, "--set", "limits.calls=500")
    assert status == 0, err
    assert event_bytes(run) == event_bytes(calm.path)
    assert answered(run) == answered(calm.path)


@pytest.mark.parametrize("kind", ["local", "ray"])
def test_a_full_disk_ends_in_one_line_and_the_run_goes_on_elsewhere(tmp_path: Path, kind: str) -> None:
    """On a file system of 200 KiB, in a mount namespace of its own."""
    small = tmp_path / "small"
    small.mkdir()
    mount = f"mount -t tmpfs -o size=200k small {small}"
    if subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    path = write(tmp_path, count=60)
    calm = tidings.run(path, out=tmp_path / "local")
    words = [*MAIN, "run", str(path), "--out", str(small), "--runner", kind, "--set", "runner.workers=2"]
    script = f'{mount} && "$@"; status=$?; cp -a {small}/. {tmp_path}/kept; exit $status'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *words], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("tidings: ")]
    assert len(said) == 1
    assert "the disk is full" in said[0]
    assert "Traceback" not in done.stderr
    run = tmp_path / "kept" / "drawn-001"
    status = tidings.load_run(run).status
    assert status["status"] == "interrupted"
    assert 0 < status["done"] < 60
    status, _, err = command("resume", run, "--set", "runner.kind=local")
    assert status == 0, err
    assert event_bytes(run) == event_bytes(calm.path)


def test_an_address_without_a_cluster_is_one_line(tmp_path: Path) -> None:
    for address, words in (("ray://127.0.0.1:1", "has to be a node of the cluster"), ("127.0.0.1:1", "no Ray cluster")):
        status, _, err = command(
            "run", write(tmp_path), "--out", tmp_path / "runs", *RAY, "--set", f"runner.address='{address}'"
        )
        assert status == 2, err
        assert words in err
        assert "Traceback" not in err
