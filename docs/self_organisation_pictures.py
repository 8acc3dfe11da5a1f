"""Makes the pictures of `docs/self-organisation.md`: the map of regimes, and the rounds of one deliberation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tidings
from tidings.analysis.deliberation_figures import regime_map
from tidings.spec.io import make_scenario
from tidings.theory.answerers import Answerers, AnswerSpace, Revision
from tidings.theory.regimes import compare_methods

__all__ = ["draw_self_organisation"]

P_RIGHT = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
SHARED = (0.0, 0.25, 0.5, 0.75, 0.9)
METHODS = ("majority", "psi_vote", "self_organised_vote", "self_organised_centroid")
N_QUESTIONS = 2_000


def draw_self_organisation(images: Path, runs: Path) -> None:
    """Writes `self-organisation-*.png` under `images`; run folders go under `runs`."""
    space, revision = AnswerSpace(0.7, 0.2, 0.1), Revision(0.5, 0.5, 0.5)
    cells = {}
    for i, shared in enumerate(SHARED):
        for j, p in enumerate(P_RIGHT):
            rng = np.random.default_rng([1, i, j])
            cells[shared, p] = compare_methods(
                Answerers(p, p_attractor=shared), space, revision, N_QUESTIONS, 5, 2, rng, "key"
            )
    figure = regime_map(cells, METHODS, "self_consistency")
    figure.savefig(images / "self-organisation-map.png", dpi=144)
    words = {
        "a0": "Eight jars times three crates is 24 jars, minus 5 sold leaves 19. The answer is 19.",
        "a1": "3 crates of 8 jars make 24 jars; 24 jars minus 5 sold jars is 19. The answer is 19.",
        "a2": "8 plus 3 is 11, minus 5 sold is 6. The answer is 6.",
        "a3": "The shop has 24 jars and sells 5, so 24 jars minus 5 is 19 jars left. The answer is 19.",
        "a4": "I cannot say how many jars.",
    }
    scenario = {
        "name": "rounds",
        "graph": {"kind": "complete", "n": 5},
        "agents": [
            {"kind": "scripted", "nodes": [seat], "policy": "constant", "value": text} for seat, text in words.items()
        ],
        "environment": {
            "kind": "deliberation",
            "rounds": 1,
            "items": [{"id": "jars", "kind": "number", "text": "How many jars are left?", "gold": ["19"]}],
        },
        "planner": {"kind": "self_organising", "top_k": 2},
    }
    run = tidings.run(make_scenario(scenario), out=runs)
    run.plot.rounds().savefig(images / "self-organisation-rounds.png", dpi=144)
