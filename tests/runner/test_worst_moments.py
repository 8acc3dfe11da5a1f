"""The worst moments of a run: a full disk, a second process, an interrupt in a notebook, a stopped retry."""

import asyncio
import errno
import json
import signal
import threading
from pathlib import Path

import pytest

import tidings
from tidings.core import DataError
from tidings.log.calls import CallStore
from tidings.log.codec import decode_line
from tidings.log.store import EventStore
from tidings.runner.execute import blocking, resume_run
from tidings.runner.folder import RunFolder
from tidings.runner.progress import Progress


def talk(tmp_path: Path, agent: str, rollouts: str, models: str = "{}", more: str = "") -> Path:
    path = tmp_path / "talk.yaml"
    path.write_text(f"""
name: talk
graph: {{kind: complete, n: 2}}
models: {models}
agents: [{{{agent}, count: 2}}]
environment: {{kind: talk, rounds: 2}}
rollouts: {rollouts}
{more}
""")
    return path


def failing(tmp_path: Path) -> Path:
    """Returns a run whose rollouts all failed in their first turn; its seats fail no more."""
    run = tidings.run(
        talk(tmp_path, 'kind: "seats:Drawing", crash: true', "{count: 3, seed: 1}"), out=tmp_path / "runs"
    )
    assert run.status["failed"] == 3
    source = run.path / "scenario.yaml"
    source.write_text(source.read_text().replace("crash: true", "crash: false"))
    return run.path


def test_failed_rollouts_that_wait_for_an_open_one_are_taken_up_again(tmp_path: Path) -> None:
    """An interrupted run: its first rollout is open, two later ones have failed before it."""
    path = failing(tmp_path)
    segment = path / "events/00000000.jsonl"
    lines: dict[int, list[bytes]] = {}
    for raw in segment.read_bytes().splitlines(keepends=True):
        lines.setdefault(decode_line(raw).rollout, []).append(raw)
    first = next(n for n, raw in enumerate(lines[0], 1) if decode_line(raw).commit)
    segment.write_bytes(b"".join(lines[0][:first]))
    for rollout in (1, 2):
        (path / f"events/active/{rollout:08d}.jsonl").write_bytes(b"".join(lines[rollout]))
    outcome = resume_run(path, Progress(), retry_failed=True)
    assert (outcome.status, outcome.n_done, outcome.n_failed) == ("done", 3, 0)
    calm = tidings.run(talk(tmp_path, 'kind: "seats:Drawing"', "{count: 3, seed: 1}"), out=tmp_path / "calm")
    assert segment.read_bytes() == (calm.path / "events/00000000.jsonl").read_bytes()


def test_a_retry_that_was_stopped_and_goes_on_counts_no_failure_that_is_gone(tmp_path: Path) -> None:
    path = failing(tmp_path)
    store = EventStore(path / "events")
    for rollout in range(3):
        store.reopen(rollout)
    store.close()
    outcome = resume_run(path, Progress())
    assert (outcome.n_done, outcome.n_failed) == (3, 0)


def test_a_record_that_cannot_be_written_stops_the_run_and_fails_no_seat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = talk(tmp_path, "kind: llm, model: m", "{count: 2, seed: 1}", "{m: {use: scripted/echo}}")
    calm = tidings.run(path, out=tmp_path / "calm")
    append, n_written = CallStore._append, 0

    def full(self: CallStore, line: bytes) -> int:
        nonlocal n_written
        n_written += 1
        if n_written > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return append(self, line)

    with monkeypatch.context() as patch:
        patch.setattr(CallStore, "_append", full)
        with pytest.raises(DataError, match="the disk is full"):
            tidings.run(path, out=tmp_path / "full")
    folder = RunFolder(next((tmp_path / "full").iterdir()))
    assert folder.read_status()["status"] == "interrupted"
    assert resume_run(folder.path, Progress()).n_failed == 0
    assert (folder.events / "00000000.jsonl").read_bytes() == (calm.path / "events/00000000.jsonl").read_bytes()


def test_resume_beside_a_live_run_changes_nothing_in_its_folder(tmp_path: Path) -> None:
    run = tidings.run(talk(tmp_path, 'kind: "seats:Drawing"', "{count: 1, seed: 1}"), out=tmp_path / "runs")
    before = (run.path / "scenario.yaml").read_bytes()
    with RunFolder(run.path).locked(), pytest.raises(DataError, match="another process"):
        resume_run(run.path, Progress(), changes=["limits.calls=7"])
    assert (run.path / "scenario.yaml").read_bytes() == before


def test_an_interrupt_in_a_notebook_ends_the_run_before_its_lock_is_given_back() -> None:
    is_ended = threading.Event()

    async def work() -> None:
        try:
            threading.Timer(0.2, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)).start()
            await asyncio.sleep(5)
        finally:
            is_ended.set()

    async def cell() -> None:
        with pytest.raises(KeyboardInterrupt):
            blocking(work())

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    loop = asyncio.new_event_loop()  # not `asyncio.run`: like a notebook's, it leaves the signal alone
    try:
        loop.run_until_complete(cell())
    finally:
        loop.close()
        signal.signal(signal.SIGINT, before)
    assert is_ended.is_set()


def test_a_resume_that_fails_before_it_looks_at_the_log_keeps_the_figures(tmp_path: Path) -> None:
    run = tidings.run(talk(tmp_path, 'kind: "seats:Drawing"', "{count: 3, seed: 1}"), out=tmp_path / "runs")
    with pytest.raises(tidings.core.RequestError, match="no Ray cluster"):
        resume_run(run.path, Progress(), changes=["runner.kind=ray", "runner.address=localhost:1"])
    status = json.loads((run.path / "status.json").read_text())
    assert (status["status"], status["rollouts"], status["done"]) == ("broken", 3, 3)
