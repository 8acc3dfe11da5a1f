from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_memory import held_by

from tidings.core.errors import ModelError, ReplyError, RequestError
from tidings.memory import FuzzyHit, HashingEmbedder, Line, SessionCut, SharedMemory, cut_sessions, extract_summary

SEATS = ("ann", "bob", "cat")
WORDS = ("clock", "brass", "sofa", "red", "park", "tea", "🎉")
CUT = SessionCut(max_lines=3)


class CountingEmbedder(HashingEmbedder):
    """Remembers every text it was given."""

    def __init__(self, dim: int = 64) -> None:
        super().__init__(dim)
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]):
        self.texts += texts
        return await super().embed(texts)


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def memory(embedder: CountingEmbedder) -> Iterator[SharedMemory]:
    with SharedMemory(SEATS, max_lines=100, embedder=embedder, cut=CUT) as made:
        yield made


def line(n: int, text: str, session: str = "s", hearers: tuple[str, ...] = ("bob",), speaker: str = "ann") -> Line:
    return Line(f"m{n}", n, session, speaker, hearers, text)


lines_strategy = st.lists(
    st.tuples(
        st.sampled_from(SEATS),
        st.sets(st.sampled_from(SEATS)),
        st.sampled_from("stu"),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join),
    ),
    max_size=25,
)


def build(drawn, prefix: str = "m") -> list[Line]:
    return [
        Line(f"{prefix}{i}", i, session, speaker, tuple(sorted(hearers - {speaker})), text)
        for i, (speaker, hearers, session, text) in enumerate(drawn)
    ]


async def naive_fuzzy(held: Sequence[Line], query: str, top_k: int) -> list[tuple]:
    """Second path: cut and sum up a plain list, compare in full precision, sort. Only where nothing was forgotten."""
    parts = cut_sessions(held, CUT)
    if not parts:
        return []
    vectors = await HashingEmbedder(64).embed([query, *map(extract_summary, parts)])
    scores = [float(np.dot(vectors[0].astype(float), vector.astype(float))) for vector in vectors[1:]]
    ranked = sorted(range(len(parts)), key=lambda i: (-round(scores[i], 12), i))[:top_k]
    return [(parts[i], extract_summary(parts[i]), pytest.approx(scores[i], abs=1e-12)) for i in ranked]


@settings(deadline=None, max_examples=80)
@given(
    drawn=lines_strategy,
    query=st.sampled_from(("brass clock", "red", "nowhere")),
    top_k=st.integers(1, 6),
    batch=st.integers(1, 9),
)
async def test_search_is_exact_and_private(drawn, query, top_k, batch) -> None:
    lines = build(drawn)
    with SharedMemory(SEATS, max_lines=100, embedder=HashingEmbedder(64), cut=CUT) as memory:
        for start in range(0, len(lines), batch):
            memory.extend(lines[start : start + batch])
            await memory.seat("ann").fuzzy("early search, so that summaries and codes are replaced")
        for name in SEATS:
            found = await memory.seat(name).fuzzy(query, top_k=top_k)
            expected = await naive_fuzzy(held_by(name, lines, 100), query, top_k)
            assert [(memory.seat(name).read(hit.line_ids), hit.summary, hit.score) for hit in found] == expected
            for hit, (part, _, _) in zip(found, expected, strict=True):
                assert (hit.session, hit.start, hit.end) == (part[0].session, part[0].time, part[-1].time)


@settings(deadline=None, max_examples=80)
@given(drawn=lines_strategy, hidden=lines_strategy, max_lines=st.integers(1, 20), batch=st.integers(1, 9))
async def test_lines_of_others_change_nothing(drawn, hidden, max_lines, batch) -> None:
    """Byte-equal results with and without the lines that ann never heard, forgetting included."""
    own = [entry for entry in build(drawn) if "ann" in entry.audience]
    others = [entry for entry in build(hidden, "z") if "ann" not in entry.audience]
    answers = []
    for lines in (own, sorted(own + others, key=lambda entry: entry.time)):
        with SharedMemory(SEATS, max_lines=max_lines, embedder=HashingEmbedder(64), cut=CUT) as memory:
            ann = memory.seat("ann")
            for start in range(0, len(lines), batch):
                memory.extend(lines[start : start + batch])
                await ann.fuzzy("early search, so that summaries and codes are replaced")
            answers.append(repr([await ann.fuzzy(query, top_k=k) for query in ("brass clock", "tea") for k in (1, 9)]))
    assert answers[0] == answers[1]


@settings(deadline=None, max_examples=60)
@given(drawn=lines_strategy, max_lines=st.integers(1, 8), batch=st.integers(1, 6))
async def test_what_is_forgotten_is_in_no_summary(drawn, max_lines, batch) -> None:
    lines = build(drawn)
    with SharedMemory(SEATS, max_lines=max_lines, embedder=HashingEmbedder(64), cut=CUT) as memory:
        for start in range(0, len(lines), batch):
            memory.extend(lines[start : start + batch])
            for name in SEATS:
                hits = await memory.seat(name).fuzzy("brass clock", top_k=99)
                held = held_by(name, lines[: start + batch], max_lines)
                assert sorted(i for hit in hits for i in hit.line_ids) == sorted(entry.id for entry in held)
                assert await memory.seat(name).fuzzy("brass clock", top_k=2) == hits[:2]
                for hit in hits:
                    assert hit.summary == extract_summary(memory.seat(name).read(hit.line_ids))
        assert memory._fuzzy is not None
        for name, seat in memory._store.seats.items():
            keys = {part.key for talk in seat.talks.values() for part in talk.parts}
            kept = memory._fuzzy._seats[name]
            assert set(kept.texts) == set(kept.parts) == keys
            assert len(kept.vectors) == len(keys)


async def test_forgetting_the_first_line_of_a_part_and_then_all_of_it() -> None:
    with SharedMemory(SEATS, max_lines=2, embedder=HashingEmbedder(64), cut=CUT) as memory:
        bob = memory.seat("bob")
        memory.extend([line(0, "brass clock"), line(1, "tea")])
        assert [hit.summary for hit in await bob.fuzzy("brass clock")] == ["ann: brass clock\nann: tea"]
        memory.add(line(2, "sofa", "t"))
        assert {hit.summary for hit in await bob.fuzzy("brass clock")} == {"ann: tea", "ann: sofa"}
        memory.add(line(3, "park", "u"))
        assert {hit.summary for hit in await bob.fuzzy("brass clock")} == {"ann: park", "ann: sofa"}
        assert [hit.summary for hit in await bob.fuzzy("tea", top_k=1)] != ["ann: tea"]
        assert len(await bob.fuzzy("ann tea", top_k=1)) == 1


async def test_who_came_late_finds_only_what_it_heard(memory: SharedMemory) -> None:
    memory.extend([line(0, "the safe code is brass"), line(1, "tea is ready", hearers=("bob", "cat"))])
    for_bob, for_cat = [await memory.seat(name).fuzzy("safe code brass") for name in ("bob", "cat")]
    assert for_bob[0].summary == "ann: the safe code is brass\nann: tea is ready"
    assert for_cat == (FuzzyHit("s", 0, 1, 1, ("m1",), "ann: tea is ready", for_cat[0].score),)


async def test_only_what_changed_is_embedded_again(memory: SharedMemory, embedder: CountingEmbedder) -> None:
    memory.extend([line(0, "one", "s"), line(1, "two", "t")])
    bob = memory.seat("bob")
    await bob.fuzzy("q")
    assert embedder.texts == ["q", "ann: one", "ann: two"]
    memory.add(line(2, "three", "t"))
    await bob.fuzzy("q")
    assert embedder.texts[3:] == ["q", "ann: two\nann: three"]
    await bob.fuzzy("q")
    assert embedder.texts[5:] == ["q"]
    assert await memory.refresh() == 2
    assert embedder.texts[6:] == ["ann: one", "ann: two\nann: three"]
    assert await memory.refresh() == 0


async def test_a_file_keeps_its_vectors(tmp_path) -> None:
    path = tmp_path / "index.sqlite"
    with SharedMemory(SEATS, max_lines=9, embedder=HashingEmbedder(64), path=path) as memory:
        memory.extend([line(0, "brass clock", "s"), line(1, "red sofa", "t")])
        expected = await memory.seat("bob").fuzzy("clock")
    embedder = CountingEmbedder()
    with SharedMemory.open(path, embedder=embedder) as again:
        assert await again.seat("bob").fuzzy("clock") == expected
        with again.fork() as fork:
            assert await fork.seat("bob").fuzzy("clock") == expected
    assert embedder.texts == ["clock", "clock"]


async def test_equal_scores_go_to_the_older(memory: SharedMemory) -> None:
    memory.extend(line(i, "same words", f"s{9 - i}") for i in range(5))
    hits = await memory.seat("bob").fuzzy("same words", top_k=3)
    assert [hit.session for hit in hits] == ["s9", "s8", "s7"]


async def test_the_older_of_equal_scores_is_the_one_whose_oldest_line_still_held_is_older() -> None:
    with SharedMemory(SEATS, max_lines=3, embedder=HashingEmbedder(64), cut=CUT) as memory:
        memory.extend(
            [line(0, "gone", "s"), line(1, "same words", "t"), line(2, "tea", "u"), line(3, "same words", "s")]
        )
        hits = await memory.seat("bob").fuzzy("same words", top_k=2)
        assert [(hit.session, hit.start) for hit in hits] == [("t", 1), ("s", 3)]
        assert hits[0].score == hits[1].score


async def test_an_own_summariser_sees_the_seats_lines_only(embedder: CountingEmbedder) -> None:
    seen: list[tuple[str, ...]] = []

    async def summarise(lines: tuple[Line, ...]) -> str:
        seen.append(tuple(entry.id for entry in lines))
        return "about " + lines[0].text

    with SharedMemory(SEATS, max_lines=9, embedder=embedder, summarise=summarise) as memory:
        memory.extend([line(0, "clock"), line(1, "sofa", hearers=("cat",))])
        assert (await memory.seat("bob").fuzzy("clock"))[0].summary == "about clock"
        assert seen == [("m0",)]
        await memory.seat("cat").fuzzy("clock")
        assert seen[1:] == [("m1",)]


async def test_a_blank_summary_is_an_error_and_tried_again(embedder: CountingEmbedder) -> None:
    answers: Iterator[Any] = iter([" ", None, "fine"])

    async def summarise(_: tuple[Line, ...]) -> Any:
        return next(answers)

    with SharedMemory(SEATS, max_lines=9, embedder=embedder, summarise=summarise) as memory:
        memory.add(line(0, "clock"))
        for _ in range(2):
            with pytest.raises(ReplyError, match="blank_summary: the summary of session 's' is"):
                await memory.seat("bob").fuzzy("clock")
        assert (await memory.seat("bob").fuzzy("clock"))[0].summary == "fine"


async def test_a_failed_embedding_is_an_error_and_tried_again() -> None:
    class Failing(HashingEmbedder):
        n_calls = 0

        async def embed(self, texts: Sequence[str]):
            self.n_calls += 1
            if self.n_calls == 2:
                raise ModelError("server", "down")
            return await super().embed(texts)

    with SharedMemory(SEATS, max_lines=9, embedder=Failing()) as memory:
        memory.add(line(0, "clock"))
        with pytest.raises(ModelError, match="server: down"):
            await memory.seat("bob").fuzzy("clock")
        assert len(await memory.seat("bob").fuzzy("clock")) == 1


async def test_a_line_said_during_a_summary_is_not_lost() -> None:
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def summarise(lines: tuple[Line, ...]) -> str:
        waiting.set()
        await go_on.wait()
        return " ".join(entry.text for entry in lines)

    with SharedMemory(SEATS, max_lines=2, embedder=HashingEmbedder(), summarise=summarise) as memory:
        memory.extend([line(0, "one", "r"), line(1, "two")])
        search = asyncio.create_task(memory.seat("bob").fuzzy("one two three", top_k=9))
        await waiting.wait()
        memory.add(line(2, "three"))
        go_on.set()
        await search
        hits = await memory.seat("bob").fuzzy("one two three", top_k=9)
        assert [(hit.summary, hit.line_ids) for hit in hits] == [("two three", ("m1", "m2"))]


async def test_searches_of_one_thread_may_overlap(memory: SharedMemory) -> None:
    memory.extend(line(i, f"{WORDS[i % 7]} {i}", f"s{i % 5}", ("bob", "cat")[: i % 3]) for i in range(40))
    alone = [await memory.fork().seat(name).fuzzy("clock 3") for name in SEATS]
    together = await asyncio.gather(*(memory.seat(name).fuzzy("clock 3") for name in (*SEATS, *SEATS)))
    assert list(together) == alone + alone


@pytest.mark.parametrize(
    ("query", "top_k", "found"),
    [
        ("", 3, "fuzzy.query: found ''"),
        (" \n", 3, "text that is not blank; say what to look for"),
        (None, 3, "found None"),
        ("a", 0, "fuzzy.top_k: found 0; an integer of at least 1"),
        ("a", 1.5, "found 1.5"),
        ("a", True, "found True"),
    ],
)
async def test_wrong_requests_are_one_line(memory: SharedMemory, query, top_k, found) -> None:
    with pytest.raises(RequestError, match=found) as caught:
        await memory.seat("bob").fuzzy(query, top_k=top_k)
    assert "\n" not in str(caught.value)


async def test_empty_memories_and_huge_numbers(memory: SharedMemory) -> None:
    assert await memory.seat("bob").fuzzy("anything") == ()
    memory.add(line(0, "?!"))
    assert len(await memory.seat("bob").fuzzy("🎉", top_k=10**30)) == 1
    assert await memory.seat("cat").fuzzy("?!") == ()


async def test_no_embedder_no_fuzzy_search() -> None:
    with SharedMemory(SEATS, max_lines=9) as memory:
        for wait in (memory.seat("bob").fuzzy("a"), memory.refresh()):
            with pytest.raises(RequestError, match=r"memory\.embedder: found none"):
                await wait


@pytest.mark.parametrize(
    ("vectors", "found"),
    [
        (np.ones((1, 4)), "found float64"),
        (np.ones((1, 3), np.float32), r"found float32 \(1, 3\); float32 \(1, 4\)"),
        (np.ones((1, 4), np.float32), "found a vector whose length is not 1"),
        (np.full((1, 4), np.nan, np.float32), "found a vector whose length is not 1"),
    ],
)
async def test_embedders_that_break_the_port_are_named(vectors, found) -> None:
    class Broken:
        name, dim = "broken", 4

        async def embed(self, texts: Sequence[str]):
            return vectors

    with (
        SharedMemory(SEATS, max_lines=9, embedder=Broken()) as memory,
        pytest.raises(RequestError, match=f"embedder 'broken': {found}"),
    ):
        await memory.seat("bob").fuzzy("a")
