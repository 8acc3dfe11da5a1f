from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.core.errors import RequestError
from tidings.memory import Line, SessionCut, SharedMemory, cut_sessions, extract_summary


def line(n: float, text: str = "word", session: str = "s", speaker: str = "ann") -> Line:
    return Line(f"m{n}", n, session, speaker, (), text)


def test_interleaved_sessions_are_cut_apart() -> None:
    lines = [line(0), line(1, session="t"), line(2), line(3, session="t"), line(9)]
    parts = cut_sessions(lines, SessionCut(max_lines=2))
    assert [[entry.time for entry in part] for part in parts] == [[0, 2], [1, 3], [9]]


def test_a_silence_cuts_only_if_it_is_longer() -> None:
    lines = [line(0), line(2), line(4.5)]
    assert [len(part) for part in cut_sessions(lines, SessionCut(max_gap=2))] == [2, 1]
    assert [len(part) for part in cut_sessions(lines, SessionCut(max_gap=2.5))] == [3]
    assert [len(part) for part in cut_sessions(lines, SessionCut())] == [3]
    assert cut_sessions([], SessionCut()) == ()


@settings(deadline=None, max_examples=60)
@given(
    steps=st.lists(st.tuples(st.integers(0, 4), st.sampled_from("st")), max_size=30),
    max_lines=st.integers(1, 5),
    max_gap=st.none() | st.integers(0, 4),
    batch=st.integers(1, 8),
)
def test_the_index_cuts_line_by_line_as_the_function_does_at_once(steps, max_lines, max_gap, batch) -> None:
    time, lines = 0, []
    for i, (step, session) in enumerate(steps):
        time += step
        lines.append(Line(f"m{i}", time, session, "ann", (), "word"))
    cut = SessionCut(max_lines, max_gap)
    with SharedMemory(["ann"], max_lines=100, cut=cut) as memory:
        for start in range(0, len(lines), batch):
            memory.extend(lines[start : start + batch])
        talks = memory._store.seat("ann").talks.values()
        parts = sorted((part.first, part.last, part.n_lines) for talk in talks for part in talk.parts)
    number = {entry.id: i for i, entry in enumerate(lines, start=1)}
    expected = [(number[part[0].id], number[part[-1].id], len(part)) for part in cut_sessions(lines, cut)]
    assert parts == expected


def test_a_short_session_is_its_own_summary() -> None:
    assert extract_summary([line(0, "one"), line(1, "two", speaker="bob")]) == "ann: one\nbob: two"


def test_a_long_session_keeps_what_says_most_in_time_order() -> None:
    lines = [
        line(0, "yes yes yes yes yes yes"),
        line(1, "the brass clock is gone"),
        line(2, "yes yes"),
        line(3, "dan has it"),
    ]
    # 29 + 15 characters and a line break; the first line would fit alone but adds one word only.
    assert extract_summary(lines, max_chars=45) == "ann: the brass clock is gone\nann: dan has it"


def test_a_line_that_repeats_another_is_passed_over() -> None:
    lines = [line(0, "brass clock"), line(1, "clock brass"), line(2, "a red sofa"), line(3, "x" * 50)]
    assert extract_summary(lines, max_chars=33) == "ann: brass clock\nann: a red sofa"


def test_only_new_words_count() -> None:
    lines = [line(0, "aa bb cc dd"), line(1, "aa bb cc ee"), line(2, "xx yy")]
    assert extract_summary(lines, max_chars=33) == "ann: aa bb cc dd\nann: xx yy"


def test_one_line_too_long_is_cut() -> None:
    lines = [line(0, "b " * 40), line(1, "one two three four five six seven eight")]
    assert extract_summary(lines, max_chars=20) == "ann: one two three f"


@given(st.lists(st.text("abc é.", min_size=1).filter(str.strip), min_size=1, max_size=12), st.integers(1, 80))
def test_summaries_keep_to_their_length(texts: list[str], max_chars: int) -> None:
    lines = [line(i, text) for i, text in enumerate(texts)]
    summary = extract_summary(lines, max_chars=max_chars)
    assert 0 < len(summary) <= max_chars


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: extract_summary([]), "extract_summary.lines: found none"),
        (lambda: extract_summary([line(0)], max_chars=0), "extract_summary.max_chars: found 0"),
        (lambda: SessionCut(max_lines=0), "SessionCut.max_lines: found 0"),
        (lambda: SessionCut(max_gap=-1), "SessionCut.max_gap: found -1"),
        (lambda: SessionCut(max_gap=float("nan")), "SessionCut.max_gap: found nan"),
    ],
)
def test_wrong_requests(make, found: str) -> None:
    with pytest.raises(RequestError, match=found):
        make()
