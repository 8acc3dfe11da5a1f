import json
import math
import os

import pytest
from asked import ask
from hypothesis import given
from hypothesis import strategies as st

from tidings.core import CallKey, DataError, ModelError, ModelRequest, ModelResponse, PromptMessage, ReplayError
from tidings.log.calls import CallStore, call_id
from tidings.models.guard import GuardParams
from tidings.models.recorded import RecordedModel

ANSWER = ModelResponse("hi", "m-1", 3, 2, extra={"n": [1, None]})


def test_what_is_recorded_is_found_again_by_another_process(tmp_path):
    full = ModelResponse("A", "m", 3, 1, "stop", (0.1, 0.9), 0.7, (-0.1, -2.5), {"x": {"y": 1.5}})
    request = ask(
        kind="choice", options=("A", "B"), schema={"b": 1, "a": 2}, stop=("x",), temperature=0.3, seed=2**64 - 1
    )
    CallStore(tmp_path).record(request, "scripted/m", full, cost_usd=0.25, latency_s=1.5, attempts=3, started=12.5)
    store = CallStore(tmp_path)
    assert store.lookup(request, "scripted/m") == full
    record = store.find(request, "scripted/m")
    assert (record.request, record.cost_usd, record.latency_s, record.attempts, record.started) == (
        request,
        0.25,
        1.5,
        3,
        12.5,
    )


_texts = st.text(max_size=8)


@given(
    st.builds(
        ModelRequest,
        st.builds(CallKey, st.integers(0, 9), _texts, st.integers(0, 9), st.integers(0, 9)),
        st.lists(st.builds(PromptMessage, st.sampled_from(["system", "user"]), _texts), max_size=3).map(tuple),
        st.sampled_from(["text", "json", "choice", "score"]),
        st.lists(_texts, max_size=3).map(tuple),
        st.none() | st.dictionaries(_texts, st.integers() | _texts, max_size=2),
        _texts,
        st.integers(1, 99),
        st.floats(0, 2),
        st.floats(0.1, 1),
        st.lists(_texts, max_size=2).map(tuple),
        st.integers(0, 2**64 - 1),
    )
)
def test_any_request_survives_the_disk(request_):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = CallStore(folder)
        store.record(request_, "m", ANSWER)
        store.close()
        again = CallStore(folder)
        assert again.find(request_, "m").request == request_
        assert again.lookup(request_, "m") == ANSWER
        again.close()


def test_every_part_of_the_request_and_the_model_make_the_id():
    base = ask()
    others = [
        ask(seat="a1"),
        ask(step=1),
        ask(draw=1),
        ask("Other?"),
        ask(seed=1),
        ask(temperature=0.1),
        ask(max_tokens=5),
        ask(top_p=0.5),
        ask(stop=("x",)),
        ask(kind="json", schema={}),
        ask(kind="json", schema={"a": 1}),
        ask(kind="score", continuation="x"),
        ask(kind="choice", options=("x",)),
    ]
    ids = {call_id(request, "m") for request in [base, *others]} | {call_id(base, "n")}
    assert len(ids) == len(others) + 2
    assert call_id(ask(schema={"a": 1, "b": 2}), "m") == call_id(ask(schema={"b": 2, "a": 1}), "m")


def test_nothing_is_found_for_another_call(tmp_path):
    store = CallStore(tmp_path)
    store.record(ask(), "m", ANSWER)
    assert store.lookup(ask(step=1), "m") is None
    assert store.lookup(ask(), "n") is None


def test_reading_writes_nothing(tmp_path):
    store = CallStore(tmp_path / "calls")
    assert list(store.records()) == []
    assert CallStore.frame(tmp_path / "calls").is_empty()
    assert not (tmp_path / "calls").exists()


def test_an_unfinished_last_line_is_left_out_and_cut_off_by_the_next_record(tmp_path):
    store = CallStore(tmp_path)
    store.record(ask(), "m", ANSWER)
    store.record(ask(step=1), "m", ANSWER)
    store.close()
    path = tmp_path / "00000000.jsonl"
    whole = path.read_bytes()
    for length in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:length])
        again = CallStore(tmp_path)
        assert len(again) == 1
        assert path.read_bytes() == whole[:length]
        again.record(ask(step=1), "m", ANSWER)
        again.close()
        assert path.read_bytes() == whole


def test_a_damaged_line_in_the_middle_is_an_error(tmp_path):
    store = CallStore(tmp_path)
    for step in range(3):
        store.record(ask(step=step), "m", ANSWER)
    path = tmp_path / "00000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:20] + b"\n" + lines[2])
    with pytest.raises(DataError, match="unreadable line"):
        CallStore(tmp_path)


def test_files_roll_and_the_index_reads_over_all(tmp_path):
    store = CallStore(tmp_path, segment_bytes=1500)
    for step in range(20):
        store.record(ask(step=step), "m", ModelResponse(f"answer {step}", "m"))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"{number:08d}.jsonl" for number in range(len(names))]
    assert len(names) > 3
    again = CallStore(tmp_path, segment_bytes=1500)
    again.record(ask(step=20), "m", ModelResponse("answer 20", "m"))
    for reader in (again, CallStore(tmp_path)):
        assert [reader.lookup(ask(step=step), "m").text for step in range(21)] == [
            f"answer {step}" for step in range(21)
        ]
    assert [record.request.key.step for record in again.records()] == list(range(21))


def test_the_index_keeps_no_records(tmp_path):
    import tracemalloc

    store = CallStore(tmp_path)
    store.record(ask(), "m", ANSWER)
    tracemalloc.start()
    for step in range(2000):
        store.record(ask("x" * 2000, step=step), "m", ANSWER)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / 2000 < 500


def test_the_last_record_of_a_call_counts(tmp_path):
    store = CallStore(tmp_path)
    store.record(ask(), "m", ModelError("server", "down"))
    assert store.lookup(ask(), "m") is None
    store.record(ask(), "m", ANSWER)
    assert store.lookup(ask(), "m") == ANSWER
    assert CallStore(tmp_path).lookup(ask(), "m") == ANSWER
    assert len(list(store.records())) == 2


def test_an_unknown_price_is_null_on_disk_and_nan_in_memory(tmp_path):
    store = CallStore(tmp_path)
    assert math.isnan(store.record(ask(), "m", ANSWER, cost_usd=math.nan).cost_usd)
    (line,) = (tmp_path / "00000000.jsonl").read_text().splitlines()
    assert json.loads(line).get("cost_usd") is None
    assert math.isnan(CallStore(tmp_path).find(ask(), "m").cost_usd)


def test_a_full_disk_is_an_error_and_leaves_whole_lines(tmp_path, monkeypatch):
    store = CallStore(tmp_path)
    store.record(ask(), "m", ANSWER)
    before = (tmp_path / "00000000.jsonl").read_bytes()
    write = os.write
    monkeypatch.setattr("tidings.log.calls.os.write", lambda fd, data: write(fd, data[:10]))
    with pytest.raises(OSError, match="disk full"):
        store.record(ask(step=1), "m", ANSWER)
    monkeypatch.undo()
    assert (tmp_path / "00000000.jsonl").read_bytes() == before
    store.record(ask(step=1), "m", ANSWER)
    assert len(CallStore(tmp_path)) == 2


def test_one_record_is_one_write(tmp_path, monkeypatch):
    store, sizes, write = CallStore(tmp_path), [], os.write
    monkeypatch.setattr("tidings.log.calls.os.write", lambda fd, data: sizes.append(len(data)) or write(fd, data))
    store.record(ask("x" * 100_000), "m", ANSWER)
    assert len(sizes) == 1


def test_the_frame_has_one_row_a_record(tmp_path):
    store = CallStore(tmp_path)
    store.record(ask(step=4, seat="a7"), "m", ANSWER, latency_s=0.5, started=3.0)
    store.record(ask(kind="json", schema={}), "m", ModelError("timeout", "slow"), cost_usd=0.0)
    frame = CallStore.frame(tmp_path)
    assert frame.select("step", "seat", "kind", "status", "tokens_in", "finish").rows() == [
        (4, "a7", "text", "answered", 3, "stop"),
        (0, "a0", "json", "timeout", 0, None),
    ]
    assert math.isnan(frame["cost_usd"][0])


async def test_a_replay_answers_from_the_record_only(tmp_path):
    store = CallStore(tmp_path)
    store.record(GuardParams(temperature=0.5).apply(ask()), "openai/x", ANSWER)
    store.record(ask(step=1, temperature=0.5), "openai/x", ModelError("timeout", "slow"))
    model = RecordedModel(store, "openai/x", frozenset(("text",)), GuardParams(temperature=0.5))
    assert (model.name, model.kinds) == ("openai/x", {"text"})
    assert await model.respond(ask()) == ANSWER
    with pytest.raises(ModelError, match="timeout: slow"):
        await model.respond(ask(step=1))
    with pytest.raises(ReplayError, match="rollout 0, step 2, seat 'a0', call 0: openai/x was never asked this text"):
        await model.respond(ask(step=2))
    await model.close()
