"""The sixteen acceptance tests of the self-organisation method (sheet, section 8), one by one, by number."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from deliberating import ITEM, complete, deliberate, environment, planner, seats_of

import tidings
from tidings.benchmarks.deliberation.scores import compare_methods, score_method
from tidings.core import SocialGraph
from tidings.metrics.deliberation import deliberation_row
from tidings.planners.table import Table
from tidings.spec.io import make_scenario
from tidings.theory import shapley, topology
from tidings.theory.questions import Question

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "self_organisation.json").read_text())["golden"]
RNG = np.random.default_rng(7)
FIXED = ("chain", "star", "tree", "complete", "layered", "random")
ALL = [
    *({"kind": "static", "family": name} for name in FIXED),
    {"kind": "static", "family": "complete", "reads": "last"},
    {"kind": "static", "edges": [["a3", "a0"], ["a0", "a2"]]},
    {"kind": "self_organising"},
    {"kind": "self_organising", "top_k": 1},
    {"kind": "self_organising", "reform": False},
    {"kind": "self_organising", "rule": "released"},
    {"kind": "debate"},
    {"kind": "random"},
    {"kind": "dylan", "ranker": "contributions"},
]


def names(spec: dict[str, Any]) -> str:
    return "-".join(str(value) for value in spec.values())


@pytest.mark.parametrize("case", GOLDEN)
def test_01_golden_phi_and_psi(case: str) -> None:
    rows = np.array(GOLDEN[case]["embeddings"])
    assert shapley.exact_shapley(rows) == pytest.approx(GOLDEN[case]["phi_exact_cos_game"], abs=1e-8)
    assert shapley.cosine_contributions(rows) == pytest.approx(GOLDEN[case]["psi"], abs=1e-8)


def test_02_phi_sums_to_one() -> None:
    assert shapley.exact_shapley(RNG.normal(size=(6, 5))).sum() == pytest.approx(1.0)


def test_03_permutation_and_scale() -> None:
    rows, order = RNG.normal(size=(6, 5)), RNG.permutation(6)
    psi = shapley.cosine_contributions(rows)
    assert shapley.cosine_contributions(rows[order]) == pytest.approx(psi[order])
    assert shapley.exact_shapley(rows[order]) == pytest.approx(shapley.exact_shapley(rows)[order])
    assert shapley.cosine_contributions(rows * 17.5) == pytest.approx(psi)


def test_04_graphs_are_acyclic_and_paper_edges_run_downhill() -> None:
    for _ in range(50):
        rows = RNG.normal(size=(7, 4))
        paper = topology.contribution_dag(rows, -1.0)
        psi = shapley.cosine_contributions(rows)
        assert all(psi[u] > psi[v] for u, v in paper)
        for edges in (paper, topology.released_dag(rows)):
            assert nx.is_directed_acyclic_graph(nx.DiGraph(edges))


def test_05_the_order_is_a_linear_extension_with_ties_by_id() -> None:
    rows = RNG.normal(size=(8, 4))
    edges = topology.contribution_dag(rows, -1.0, 2)
    order = topology.propagation_order(8, edges, shapley.cosine_contributions(rows))
    assert all(order.index(u) < order.index(v) for u, v in edges)
    assert topology.propagation_order(5, [], np.zeros(5)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("rule", ["paper", "released"])
def test_06_a_childs_prompt_holds_the_parents_new_text(rule: str) -> None:
    rules = environment(5, rounds=2)
    played = deliberate(rules, planner("self_organising", rules, rule=rule, consensus=False))
    assert [plan.data["stop"] for plan in played.of("plan")] == [False, False, True]
    for plan in played.of("plan")[:2]:
        modes = {entry["seat"]: entry for entry in plan.data["schedule"]}
        new = {e.seat: e for e in played.of("message") if e.data["written"] == plan.data["round"] == e.data["round"]}
        for child, entry in modes.items():
            speaking = [parent for parent in entry["reads"] if modes[parent]["mode"] != "skip"]
            step = new[child].step if child in new else -1
            for parent in speaking:
                assert new[parent].data["text"] in played.read[child, step]
                assert new[parent].step < step


def test_07_the_policy_for_parentless_agents_is_explicit() -> None:
    rules = environment(4, rounds=1)
    plan = deliberate(rules, planner("static", rules, edges=[("a1", "a2")])).of("plan")[0].data
    modes = {entry["seat"]: entry["mode"] for entry in plan["schedule"]}
    first = plan["order"][0]
    assert modes[first] == "self_refine"
    assert modes["a2"] == "read_parents"
    assert all(modes[seat] == "skip" for seat in ("a0", "a1", "a3") if seat != first)


def test_08_degenerate_groups_have_defined_outcomes() -> None:
    for n in (1, 2):
        rules = environment(n)
        played = deliberate(rules, planner("self_organising", rules))
        assert played.status == "ok"
        assert played.result["label"] in seats_of(n)
    same = environment(3)
    agreed = deliberate(same, planner("self_organising", same), lambda seat, seen: "The answer is 4")
    ledger = agreed.of("ledger")[0].data
    assert [row["psi"] for row in ledger["answers"]] == [1.0, 1.0, 1.0]
    assert agreed.of("plan")[0].data["edges"] == []
    assert (agreed.result["key"], agreed.result["rounds"]) == ("4", 1)
    empty = deliberate(same, planner("self_organising", same), lambda seat, seen: " " if seat == "a1" else "It is 4")
    assert [event.data["error"] for event in empty.of("failure")] == ["empty"]
    assert {row["seat"] for row in empty.of("ledger")[0].data["answers"]} == {"a0", "a2"}
    zero = shapley.cosine_contributions([[1.0, 0.0], [-1.0, 0.0]])
    assert zero.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("aggregation", ["psi_vote", "centroid", "majority", "last"])
def test_09_the_result_is_one_of_the_answers(aggregation: str) -> None:
    rules = environment(5, aggregation=aggregation)
    played = deliberate(rules, planner("self_organising", rules))
    last = {row["seat"]: row["key"] for row in played.of("ledger")[-1].data["answers"]}
    assert last[played.result["label"]] == played.result["key"]


def test_10_grading_data_never_reach_contributions() -> None:
    """By type: what planners see and a question have no field for it. By test: golds change, nothing else does."""
    for shown in (Table, Question):
        assert not {"gold", "keys_source", "tests", "right"} & {field.name for field in fields(shown)}
    seen = []
    for gold in ("4", "999"):
        rules = environment(4, items=[{**ITEM, "gold": [gold]}])
        played = deliberate(rules, planner("self_organising", rules))
        assert played.of("gold")[0].audience == ()
        seen.append([event for event in played.events if event.kind not in ("gold", "result")])
        assert played.of("gold")[0].data["keys"] == [gold]
    assert seen[0] == seen[1]


@pytest.mark.parametrize("spec", ALL, ids=names)
def test_11_calls_are_bounded_and_reported(spec: dict[str, Any]) -> None:
    rules = environment(5, rounds=2)
    played = deliberate(rules, planner(**spec, rules=rules))
    asked = sum(seat != "planner" for step in played.asked for seat in step)
    assert played.result["calls"] == asked <= 5 * (1 + 2)
    assert sum(ledger.data["calls"] for ledger in played.of("ledger")) == asked
    assert played.result["depth"] == sum(ledger.data["depth"] for ledger in played.of("ledger"))


def test_12_early_stop() -> None:
    rules = environment(4, rounds=5)
    agreeing = deliberate(rules, planner("self_organising", rules), lambda seat, seen: "I say: The answer is 4")
    assert (agreeing.result["rounds"], agreeing.status) == (1, "ok")
    apart = deliberate(rules, planner("self_organising", rules))
    assert apart.result["rounds"] == 5
    split = deliberate(rules, planner("dylan", rules, ranker="contributions"), lambda s, _: f"The answer is {s < 'a3'}")
    assert split.result["rounds"] == 5, "no key, so no agreement on one"
    two = deliberate(
        rules,
        planner("dylan", rules, ranker="contributions"),
        lambda seat, _: f"{seat} says: The answer is {4 if seat < 'a3' else 5}",
    )
    assert two.result["rounds"] == 0, "three of four agree: more than two thirds"


@pytest.mark.parametrize("spec", ALL, ids=names)
def test_13_text_moves_along_every_edge_and_along_no_other(spec: dict[str, Any]) -> None:
    rules = environment(6, rounds=2)
    played = deliberate(rules, planner(**spec, rules=rules))
    plans = [plan.data for plan in played.of("plan") if not plan.data["stop"]]
    assert any(plan["edges"] or plan["last_edges"] for plan in plans)
    for plan in plans:
        wanted = {tuple(edge) for edge in plan["edges"] + plan["last_edges"]}
        sent = [e for e in played.of("message") if e.data["round"] == plan["round"]]
        moved = {(e.seat, seat) for e in sent for seat in e.audience if seat not in ("planner", e.seat)}
        heard = {v for _, v in wanted}
        assert moved == wanted
        texts = {e.data["text"]: e.seat for e in sent}
        for (seat, step), read in played.read.items():
            if any(e.step == step and e.seat == seat for e in sent) and seat in heard:
                assert {(texts[text], seat) for text in read} == {edge for edge in wanted if edge[1] == seat}


def test_13_the_social_graph_bounds_every_graph() -> None:
    seats = seats_of(5)
    ring = SocialGraph.from_edges(seats, [(seats[i], seats[(i + 1) % 5]) for i in range(5)], directed=True)
    for spec in ALL:
        if "edges" in spec:
            continue
        rules = environment(graph=ring, rounds=2)
        played = deliberate(rules, planner(**spec, rules=rules))
        moved = {(e.seat, s) for e in played.of("message") for s in e.audience if s not in ("planner", e.seat)}
        assert moved <= set(ring.edges()), spec
        assert not played.of("failure"), spec


def test_14_errors_are_counted_apart_from_wrong_answers() -> None:
    rules = environment(3, planner=False, aggregation="majority")
    outcomes = {}
    for name, speak, failing in (
        ("wrong", lambda s, o: "The answer is 5", lambda s, t: False),
        ("right", lambda s, o: "The answer is 4", lambda s, t: s == "a1"),
        ("unparsable", lambda s, o: "I do not know", lambda s, t: False),
        ("no_answer", lambda s, o: "The answer is 4", lambda s, t: True),
    ):
        played = deliberate(rules, None, speak, failing=failing)
        row = deliberation_row(played.events)
        outcomes[name] = (row["outcome"], row["n_failed"], row["n_unparsable"], row["n_answers"])
    assert outcomes == {
        "wrong": ("wrong", 0, 0, 3),
        "right": ("right", 1, 0, 2),
        "unparsable": ("unparsable", 0, 3, 3),
        "no_answer": ("no_answer", 3, 0, 0),
    }


def test_15_options_are_shuffled_and_the_key_is_mapped_back() -> None:
    item = {"id": "c", "kind": "choice", "text": "Pick red.", "options": ["red", "blue", "green", "None of these"]}
    rules = environment(3, items=[{**item, "gold": ["A"]}], planner=False, aggregation="majority")
    orders = set()
    for seed in range(12):

        def choose_red(seat: str, seen: Any) -> str:
            options = next(e for e in seen.events if e.kind == "question").data["options"]
            assert options[3] == "None of these"
            return f"The answer is ({'ABCD'[options.index('red')]})."

        played = deliberate(rules, None, choose_red, seed=seed)
        gold = played.of("gold")[0].data
        assert deliberation_row(played.events)["right"] is True
        assert gold["keys_source"] == ["A"]
        assert gold["order"]["ABCD".index(gold["keys"][0])] == 0
        orders.add(tuple(gold["order"]))
    assert len(orders) > 2


def test_16_tests_are_paired_over_three_seeds(tmp_path: Path) -> None:
    items = [{"id": f"q{i}", "kind": "number", "text": f"{i}?", "gold": ["1"]} for i in range(8)]
    scores = []
    for name, said in (("self_consistency", "The answer is 2"), ("better", "The answer is 1")):
        run = tidings.run(
            make_scenario(
                {
                    "name": "paired",
                    "graph": {"kind": "complete", "n": 2},
                    "agents": [{"kind": "scripted", "nodes": "rest", "policy": "constant", "value": said}],
                    "environment": {"kind": "deliberation", "items": items, "aggregation": "majority"},
                    "rollouts": {"count": 24},
                }
            ),
            out=tmp_path,
        )
        scores.append(score_method(name, run.path, 8, 24))
    (test,) = compare_methods(scores, "self_consistency", 8)
    assert (test.difference.mean, test.difference.n_questions) == (1.0, 8)
    assert test.p == pytest.approx(2 / 2**8)
    assert test.p_mcnemar is None
    assert complete(3).is_complete
