"""What a person sees while a run goes on. Quiet when nobody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tidings.models.budget import Usage

__all__ = ["Progress", "live_progress"]


@dataclass
class Progress:
    """Counts what happens; shows nothing.

    Attributes:
        n_rollouts: Rollouts of the run.
        n_done: Rollouts that ended.
        n_failed: Of these, how many failed.
        n_steps: Steps committed by this process.
        usage: Asked for the model usage when it is shown.
        check: Called after every committed step; may raise to stop the run at a cap.
    """

    n_rollouts: int = 0
    n_done: int = 0
    n_failed: int = 0
    n_steps: int = 0
    usage: Callable[[], Usage] = Usage
    check: Callable[[], None] = lambda: None
    started: float = field(default_factory=time.monotonic)

    def start(self, n_rollouts: int, n_done: int, n_failed: int) -> None:
        """Begins, with what an earlier process already did."""
        self.n_rollouts, self.n_done, self.n_failed = n_rollouts, n_done, n_failed

    def advance(self, status: str, n_steps: int = 1) -> None:
        """Counts committed steps of a rollout; `status` is that of the rollout after them.

        Raises:
            LimitError: If the cap on time is reached.
        """
        self.n_steps += n_steps
        if status == "running":
            self.check()

    def finish(self, status: str) -> None:
        """Counts an ended rollout."""
        self.n_done += 1
        self.n_failed += status == "failed"

    def stop(self) -> None:
        """Ends the display."""


class LiveProgress(Progress):
    """A bar with rate, tokens, cost and time left, redrawn at most ten times a second."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = RichProgress(
            *columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True), transient=True
        )
        self._task = self._bar.add_task("rollouts", total=None, note="")
        self._shown = 0.0

    def start(self, n_rollouts: int, n_done: int, n_failed: int) -> None:
        super().start(n_rollouts, n_done, n_failed)
        self._bar.update(self._task, total=n_rollouts, completed=n_done)
        self._bar.start()

    def advance(self, status: str, n_steps: int = 1) -> None:
        super().advance(status, n_steps)
        now = time.monotonic()
        if now - self._shown > 0.1:
            self._show(now)

    def stop(self) -> None:
        self._show(time.monotonic())
        self._bar.stop()

    def _show(self, now: float) -> None:
        self._shown = now
        usage = self.usage()
        parts = [f"{self.n_steps / max(now - self.started, 1e-9):.3g} steps/s"]
        if usage.calls or usage.cached:
            parts.append(f"{usage.calls} calls, {usage.tokens} tokens")
            parts += [f"${usage.usd:.4f}"] if usage.usd == usage.usd and usage.usd > 0 else []
        parts += [f"{self.n_failed} failed"] if self.n_failed else []
        self._bar.update(self._task, completed=self.n_done, note=" · ".join(parts))


def live_progress(*, quiet: bool = False) -> Progress:
    """Returns a bar if standard error is a terminal, else a silent counter."""
    return LiveProgress() if not quiet and sys.stderr.isatty() else Progress()
