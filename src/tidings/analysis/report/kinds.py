"""What a report says about each kind of environment: the question, the key metric, controls, figures.

A kind that is not here gets what holds for any run: the first of its metrics, and the figures that can be drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ANY", "KINDS", "Kind", "kind_of"]


class Kind(NamedTuple):
    """What a report shows of one kind of environment.

    Attributes:
        question: What such a run asks, in one sentence.
        key: The metric that answers it.
        figures: Names in `tidings.analysis.figures.FIGURES`, in order; those with nothing to draw are left out.
        controls: `module:function` of run -> list of `Control` for the key metric; empty for none.
        words: What the key metric means, in one sentence.
    """

    question: str
    key: str = ""
    figures: tuple[str, ...] = ()
    controls: str = ""
    words: str = ""


ANY = Kind("What happened, and who came to know of it?", figures=("cost",))

_FLOW = ("spread", "exposure_tree", "influence", "leak_paths", "message_bits")
"""Figures of facts that travel; each is left out where no fact is declared or nothing of the sort happened."""

KINDS: Mapping[str, Kind] = {
    "social_learning": Kind(
        "How often do agents decide rightly, each with one private hint and a view of what others did?",
        "p_correct",
        ("correctness", "cascades", "trajectories", "calibration", "beliefs", "policy", "welfare", "cost"),
        "tidings.analysis.controls:herd_controls",
        "share of agents whose decision is what is true",
    ),
    "many_states": Kind(
        "How often do agents decide rightly when more than two things could be true?",
        "p_correct",
        ("correctness", "welfare", "cost"),
        words="share of agents whose decision is what is true",
    ),
    "talk": Kind(
        "How far does news travel?",
        "coverage",
        (*_FLOW, "cost"),
        "tidings.analysis.controls:talk_controls",
        words="share of the seats that know a fact in the end",
    ),
    "hidden_profile": Kind(
        "Does talking bring out what nobody could see alone?",
        "right_after",
        (*_FLOW, "cost"),
        "tidings.analysis.controls:vote_controls",
        words="share of votes for the right option after the talk",
    ),
    "collaboration": Kind(
        "Do those who ask find out what only others know?",
        "right",
        (*_FLOW, "cost"),
        words="share of answers that are right, where a text match can tell",
    ),
    "dialop": Kind(
        "How good an agreement do two people reach who each see a part of the scores?",
        "norm",
        (*_FLOW, "cost"),
        words="share of the best reward that was possible",
    ),
    "deliberation": Kind(
        "Is a group right more often when its members read each other's answers?",
        "p_right",
        ("rounds", "cost"),
        "tidings.analysis.controls:answer_controls",
        words="share of questions that the group answers rightly",
    ),
}
"""Kind of environment -> what its reports show."""


def kind_of(environment: str) -> Kind:
    """Returns what a report shows of this kind of environment."""
    return KINDS.get(environment, ANY)
