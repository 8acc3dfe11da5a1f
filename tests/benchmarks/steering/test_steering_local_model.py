"""The steering suites with the real local model, as small as they get: two agents, one rollout."""

from pathlib import Path

import pytest

from tidings.benchmarks.steering import Cell, Control, Grid
from tidings.benchmarks.steering.suite import score_cells

pytestmark = [pytest.mark.real_model, pytest.mark.slow]


def test_a_language_model_steers_language_models(tmp_path: Path) -> None:
    base = Cell("llm", "misaligned", "none", Control(), "llm", 2, 1, 0, model="transformers/smollm2")
    found = score_cells("tiny", tuple(Grid(base, ("none", "llm"), ("misaligned",), agents=("llm",)).cells()), tmp_path)
    none, steered = found.scores
    for score in found.scores:
        assert score.bayes is not None
        assert score.outcomes["p_correct"].n + score.n_failed == 1
        assert score.bayes.n_stated == 2 * (1 - score.n_failed)
    assert none.paired == {}
    if not steered.n_failed:
        assert sum(part.regret.n for part in steered.policy.values()) in (1, 2)
        assert 0.0 <= steered.outcomes["expenditure"].value <= 2 * 0.15 + 1e-9
    assert "misaligned: p = 0.7" in found.text()
