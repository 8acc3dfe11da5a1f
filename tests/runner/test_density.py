"""Bits of messages: the whole chain from a scripted speaker through loop, log, swap and score to the metric."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.core import DataError, ModelRequest
from tidings.runner.folder import RunFolder
from tidings.spec.io import make_scenario
from tidings.theory.herding import action_likelihoods, next_belief, p_play_good, posterior
from tidings.theory.information import channel_mutual_information

PRIOR, PRECISION = 0.45, 0.7


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def _read(request: ModelRequest) -> tuple[float, int]:
    """Returns public belief and own signal, as a Bayesian reads them from the words of the prompt."""
    text = request.messages[-1].content
    belief = PRIOR
    for action in re.findall(r"a\d+ decided (\w)", text):
        _, _, good, bad = action_likelihoods(belief, PRECISION)
        belief = next_belief(belief, good, bad) if action == "G" else next_belief(belief, 1 - good, 1 - bad)
    hint = re.search(r"hint says (\w)", text)
    assert hint is not None
    return belief, int(hint.group(1) == "G")


def rational(request: ModelRequest) -> dict[str, float]:
    belief, signal = _read(request)
    p = p_play_good(posterior(belief, PRECISION, signal), signal, "own_signal")
    return {"B": 1 - p, "G": p}


def hesitant(request: ModelRequest) -> dict[str, float]:
    belief, signal = _read(request)
    p = posterior(belief, PRECISION, signal)
    return {"B": 1 - p, "G": p}


def speaker(request: ModelRequest) -> dict[str, float]:
    """Says the code, or rubbish one time in five."""
    code = "red" if "code is red" in request.messages[-1].content else "blue"
    return {f"It is {code}.": 0.8, "It is green.": 0.2}


def herd(tmp_path: Path, agents: dict[str, Any], law: str = "rational", **more: Any) -> Any:
    models = {"m": {"use": "scripted/m", "law": f"test_density:{law}"}}
    scenario = make_scenario(
        {
            "name": "herd",
            "graph": {"kind": "complete", "n": 5},
            "models": models,
            "agents": [{"nodes": "rest", **agents}],
            "environment": {
                "kind": "social_learning",
                "precision": PRECISION,
                "prior": PRIOR,
                "ask_belief": False,
                **more,
            },
            "rollouts": {"count": 12, "seed": 3},
        }
    )
    return tidings.run(scenario, out=tmp_path)


LLM = {"kind": "llm", "model": "m", "temperature": 1.0, "label_options": False, "elicit": "choice"}


def test_the_model_based_tier_equals_exact_bayes_for_bayesian_speakers(tmp_path: Path) -> None:
    """Twins: one run of agents that state their policy, one of models with the same law, all else the real chain."""
    exact, scored = herd(tmp_path, {"kind": "bayesian"}), herd(tmp_path, LLM)
    assert [e["data"] for e in exact.messages().to_dicts() if "data" in e] == []
    rows = {name: run.measure_density() for name, run in (("t1", exact), ("t2", scored))}
    assert exact.messages()["text"].to_list() == scored.messages()["text"].to_list(), "the twins act alike"
    assert rows["t1"].height == 60
    for one, other in zip(rows["t1"].to_dicts(), rows["t2"].to_dicts(), strict=True):
        assert (one["scorer"], other["scorer"]) == ("policy", "scripted/m")
        assert other["bits"] == pytest.approx(one["bits"], abs=1e-9)
    values = [run.metric_results("message_bits")[0] for run in (exact, scored)]
    assert values[1].value == pytest.approx(values[0].value, abs=1e-9)
    assert values[0].value is not None
    assert values[0].value > 0.2
    assert values[0].n == 12, "five signals of one rollout are one sample"


def test_each_message_has_the_bits_that_the_bayes_listener_gains(tmp_path: Path) -> None:
    """Golden in closed form: a speaker that probability-matches says log2 p(a|x*) / sum_x p(x) p(a|x)."""
    run = herd(tmp_path, LLM, "hesitant")
    rows = run.measure_density()
    p_good_signal = PRIOR * PRECISION + (1 - PRIOR) * (1 - PRECISION)
    lines = [line for line in run.events().to_dicts() if line["rollout"] == 0]
    belief, expected = PRIOR, []
    for signal, action in zip(
        [e for e in lines if e["kind"] == "signal"], [e for e in lines if e["kind"] == "action"], strict=True
    ):
        p = [posterior(belief, PRECISION, s) for s in (0, 1)]
        p = p if '"G"' in action["data"] else [1 - x for x in p]
        own = int(json.loads(signal["data"])["value"] == "G")
        expected.append(math.log2(p[own] / ((1 - p_good_signal) * p[0] + p_good_signal * p[1])))
        _, _, good, bad = action_likelihoods(belief, PRECISION)
        belief = next_belief(belief, good, bad) if '"G"' in action["data"] else next_belief(belief, 1 - good, 1 - bad)
    assert rows["bits"].to_list()[:5] == pytest.approx(expected, abs=1e-9)
    assert rows["cap_bits"][0] == pytest.approx(
        -sum(p * math.log2(p) for p in (p_good_signal, 1 - p_good_signal)), abs=1e-12
    )
    assert rows["what"].to_list() == ["message"] * 60


def quiet(request: ModelRequest) -> dict[str, float]:
    """Says the code, or nothing two times in five."""
    code = "red" if "code is red" in request.messages[-1].content else "blue"
    return {f"It is {code}.": 0.6, "": 0.4}


def telling(request: ModelRequest) -> dict[str, float]:
    """Speaks only where the code is red: silence says as much."""
    return {"Red." if "code is red" in request.messages[-1].content else "": 1.0}


def a_talk(tmp_path: Path, law: str = "speaker", **more: Any) -> Any:
    rule = {"law": f"test_density:{law}"} if law != "none" else {}
    code = {"values": ["red", "blue"], "text": "The code is {value}."}
    scenario = make_scenario(
        {
            "name": "talk",
            "graph": {"kind": "path", "n": 2},
            "models": {"m": {"use": "scripted/m", **rule}},
            "agents": [{"kind": "llm", "model": "m", "count": 2, "temperature": 1.0, "elicit": "text"}],
            "environment": {"kind": "talk", "rounds": 2, "facts": {"a0": {"code": code | more}}},
            "rollouts": {"count": 12, "seed": 3},
        }
    )
    return tidings.run(scenario, out=tmp_path)


def test_texts_are_scored_and_the_increments_add_up(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    before = {p: p.read_bytes() for p in (run.path / "events").rglob("*.jsonl")} | {
        p: p.read_bytes() for p in (run.path / "calls").rglob("*.jsonl")
    }
    rows = run.measure_density("code")
    assert before == {p: p.read_bytes() for p in before}
    said = {(r, i): text for r, i, text in run.messages().select("rollout", "index", "text").rows()}
    for rollout in range(12):
        chain = rows.filter(rollout=rollout)
        told, total = False, 0.0
        for row in chain.to_dicts():
            is_code = said[rollout, row["index"]] != "It is green."
            assert row["bits"] == pytest.approx(float(is_code and not told), abs=1e-12)
            told, total = told or is_code, total + row["bits"]
        assert total == float(told)
    value = run.metric_results("message_bits")[0]
    assert value.value == pytest.approx(rows["bits"].sum() / 12)
    assert value.unit == "bits"
    assert value.reliable is True
    assert value.p is not None
    assert value.p < 0.05
    once = channel_mutual_information([[0.8, 0.2, 0.0], [0.0, 0.2, 0.8]])
    assert once == pytest.approx(0.8), "one message says .8 bit in the mean"


@pytest.mark.parametrize(("law", "bits"), [("quiet", 0.0), ("telling", 1.0)])
def test_turns_in_which_an_owner_says_nothing_count(tmp_path: Path, law: str, bits: float) -> None:
    run = a_talk(tmp_path, law)
    rows = run.measure_density("code")
    n_said = run.messages().filter(seat="a0").height
    assert 0 < n_said < rows.height == 24, "two turns of the owner in each rollout"
    silent = rows.filter(what="silence")
    assert silent.height == 24 - n_said
    first = rows.group_by("rollout", maintain_order=True).first()
    assert first.filter(what="silence")["bits"].to_list() == pytest.approx([bits] * (first["what"] == "silence").sum())
    value = run.metric_results("message_bits")[0]
    assert value.n == 12, "rollouts without any message are not left out of the mean"
    assert value.value == pytest.approx(rows["bits"].sum() / 12)


def test_a_second_measurement_asks_no_model_again(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    run.measure_density()
    calls = (run.path / "rows" / "calls").glob("*.jsonl")
    size = sum(p.stat().st_size for p in calls)
    run.measure_density()
    assert sum(p.stat().st_size for p in (run.path / "rows" / "calls").glob("*.jsonl")) == size
    assert run.calls().height == 48, "calls of measurements are not the run's"


def test_without_log_probabilities_the_metric_says_why(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    result = run.metric_results("message_bits")[0]
    assert (result.value, "tidings density" in result.reason) == (None, True)


def test_a_fact_without_other_values_has_no_bits(tmp_path: Path) -> None:
    run = a_talk(tmp_path, values=None, value="red")
    rows = run.measure_density()
    assert set(rows["bits"].to_list()) == {None}
    result = run.metric_results("message_bits")[0]
    assert result.value is None
    assert "no domain is declared" in result.reason


def test_a_model_without_scores_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tidings.models.scripted import ScriptedModel

    run = a_talk(tmp_path)
    monkeypatch.setattr(ScriptedModel, "kinds", property(lambda self: frozenset(("text", "json", "choice"))))
    rows = run.measure_density()
    result = run.metric_results("message_bits")[0]
    assert result.value is None
    assert "scripted/m answers choice, json, text, not score: it gives no log-probabilities" in result.reason
    assert set(rows["bits"].to_list()) == {None}


def test_a_prompt_that_does_not_come_out_again_stops_everything(tmp_path: Path) -> None:
    run = a_talk(tmp_path)
    path = RunFolder(run.path).scenario
    path.write_text(path.read_text().replace("persona: ''", "persona: You lie."))
    with pytest.raises(DataError, match="does not come out again"):
        tidings.load_run(run.path).measure_density()
