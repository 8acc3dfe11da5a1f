"""Scripted players of the game `dialop`: the floors and the ceiling, played by the same rules as a language model.

Each is a function for `{kind: scripted, function: ...}`. A player works out its whole assignment from what it may see
whenever it is asked for one paper of it. Ties are broken at random, by rollout and seat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidings.benchmarks.asymmetry.dialop import merge_grids
from tidings.benchmarks.asymmetry.dialop_games import UNSEEN, tie_noise
from tidings.benchmarks.streams import stream_generator
from tidings.core import ActionSpec, ChoiceSpec, Event, Observation, ReplyError, TextSpec
from tidings.theory.assignment import optimal_assignment

__all__ = ["own_view", "random_assignment", "tell_all"]

_SCORE = re.compile(r"The score of (.+?) for (.+?) is (\d+)\.")
_NAMES = re.compile(r"Reviewers: (.+?)\. Papers: (.+?)\.(?: |$)")


def random_assignment(observation: Observation, spec: ActionSpec) -> Any:
    """Proposes a random assignment at once; accepts anything."""
    return _play(observation, spec, lambda n: stream_generator("dialop-random", *_who(observation)).random((n, n)))


def own_view(observation: Observation, spec: ActionSpec) -> Any:
    """Proposes at once what is best in the own view, an unseen cell counting 50; says nothing, accepts anything."""
    return _play(observation, spec, lambda n: _view(observation, n, heard=False))


def tell_all(observation: Observation, spec: ActionSpec) -> Any:
    """Tells all own cells, then proposes what is best in both views together; accepts anything."""
    has_told = any(e.kind == "message" and e.seat == observation.seat for e in observation.events)
    has_heard = any(e.kind == "message" and e.seat != observation.seat for e in observation.events)
    if isinstance(spec, ChoiceSpec) and _is_act(spec):
        return spec.options[1] if has_told and has_heard else spec.options[0]
    if isinstance(spec, TextSpec):
        own = [e.data["text"] for e in observation.events if e.kind == "fact"]
        return " ".join(own)
    return _play(observation, spec, lambda n: _view(observation, n, heard=True))


def _play(observation: Observation, spec: ActionSpec, view: Callable[[int], NDArray[np.float64]]) -> Any:
    if not isinstance(spec, ChoiceSpec):
        raise ReplyError("not_applicable", f"this player has no answer to a {type(spec).__name__}")
    if _is_act(spec):
        return spec.options[1]
    if spec.options == ("accept", "reject"):
        return "accept"
    reviewers, papers = _names(observation)
    row = next(i for i, name in enumerate(reviewers) if f"does {name} get?" in spec.question)
    noise = tie_noise(stream_generator("dialop-ties", *_who(observation)), len(papers))
    return papers[optimal_assignment(view(len(papers)) + noise)[row][1]]


def _is_act(spec: ChoiceSpec) -> bool:
    return spec.options[0] == "say something"


def _who(observation: Observation) -> tuple[int, str]:
    return observation.rollout, observation.seat


def _names(observation: Observation) -> tuple[list[str], list[str]]:
    question = next(e.data["text"] for e in observation.events if e.kind == "question")
    match = _NAMES.match(question)
    assert match is not None, question
    return match[1].split(", "), match[2].split(", ")


def _view(observation: Observation, n: int, *, heard: bool) -> NDArray[np.float64]:
    """Returns the table as a player knows it, in the own unit; an unseen cell counts 50, or if scaled the mean."""
    names = _names(observation)
    own = [e for e in observation.events if e.kind == "fact"]
    grids = [_grid(own, names, n)]
    others = [e for e in observation.events if e.kind == "message" and e.seat != observation.seat] if heard else []
    grids += [_grid(others, names, n)] if others else []
    merged = merge_grids(grids)
    is_scaled = any("unit of your own" in e.data["text"] for e in observation.events if e.kind == "question")
    return np.where(np.isnan(merged), np.nanmean(merged) if is_scaled else UNSEEN, merged)


def _grid(events: Iterable[Event], names: tuple[list[str], list[str]], n: int) -> NDArray[np.float64]:
    grid = np.full((n, n), np.nan)
    for event in events:
        for reviewer, paper, value in _SCORE.findall(event.data["text"]):
            if reviewer in names[0] and paper in names[1]:
                grid[names[0].index(reviewer), names[1].index(paper)] = int(value)
    return grid
