"""Bits of messages where facts are told in words of the environment's own, and where a fact declares no domain."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings.core import ModelRequest
from tidings.environments.fact_sheet import FactSheet
from tidings.spec.io import make_scenario
from tidings.theory.information import information_density_increments

ROOF, SOUND = "Fern has a leaking roof.", "Fern has a sound roof."
SHEET = {"B": ["It is dear.", "It is old.", "It rusts."], "G": ["It is quick.", "It is new.", "It runs."]}
P_TELLS, P_FOLLOWS = 0.8, 0.75


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def knower(request: ModelRequest) -> dict[str, float]:
    """Tells what it knows of the roof four times in five; votes at random; asked for a fact, it believes its own."""
    known = re.findall(r"You know: (Fern has a \w+ roof\.)", request.messages[-1].content)
    if request.kind == "choice":
        if not known or "Fern +1" not in request.options:
            return dict.fromkeys(request.options, 1 / len(request.options))
        p = 0.1 if known == [ROOF] else 0.9
        return {"Fern +1": p, "Fern -1": 1 - p}
    return {known[0]: P_TELLS, "Hm.": 1 - P_TELLS} if known else {"Hm.": 1.0}


def follower(request: ModelRequest) -> dict[str, float]:
    """Does what the message in front of it points to, three times in four."""
    state = FactSheet.model_validate({"statements": SHEET}, strict=False).points_to(request.messages[-1].content)
    assert state is not None
    return {option: P_FOLLOWS if option == state else 1 - P_FOLLOWS for option in ("B", "G")}


def play(tmp_path: Path, law: str, environment: dict[str, Any], n_seats: int, count: int = 8) -> Any:
    agents = {"kind": "llm", "model": "m", "nodes": "rest", "temperature": 1.0, "label_options": False}
    data = {
        "name": "flow",
        "graph": {"kind": "complete", "n": n_seats},
        "models": {"m": {"use": "scripted/m", "law": f"test_density_everywhere:{law}"}},
        "agents": [agents],
        "environment": environment,
        "rollouts": {"count": count, "seed": 3},
    }
    return tidings.run(make_scenario(data), out=tmp_path)


def profile(tmp_path: Path, *roofs: dict[str, Any], count: int = 8) -> Any:
    """Plays one task for each roof, in turn."""
    task = {"text": "Elm or Fern?", "options": ["Elm", "Fern"], "gold": "Elm"}
    shared, heating = {"fact": "s0", "text": "Fern is cheap."}, {"fact": "h1", "text": "Elm is warm."}
    hidden = [[{"fact": "h0", **roof}, heating] for roof in roofs]
    items = [task | {"id": f"{i}", "shared": [shared], "hidden": facts} for i, facts in enumerate(hidden)]
    return play(tmp_path, "knower", {"kind": "hidden_profile", "rounds": 2, "items": items}, 2, count)


POINTS = {"points": {"option": "Fern", "weight": -1}}


def check_chains(rows: Any) -> None:
    """Checks that the increments of every rollout and fact add up to log2 posterior / prior of the true value."""
    assert rows["reason"].to_list() == [""] * rows.height
    for _, chain in rows.sort("index").group_by("rollout", "fact"):
        truth = chain["worlds"][0].to_list().index(chain["truth"][0])
        steps = [[-math.inf if p is None else p for p in row] for row in chain["logp"].to_list()]
        at_once = [math.fsum(column) for column in zip(*steps, strict=True)]
        whole = information_density_increments([at_once], truth, chain["prior"][0].to_list())
        assert chain["bits"].sum() == pytest.approx(whole["total"], abs=1e-9)


def test_a_hidden_fact_with_its_other_text_has_bits(tmp_path: Path) -> None:
    run = profile(tmp_path, {"text": ROOF, "otherwise": SOUND, **POINTS})
    rows = run.measure_density("h0")
    check_chains(rows)
    assert set(rows["mode"]) == {"census"}
    assert rows["worlds"][0].to_list() == ['"Fern +1"', '"Fern -1"']
    said = {(r, i): text for r, i, text in run.messages().select("rollout", "index", "text").rows()}
    for _, chain in rows.sort("index").group_by("rollout"):
        told = [said[row["rollout"], row["index"]] == ROOF for row in chain.to_dicts()]
        first = told.index(True) if any(told) else None
        assert chain["bits"].to_list() == pytest.approx([float(i == first) for i in range(len(told))], abs=1e-12)
    result = run.metric_results("message_bits")[0]
    assert result.value == pytest.approx(rows["bits"].sum() / 8)
    beliefs = run.probe("h0")
    own = beliefs.filter(seat=rows["seat"][0], rollout=0)
    assert own["belief"].to_list() == [pytest.approx([0.1, 0.9])]
    assert own["gain_bits"][0] == pytest.approx(math.log2(0.9 / 0.5))


def test_a_hidden_fact_without_another_text_says_what_is_missing(tmp_path: Path) -> None:
    run = profile(tmp_path, {"text": ROOF, **POINTS}, {"text": SOUND, "points": {"option": "Fern", "weight": 1}})
    rows = run.measure_density("h0")
    assert rows["bits"].null_count() == rows.height > 0
    assert "say in the item what it would be: `otherwise`" in rows["reason"][0]
    assert run.metric_results("message_bits")[0].value is None


def test_values_that_differ_from_task_to_task_are_compared_within_their_task(tmp_path: Path) -> None:
    """Fact h0 is about Fern in one task and about Elm in the other: two domains under one id, and one null for each."""
    other = {"text": "Elm has a view.", "otherwise": "Elm has no view.", "points": {"option": "Elm", "weight": 1}}
    run = profile(tmp_path, {"text": ROOF, "otherwise": SOUND, **POINTS}, other)
    rows = run.measure_density("h0")
    check_chains(rows)
    domains = {tuple(worlds) for worlds in rows["worlds"].to_list()}
    assert domains == {('"Fern +1"', '"Fern -1"'), ('"Elm +1"', '"Elm -1"')}
    result = run.metric_results("message_bits")[0]
    assert result.value is not None
    assert result.null_mean is not None


def test_sampled_values_give_what_the_census_gives_if_all_are_there(tmp_path: Path) -> None:
    """The same plays, once with the two values declared, once with what the rollouts show of them."""
    texts = [(ROOF, SOUND), (SOUND, ROOF)]
    census = profile(tmp_path / "census", *({"text": text, "otherwise": other} for text, other in texts))
    sampled = profile(tmp_path / "sampled", *({"text": text} for text, _ in texts))
    rows = {"census": census.measure_density("h0"), "sampled": sampled.measure_density("h0")}
    assert census.messages()["text"].to_list() == sampled.messages()["text"].to_list(), "the twins speak alike"
    for mode, found in rows.items():
        check_chains(found)
        assert set(found["mode"]) == {mode}
        assert set(found["cap_bits"]) == {1.0}
    assert rows["sampled"]["bits"].to_list() == pytest.approx(rows["census"]["bits"].to_list(), abs=1e-12)
    values = [run.metric_results("message_bits")[0] for run in (census, sampled)]
    assert values[0].value == pytest.approx(values[1].value)
    assert values[0].p == values[1].p
    assert values[0].value > 0.5
    assert [value.estimator.split(";")[0] for value in values] == ["census of 2 values", "sampled of 2 values"]


def test_sampled_values_weigh_as_often_as_they_came_and_never_pass_the_cap(tmp_path: Path) -> None:
    run = profile(tmp_path, {"text": ROOF}, {"text": SOUND}, {"text": SOUND}, count=9)
    rows = run.measure_density("h0")
    check_chains(rows)
    assert {tuple(prior) for prior in rows["prior"].to_list()} == {(3 / 9, 6 / 9)}
    assert rows["cap_bits"].to_list() == [1.0] * rows.height
    told = rows.filter(rollout=0)["bits"].sum()
    assert told in (pytest.approx(math.log2(3)), pytest.approx(0.0)), "a rare value says more"
    assert run.metric_results("message_bits")[0].value <= 1.0


def test_signals_in_words_of_a_fact_sheet_have_bits(tmp_path: Path) -> None:
    """Closed form: the agent follows the message three times in four, and the message always points to its signal."""
    environment = {
        "kind": "social_learning",
        "precision": 0.7,
        "order": "random",
        "ask_belief": False,
        "fact_sheet": {"statements": SHEET},
    }
    run = play(tmp_path, "follower", environment, 3)
    rows = run.measure_density()
    check_chains(rows)
    assert rows.height == 24
    acted = {(r, i): text for r, i, text in run.messages().select("rollout", "index", "text").rows()}
    for row in rows.to_dicts():
        p = P_FOLLOWS if f'"{acted[row["rollout"], row["index"]]}"' == row["truth"] else 1 - P_FOLLOWS
        assert row["bits"] == pytest.approx(math.log2(p / 0.5), abs=1e-12)


def test_weights_of_values_are_their_prior(tmp_path: Path) -> None:
    values = {"values": ["red", "blue", "green"], "weights": [2.0, 1.0, 1.0], "text": "You know: it is {value}."}
    environment = {"kind": "talk", "rounds": 1, "facts": {"a0": {"code": values}}}
    run = play(tmp_path, "knower", environment, 2, count=2)
    rows = run.measure_density("code")
    check_chains(rows)
    assert rows["prior"][0].to_list() == [0.5, 0.25, 0.25]
    assert rows["cap_bits"][0] == pytest.approx(1.5)
    assert rows["bits"].to_list() == pytest.approx([0.0] * rows.height), "it says the same whatever the code is"
