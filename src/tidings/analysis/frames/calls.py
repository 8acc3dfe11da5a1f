"""Frame of the recorded model calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tidings.analysis.frames.frame import ID_COLUMNS, Column, Frame
from tidings.log.calls import CallStore

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["CALLS"]


def _calls(run: Run) -> pl.DataFrame:
    return CallStore.frame(run.path / "calls")


CALLS = Frame(
    "one row for each recorded model call, without its texts; empty if no model was asked",
    {
        "rollout": ID_COLUMNS["rollout"],
        "step": ID_COLUMNS["step"],
        "seat": Column(pl.String, "the seat that asked"),
        "draw": Column(pl.Int64, "number of the call within the seat's turn, from 0"),
        "model": Column(pl.String, "model that was asked"),
        "kind": Column(pl.String, "kind of request"),
        "status": Column(pl.String, "`answered`, or the kind of the error"),
        "finish": Column(pl.String, "why the answer ended; null without an answer"),
        "tokens_in": Column(pl.Int64, "prompt tokens"),
        "tokens_out": Column(pl.Int64, "answer tokens"),
        "cost_usd": Column(pl.Float64, "price in US dollars; NaN if a price is not known"),
        "latency_s": Column(pl.Float64, "seconds from asking to the end, waiting and retries included"),
        "attempts": Column(pl.Int64, "attempts made"),
        "started": Column(pl.Float64, "wall-clock time of the start, seconds since 1970"),
        "id": Column(pl.String, "digest of model and request"),
    },
    _calls,
    needs_events=False,
)
