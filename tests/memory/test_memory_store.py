from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.core.errors import DataError, RequestError
from tidings.memory import HashingEmbedder, Line, SessionCut, SharedMemory

SEATS = ("ann", "bob", "cat")


def line(
    n: int, text: str = "word", speaker: str = "ann", hearers: tuple[str, ...] = ("bob",), session: str = "s"
) -> Line:
    return Line(f"m{n}", n, session, speaker, hearers, text)


def n_rows(memory: SharedMemory, table: str) -> int:
    return memory._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def content(memory: SharedMemory) -> list[list[tuple]]:
    tables = ("seats", "sessions", "lines", "repeats", "views", "parts", "summaries", "full_text_data")
    return [memory._db.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


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
        assert n_rows(memory, "views") == sum(map(len, held.values()))
        assert n_rows(memory, "lines") == n_rows(memory, "repeats") == len(kept)
        assert n_rows(memory, "sessions") == len({entry.session for entry in lines if entry.id in kept})
        # The full-text index knows the word of every kept line, and of no other.
        match = "SELECT rowid FROM full_text WHERE full_text MATCH ?"
        indexed = {
            entry.id for entry in lines if memory._db.execute(match, (f"text:{entry.text.split()[-1]}",)).fetchall()
        }
        assert indexed == kept
        memory._db.execute("INSERT INTO full_text (full_text) VALUES ('integrity-check')")
        for seat in SEATS:
            covered = "SELECT count(*) FROM views v JOIN parts p ON p.seat = v.seat AND p.session = v.session"
            inside = " AND v.line BETWEEN p.first AND p.last WHERE v.seat = ?"
            n_covered = memory._db.execute(covered + inside, (memory._store.seat_no(seat),)).fetchone()[0]
            assert n_covered == len(held[seat])


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
            shown = "seat, session, part, first, last, n_lines, ends"
            parts = memory._db.execute(f"SELECT {shown} FROM parts ORDER BY seat, session, part").fetchall()
            contents.append((content(memory)[:5], parts))
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
        assert memory._db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
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
        with pytest.raises(DataError, match="is no memory index of format 1; index the lines anew"):
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
    """The docstring says that a memory belongs to its thread; SQLite enforces it."""
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
    assert isinstance(caught[0], sqlite3.ProgrammingError)


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
