"""Hidden profiles: provable generated tasks, and the HiddenBench format with its traps closed."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tidings.benchmarks.asymmetry import (
    DataError,
    answer_from_items,
    generate_hidden_profiles,
    load_hidden_bench,
    option_keys,
    parse_answer,
    score_votes,
    to_json,
    visible_items,
)
from tidings.benchmarks.asymmetry.hidden_profile import view_order
from tidings.benchmarks.asymmetry.hidden_profile_text import OPTIONS, Point, net_points, read_point, write_point
from tidings.benchmarks.streams import Draws
from tidings.core.errors import RequestError

FIXTURE = Path(__file__).parents[2] / "fixtures" / "asymmetry" / "hiddenbench.json"
GOOD = re.compile(r"turned out well|praise|scores high|strong point|advantage")
BAD = re.compile(r"turned out badly|criticise|scores low|weak point|drawback")


def best_by_hand(options, texts):
    """The single best option by an own reading of the sentences, or None when tied."""
    totals = Counter(dict.fromkeys(options, 0))
    for text in texts:
        (option,) = [o for o in options if o in text]
        totals[option] += bool(GOOD.search(text)) - bool(BAD.search(text))
    (first, most), (_, second) = totals.most_common(2)
    return first if most > second else None


@pytest.mark.parametrize(("n_people", "n_options"), [(3, 2), (3, 3), (4, 3), (4, 6), (8, 4)])
def test_pooled_best_is_the_gold_and_every_view_has_another(n_people, n_options):
    tasks = generate_hidden_profiles(60, seed=4, n_people=n_people, n_options=n_options)
    for problem, gold in zip(tasks.problems, tasks.golds, strict=True):
        question = problem.questions[0]
        assert len(problem.people) == n_people
        assert len(question.options) == n_options
        assert best_by_hand(question.options, [i.text for i in problem.items]) == gold.value
        assert answer_from_items(question, problem.items) == gold.value
        views = [visible_items(problem.items, person.id) for person in problem.people]
        wrong = {best_by_hand(question.options, [i.text for i in view]) for view in views}
        assert len(wrong) == 1, "every view favours the same wrong option"
        assert wrong.isdisjoint({gold.value, None})


def test_all_hidden_facts_are_not_always_needed_but_one_is_never_enough():
    for problem in generate_hidden_profiles(40, seed=1).problems:
        for person in problem.people:
            assert answer_from_items(problem.questions[0], visible_items(problem.items, person.id)) is not None
            hidden = [i for i in problem.items if i.owner == person.id]
            assert [i.fact for i in hidden] == list(problem.questions[0].evidence[int(person.id[1:])])


def test_no_criterion_is_used_twice_for_one_option():
    for problem in generate_hidden_profiles(80, seed=2, n_people=8, n_options=6).problems:
        points = [read_point(item.text) for item in problem.items]
        assert None not in points
        assert max(Counter((p.option, p.criterion) for p in points if p).values()) == 1


def test_gold_stands_at_every_place_equally_often():
    tasks = generate_hidden_profiles(600, seed=0)
    golds = tasks.gold_of()
    places = Counter(p.questions[0].options.index(golds[p.id].value) for p in tasks.problems)
    assert all(150 < places[i] < 250 for i in range(3))


def test_sentences_read_back_and_a_point_made_twice_counts_once():
    for weight in (1, -1):
        point = Point(OPTIONS[0], "the roof", weight)
        texts = {write_point(Draws(i), point) for i in range(60)}
        assert len(texts) == 5
        assert {read_point(text) for text in texts} == {point}
        assert net_points(OPTIONS[:2], texts) == {OPTIONS[0]: weight, OPTIONS[1]: 0}


def test_a_tie_is_no_answer():
    question = generate_hidden_profiles(1, 0).problems[0].questions[0]
    assert answer_from_items(question, ()) is None


@pytest.mark.parametrize(("name", "value"), [("n_people", 2), ("n_people", 9), ("n_options", 1), ("n_options", 7)])
def test_sizes_out_of_range_are_refused(name, value):
    with pytest.raises(RequestError, match=rf"hidden_profile\.{name}: found {value}"):
        generate_hidden_profiles(1, 0, **{name: value})


def test_hiddenbench_deals_one_hidden_fact_each_and_all_shared_ones():
    raw = json.loads(FIXTURE.read_text())
    tasks = load_hidden_bench(FIXTURE, seed=3)
    for task, problem, gold in zip(raw, tasks.problems, tasks.golds, strict=True):
        assert gold.value == task["correct_answer"]
        assert sorted(problem.questions[0].options) == sorted(task["possible_answers"])
        held = [view_order(problem, person.id, seed=0) for person in problem.people]
        hidden = [[i.text for i in view if i.text not in task["shared_information"]] for view in held]
        assert sorted(text for (text,) in hidden) == sorted(task["hidden_information"])
        assert all(len(view) == len(task["shared_information"]) + 1 for view in held)


def test_the_rationale_is_nowhere():
    assert "SECRET-SOLUTION" in FIXTURE.read_text()
    assert "SECRET-SOLUTION" not in to_json(load_hidden_bench(FIXTURE))


def test_options_and_hidden_facts_move_with_the_seed_and_keys_map_back():
    orders, deals = set(), set()
    for seed in range(30):
        tasks = load_hidden_bench(FIXTURE, seed)
        problem, gold = tasks.problems[0], tasks.golds[0]
        orders.add(problem.questions[0].options)
        deals.add(tuple(i.text for i in problem.items if i.owner != "*"))
        keys = option_keys(problem.questions[0].options)
        (key,) = [k for k, option in keys.items() if option == gold.value]
        assert parse_answer(problem.questions[0], gold, key) == gold.value
    assert len(orders) == len(deals) == 6


def test_views_are_ordered_at_random_per_person_and_seed():
    problem = load_hidden_bench(FIXTURE).problems[0]
    orders = {tuple(i.fact for i in view_order(problem, "p0", seed)) for seed in range(20)}
    assert len(orders) > 10
    assert view_order(problem, "p0", 1) == view_order(problem, "p0", 1)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"correct_answer": "Lake"}, r"\[0\]: correct_answer: found 'Lake'; one of possible_answers"),
        ({"possible_answers": ["Meadow", "Meadow"]}, r"\[0\]: possible_answers: an option comes twice"),
        ({"hidden_information": ["x"]}, r"\[0\]: hidden_information: 1 facts; one per person"),
        ({"hidden_information": "x"}, r"Expected `array`, got `str` - at `\$\.hidden_information`"),
        ({"description": None}, r"Expected `str`, got `null`"),
    ],
)
def test_malformed_tasks_are_named(tmp_path, change, complaint):
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([json.loads(FIXTURE.read_text())[0] | change]))
    with pytest.raises(DataError, match=complaint):
        load_hidden_bench(path)


def test_an_object_instead_of_a_list_is_named(tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text("{}")
    with pytest.raises(DataError, match="found dict; expected a HiddenBench tasks file"):
        load_hidden_bench(path)


def test_votes_are_counted_with_ties_shared_and_failures_apart():
    assert score_votes(["a", "b", "a", "c"], "a").share == 0.5
    assert score_votes(["a", "b", "a", "c"], "a").majority == 1.0
    assert score_votes(["b", "a"], "a").majority == score_votes(["a", "b"], "a").majority == 0.5
    assert score_votes(["b", "b", "a"], "a").majority == 0.0
    failed = score_votes([None, "a", None], "a")
    assert (failed.share, failed.majority, failed.n_failed) == (1.0, 1.0, 2)
    nobody = score_votes([None, None], "a")
    assert nobody.share != nobody.share
    assert nobody.majority != nobody.majority
    assert nobody.n_failed == 2
