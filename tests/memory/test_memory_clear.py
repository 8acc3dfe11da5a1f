from __future__ import annotations

from collections.abc import Iterator
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_memory import held_by, naive_clear

from tidings.core.errors import RequestError
from tidings.memory import Line, SeatMemory, SharedMemory

SEATS = ("ann", "bob", "cat", "dan")
WORDS = ("clock", "clocks", "brass", "park", "the", "näh", "東", "🎉", "x_y")


def line(
    n: int, text: str, speaker: str = "ann", hearers: tuple[str, ...] = ("bob",), session: str = "s", **other
) -> Line:
    return Line(other.get("id", f"m{n}"), other.get("time", n), session, speaker, hearers, text)


@pytest.fixture
def memory() -> Iterator[SharedMemory]:
    with SharedMemory(SEATS, max_lines=100) as made:
        yield made


def fill(memory: SharedMemory, *texts: str) -> SeatMemory:
    memory.extend(line(i, text) for i, text in enumerate(texts))
    return memory.seat("bob")


def ids(result) -> list[str]:
    return [found.id for found in result.lines]


lines_strategy = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(SEATS),
        st.sets(st.sampled_from(SEATS)),
        st.sampled_from(("s", "t")),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
    ),
    max_size=25,
)


def build(drawn) -> list[Line]:
    time, lines = 0, []
    for i, (step, speaker, hearers, session, text) in enumerate(drawn):
        time += step
        lines.append(Line(f"m{i:02}", time, session, speaker, tuple(sorted(hearers - {speaker})), text))
    return lines


@settings(deadline=None, max_examples=150)
@given(
    drawn=lines_strategy,
    keywords=st.lists(st.sampled_from((*WORDS, "clo*", "brass clock", "the the", "?!")), min_size=1, max_size=3),
    window=st.integers(0, 3),
    limit=st.integers(1, 12),
    max_lines=st.integers(1, 30),
    batch=st.integers(1, 9),
)
def test_the_shared_index_finds_what_a_private_list_would(drawn, keywords, window, limit, max_lines, batch) -> None:
    """Barrier, ranking, window, cut and forgetting at once: the second path knows nothing but the seat's own lines."""
    lines = build(drawn)
    with SharedMemory(SEATS, max_lines=max_lines) as memory:
        for start in range(0, len(lines), batch):
            memory.extend(lines[start : start + batch])
            memory.seat("ann").clear(keywords)
        for name in SEATS:
            found = memory.seat(name).clear(keywords, window=window, limit=limit)
            held = held_by(name, lines, max_lines)
            expected, hits, n_matches = naive_clear(held, keywords, window, limit)
            assert list(found.lines) == expected
            assert [hit.line_id for hit in found.hits] == [line_id for line_id, _ in hits]
            assert [hit.score for hit in found.hits] == pytest.approx([score for _, score in hits])
            assert found.n_matches == n_matches
            assert all(name in held_line.audience for held_line in found.lines)


def test_a_long_life_of_adding_forgetting_and_searching() -> None:
    """Many times more lines than places, a search after each few: the same as a list that forgets."""
    lines = [line(i, f"word w{i % 7} w{i % 3}", hearers=("bob",) if i % 3 else ()) for i in range(400)]
    with SharedMemory(SEATS, max_lines=90) as memory:
        for start in range(0, 400, 8):
            memory.extend(lines[start : start + 8])
            for name in ("ann", "bob"):
                found = memory.seat(name).clear(["w1", "w2"], limit=5)
                expected, _, n_matches = naive_clear(held_by(name, lines[: start + 8], 90), ["w1", "w2"], 1, 5)
                assert (list(found.lines), found.n_matches) == (expected, n_matches)


@settings(deadline=None, max_examples=80)
@given(drawn=lines_strategy, hidden=lines_strategy, max_lines=st.integers(1, 30))
def test_lines_of_others_change_nothing(drawn, hidden, max_lines) -> None:
    """Byte-equal results with and without lines the seat never heard, in between and before its own."""
    own = [entry for entry in build(drawn) if "ann" in entry.audience]
    others = [
        Line(
            f"z{entry.id}",
            entry.time,
            entry.session,
            entry.speaker,
            tuple(sorted({*entry.hearers} - {"ann"})),
            entry.text,
        )
        for entry in build(hidden)
        if entry.speaker != "ann"
    ]
    mixed = sorted(own + others, key=lambda entry: entry.time)
    answers = []
    for lines in (own, mixed):
        with SharedMemory(SEATS, max_lines=max_lines) as memory:
            memory.extend(lines)
            ann = memory.seat("ann")
            answers.append(
                repr(
                    [
                        ann.counts(),
                        *(ann.clear([a, b], limit=n) for a in WORDS for b in ("the", "clo*") for n in (2, 9)),
                    ]
                )
            )
    assert answers[0] == answers[1]


def test_a_private_note_is_found_by_its_owner_only(memory: SharedMemory) -> None:
    memory.add(line(1, "the safe code", hearers=()))
    assert ids(memory.seat("ann").clear(["safe"])) == ["m1"]
    for other in ("bob", "cat", "dan"):
        assert memory.seat(other).clear(["safe"]).lines == ()
        with pytest.raises(RequestError, match="line id 'm1'"):
            memory.seat(other).read(["m1"])


def test_reading_a_line_of_others_fails_like_reading_none(memory: SharedMemory) -> None:
    memory.add(line(1, "hello", hearers=("bob",)))
    assert [found.id for found in memory.seat("bob").read(["m1", "m1"])] == ["m1"]
    errors = []
    for line_id in ("m1", "m2"):
        with pytest.raises(RequestError) as caught:
            memory.seat("cat").read([line_id])
        errors.append(str(caught.value).replace(line_id, "?"))
    assert errors[0] == errors[1]


def test_score_of_one_match_in_closed_form(memory: SharedMemory) -> None:
    found = fill(memory, "a brass clock", "a cat", "one two three four").clear(["clock"])
    assert [hit.line_id for hit in found.hits] == ["m0"]
    # N = 3, df = 1, tf = 1, and the line has the mean length 3, so the fraction is (k1 + 1) / (1 + k1) = 1.
    assert found.hits[0].score == pytest.approx(log(1 + 2.5 / 1.5))


def test_a_rarer_word_and_a_shorter_line_rank_higher(memory: SharedMemory) -> None:
    bob = fill(memory, "tea and more words here", "tea", "tea cup", "tea with a very long tail of other words")
    assert [hit.line_id for hit in bob.clear(["tea"], window=0).hits] == ["m1", "m2", "m0", "m3"]
    assert bob.clear(["tea", "cup"], window=0, limit=1).hits[0].line_id == "m2"


def test_ties_go_to_the_earlier_time_then_the_lower_id(memory: SharedMemory) -> None:
    memory.extend(
        line(n, "same words", id=name, time=time) for n, (name, time) in enumerate([("c", 1), ("b", 1), ("a", 2)])
    )
    bob = memory.seat("bob")
    assert [hit.line_id for hit in bob.clear(["same"], window=0).hits] == ["b", "c", "a"]
    assert [hit.line_id for hit in bob.clear(["same"], window=0, limit=1).hits] == ["b"]
    assert [found.id for found in bob.clear(["same"], window=0).lines] == ["c", "b", "a"]


def test_lines_of_equal_worth_tie_whatever_their_last_digits(memory: SharedMemory) -> None:
    """With mean length 3, tf 2 in 3 words and tf 3 in 5 are worth the same; in floats the second comes out ahead."""
    bob = fill(memory, "clock clock a", "clock clock clock b c", "d")
    assert [hit.line_id for hit in bob.clear(["clock"], limit=1).hits] == ["m0"]
    scores = [hit.score for hit in bob.clear(["clock"]).hits]
    assert scores[0] == scores[1] == pytest.approx(log(1 + 1.5 / 2.5) * 2.2 * 2 / 3.2)


def test_window_takes_nearest_neighbours_first_and_stops_at_the_limit(memory: SharedMemory) -> None:
    bob = fill(memory, "one", "two", "three", "goal", "five", "six", "seven")
    assert ids(bob.clear(["goal"], window=0)) == ["m3"]
    assert ids(bob.clear(["goal"], window=2)) == ["m1", "m2", "m3", "m4", "m5"]
    assert ids(bob.clear(["goal"], window=2, limit=4)) == ["m1", "m2", "m3", "m4"]
    assert ids(bob.clear(["goal"], window=10**12, limit=10**30)) == [f"m{i}" for i in range(7)]


def test_window_stops_at_the_session_and_skips_what_was_not_heard(memory: SharedMemory) -> None:
    memory.extend(
        [
            line(0, "before", session="r"),
            line(1, "first", session="s"),
            line(2, "other talk", session="t"),
            line(3, "whispered", session="s", hearers=("cat",)),
            line(4, "goal", session="s"),
            line(5, "after", session="t"),
        ]
    )
    assert ids(memory.seat("bob").clear(["goal"], window=3)) == ["m1", "m4"]
    assert ids(memory.seat("ann").clear(["goal"], window=3)) == ["m1", "m3", "m4"]


def test_a_neighbour_that_matches_is_a_hit_too(memory: SharedMemory) -> None:
    bob = fill(memory, "goal goal", "goal and a very long line with many more words than the other")
    found = bob.clear(["goal"], window=1, limit=2)
    assert [hit.line_id for hit in found.hits] == ["m0", "m1"]
    assert found.n_matches == 2


def test_a_neighbour_that_ranks_below_the_limit_is_a_hit_too(memory: SharedMemory) -> None:
    bob = fill(memory, "goal goal goal", "goal in a very long line of many more words", "goal goal", "goal goal")
    found = bob.clear(["goal"], window=1, limit=2)
    assert [hit.line_id for hit in found.hits] == ids(found) == ["m0", "m1"]
    assert [hit.line_id for hit in bob.clear(["goal"], window=0, limit=2).hits] == ["m0", "m2"]
    assert found.n_matches == 4


def test_filters_by_partner(memory: SharedMemory) -> None:
    memory.extend(
        [line(0, "key", hearers=("bob",)), line(1, "key", hearers=("bob", "cat")), line(2, "key", hearers=("cat",))]
    )
    ann = memory.seat("ann")
    assert ids(ann.clear(["key"], window=0)) == ["m0", "m1", "m2"]
    assert ids(ann.clear(["key"], window=0, with_seat="bob")) == ["m0", "m1"]
    assert ids(ann.clear(["key"], window=0, without_seat="bob")) == ["m2"]
    assert ids(ann.clear(["key"], window=0, with_seat="cat", without_seat="bob")) == ["m2"]
    assert ann.clear(["key"], window=0, with_seat="dan").n_matches == 0
    assert ann.clear(["key ring"], with_seat="bob").n_matches == 0
    memory.add(line(3, "ring the key ring", hearers=("bob",)))
    memory.add(line(4, "ring key", hearers=("bob",)))
    assert ids(ann.clear(["key ring"], window=0, with_seat="bob")) == ["m3"]
    # The filter says which lines match; what a match is worth does not change.
    assert ann.clear(["key"], with_seat="bob").hits[0].score == ann.clear(["key"]).hits[0].score


def test_nobody_else_and_nothing_yet(memory: SharedMemory) -> None:
    empty = memory.seat("ann").clear(["anything"])
    assert empty == ((), (), 0, ())
    assert memory.seat("ann").counts() == (0, 0, 0)


@pytest.mark.parametrize(
    "sign", ['"', "'", "*", "(", ")", "-", "^", ":", "NEAR(", "text:", "{", "+", "\\", "\x00", ";--"]
)
def test_signs_of_query_languages_are_punctuation(memory: SharedMemory, sign: str) -> None:
    bob = fill(memory, "a brass clock", "nothing")
    expected = ["m0"] if sign not in ("NEAR(", "text:") else []
    assert ids(bob.clear([f"{sign} brass"], window=0)) == expected
    assert ids(bob.clear([f'brass{sign}" clock'], window=0)) == expected
    assert ids(bob.clear([f"{sign}brass AND nothing"], window=0)) == []


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("Café au lait", "CAFE"),
        ("cafe", "café"),
        ("Straße 5", "STRASSE"),
        ("party 🎉🎂 tonight", "🎉"),
        ("with love ❤️", "❤"),
        ("我们在东京见面", "东京"),
        ("カタカナ", "タカ"),
        ("हिन्दी में", "हिन्दी"),
        ("don't go", "don't"),
        ("x_y = 3", "x_y"),
        ("ｆｕｌｌ width", "full"),
        ("привет мир", "при*"),
        ("cafж", "caf*"),
        ("the brass clocks", "brass clo*"),
    ],
)
def test_words_of_all_scripts(memory: SharedMemory, text: str, keyword: str) -> None:
    assert ids(fill(memory, text, "else").clear([keyword], window=0)) == ["m0"]


@pytest.mark.parametrize(
    ("text", "keyword"), [("ガラス", "カ"), ("_436_", "ж"), ("ж", "436"), ("x_y", "x"), ("🎉", "🎂")]
)
def test_words_that_only_look_alike(memory: SharedMemory, text: str, keyword: str) -> None:
    bob = fill(memory, text)
    assert ids(bob.clear([keyword])) == []
    assert ids(bob.clear([text])) == ["m0"]


def test_words_are_whole(memory: SharedMemory) -> None:
    bob = fill(memory, "let us start", "modern art", "brass and clock")
    assert ids(bob.clear(["art"], window=0)) == ["m1"]
    assert ids(bob.clear(["brass clock"], window=0)) == []
    assert ids(bob.clear(["brass", "clock"], window=0)) == ["m2"]


def test_keywords_without_a_word_are_named(memory: SharedMemory) -> None:
    found = fill(memory, "a brass clock").clear(["?!", "brass", "brass", "*"])
    assert found.unsearchable == ("?!", "*")
    assert [hit.line_id for hit in found.hits] == ["m0"]
    assert found.hits == memory.seat("bob").clear(["brass"]).hits


def test_very_long_keywords(memory: SharedMemory) -> None:
    text = " ".join(f"w{i}" for i in range(5000))
    bob = fill(memory, text, "w1")
    assert ids(bob.clear([text], window=0)) == ["m0"]
    assert bob.clear(text.split(), window=0).n_matches == 2


@pytest.mark.parametrize(
    ("keywords", "options", "found"),
    [
        ([], {}, "found none"),
        ([" "], {}, r"\[' '\]"),
        ("clock", {}, "'clock'"),
        ([3], {}, r"\[3\]"),
        (["a"], {"window": -1}, "clear.window: found -1; an integer of at least 0"),
        (["a"], {"limit": 0}, "clear.limit: found 0; an integer of at least 1"),
        (["a"], {"limit": 2.5}, "clear.limit: found 2.5"),
        (["a"], {"limit": True}, "clear.limit: found True"),
        (["a"], {"with_seat": "anne"}, "found seat 'anne'; .*; did you mean 'ann'?"),
    ],
)
def test_wrong_requests_are_one_line(memory: SharedMemory, keywords, options, found) -> None:
    fill(memory, "a line")
    with pytest.raises(RequestError, match=found) as caught:
        memory.seat("bob").clear(keywords, **options)
    assert "\n" not in str(caught.value)
