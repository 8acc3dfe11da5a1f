"""`Run.contributions()`: recomputed from the logged answers, beside the graphs and the calls that the log holds."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tidings
from tidings.spec.io import make_scenario
from tidings.theory.hashing import hashed_vectors
from tidings.theory.shapley import cosine_contributions, exact_shapley

SAID = {
    "a0": ["Red, says a0. The answer is 4", "Red after all. The answer is 4"],
    "a1": ["Two and two. The answer is 4", "I read the others. The answer is 4"],
    "a2": ["Blue birds fly. The answer is 5", "Blue birds, green trees. The answer is 5"],
    "*": ["Green trees and two. The answer is 4", "Nothing new here. The answer is 7"],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tidings.Run:
    scenario = {
        "name": "worth",
        "graph": {"kind": "complete", "n": 4},
        "agents": [{"kind": "llm", "model": "m", "nodes": "rest"}],
        "models": {"m": {"use": "scripted/x", "seats": SAID}},
        "environment": {
            "kind": "deliberation",
            "items": [{"id": "q", "kind": "number", "text": "What is 2 + 2?", "gold": ["4"]}],
            "rounds": 2,
            "aggregation": "psi_vote",
        },
        "planner": {"kind": "self_organising", "consensus": False},
        "rollouts": {"count": 2},
    }
    return tidings.run(make_scenario(scenario), out=tmp_path_factory.mktemp("runs"))


def events(run: tidings.Run, kind: str, rollout: int) -> list[dict]:
    frame = run.events().filter((pl.col("kind") == kind) & (pl.col("rollout") == rollout))
    return [json.loads(text) for text in frame["data"]]


def test_psi_and_phi_are_those_of_the_logged_answers(run: tidings.Run) -> None:
    found = run.contributions()
    assert len(found) == 2 * 3 * 4
    for rollout in (0, 1):
        texts: dict[str, dict[int, str]] = {}
        for message in events(run, "message", rollout):
            texts.setdefault(message["label"], {})[message["written"]] = message["text"]
        for round in (0, 1, 2):
            rows = found.filter((pl.col("rollout") == rollout) & (pl.col("round") == round)).to_dicts()
            stood = [texts[row["seat"]][row["written"]] for row in rows]
            vectors = hashed_vectors(stood)
            assert [row["psi"] for row in rows] == pytest.approx(cosine_contributions(vectors).tolist(), abs=1e-5)
            phi = exact_shapley(vectors)
            assert phi is not None
            assert [row["phi"] for row in rows] == pytest.approx(np.asarray(phi).tolist(), abs=1e-5)
            assert len(set(stood)) == 4, "different texts, so that a mix-up would show"


def test_edges_and_order_are_those_of_the_plan(run: tidings.Run) -> None:
    found = run.contributions()
    for rollout in (0, 1):
        plans = [plan for plan in events(run, "plan", rollout) if not plan["stop"]]
        assert len(plans) == 2
        for round, plan in enumerate(plans, start=1):
            rows = found.filter((pl.col("rollout") == rollout) & (pl.col("round") == round)).to_dicts()
            edges = {(u, row["seat"]) for row in rows for u in row["reads"]}
            assert edges == {(u, v) for u, v in plan["edges"]}
            assert edges, "a graph without an edge would show nothing"
            order = sorted(rows, key=lambda row: row["order"])
            assert [row["seat"] for row in order] == plan["order"]
            assert all(plan["order"].index(u) < plan["order"].index(v) for u, v in edges)
            modes = {row["seat"]: row["mode"] for row in rows}
            assert all(modes[v] == "read_parents" for _, v in edges)
            assert all((row["written"] == round) == (row["mode"] != "skip") for row in rows)


def test_calls_and_tokens_are_those_of_the_call_store(run: tidings.Run) -> None:
    found, calls = run.contributions(), run.calls()
    spent = found.filter(pl.col("written") == pl.col("round"))
    assert len(spent) == len(calls), "one call an answer, and no answer counted twice"
    assert spent["tokens"].sum() == (calls["tokens_in"] + calls["tokens_out"]).sum()
    for rollout in (0, 1):
        (result,) = events(run, "result", rollout)
        assert result["calls"] == len(spent.filter(pl.col("rollout") == rollout))


def test_hindsight_sums_to_the_correctness_of_the_vote(run: tidings.Run) -> None:
    first = run.contributions().filter((pl.col("round") == 0) & (pl.col("rollout") == 0))
    assert first["phi_right"].sum() == pytest.approx(1.0)
    worst = first.sort("phi_right")["seat"][0]
    assert worst == "a2", "the only wrong answer"


def test_other_environments_have_none(tmp_path: Path) -> None:
    run = tidings.run(Path(__file__).parents[2] / "scenarios" / "three-states.yaml", rollouts=1, out=tmp_path)
    assert run.contributions().is_empty()
