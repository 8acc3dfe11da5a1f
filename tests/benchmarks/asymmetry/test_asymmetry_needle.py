"""Needle in the Persona: floors of exactly 1/k, no needle where none may be, own and foreign base dialogues."""

from collections import Counter
from pathlib import Path

import pytest
from scipy.stats import chisquare

from tidings.benchmarks.asymmetry import (
    DataError,
    answer_from_items,
    generate_needles,
    load_persona_chat,
    score_text,
    visible_items,
)
from tidings.benchmarks.asymmetry.needle import candidates_from_items
from tidings.benchmarks.asymmetry.needle_text import (
    ACTS,
    DISLIKES,
    LIKES,
    MODIFIERS,
    N_VALUES,
    OBJECTS,
    content_words,
    draw_small_talk,
    draw_values,
    read_needle,
)
from tidings.benchmarks.streams import Draws
from tidings.core.errors import RequestError

FIXTURE = Path(__file__).parents[2] / "fixtures" / "asymmetry" / "persona_chat.csv"


def statements(problem, owner):
    """The needle values of one person in order, found by an own reading: the three words that are on the lists."""
    texts = [item.text for item in problem.items if item.owner == owner]
    values = [f"{a} {m} {o}" for a in ACTS for m in MODIFIERS for o in OBJECTS]
    return [value for text in texts for value in values if value in text]


@pytest.mark.parametrize("k", [1, 2, 4, 7])
def test_each_side_alone_is_right_once_in_k_and_both_together_always(k):
    tasks = generate_needles(40, seed=3, k=k)
    for problem, gold in zip(tasks.problems, tasks.golds, strict=True):
        question = problem.questions[0]
        assert answer_from_items(question, problem.items) == gold.value
        for person in question.asked:
            candidates = candidates_from_items(question, visible_items(problem.items, person))
            assert len(candidates) == k
            assert candidates.count(gold.value) == 1


def test_exactly_one_value_is_in_common_and_it_is_the_gold():
    tasks = generate_needles(12, seed=8)
    for problem, gold in zip(tasks.problems, tasks.golds, strict=True):
        alice, dave = statements(problem, "A"), statements(problem, "D")
        assert len(alice) == len(dave) == 4
        assert set(alice) & set(dave) == {gold.value}


def test_the_order_in_which_values_are_told_says_nothing():
    tasks = generate_needles(800, seed=1)
    for owner, asked in (("A", 0), ("D", 1)):
        places = Counter()
        for problem in tasks.problems:
            told = [item.fact for item in problem.items if item.owner == owner and read_needle(item.text)]
            places[told.index(problem.questions[0].evidence[asked][0])] += 1
        assert chisquare([places[i] for i in range(4)]).pvalue > 0.001


def test_even_ids_ask_what_both_like_and_odd_ids_what_dave_dislikes():
    for index, problem in enumerate(generate_needles(6, seed=0).problems):
        is_same = index % 2 == 0
        assert problem.questions[0].type == ("needle-same" if is_same else "needle-opposite")
        moods = {read_needle(i.text)[1] for i in problem.items if i.owner == "D" and read_needle(i.text)}
        assert moods == {is_same}


def test_bob_and_charlie_never_say_a_needle_word_and_hold_what_they_are_asked_for():
    words = content_words(" ".join((*ACTS, *MODIFIERS, *OBJECTS)))
    for problem in generate_needles(30, seed=2).problems:
        for item in problem.items:
            if item.owner in "BC":
                assert not words & content_words(item.text)
        assert {i.session for i in visible_items(problem.items, "B")} == {"A-B", "B-C"}
        assert {i.session for i in visible_items(problem.items, "C")} == {"C-D", "B-C"}


def test_no_needle_word_can_occur_in_our_small_talk():
    words = content_words(" ".join((*ACTS, *MODIFIERS, *OBJECTS)))
    talk = " ".join(text for i in range(300) for _, text in draw_small_talk(Draws(i), ("Bola", "Tive"), 12))
    assert not words & content_words(talk)


def test_there_are_two_thousand_values_and_one_sample_never_shares_act_or_object():
    assert N_VALUES >= 2000
    for i in range(50):
        values = [value.split() for value in draw_values(Draws(i), 13)]
        assert len({v[0] for v in values}) == len({v[2] for v in values}) == 13


@pytest.mark.parametrize(("templates", "is_liked"), [(LIKES, True), (DISLIKES, False)])
def test_templates_read_back(templates, is_liked):
    assert len(templates) >= 5
    for template in templates:
        assert read_needle(template.format(value="carving amber masks")) == ("carving amber masks", is_liked)
    assert read_needle("I like carving wood.") is None


def test_the_answer_is_scored_exactly_after_normalising():
    tasks = generate_needles(1, seed=0)
    question, gold = tasks.problems[0].questions[0], tasks.golds[0]
    assert score_text(question, gold, f" {str(gold.value).upper()}. ").value == 1.0
    assert score_text(question, gold, str(gold.value).split(" ", 1)[1]).value == 0.0


def test_foreign_base_dialogues_are_renamed_and_those_with_needle_words_or_open_placeholders_left_out():
    base = load_persona_chat(FIXTURE)
    assert [len(dialogue) for dialogue in base] == [5, 4, 4, 2, 3]
    assert base[1][1] == (1, "Hello! The sea is grey today. It may rain.")
    for problem in generate_needles(20, seed=0, base_dialogues=base).problems:
        text = " ".join(item.text for item in problem.items)
        assert "[" not in text
        assert "User 1" not in text
        small_talk = [item.text for item in problem.items if not read_needle(item.text)]
        assert len(set(small_talk)) == len(small_talk)
        needle_words = content_words(" ".join(statements(problem, "A") + statements(problem, "D")))
        assert not needle_words & content_words(" ".join(small_talk))


def test_too_few_base_dialogues_are_one_line():
    with pytest.raises(DataError, match=r"needle\.base_dialogues: 1 dialogues free of needle words"):
        generate_needles(1, seed=0, base_dialogues=load_persona_chat(FIXTURE)[2:4])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,b\n1,2\n", r"columns a, b; a column 'Best Generated Conversation'"),
        ("Best Generated Conversation\n", r"no dialogue in it"),
        ('Best Generated Conversation\n"Ola: hi"\n', r"first turn 'Ola: hi'; turns begin with 'User 1:'"),
        ("", r"columns none"),
    ],
)
def test_a_malformed_csv_is_one_line(tmp_path, text, complaint):
    path = tmp_path / "chat.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=complaint):
        load_persona_chat(path)


def test_k_out_of_range_is_refused():
    with pytest.raises(RequestError, match=r"needle\.k: found 8; 1 to 7"):
        generate_needles(1, 0, k=8)
