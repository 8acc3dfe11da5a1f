from __future__ import annotations

import copy
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.core.errors import DataError, RequestError
from tidings.memory import HashingEmbedder, Line, SessionCut, SharedMemory

SEATS = ("ann", "bob", "cat")


def line(
    n: float, text: str = "word", speaker: str = "ann", hearers: tuple[str, ...] = ("bob",), session: str = "s"
) -> Line:
    return Line(f"m{n}", n, session, speaker, hearers, text)


def content(memory: SharedMemory) -> list[object]:
    """Everything a memory holds, as plain values."""
    store = memory._store
    postings = store.postings()
    seats = [
        (
            seat.counts,
            store.spans(seat).numbers.tolist(),
            {name: (talk.numbers, list(map(repr, talk.parts))) for name, talk in seat.talks.items()},
            sorted(seat.stale),
        )
        for seat in store.seats.values()
    ]
    words = {word: list(positions) for word, positions in postings._words.items()}
    return [copy.deepcopy(seats), dict(store.lines), dict(store._numbers), dict(store._n_holders), words]


def test_a_line_comes_back_as_it_went_in() -> None:
    said = [
        Line("int", 3, "s", "ann", ("cat", "bob"), "tab\tand\nline 🎉 \x00 end"),
        Line("float", 3.5, "", "bob", (), "x"),
        Line("self", 2**53, "ß", "ann", ("ann", "bob"), "x"),
    ]
    with SharedMemory(SEATS, max_lines=9) as memory:
        assert memory.extend(said) == 3
        found = memory.seat("ann").read(["self", "int"])
        assert found == (said[0], said[2])
        assert type(found[0].time) is int
        assert memory.seat("bob").read(["float"]) == (said[1],)
        assert type(memory.seat("bob").read(["float"])[0].time) is float
        assert said[2].audience == ("ann", "bob")
        assert memory.seat("ann").counts().n_held == 2


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"id": " "}, "line ' '.id: found ' '; text that is not blank"),
        ({"id": 3}, "line 3.id: found 3; text"),
        ({"time": float("nan")}, "found nan; a finite number"),
        ({"time": float("inf")}, "found inf"),
        ({"time": "3"}, "found '3'"),
        ({"time": True}, "found True"),
        ({"time": 2**60}, "at most 2"),
        ({"session": None}, "session: found None"),
        ({"speaker": ""}, "speaker: found ''"),
        ({"hearers": ["bob"]}, r"hearers: found \['bob'\]; a tuple"),
        ({"hearers": "bob"}, "hearers: found 'bob'; a tuple"),
        ({"hearers": ("bob", "bob")}, "each hearer once"),
        ({"text": "\n"}, "text that is not blank"),
        ({"text": "a\ud800"}, "without lone surrogates"),
    ],
)
def test_lines_that_cannot_be(changes, found) -> None:
    fields = {"id": "m", "time": 1, "session": "s", "speaker": "ann", "hearers": ("bob",), "text": "hello"}
    with pytest.raises(RequestError, match=found) as caught:
        Line(**{**fields, **changes})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (line(1), "line 'm1'.id: found a line with this id; each id once"),
        (Line("n", 0.5, "s", "ann", (), "x"), "line 'n'.time: found 0.5 after 1.5; lines in time order; sort them"),
        (Line("n", 2, "s", "ann", ("bobb",), "x"), "found seat 'bobb'; .*; did you mean 'bob'?"),
        (Line("n", 2, "s", "eve", ("bob",), "x"), "found seat 'eve'"),
        (Line("n", 2, "s", "ann", ("*",), "x"), "found seat '*'"),
    ],
)
def test_a_refused_batch_leaves_no_trace(bad: Line, found: str) -> None:
    with SharedMemory(SEATS, max_lines=9) as memory:
        memory.extend([line(0), line(1, "old")])
        before = content(memory)
        with pytest.raises(RequestError, match=found) as caught:
            memory.extend([line(1.5, "new"), bad])
        assert "\n" not in str(caught.value)
        assert content(memory) == before
        memory.add(line(2, "next"))
        assert memory.seat("bob").counts() == (3, 3, 0)


def test_equal_times_are_fine_and_keep_their_order() -> None:
    with SharedMemory(SEATS, max_lines=9) as memory:
        memory.extend(Line(name, 1, "s", "ann", ("bob",), "same") for name in "zya")
        assert [found.id for found in memory.seat("bob").clear(["same"]).lines] == ["z", "y", "a"]


def test_the_oldest_go_first_and_are_counted() -> None:
    with SharedMemory(SEATS, max_lines=3) as memory:
        memory.extend(line(i, f"word w{i}") for i in range(3))
        memory.add(line(3, "word w3", hearers=("cat",)))
        assert memory.seat("ann").counts() == (4, 3, 1)
        assert memory.seat("bob").counts() == (3, 3, 0)
        assert memory.seat("cat").counts() == (1, 1, 0)
        assert memory.seat("ann").clear(["w0"]).lines == ()
        assert [found.id for found in memory.seat("bob").clear(["w0"], window=0).lines] == ["m0"]


@settings(deadline=None, max_examples=60)
@given(
    hearers=st.lists(st.sets(st.sampled_from(SEATS)), max_size=30),
    max_lines=st.integers(1, 6),
    batch=st.integers(1, 7),
)
def test_what_nobody_holds_is_deleted(hearers, max_lines, batch) -> None:
    lines = [
        Line(f"m{i}", i, f"s{i % 2}", "ann" if i % 3 else "bob", tuple(sorted(heard)), f"a a w{i}")
        for i, heard in enumerate(hearers)
    ]
    with SharedMemory(SEATS, max_lines=max_lines, cut=SessionCut(max_lines=2)) as memory:
        for start in range(0, len(lines), batch):
            memory.extend(lines[start : start + batch])
        held = {seat: [entry.id for entry in lines if seat in entry.audience][-max_lines:] for seat in SEATS}
        kept = {line_id for ids in held.values() for line_id in ids}
        store = memory._store
        assert {entry.id for entry in store.lines.values()} == set(store._numbers) == kept
        assert list(store._n_holders) == list(store.lines)
        for seat, ids in held.items():
            assert [store.lines[number].id for number in store.spans(store.seat(seat)).numbers.tolist()] == ids
            talks = store.seat(seat).talks
            covered = [n for talk in talks.values() for part in talk.parts for n in talk.lines_of(part)]
            assert sorted(covered) == store.spans(store.seat(seat)).numbers.tolist()
            assert all(talk.numbers for talk in talks.values())


@settings(deadline=None, max_examples=60)
@given(
    hearers=st.lists(st.sets(st.sampled_from(SEATS)), min_size=4, max_size=30),
    max_lines=st.integers(1, 4),
    step=st.integers(1, 7),
)
def test_the_index_forgets_the_words_of_what_is_gone(hearers, max_lines, step) -> None:
    """With next to no room for them in the index; searches before, between and after are as those of a fresh one."""
    lines = [
        Line(f"m{i}", i, f"s{i % 2}", "ann" if i % 3 else "bob", tuple(sorted(heard)), f"w{i} a")
        for i, heard in enumerate(hearers)
    ]
    with (
        patch("tidings.memory.store._ROOM", 0),
        SharedMemory(SEATS, max_lines=max_lines) as memory,
        SharedMemory(SEATS, max_lines=max_lines) as fresh,
    ):
        for start in range(0, len(lines), step):
            memory.extend(lines[start : start + step])
            memory.seat("ann").clear(["a"])
        fresh.extend(lines)
        assert memory._store.postings().n_lines <= 2 * len(memory._store.lines)
        for seat in SEATS:
            words = ["a", "w*", f"w{len(lines) - 2} a"]
            assert memory.seat(seat).clear(words) == fresh.seat(seat).clear(words)


@settings(deadline=None, max_examples=40)
@given(
    said=st.lists(st.tuples(st.sampled_from("rst"), st.sets(st.sampled_from(SEATS))), max_size=30),
    max_lines=st.integers(1, 8),
    size=st.integers(2, 40),
)
def test_one_by_one_equals_many_at_once(said, max_lines, size) -> None:
    """The same index, row by row: which lines came in one batch can be told from nothing."""
    lines = [
        line(i, f"a b w{i % 5}", hearers=tuple(sorted(heard)), session=name) for i, (name, heard) in enumerate(said)
    ]
    contents = []
    for step in (1, size):
        with SharedMemory(SEATS, max_lines=max_lines, cut=SessionCut(max_lines=3)) as memory:
            for start in range(0, len(lines), step):
                memory.extend(lines[start : start + step])
            contents.append(content(memory))
    assert contents[0] == contents[1]


def test_a_file_is_the_same_memory(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with SharedMemory(SEATS, max_lines=4, path=path, cut=SessionCut(3, 1.5)) as memory:
        memory.extend(line(i, f"word w{i}") for i in range(5))
        expected = memory.seat("bob").clear(["word"]), memory.seat("bob").counts()
    assert [entry.name for entry in tmp_path.iterdir()] == ["index.sqlite"]
    with SharedMemory.open(path) as again:
        assert (again.seat("bob").clear(["word"]), again.seat("bob").counts()) == expected
        assert (again.seats, again.max_lines, again._store.cut) == (SEATS, 4, SessionCut(3, 1.5))
        with pytest.raises(RequestError, match="found a line with this id"):
            again.add(line(4))
        again.add(line(5))
        assert again.seat("bob").counts() == (6, 4, 2)


@settings(deadline=None, max_examples=40)
@given(
    said=st.lists(st.tuples(st.sampled_from("rst"), st.sets(st.sampled_from(SEATS))), min_size=1, max_size=30),
    max_lines=st.integers(1, 8),
    close_at=st.integers(0, 30),
    step=st.integers(1, 9),
)
async def test_a_file_goes_on_where_it_was_closed(tmp_path_factory, said, max_lines, close_at, step) -> None:
    """Closed and opened again at any line, it finds, counts, cuts and forgets as a memory that was never closed."""
    lines = [
        line(i, f"a b w{i % 5}", hearers=tuple(sorted(heard)), session=name) for i, (name, heard) in enumerate(said)
    ]
    path = tmp_path_factory.mktemp("memory") / "index.sqlite"
    options = {"max_lines": max_lines, "embedder": HashingEmbedder(16), "cut": SessionCut(max_lines=3)}
    answers = []
    with SharedMemory(SEATS, **options) as calm, SharedMemory(SEATS, path=path, **options) as first:
        for memory in (calm, first):
            for start in range(0, close_at, step):
                memory.extend(lines[start : min(start + step, close_at)])
            await memory.seat("bob").fuzzy("w3")
        first.close()
        with SharedMemory.open(path, embedder=HashingEmbedder(16)) as again:
            assert (await calm.refresh()) == (await again.refresh())
            for memory in (calm, again):
                for part in (lines[:0], lines[close_at:]):
                    memory.extend(part)
                    seats = [memory.seat(name) for name in SEATS]
                    answers.append(
                        [(x.counts(), x.clear(["w1", "w3"], limit=3), await x.fuzzy("w3", top_k=9)) for x in seats]
                    )
    assert answers[:2] == answers[2:]


ENDLESS = """
import sys
from tidings.memory import Line, SharedMemory
memory = SharedMemory(["ann", "bob", "cat"], max_lines=30, path=sys.argv[1])
for i in range(10**9):
    memory.add(Line(f"m{i}", i, "s", "ann", ("bob",), f"word w{i}"))
    print(i, flush=True)
"""


def test_a_killed_process_leaves_a_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(100)]
        process.kill()
        said += [int(number) for number in process.stdout.read().split()]
    with SharedMemory.open(path) as memory:
        file = sqlite3.connect(path)
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        file.close()
        received = memory.seat("bob").counts().n_received
        # What was said to be added is there; one more may have been on its way.
        assert len(said) <= received <= len(said) + 1
        newest = [f"m{i}" for i in range(received - 30, received)]
        assert [found.id for found in memory.seat("bob").clear(["word"], limit=99).lines] == newest


def test_files_that_are_no_memory(tmp_path: Path) -> None:
    text, other = tmp_path / "notes.txt", tmp_path / "other.sqlite"
    text.write_text("no database " * 100)
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE t (x)")
    db.close()
    for path in (text, other):
        with pytest.raises(DataError, match="is no memory index of format 2; index the lines anew"):
            SharedMemory.open(path)
        with pytest.raises(RequestError, match="found the file"):
            SharedMemory(SEATS, max_lines=1, path=path)
    with pytest.raises(DataError, match="found no file"):
        SharedMemory.open(tmp_path / "none.sqlite")
    with pytest.raises(DataError, match="a place that can be written"):
        SharedMemory(SEATS, max_lines=1, path=tmp_path / "none" / "index.sqlite")


def test_another_embedder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    SharedMemory(SEATS, max_lines=4, path=path, embedder=HashingEmbedder(16)).close()
    SharedMemory.open(path).close()
    SharedMemory.open(path, embedder=HashingEmbedder(16)).close()
    with pytest.raises(DataError, match="found 'hashing-32'; 'hashing-16', as in the index"):
        SharedMemory.open(path, embedder=HashingEmbedder(32))


def test_a_fork_is_independent() -> None:
    with SharedMemory(SEATS, max_lines=3) as memory:
        memory.extend(line(i, f"word w{i}") for i in range(3))
        with memory.fork() as fork:
            fork.add(line(3, "word w3"))
            assert fork.seat("bob").counts() == (4, 3, 1)
            assert fork.seat("bob").clear(["w0"]).n_matches == 0
        assert memory.seat("bob").counts() == (3, 3, 0)
        assert memory.seat("bob").clear(["w0"]).n_matches == 1


def test_a_change_that_cannot_be_written_closes_the_memory(tmp_path: Path) -> None:
    """What is in memory and what is in the file never differ: it goes on from the file, or not at all."""
    path = tmp_path / "index.sqlite"
    with SharedMemory(SEATS, max_lines=4, path=path) as memory:
        memory.add(line(0))
        with (
            patch("tidings.memory.file.IndexFile.write", side_effect=OSError("full")),
            pytest.raises(OSError, match="full"),
        ):
            memory.add(line(1))
        with pytest.raises(RequestError, match="memory: found it closed"):
            memory.seat("bob").counts()
    with SharedMemory.open(path) as again:
        assert again.seat("bob").counts() == (1, 1, 0)


async def test_closed_is_closed() -> None:
    memory = SharedMemory(SEATS, max_lines=3, embedder=HashingEmbedder())
    bob = memory.seat("bob")
    memory.close()
    memory.close()
    for use in (
        lambda: memory.add(line(1)),
        lambda: bob.clear(["a"]),
        bob.counts,
        lambda: bob.read(["a"]),
        memory.fork,
    ):
        with pytest.raises(RequestError, match="memory: found it closed"):
            use()
    for wait in (bob.fuzzy("a"), memory.refresh()):
        with pytest.raises(RequestError, match="memory: found it closed"):
            await wait


@pytest.mark.parametrize(
    ("seats", "max_lines", "found"),
    [
        ([], 1, "memory.seats: found"),
        ("ann", 1, "found 'ann'; a list of names"),
        (["ann", ""], 1, "none of them blank"),
        (["ann", "*"], 1, "no wildcard"),
        (["ann", "bob", "ann"], 1, r"found \['ann'\] more than once"),
        (["ann"], 0, "memory.max_lines: found 0; an integer of at least 1"),
        (["ann"], 1.5, "found 1.5"),
    ],
)
def test_memories_that_cannot_be(seats, max_lines, found) -> None:
    with pytest.raises(RequestError, match=found):
        SharedMemory(seats, max_lines=max_lines)


def test_seats_that_are_not_there() -> None:
    with SharedMemory(SEATS, max_lines=1) as memory, pytest.raises(RequestError, match=r"did you mean 'bob'\?"):
        memory.seat("bobby")


def test_another_thread_is_refused_not_confused() -> None:
    caught: list[BaseException] = []

    def use() -> None:
        try:
            memory.seat("ann").clear(["word"])
        except BaseException as error:
            caught.append(error)

    with SharedMemory(SEATS, max_lines=1) as memory:
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert isinstance(caught[0], RequestError)
    assert "memory: found another thread; the thread that made it" in str(caught[0])


SCRIPT = """
import asyncio
from tidings.memory import HashingEmbedder, Line, SharedMemory
seats = {"ann", "bob", "cat", "dan", "eve"}
memory = SharedMemory(sorted(seats), max_lines=20, embedder=HashingEmbedder(32))
memory.extend(Line(f"m{i}", i // 3, f"s{i % 4}", "ann", ("bob", "cat")[: i % 3], f"word w{i % 7} w{i % 2} näh")
    for i in range(60))
bob = memory.seat("bob")
print(bob.clear(["w1", "w2", "näh"], limit=7), asyncio.run(bob.fuzzy("word w3", top_k=4)))
"""


def test_every_process_finds_the_same() -> None:
    answers = set()
    for seed in ("0", "1", "12345"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True)
        answers.add(done.stdout)
    assert len(answers) == 1
    assert b"FuzzyHit" in answers.pop()
