"""The processes that Ray started on this machine, found by their names, and killed without a warning."""

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


def find(name: str, below: int | None = None) -> list[int]:
    """Ids of living actor processes of a class (`Player`, `Engine`) below a process, this one by default."""
    found = []
    for process in psutil.Process(below).children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE and f"ray::{name}" in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def kill_one(name: str, chance: random.Random) -> bool:
    """Kills one of them with signal 9; returns whether there was one."""
    if not (alive := find(name)):
        return False
    os.kill(chance.choice(alive), signal.SIGKILL)
    return True


def log_size(folder: Path) -> int:
    """Returns how many bytes of events stand below a folder, 0 if there are none yet."""
    size = 0
    for path in folder.rglob("events/**/*.jsonl"):
        with suppress(FileNotFoundError):  # renamed meanwhile
            size += path.stat().st_size
    return size


@contextmanager
def every(seconds: float, act: Callable[[], bool], folder: Path) -> Iterator[list[bool]]:
    """Does something every so many seconds while the block runs; gives what it returned each time.

    Not before the logs below the folder have grown since the last time: where a worker takes longer to start than the
    time between two blows, as on a machine that is busy with other tests, nothing could ever be finished.
    """
    done: list[bool] = []
    is_over = threading.Event()

    def work() -> None:
        size = 0
        while not is_over.wait(seconds):
            if (now := log_size(folder)) > size:
                size = now
                done.append(act())

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        is_over.set()
        thread.join()
