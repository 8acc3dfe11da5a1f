"""The event log: order, bounded files, recovery after a crash at any byte."""

import itertools
import os
import shutil
from pathlib import Path

import pytest

from tidings.core import DataError, Event
from tidings.log.codec import decode_line, encode_step
from tidings.log.reader import count_rollouts, read_events, read_rollouts
from tidings.log.store import ENDED, EventStore, segments


def steps_of(rollout: int, n_steps: int = 3) -> list[list[Event]]:
    index = itertools.count()
    steps = [
        [Event("talk", ("a0",), {"text": f"{rollout}.{s}.{k}"}, "a0", s, next(index)) for k in range(2)]
        for s in range(n_steps)
    ]
    steps[-1].append(Event(ENDED, (), {"status": "failed" if rollout == 2 else "ok"}, None, n_steps - 1, next(index)))
    return steps


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in segments(folder))


def write_all(folder: Path, order: list[tuple[int, int]], **settings: int) -> None:
    """Writes the steps named by (rollout, step) in the given order."""
    store = EventStore(folder, **settings)
    for rollout, step in order:
        steps = steps_of(rollout)
        store.append(rollout, steps[step])
        if step == len(steps) - 1:
            store.finish(rollout)
    store.close()


IN_ORDER = [(r, s) for r in range(4) for s in range(3)]
INTERLEAVED = [(r, s) for s in range(3) for r in (2, 0, 3, 1)]
LAST_FIRST = [(r, s) for r in (3, 2, 1, 0) for s in range(3)]


@pytest.mark.parametrize("order", [INTERLEAVED, LAST_FIRST])
@pytest.mark.parametrize("segment_bytes", [1, 700, 1 << 20])
def test_bytes_do_not_depend_on_the_order_of_events(tmp_path: Path, order: list, segment_bytes: int) -> None:
    write_all(tmp_path / "calm", IN_ORDER, segment_bytes=segment_bytes)
    write_all(tmp_path / "wild", order, segment_bytes=segment_bytes)
    assert [p.name for p in segments(tmp_path / "wild")] == [p.name for p in segments(tmp_path / "calm")]
    assert bytes_of(tmp_path / "wild") == bytes_of(tmp_path / "calm")
    assert not list((tmp_path / "wild" / "active").iterdir())


def test_files_stay_bounded(tmp_path: Path) -> None:
    write_all(tmp_path, [(r, s) for r in range(500) for s in range(3)])
    assert len(list(tmp_path.rglob("*.jsonl"))) == 1


def test_reading_gives_back_what_was_written(tmp_path: Path) -> None:
    write_all(tmp_path, INTERLEAVED)
    for rollout, lines in read_rollouts(tmp_path):
        assert [line.event() for line in lines] == [event for step in steps_of(rollout) for event in step]
    count = count_rollouts(tmp_path)
    assert (count.n_ended, count.n_failed, count.n_open) == (4, 1, 0)


@pytest.mark.parametrize("order", [IN_ORDER, INTERLEAVED, LAST_FIRST])
def test_a_crash_at_any_byte_loses_at_most_the_step_in_flight(tmp_path: Path, order: list) -> None:
    """Cuts the last write at every byte, recovers, finishes, and compares with the calm run."""
    write_all(tmp_path / "calm", IN_ORDER, segment_bytes=700)
    for n_done in range(1, len(order)):
        rollout, step = order[n_done]
        data = encode_step(rollout, steps_of(rollout)[step])
        for cut in {0, 1, len(data) // 2, len(data) - 1}:
            folder = tmp_path / f"crash-{n_done}-{cut}"
            store = EventStore(folder, segment_bytes=700)
            for r, s in order[:n_done]:
                store.append(r, steps_of(r)[s])
                if s == 2:
                    store.finish(r)
            path = store._file_of(rollout).path
            with path.open("ab") as file:
                file.write(data[:cut])
            del store  # killed: nothing is flushed, closed or moved
            recovered = EventStore(folder, segment_bytes=700)
            held = {r: {e.step for e in events} for r, events in recovered.unfinished.items()}
            for r, s in order[:n_done]:
                assert recovered.is_finished(r) or s in held[r]
            for r, s in order:
                if not recovered.is_finished(r) and s not in held.get(r, ()):
                    recovered.append(r, steps_of(r)[s])
                    if s == 2:
                        recovered.finish(r)
            recovered.close()
            assert bytes_of(folder) == bytes_of(tmp_path / "calm"), (n_done, cut)
            shutil.rmtree(folder)


def test_a_crash_between_copy_and_removal_does_not_double(tmp_path: Path) -> None:
    write_all(tmp_path / "calm", IN_ORDER)
    folder = tmp_path / "crash"
    write_all(folder, [(0, 0), (0, 1), (0, 2)])
    ended = b"".join(encode_step(1, step) for step in steps_of(1))
    (folder / "active" / "00000001.jsonl").write_bytes(ended)
    for part in (len(ended), len(ended) // 2):
        segment = folder / "00000000.jsonl"
        whole = segment.read_bytes()
        segment.write_bytes(whole + ended[:part])
        (folder / "active" / "00000001.jsonl").write_bytes(ended)
        store = EventStore(folder)
        assert store.next_rollout == 2
        store.close()
        assert bytes_of(folder) == whole + ended
        segment.write_bytes(whole)


def test_damage_in_the_middle_is_told_and_not_skipped(tmp_path: Path) -> None:
    write_all(tmp_path, IN_ORDER)
    path = tmp_path / "00000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = b'{"rollout":0,"st\n'
    path.write_bytes(b"".join(lines))
    with pytest.raises(DataError, match=r"00000000.jsonl:5: unreadable line"):
        list(read_events(tmp_path))
    with pytest.raises(DataError, match="unreadable line"):
        EventStore(tmp_path)


def test_a_full_disk_takes_the_half_written_step_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EventStore(tmp_path)
    store.append(0, steps_of(0)[0])
    real = os.write

    def full(fd: int, data: bytes) -> int:
        if len(data) > 40:
            return real(fd, data[:40])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        store.append(0, [Event("talk", (), {"text": "x" * 20}, None, 1, 2)])
    monkeypatch.setattr(os, "write", real)
    assert (tmp_path / "00000000.jsonl").read_bytes() == encode_step(0, steps_of(0)[0])
    store.append(0, steps_of(0)[1])
    store.close()
    assert len(list(read_events(tmp_path))) == 4


def test_lines_are_small_and_complete() -> None:
    line = encode_step(3, [Event("action", ("*",), {"action": "G"}, "a1", 2, 9)])
    assert line == (
        b'{"rollout":3,"step":2,"index":9,"kind":"action","audience":["*"],'
        b'"data":{"action":"G"},"seat":"a1","commit":true}\n'
    )
    assert decode_line(line).event() == Event("action", ("*",), {"action": "G"}, "a1", 2, 9)
    with pytest.raises(ValueError, match="audience"):
        decode_line(b'{"rollout":3,"step":2,"index":9,"kind":"action"}')


def test_an_empty_folder_is_an_empty_log(tmp_path: Path) -> None:
    assert list(read_events(tmp_path / "events")) == []
    store = EventStore(tmp_path / "events")
    assert store.next_rollout == 0
    store.close()


@pytest.mark.parametrize("segment_bytes", [1, 700, 1 << 20])
@pytest.mark.parametrize("crash", [None, 0, 1])
def test_a_failed_rollout_is_tried_again_in_its_place(tmp_path: Path, segment_bytes: int, crash: int | None) -> None:
    """Rollout 2 failed; taken up again without its last step, it leaves the log of a run without failure."""
    write_all(tmp_path, IN_ORDER, segment_bytes=segment_bytes)
    before = bytes_of(tmp_path)
    store = EventStore(tmp_path, segment_bytes=segment_bytes)
    store.reopen(2)
    assert not store.is_finished(2)
    assert [event.step for event in store.unfinished[2]] == [0, 0, 1, 1]
    if crash is not None:
        if crash:
            store.append(2, steps_of(2)[2][:1])
        del store
        store = EventStore(tmp_path, segment_bytes=segment_bytes)
        assert not store.is_finished(2)
        assert [event.step for event in store.unfinished[2]] == [0, 0, 1, 1] + [2] * crash
        store.reopen(2)
    assert bytes_of(tmp_path) == before
    last = [e._replace(data={"status": "ok"}) if e.kind == ENDED else e for e in steps_of(2)[2]]
    store.append(2, last[1:] if crash else last)
    store.finish(2)
    for step in steps_of(4):
        store.append(4, step)
    store.finish(4)
    store.close()
    assert count_rollouts(tmp_path).n_failed == 0
    assert [rollout for rollout, _ in read_rollouts(tmp_path)] == [0, 1, 2, 3, 4]
    assert not list((tmp_path / "active").iterdir())
    if not crash:
        after = b"".join(
            encode_step(r, s) for r in range(5) for s in (steps_of(r) if r != 2 else [*steps_of(2)[:2], last])
        )
        assert bytes_of(tmp_path) == after


def test_lines_put_together_elsewhere_are_the_same_bytes_and_can_be_read_back(tmp_path: Path) -> None:
    write_all(tmp_path / "calm", IN_ORDER)
    store = EventStore(tmp_path / "lines")
    for rollout, n_steps in ((0, 2), (1, 1), (2, 3)):
        lines = b"".join(encode_step(rollout, step) for step in steps_of(rollout)[:n_steps])
        store.append_lines(rollout, lines)
        assert store.logged_lines(rollout) == lines
    store.finish(2)
    assert store.logged_lines(3) == b""
    store.close()
    again = EventStore(tmp_path / "lines")
    for rollout, n_steps in ((0, 2), (1, 1)):
        assert again.logged_lines(rollout) == b"".join(encode_step(rollout, s) for s in steps_of(rollout)[:n_steps])
        again.append_lines(rollout, b"".join(encode_step(rollout, step) for step in steps_of(rollout)[n_steps:]))
        again.finish(rollout)
    again.append_lines(3, b"".join(encode_step(3, step) for step in steps_of(3)))
    again.finish(3)
    again.close()
    assert bytes_of(tmp_path / "lines") == bytes_of(tmp_path / "calm")
