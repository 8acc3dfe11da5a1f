"""Social learning end to end: closed forms through `tidings.run`, graphs, orders, payoffs, errors."""

import json
from math import sqrt
from pathlib import Path

import pytest

import tidings
from tidings.core import ScenarioError
from tidings.environments.fact_sheet import FactSheet
from tidings.simulation.compile import compile_scenario
from tidings.theory.network_learning import learn_on_network


def write(tmp_path: Path, graph: str = "{kind: complete, n: 8}", n: int = 8, agents: str = "", **environment: object):
    words = "".join(f", {key}: {value}" for key, value in environment.items())
    path = tmp_path / "s.yaml"
    path.write_text(
        f"""
name: herd
graph: {graph}
agents: {agents or f"[{{kind: bayesian, count: {n}}}]"}
environment: {{kind: social_learning{words}}}
rollouts: {{count: 400, seed: 5, log: full}}
"""
    )
    return path


@pytest.mark.parametrize(("ties", "limit"), [("own_signal", 0.844828), ("coin", 0.753165)])
def test_hundred_thousand_runs_meet_the_closed_form(tmp_path: Path, ties: str, limit: float) -> None:
    """Limits of the sheet, p = 0.7; after 100 agents the difference from the limit is below 1e-18."""
    path = write(tmp_path, "{kind: complete, n: 100}", 100, ties=ties)
    run = tidings.run(path, rollouts=100_000, out=tmp_path / "runs", overrides={"rollouts.log": "summary"})
    value = run.metrics("cascades").filter(name="cascade_correct")["value"][0]
    assert abs(value - limit) < 3 * sqrt(limit * (1 - limit) / 100_000)


@pytest.mark.parametrize("graph", ["{kind: path, n: 8}", "{kind: cycle, n: 8}", "{kind: star, n: 7}"])
def test_bayesians_on_graphs_meet_exact_learning_curves(tmp_path: Path, graph: str) -> None:
    run = tidings.run(write(tmp_path, graph), out=tmp_path / "runs", overrides={"rollouts.count": 1500})
    (setup,) = run.events().filter(rollout=0, kind="setup").to_dicts()
    seen_by_name = json.loads(setup["data"])["seen"]
    order = list(seen_by_name)
    seen = [[order.index(other) for other in seen_by_name[seat]] for seat in order]
    exact = learn_on_network(seen, [0.7] * 8)
    found = run.correct_actions()
    for i in range(8):
        share = sum(right[i] for _, _, right in found) / len(found)
        p = exact.p_correct[i]
        assert abs(share - p) < 3.5 * sqrt(p * (1 - p) / len(found)), i


def test_on_a_path_nobody_herds(tmp_path: Path) -> None:
    """Whoever sees at most one predecessor is right with probability p (sheet, section 7)."""
    run = tidings.run(write(tmp_path, "{kind: path, n: 8}"), out=tmp_path / "runs")
    mean = run.metrics("p_correct").row(0, named=True)
    assert abs(mean["value"] - 0.7) < 3.5 * mean["se"]
    reason = run.metrics("cascades")["reason"][0]
    assert "no common public belief" in reason


def test_dense_graphs_need_an_explicit_approximation(tmp_path: Path) -> None:
    graph = "{kind: erdos_renyi, n: 40, p: 0.5}"
    run = tidings.run(write(tmp_path, graph, 40), rollouts=2, out=tmp_path / "runs")
    assert run.status["failed"] == 2
    assert "choose `approximation: naive`" in next(iter(run.failure_counts()))
    naive = "[{kind: bayesian, count: 40, approximation: naive}]"
    run = tidings.run(write(tmp_path, graph, 40, naive), rollouts=20, out=tmp_path / "runs")
    assert run.status["failed"] == 0


def test_orders_of_play(tmp_path: Path) -> None:
    def orders(**environment: object) -> set[tuple[str, ...]]:
        run = tidings.run(write(tmp_path, **environment), rollouts=30, out=tmp_path / "runs")
        acted = run.messages()
        return {tuple(part["seat"]) for _, part in acted.group_by("rollout", maintain_order=True)}

    given = tuple(f"a{i}" for i in range(8))
    assert orders() == {given}
    assert len(orders(order="random")) > 20
    assert orders(order="[a3, a1, a2]") == {("a3", "a1", "a2")}
    assert orders(horizon=3) == {given[:3]}
    star = orders(graph="{kind: star, n: 7}", order="graph")
    assert star == {given}


def test_unequal_losses_move_the_threshold(tmp_path: Path) -> None:
    """Playing G wrongly costs 3: one signal of 0.7 is not enough, so the first agent plays B whatever it hears."""
    run = tidings.run(write(tmp_path, loss_false_good=3), out=tmp_path / "runs")
    first = [right[0] for _, _, right in run.correct_actions()]
    states = run.rollouts()["state"].to_list()
    assert first == [state == "B" for state in states]


def test_a_fixed_state_and_other_names(tmp_path: Path) -> None:
    run = tidings.run(write(tmp_path, states="[bad, good]", state="good"), rollouts=5, out=tmp_path / "runs")
    assert run.rollouts()["state"].to_list() == ["good"] * 5


def test_heterogeneous_precision(tmp_path: Path) -> None:
    precision = "{" + ", ".join(f"a{i}: {0.55 + 0.05 * i:.2f}" for i in range(8)) + "}"
    full = tidings.run(write(tmp_path, precision=precision), out=tmp_path / "runs")
    fast = tidings.run(
        write(tmp_path, precision=precision), out=tmp_path / "runs", overrides={"rollouts.log": "summary"}
    )
    columns = ["state", "n_good", "n_correct", "first_cascade", "belief"]
    assert (
        full.rollouts()
        .select(columns)
        .equals(fast.rollouts().select(columns).cast(full.rollouts().select(columns).schema))
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"precision": 0.3}, r"environment.precision: found 0.3; allowed: a number in \[0.5, 1.0\]"),
        ({"precison": 0.7}, "did you mean 'precision'"),
        ({"prior": 1.0}, "environment.prior"),
        ({"order": "[a0, a9]"}, "found seat 'a9'"),
        ({"order": "[a0, a0]"}, "a seat twice"),
        ({"horizon": 9}, "at most 8 agents can act"),
        ({"state": "X"}, "found 'X'"),
        ({"states": "[A, A]"}, "two different names"),
        ({"precision": "{a0: 0.7}"}, "no value for seat 'a1'"),
        ({"ties": "toss"}, "own_signal"),
    ],
)
def test_wrong_settings_are_one_line(tmp_path: Path, environment: dict, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        tidings.load_scenario(write(tmp_path, **environment))
    assert "\n" not in str(caught.value)


SHEET = (
    "{statements: {B: [It is slow., It is loud., It is old.], G: [It is cheap., It is safe., It is red.]}, "
    "n_for: 2, n_against: 1}"
)


def test_messages_of_true_statements_point_as_often_as_asked(tmp_path: Path) -> None:
    """The realised precision of messages is the requested one; every sentence stands on the sheet."""
    run = tidings.run(write(tmp_path, fact_sheet=SHEET, precision=0.8), out=tmp_path / "runs")
    sentences = {"G": {"It is cheap.", "It is safe.", "It is red."}, "B": {"It is slow.", "It is loud.", "It is old."}}
    states = dict(zip(run.rollouts()["rollout"], run.rollouts()["state"], strict=True))
    n_right = n = 0
    texts = set()
    for row in run.events().filter(kind="signal").to_dicts():
        data = json.loads(row["data"])
        said = {f"{part.strip()}." for part in data["text"].split(".") if part.strip()}
        assert said <= sentences["G"] | sentences["B"]
        points_to = "G" if len(said & sentences["G"]) > len(said & sentences["B"]) else "B"
        assert points_to == data["value"]
        n_right += points_to == states[row["rollout"]]
        n += 1
        texts.add(data["text"])
    assert abs(n_right / n - 0.8) < 3.5 * sqrt(0.8 * 0.2 / n)
    assert len(texts) > 20


def test_a_message_does_not_tell_the_signal_itself(tmp_path: Path) -> None:
    scenario = tidings.load_scenario(write(tmp_path, fact_sheet=SHEET))
    compiled = compile_scenario(scenario)
    play = compiled.play(0)
    signal = next(event for event in play.open() if event.kind == "signal")
    words = compiled.environment.describe(signal, "a0")
    assert signal.data["text"] in words
    assert "hint says" not in words


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("{statements: {B: [x.], G: [y.]}}", "need at least n_for"),
        ("{statements: {B: [x., z.], G: [y., w.]}, n_against: 2}", "must be below n_for"),
        ("{statements: {B: [x., z.], H: [y., w.]}}", "need statements for"),
    ],
)
def test_wrong_fact_sheets_are_one_line(tmp_path: Path, sheet: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        tidings.load_scenario(write(tmp_path, fact_sheet=sheet))
    assert "\n" not in str(caught.value)


def test_losses_by_seat_move_each_threshold(tmp_path: Path) -> None:
    """a0 would lose 3 by playing G wrongly and follows no signal of 0.7; a1 follows its own as if it were first."""
    losses = "{a0: 3.0, " + ", ".join(f"a{i}: 1.0" for i in range(1, 8)) + "}"
    run = tidings.run(write(tmp_path, loss_false_good=losses), out=tmp_path / "runs")
    events = run.events()
    signals = {(e["rollout"], e["seat"]): e for e in events.filter(kind="signal").to_dicts()}
    for event in events.filter(kind="action").to_dicts():
        action = json.loads(event["data"])["action"]
        if event["seat"] == "a0":
            assert action == "B"
        if event["seat"] == "a1":
            assert action == json.loads(signals[event["rollout"], "a1"]["data"])["value"]
    rows = run.rollouts()
    assert (rows["off_path"] == 0).all()
    wrong_a0 = (rows["state"] == "G").to_list()
    assert rows["loss"].to_list() == [
        pytest.approx(n_wrong - was_wrong + 0.5 * was_wrong)  # a0 loses 2 * (1 - 3/4) when it wrongly plays B
        for n_wrong, was_wrong in zip((rows["n_agents"] - rows["n_correct"]).to_list(), wrong_a0, strict=True)
    ]


def test_a_message_points_where_most_of_its_statements_speak() -> None:
    sheet = FactSheet(statements={"B": ("It is slow.", "It is old."), "G": ("It is red.", "It is safe.")})
    assert sheet.points_to("It is red. It is slow. It is safe.") == "G"
    assert sheet.points_to("It is old. It is slow.") == "B"
    assert sheet.points_to("It is red. It is slow.") is None
    assert sheet.points_to("Nothing to say.") is None
