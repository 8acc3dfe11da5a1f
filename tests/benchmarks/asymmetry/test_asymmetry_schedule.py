"""Schedule: golds against an independent derivation, messages against the days, released format."""

import re
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.benchmarks.asymmetry import (
    DataError,
    answer_from_items,
    generate_schedule,
    load_schedule,
    score_text,
    visible_items,
    write_answer,
)
from tidings.benchmarks.asymmetry.schedule_balanced import WAKE, _draw_free_spans
from tidings.benchmarks.asymmetry.schedule_floors import draw_floor_days
from tidings.benchmarks.asymmetry.schedule_golds import (
    LEVELS,
    PEOPLE,
    SLEEP,
    Activity,
    free_spans,
    longest_names,
    min_deletions,
)
from tidings.benchmarks.asymmetry.schedule_paper import (
    CATALOGUE,
    FOUR_SLOT_SINGLES,
    SHARED,
    SINGLES,
    _next_block,
    draw_paper_days,
)
from tidings.benchmarks.asymmetry.schedule_released import _read_answer
from tidings.benchmarks.asymmetry.schedule_text import TEMPLATES, read_message, told_days, write_message
from tidings.benchmarks.streams import Draws
from tidings.core.errors import RequestError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "asymmetry"
ALL_LEVELS = [(profile, level) for profile, levels in LEVELS.items() for level in levels]

spans = st.tuples(st.integers(0, 46), st.integers(1, 6)).map(lambda s: Activity("x", s[0], min(48, s[0] + s[1])))


def read_by_hand(item):
    """An own reading of a message: its two times, and the catalogue name it holds."""
    times = sorted(int(h) * 2 + int(m) // 30 for h, m in re.findall(r"(\d+):(\d\d)", item.text))
    (name,) = [name for name in (*CATALOGUE, SLEEP) if re.search(rf"\b{name}\b", item.text)]
    return item.owner, name, *times


def overlap(a, b):
    return bool(set(range(a[2], a[3])) & set(range(b[2], b[3])))


def brute_answer(level, blocks, options):
    """The answer from (person, name, start, end), by enumeration and by slots."""
    awake = [b for b in blocks if b[1] != SLEEP]
    if level == "easy":
        own = [b for b in awake if b[0] in "AD"]
        for n_gone in range(len(own) + 1):
            for rest in combinations(own, len(own) - n_gone):
                if not any(overlap(a, b) for a, b in combinations(rest, 2)):
                    return n_gone
    if level == "medium":
        longest = max(end - start for _, _, start, end in awake)
        return tuple(sorted({name for _, name, start, end in awake if end - start == longest}))
    if level == "medium-total":
        slots = [(name, person, s) for person, name, start, end in awake for s in range(start, end)]
        return max(options, key=lambda name: len({x for x in slots if x[0] == name}))
    free = [s for s in range(48) if not any(start <= s < end for _, _, start, end in blocks)]
    starts = [s for s in free if s - 1 not in free]
    return tuple((s * 30, next(e for e in range(s, 49) if e not in free) * 30) for s in starts)


@pytest.mark.parametrize(("profile", "level"), ALL_LEVELS)
def test_gold_is_what_an_independent_reader_of_all_messages_derives(profile, level):
    tasks = generate_schedule(profile, level, 60, seed=5)
    for problem, gold in zip(tasks.problems, tasks.golds, strict=True):
        question = problem.questions[0]
        blocks = [read_by_hand(item) for item in problem.items]
        assert brute_answer(level, blocks, question.options) == gold.value
        assert answer_from_items(question, problem.items) == gold.value
        assert score_text(question, gold, write_answer(gold.kind, gold.value)).value == 1.0


@pytest.mark.parametrize(("profile", "level"), ALL_LEVELS)
def test_reading_all_messages_gives_back_the_days(profile, level):
    tasks, drawn = generate_schedule(profile, level, 40, seed=2), draw_floor_days(profile, level, 40, 2)
    for problem, (days, _) in zip(tasks.problems, drawn, strict=True):
        names = {person.id: person.name for person in problem.people}
        told = told_days(problem.items)
        for person in PEOPLE:
            whole = [a._replace(people=tuple(names[p] for p in a.people if p != person)) for a in days[person]]
            assert sorted(told[person]) == sorted(whole)


def test_every_message_has_one_hearer_and_the_chats_keep_the_two_sides_apart():
    for problem in generate_schedule("balanced", "hard", 20, seed=0).problems:
        chats = {frozenset((item.owner, *item.hearers)) for item in problem.items}
        assert chats <= {frozenset(c) for c in ("AB", "AC", "DE", "DF")}
        own, partner = (set(visible_items(problem.items, person)) for person in "AD")
        assert not own & partner
        assert own | partner == set(problem.items)
        assert [item.time for item in problem.items] == list(range(len(problem.items)))


def test_evidence_lies_on_the_side_that_sees_it():
    for profile, level in ALL_LEVELS:
        tasks = generate_schedule(profile, level, 10, seed=1)
        for problem, gold in zip(tasks.problems, tasks.golds, strict=True):
            question = problem.questions[0]
            for person, facts in zip(question.asked, question.evidence, strict=True):
                assert set(facts) <= {item.fact for item in visible_items(problem.items, person)}
            if all(question.evidence):  # somebody who only sleeps has no evidence to give
                evidence = [item for item in problem.items if item.fact in sum(question.evidence, ())]
                assert answer_from_items(question, evidence) == gold.value


def test_templates_read_back_every_name_and_time():
    for template in TEMPLATES:
        for name in (*CATALOGUE, SLEEP):
            for others in ((), ("Bolamar",), ("Bolamar", "Tivek")):
                activity = Activity(name, 0, 48, others)
                assert read_message(write_message(template, activity, others)) == activity
    assert len(TEMPLATES) >= 5
    assert read_message("I slept well.") is None


@given(st.lists(spans, max_size=9))
def test_min_deletions_equals_enumeration(activities):
    blocks = [("A", "x", a.start, a.end) for a in activities]
    assert min_deletions(activities) == (brute_answer("easy", blocks, ()) or 0)


@given(st.lists(spans, max_size=12))
def test_free_spans_are_the_slots_nobody_uses(activities):
    days = {"A": activities[::2], "E": activities[1::2]}
    expected = brute_answer("hard", [("A", "x", a.start, a.end) for a in activities], ())
    assert tuple((a * 30, b * 30) for a, b in free_spans(days)) == expected


def test_touching_is_no_overlap_and_sleep_never_counts_as_longest():
    assert min_deletions([Activity("x", 0, 2), Activity("y", 2, 4)]) == 0
    assert min_deletions([Activity("x", 0, 3), Activity("y", 2, 4)]) == 1
    assert longest_names({"A": [Activity(SLEEP, 0, 14), Activity("Yoga", 20, 21)]}) == ("Yoga",)


def test_paper_catalogue_has_the_published_shape():
    assert [*SINGLES.values()][:15] == [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3]
    assert len(FOUR_SLOT_SINGLES) == 3
    assert [length for length, _ in SHARED.values()] == [1, 2, 3, 4, 1, 2, 3, 4, 1]


def test_paper_days_merge_touching_blocks_of_one_name():
    for index in range(300):
        for activities in draw_paper_days(Draws(0, "x", index)).values():
            singles = [a for a in activities if a.name in SINGLES]
            assert not any(a.name == b.name and a.end == b.start for a, b in pairwise(singles))


def test_paper_days_hold_one_or_two_shared_activities_equally_often():
    n_shared = Counter()
    for index in range(1000):
        days = draw_paper_days(Draws(1, "x", index))
        n_shared[len({a.name for activities in days.values() for a in activities if a.name in SHARED})] += 1
    assert set(n_shared) == {1, 2}
    assert abs(n_shared[1] - 500) < 80


def test_a_gap_over_four_slots_takes_a_four_slot_single_and_a_shorter_one_whatever_fits():
    likes = dict.fromkeys(SINGLES, True)
    for gap in range(1, 6):
        lengths = {_next_block(Draws(gap, i), gap, likes)[1] for i in range(200)}
        assert lengths == ({4} if gap == 5 else set(range(1, gap + 1)))


def test_likes_decide_unless_nothing_liked_is_found_in_five_tries():
    likes = dict.fromkeys(SINGLES, False) | {"Yoga": True}
    names = Counter(_next_block(Draws(i), 1, likes)[0] for i in range(600))
    # Six singles of one slot: liked by chance in tries one to four, anything in the fifth.
    expected = 1 - (5 / 6) ** 5
    assert SINGLES["Yoga"] == 1
    assert names["Yoga"] / 600 == pytest.approx(expected, abs=0.07)
    assert len(names) == 6


def test_balanced_easy_gold_is_one_to_four_in_turn_and_days_have_five_activities_each():
    tasks = generate_schedule("balanced", "easy", 12, seed=9)
    assert [gold.value for gold in tasks.golds] == [1, 2, 3, 4] * 3
    for days, _ in draw_floor_days("balanced", "easy", 12, 9):
        for person in PEOPLE:
            own = [a for a in days[person] if a.name != SLEEP]
            assert sorted(a.end - a.start for a in own) == [1, 1, 2, 2, 3]
            assert len({a.name for a in own}) == 5
            assert min_deletions(own) == 0
            assert all(WAKE[0] <= a.start < a.end <= WAKE[1] for a in own)


def test_balanced_total_differs_by_one_slot_and_nobody_is_in_two_places():
    for days, options in draw_floor_days("balanced", "medium-total", 100, 3):
        blocks = [a for activities in days.values() for a in activities]
        totals = sorted(sum(a.end - a.start for a in blocks if a.name == name) for name in options)
        assert totals == [13, 13, 13, 14]
        assert all(min_deletions(activities) == 0 for activities in days.values())


def test_balanced_hard_leaves_two_to_four_slots_in_at_most_two_spans():
    seen = set()
    for days, _ in draw_floor_days("balanced", "hard", 400, 3):
        free = free_spans(days)
        seen.add((len(free), sum(b - a for a, b in free)))
        assert all(WAKE[0] <= a < b <= WAKE[1] for a, b in free)
    assert seen == {(1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4)}


def test_two_free_spans_never_touch():
    for i in range(300):
        spans = _draw_free_spans(Draws(i))
        assert all(a < b for a, b in spans)
        assert all(first[1] < second[0] for first, second in pairwise(spans))
        assert spans[0][0] >= WAKE[0]
        assert spans[-1][1] <= WAKE[1]


def test_an_item_depends_on_its_own_path_only():
    long, short = generate_schedule("paper", "easy", 30, seed=4), generate_schedule("paper", "easy", 3, seed=4)
    assert long.problems[:3] == short.problems
    assert long.problems[0] != generate_schedule("paper", "easy", 1, seed=5).problems[0]
    assert long.problems[0].items != generate_schedule("paper", "hard", 1, seed=4).problems[0].items


def test_unknown_profile_or_level_is_one_line():
    with pytest.raises(RequestError, match=r"schedule\.profile: found 'papers'; one of paper, balanced"):
        generate_schedule("papers", "easy", 1, 0)
    with pytest.raises(RequestError, match=r"schedule\.level: found 'medium'; balanced has easy, medium-total, hard"):
        generate_schedule("balanced", "medium", 1, 0)


@pytest.mark.parametrize("level", LEVELS["paper"])
def test_released_format_keeps_its_gold_and_the_reader_agrees(level):
    tasks = load_schedule(FIXTURES / f"schedule_{level}.jsonl", level)
    expected = {
        "easy": 1,
        "medium": ("Sculpting", "Weaving"),
        "hard": ((420, 600), (780, 900), (960, 1200), (1260, 1320)),
    }
    assert tasks.golds[0].value == expected[level]
    assert answer_from_items(tasks.problems[0].questions[0], tasks.problems[0].items) == expected[level]
    assert re.fullmatch(r"source:[0-9a-f]{64}", tasks.version)


def test_the_text_of_a_set_is_read_in_sorted_order_whatever_its_quotes():
    text = "{'i', \"b's\", 'h', 'g', 'f', 'e', 'd', 'c', 'a'}"
    assert _read_answer(text, "medium", "x") == ("a", "b's", "c", "d", "e", "f", "g", "h", "i")
    assert _read_answer("set()", "medium", "x") == ()


def test_released_medium_gold_does_not_depend_on_the_order_of_a_set(tmp_path):
    text = (FIXTURES / "schedule_medium.jsonl").read_text()
    path = tmp_path / "m.jsonl"
    path.write_text(text.replace("{'Weaving', 'Sculpting'}", "{'Sculpting', 'Weaving'}"))
    assert load_schedule(path, "medium").golds == load_schedule(FIXTURES / "schedule_medium.jsonl", "medium").golds


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"answer": "1"', '"answer": "one"', r"jsonl:1: answer: found 'one'; an integer as text"),
        ('"start": 20', '"start": 50', r"Sculpting1: slots 50\.\.23; 0 <= start"),
        ('["F7"], ', '["F7"]; ', r"not JSON"),
        ('"participants_list": ["C7"]', '"participants_list": ["Z9"]', r"participant 'Z9'; one of A7"),
        ('"end": 23', '"end": "23"', r"Expected `int`, got `str`"),
        ('"Sculpting1"', '"Do: it1"', r"an activity name that a message cannot carry"),
        ('"schedule":', '"days":', r"missing required field `schedule`; expected the fields id, schedule, answer"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, old, new, complaint):
    text = (FIXTURES / "schedule_easy.jsonl").read_text()
    if old == '["F7"], ':
        old, new = '"QA agents":', '"QA agents"'
    assert old in text
    path = tmp_path / "bad.jsonl"
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=complaint) as caught:
        load_schedule(path, "easy")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_wrong_level_for_a_file_is_refused():
    with pytest.raises(DataError, match="give the level this file is of"):
        load_schedule(FIXTURES / "schedule_hard.jsonl", "medium")
    with pytest.raises(RequestError, match="found 'medium-total'"):
        load_schedule(FIXTURES / "schedule_hard.jsonl", "medium-total")
