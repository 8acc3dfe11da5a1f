"""The indices: the same events as the reader of the log, whatever was written when."""

import json
from pathlib import Path

import networkx as nx
import pytest
from viewer_runs import FAILING, HERD, MODELS, SUMMARY, deliberation, gossip, play, write_run

import tidings
from tidings.analysis.viewer import Library
from tidings.analysis.viewer.call_index import CallIndex
from tidings.analysis.viewer.fold import STEPS_PER_BLOCK, RolloutFold
from tidings.analysis.viewer.log_index import LogIndex
from tidings.analysis.viewer.views import EVENTS_PER_PAGE, RunView
from tidings.core import DataError, Event
from tidings.core.events import is_visible
from tidings.log.calls import CallStore
from tidings.log.codec import LogLine
from tidings.log.reader import read_rollouts
from tidings.log.store import EventStore
from tidings.metrics.ledger import read_ledger


def both(folder: Path) -> tuple[dict[int, list[LogLine]], dict[int, list[LogLine]]]:
    index = LogIndex(folder)
    index.refresh()
    return {r: list(index.read(r)) for r in index.rollouts}, dict(read_rollouts(folder))


def test_the_index_reads_what_the_log_reader_reads(tmp_path: Path) -> None:
    folder = play(HERD, tmp_path) / "events"
    found, expected = both(folder)
    assert found == expected
    assert len(found) == 3
    index = LogIndex(folder)
    index.refresh()
    assert list(index.read(1, 3, 7)) == expected[1][3:7]
    assert list(index.read(1, 45, 99)) == expected[1][45:]
    assert [(p.status, p.n_steps, p.n_events) for p in index.rollouts.values()] == [
        ("ok", lines[-1].step + 1, len(lines)) for lines in expected.values()
    ]


def test_a_log_cut_anywhere_gives_the_committed_steps_and_grows_on(tmp_path: Path) -> None:
    write_run(tmp_path / "run", nx.cycle_graph(8), [gossip()])
    (segment,) = (tmp_path / "run" / "events").glob("*.jsonl")
    data = segment.read_bytes()
    growing = LogIndex(segment.parent)
    for end in [*range(0, len(data), 997), len(data)]:
        segment.write_bytes(data[:end])
        fresh, expected = both(segment.parent)
        assert fresh == expected
        growing.refresh()
        assert {r: list(growing.read(r)) for r in growing.rollouts} == expected
    assert not growing.problems


def test_a_damaged_line_is_told_and_what_stands_before_it_is_shown(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", nx.cycle_graph(8), [gossip()])
    (segment,) = (folder / "events").glob("*.jsonl")
    lines = segment.read_bytes().split(b"\n")
    lines[30] = lines[30][:-5]
    segment.write_bytes(b"\n".join(lines))
    head = RunView(folder).head()
    assert "unreadable line" in head["problem"]
    assert 0 < head["n_events"] <= 30


def test_rollouts_in_flight_and_rollouts_exchanged_are_followed(tmp_path: Path) -> None:
    store, index = EventStore(tmp_path), LogIndex(tmp_path)

    def step(rollout: int, number: int, *, last: bool = False, word: str = "ok") -> None:
        kind, data = ("ended", {"status": word}) if last else ("message", {"text": str(number)})
        store.append(rollout, [Event(kind, (), data, None, number, number)])
        if last:
            store.finish(rollout)

    def known() -> dict[int, tuple[str, int]]:
        index.refresh()
        for rollout, place in index.rollouts.items():
            assert len(list(index.read(rollout))) == place.n_events
        return {r: (place.status, place.n_events) for r, place in index.rollouts.items()}

    step(0, 0)
    step(1, 0)
    assert known() == {0: ("open", 1), 1: ("open", 1)}
    step(1, 1, last=True, word="failed")
    assert known() == {0: ("open", 1), 1: ("failed", 2)}
    step(0, 1, last=True)
    assert known() == {0: ("ok", 2), 1: ("failed", 2)}
    store.reopen(1)
    step(1, 1)
    step(1, 2, last=True)
    assert known() == {0: ("ok", 2), 1: ("ok", 3)}
    store.close()


def test_reading_a_rollout_that_is_not_there_is_told(tmp_path: Path) -> None:
    index = LogIndex(tmp_path)
    index.refresh()
    with pytest.raises(DataError, match="rollout 3: not in the log"):
        list(index.read(3))


def test_reach_is_what_is_visible_says_for_every_seat_and_event(tmp_path: Path) -> None:
    folder = play(HERD, tmp_path)
    view = RunView(folder)
    columns = view.columns(0)
    assert columns["seats"][-1] == "planner"
    lines = dict(read_rollouts(folder / "events"))[0]
    for i, line in enumerate(lines):
        expected = [k for k, seat in enumerate(columns["seats"]) if is_visible(line.event(), seat)]
        assert columns["reach"][columns["audience"][i]] == expected
        assert columns["kinds"][columns["kind"][i]] == line.kind
        assert (columns["seats"][columns["seat"][i]] if columns["seat"][i] >= 0 else None) == line.seat
    assert sum(columns["step_sizes"]) == len(lines)


def test_blocks_give_the_states_that_a_replay_of_the_events_gives() -> None:
    seats = [f"a{i}" for i in range(5)]
    fold = RolloutFold(seats)
    lines, step = [], 0
    for step in range(3 * STEPS_PER_BLOCK + 5):
        seat = seats[step * 7 % 5]
        data = {"action": {"belief": step / 1000, "action": "G" if step % 3 else "B"}}
        lines.append(LogLine(0, step, 2 * step, "reply", (seat,), data, seat))
        lines.append(LogLine(0, step, 2 * step + 1, "action", ("*",), {"action": data["action"]["action"]}, seat))
    fold.extend(lines)
    assert fold.columns()["actions"] == ["B", "G"]
    for wanted in (0, 1, STEPS_PER_BLOCK - 1, STEPS_PER_BLOCK, STEPS_PER_BLOCK + 1, step):
        belief: dict[str, float] = {}
        for line in lines:
            if line.step <= wanted and line.kind == "reply":
                belief[line.seat or ""] = line.data["action"]["belief"]
        block = fold.block(wanted // STEPS_PER_BLOCK)["belief"]
        now = list(block["base"])
        for at, seat, value in zip(block["steps"], block["seats"], block["values"], strict=True):
            if at <= wanted:
                now[seat] = value
        assert now == [belief.get(seat) for seat in seats]


def test_a_fact_is_met_by_its_owner_and_by_whom_a_claim_is_delivered_to(tmp_path: Path) -> None:
    view = RunView(write_run(tmp_path / "run", nx.cycle_graph(8), [gossip(8, 2)]))
    facts = view.facts(0)
    assert [(f["name"], f["owners"], f["known"], f["wrong"]) for f in facts] == [
        ("f0", ["a0"], 8, 1), ("f1", ["a1"], 8, 0)
    ]  # fmt: skip
    met = view.fact(0, 0)["met"]
    assert {seat: step for seat, step, *_ in met} == {0: 0, 1: 1, 7: 1, 2: 2, 6: 2, 3: 3, 5: 3, 4: 4}
    for seat, step, index, _ in met:
        (event,) = (e for page in [view.events(0, 0)] for e in page if e["i"] == index)
        assert event["step"] == step
        assert f"a{seat}" in event["audience"] or f"a{seat}" in event["data"]["owners"]
    with pytest.raises(DataError, match="no fact 2"):
        view.fact(0, 2)


def test_who_knows_what_since_when_and_which_leaks_are_as_the_ledger_of_the_metrics_says(tmp_path: Path) -> None:
    steps = gossip(8, 3)
    secret = {"fact": "s", "value": 1, "owners": ["a5"], "visibility": ["a5", "a6"], "prior_p": 0.5}
    steps[0].append(Event("fact_declared", (), secret))
    claims = [{"fact": "s", "value": 1, "polarity": 1, "hedged": True}, {"fact": "f2", "value": 9, "polarity": 1}]
    steps[1].append(Event("message", ("a5", "a4", "a6"), {"text": "s", "claims": claims}, "a5"))
    folder = write_run(tmp_path / "run", nx.cycle_graph(8), [steps])
    view = RunView(folder)
    events = [line.event() for line in dict(read_rollouts(folder / "events"))[0]]
    seats = tuple(view.columns(0)["seats"])
    ledger = read_ledger(events, seats)
    facts = view.facts(0)
    assert {fact["name"] for fact in facts} == set(ledger.traces)
    leaks = {(leak.fact, leak.seat) for leak in ledger.leaks}
    for number, fact in enumerate(facts):
        met = view.fact(0, number)["met"]
        assert {seats[seat]: step for seat, step, *_ in met} == dict(ledger.traces[fact["name"]].since)
        assert {(fact["name"], seats[seat]) for seat, *_, leak in met if leak} <= leaks
        assert fact["leaks"] == len({pair for pair in leaks if pair[0] == fact["name"]})
    assert leaks == {("s", "a4")}


def test_claims_in_texts_are_followed_as_the_ledger_of_the_metrics_follows_them(tmp_path: Path) -> None:
    """A rumour without side fields: what the figures count is what the stage shows."""
    run = tidings.run(Path(__file__).parents[2] / "scenarios" / "rumour.yaml", out=tmp_path)
    view = RunView(run.path)
    met = {row["name"]: row["known"] for row in view.facts(0)}
    assert met == {"code": 6, "mill": 3}
    assert sum(met.values()) / 12 == run.metrics("coverage")["value"][0]
    ledger = next(run.ledgers())
    seats = view.columns(0)["seats"]
    for number, (name, trace) in enumerate(ledger.traces.items()):
        rows = {seats[seat]: step for seat, step, _, _ in view.fact(0, number)["met"]}
        assert rows == {seat: trace.since[seat] for seat in trace.since}
        assert view.facts(0)[number]["name"] == name
        assert view.facts(0)[number]["leaks"] == len({seat for _, seat in trace.leaks})
    read = [(e["i"], *claim) for page in (0, 1) for e in view.events(0, page) for claim in e.get("read", ())]
    assert read == [(made.event, made.claim.fact, made.claim.stated) for made in ledger.claims]
    assert any(stated.startswith("not:") for *_, stated in read)
    assert len(run.events().filter(rollout=0)) == view.columns(0)["n"]


def test_the_graphs_a_planner_builds_are_told_round_by_round(tmp_path: Path) -> None:
    view = RunView(write_run(tmp_path / "run", nx.complete_graph(4), [deliberation()]))
    data = view.planner(0)
    assert [(plan["round"], plan["edges"], plan["last_edges"], plan["stop"]) for plan in data["plans"]] == [
        (1, [["a0", "a1"], ["a1", "a2"]], [["a3", "a0"]], False), (2, [["a0", "a3"]], [], False), (2, [], [], True)
    ]  # fmt: skip
    assert [ledger["round"] for ledger in data["ledgers"]] == [0, 1]
    assert data["precision"] == []


def test_pages_hold_every_event_once(tmp_path: Path) -> None:
    steps = [[Event("message", ("*",), {"text": str(i)}, "a0")] for i in range(2 * EVENTS_PER_PAGE + 9)]
    view = RunView(write_run(tmp_path / "run", nx.path_graph(3), [steps]))
    pages = [view.events(0, page) for page in range(4)]
    assert [len(page) for page in pages] == [EVENTS_PER_PAGE, EVENTS_PER_PAGE, 10, 0]
    assert [e["i"] for page in pages for e in page] == list(range(2 * EVENTS_PER_PAGE + 10))


def test_calls_are_found_by_their_turn(tmp_path: Path) -> None:
    folder = play(MODELS, tmp_path)
    view = RunView(folder)
    store = list(CallStore(folder / "calls").records())
    assert store
    seen = 0
    for rollout in (0, 1):
        for number, row in enumerate(view.calls(rollout)):
            shown = view.call(rollout, number)
            assert shown["request"]["key"] == [rollout, row["seat"], row["step"], row["draw"]]
            (record,) = (record for record in store if record.id == shown["id"])
            assert [list(message) for message in record.request.messages] == shown["request"]["messages"]
            assert str(record.request.seed) == shown["request"]["seed"]
            assert record.response is not None
            assert record.response.text == shown["response"]["text"]
            seen += 1
    assert seen == len(store)
    with pytest.raises(DataError, match="no call"):
        view.call(0, 99)


def test_an_unfinished_call_is_left_out_until_it_is_whole(tmp_path: Path) -> None:
    calls = play(MODELS, tmp_path) / "calls"
    (path,) = calls.glob("*.jsonl")
    data = path.read_bytes()
    index = CallIndex(calls)
    path.write_bytes(data[:-10])
    index.refresh()
    before = sum(map(len, index.rollouts.values()))
    path.write_bytes(data)
    index.refresh()
    assert sum(map(len, index.rollouts.values())) == before + 1 == data.count(b"\n")


def test_runs_of_every_sort_are_told_truthfully(tmp_path: Path) -> None:
    failing, rows = play(FAILING, tmp_path), play(SUMMARY, tmp_path)
    write_run(tmp_path / "empty", nx.path_graph(3), [])
    write_run(tmp_path / "deep" / "sweep" / "torn", nx.cycle_graph(8), [gossip()], status="running", ended=False)
    broken = write_run(tmp_path / "broken", nx.path_graph(3), [])
    (broken / "status.json").write_text("{")
    library = Library([tmp_path])
    found = {row["label"]: row for row in library.runs()}
    assert set(found) == {failing.name, rows.name, "empty", "deep/sweep/torn", "broken"}
    assert (found[failing.name]["done"], found[failing.name]["failed"]) == (3, 3)
    assert all(metric["value"] is None for metric in found[failing.name]["metrics"])
    torn = found["deep/sweep/torn"]
    assert (torn["status"], torn["done"], torn["metrics"]) == ("interrupted", 0, [])
    assert "not JSON" in found["broken"]["problem"]
    summary = library.get(f"run/{found[rows.name]['id']}/summary/1")
    assert (summary["n"], len(summary["rows"])) == (300, 100)
    assert library.get(f"run/{found[rows.name]['id']}")["n_logged"] == 0
    head = library.get(f"run/{found[failing.name]['id']}")
    assert (head["failed"], head["n_logged"], head["graph"]["complete"]) == (3, 3, True)
    assert library.get(f"run/{found['empty']['id']}/rollouts/0")["rows"] == []
    json.loads(library.json("runs"))


def test_the_planner_s_side_is_told_with_what_it_paid(tmp_path: Path) -> None:
    view = RunView(play(HERD.replace("watts_strogatz, n: 9, k: 4, p: 0.2", "complete, n: 9"), tmp_path))
    data = view.planner(0)
    assert data["control"]["objective"] == "altruistic"
    rows = data["precision"]
    assert [row["precision"] for row in rows] == [0.8] * 9
    assert rows[-1]["spent"] == pytest.approx(9 * 0.05)
    assert rows[0]["public"] == 0.5
    assert all(0 <= row["public"] <= 1 for row in rows)


def test_the_figure_that_answers_the_question_of_a_run_comes_first(tmp_path: Path) -> None:
    run = write_run(tmp_path / "votes", nx.path_graph(3), [])
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "environment": "hidden_profile"}))
    figures = {name: {"name": name, "value": 0.5} for name in ("right_before", "right_after", "gain")}
    (run / "metrics.json").write_text(json.dumps(figures))
    (row,) = Library([tmp_path]).runs()
    assert [figure["name"] for figure in row["metrics"]] == ["right_after", "right_before", "gain"]
