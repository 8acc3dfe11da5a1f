"""Bits of messages and a probe with the real local model; and a server that gives no log-probabilities of texts."""

import math
from pathlib import Path

import pytest

import tidings
from tidings.models.openai_compatible import OpenAICompatibleModel, OpenAICompatibleParams
from tidings.spec.io import make_scenario


@pytest.mark.real_model
def test_smollm2_scores_what_it_said_and_is_probed(tmp_path: Path) -> None:
    scenario = make_scenario(
        {
            "name": "real",
            "graph": {"kind": "path", "n": 2},
            "models": {"m": {"use": "transformers/smollm2"}},
            "agents": [{"kind": "llm", "model": "m", "count": 2, "temperature": 1.0, "max_tokens": 120}],
            "environment": {
                "kind": "talk",
                "rounds": 1,
                "facts": {"a0": {"code": {"values": ["red", "blue"], "text": "The secret code is {value}."}}},
            },
            "rollouts": {"count": 1, "seed": 2, "on_failure": "abstain"},
        }
    )
    run = tidings.run(scenario, out=tmp_path)
    n_calls = run.calls().height
    assert run.messages().height > 0, run.turns()
    rows = run.measure_density()
    assert rows.filter(mode="census", scorer="transformers/smollm2").height == rows.height > 0
    assert all(math.isfinite(bits) and bits <= 1.0 + 1e-9 for bits in rows["bits"])
    assert rows["tokens"].min() >= 1
    probes = run.probe("code", seats=["a0"])
    assert sum(probes["belief"][0]) == pytest.approx(1.0)
    assert run.calls().height == n_calls


def test_a_server_without_prompt_log_probabilities_offers_no_score() -> None:
    """llama.cpp behind an OpenAI-compatible address: texts and choices, no scores."""
    model = OpenAICompatibleModel.build(OpenAICompatibleParams(base_url="http://127.0.0.1:1/v1"), "local")
    assert "score" not in model.kinds
