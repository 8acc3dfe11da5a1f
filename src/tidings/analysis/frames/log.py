"""Frames read straight off the event log: events, turns, messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from tidings.analysis.frames.frame import ID_COLUMNS, Column, Frame, Rows

if TYPE_CHECKING:
    from tidings.analysis.run import Run

__all__ = ["EVENTS", "MESSAGES", "TURNS"]

_ROLLOUT, _STEP, _INDEX, _SEAT = (ID_COLUMNS[name] for name in ("rollout", "step", "index", "seat"))


def _events(run: Run) -> Rows:
    for e in run.lines():
        yield e.rollout, e.step, e.index, e.kind, e.seat, list(e.audience), json.dumps(e.data)


def _turns(run: Run) -> Rows:
    for e in run.lines():
        if e.kind == "reply":
            yield e.rollout, e.step, e.seat, json.dumps(e.data["action"]), None, None
        elif e.kind == "failure":
            yield e.rollout, e.step, e.seat, None, f"{e.data['boundary']}/{e.data['error']}", e.data["message"]


def _messages(run: Run) -> Rows:
    for e in run.lines():
        if e.kind in ("message", "action"):
            text = str(e.data.get("text", e.data.get("action", "")))
            yield e.rollout, e.step, e.index, e.seat, [s for s in e.audience if s != e.seat], e.kind, text


EVENTS = Frame(
    "one row for each committed event",
    {
        "rollout": _ROLLOUT,
        "step": _STEP,
        "index": _INDEX,
        "kind": Column(pl.String, "what happened"),
        "seat": _SEAT,
        "audience": Column(pl.List(pl.String), "seats that may know of it; `*`: all agents, empty: nobody"),
        "data": Column(pl.String, "the event's own fields as JSON text"),
    },
    _events,
)

TURNS = Frame(
    "one row for each reply or failure of a seat",
    {
        "rollout": _ROLLOUT,
        "step": _STEP,
        "seat": Column(pl.String, "the seat that was asked"),
        "action": Column(pl.String, "its answer as JSON text; null if it failed"),
        "failure": Column(pl.String, "`boundary/kind` of the failure; null if it answered"),
        "message": Column(pl.String, "the failure in words; null if it answered"),
    },
    _turns,
)

MESSAGES = Frame(
    "one row for each message or action that others could learn of",
    {
        "rollout": _ROLLOUT,
        "step": _STEP,
        "index": _INDEX,
        "seat": Column(pl.String, "who spoke or acted"),
        "to": Column(pl.List(pl.String), "the audience without the speaker; `*` stands for all agents"),
        "kind": Column(pl.String, "`message` or `action`"),
        "text": Column(pl.String, "the text, or the action as text"),
    },
    _messages,
)
