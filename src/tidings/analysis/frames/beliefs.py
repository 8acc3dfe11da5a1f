"""Frame of stated beliefs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tidings.analysis.frames.frame import ID_COLUMNS, Column, Frame, Rows
from tidings.metrics.beliefs import herd_beliefs

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["BELIEFS"]


def _beliefs(run: Run) -> Rows:
    if run.scenario.environment.kind != "social_learning":
        return
    for rollout, lines in run.rollout_lines():
        for row in herd_beliefs(line.event() for line in lines):
            yield rollout, *(row[name] for name in BELIEFS.columns if name != "rollout")


BELIEFS = Frame(
    "one row for each belief that a seat stated, beside the rational one (social_learning)",
    {
        "rollout": ID_COLUMNS["rollout"],
        "step": ID_COLUMNS["step"],
        "seat": Column(pl.String, "who stated it"),
        "position": Column(pl.Int64, "place in the order of play, from 0"),
        "signal": Column(pl.String, "the private signal: name of the state it points to"),
        "precision": Column(pl.Float64, "P(signal = state)"),
        "belief": Column(pl.Float64, "stated P(second state)"),
        "public": Column(pl.Float64, "rational P(second state) from all actions before; null off complete graphs"),
        "bayes": Column(pl.Float64, "rational P(second state) after the own signal too; null off complete graphs"),
    },
    _beliefs,
)
