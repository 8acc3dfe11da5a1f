"""Scorers and answer parsers: the sheet's examples, brute force over time and sets, failures apart."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.benchmarks.asymmetry import (
    Gold,
    Question,
    option_keys,
    parse_answer,
    score_answer,
    score_text,
    summarise_scores,
    write_answer,
)
from tidings.benchmarks.asymmetry.answers import (
    join_spans,
    normalise,
    parse_integer,
    parse_names,
    parse_option,
    parse_spans,
)
from tidings.benchmarks.asymmetry.scoring import (
    assignment_norm,
    integer_accuracy,
    interval_iou,
    judge_agreement,
    normalised_containment,
    normalised_match,
    set_f1,
)
from tidings.core.errors import ReplyError, RequestError

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda s: (s[0], s[0] + s[1])), max_size=5)
names = st.frozensets(st.sampled_from("abcdef"), max_size=6)


def question(options=()):
    return Question("q", "q", "x", ("a", "b"), "pair", "?", tuple(options))


def test_the_sheets_example_of_interval_iou():
    assert interval_iou([(9 * 60, 12 * 60)], [(10 * 60, 14 * 60)]) == pytest.approx(0.4)


@given(spans, spans)
def test_interval_iou_is_the_iou_of_the_minutes(a, b):
    minutes_a = {m for start, end in a for m in range(start, end)}
    minutes_b = {m for start, end in b for m in range(start, end)}
    union = minutes_a | minutes_b
    expected = Fraction(len(minutes_a & minutes_b), len(union)) if union else 1
    assert interval_iou(a, b) == pytest.approx(float(expected))
    assert interval_iou(b, a) == pytest.approx(float(expected))


@given(spans)
def test_joined_spans_are_disjoint_apart_and_cover_the_same(a):
    joined = join_spans(a)
    assert {m for s, e in joined for m in range(s, e)} == {m for s, e in a for m in range(s, e)}
    assert all(x[1] < y[0] for x, y in pairwise(joined))


@given(names, names)
def test_set_f1_is_the_harmonic_mean_of_precision_and_recall(predicted, gold):
    hits = len(predicted & gold)
    if not predicted and not gold:
        expected = 1.0
    elif not hits:
        expected = 0.0
    else:
        precision, recall = hits / len(predicted), hits / len(gold)
        expected = 2 * precision * recall / (precision + recall)
    assert set_f1(predicted, gold) == pytest.approx(expected)


def test_integer_and_exact():
    assert (integer_accuracy(3, 3), integer_accuracy(3, 4)) == (1.0, 0.0)
    assert normalised_match("The  Old-Mill!", "old mill") == 1.0
    assert normalised_match("old mills", "old mill") == 0.0
    assert normalised_containment("It is in the OLD mill, I think.", "the old mill") == 1.0
    assert normalised_containment("behold mill", "old mill") == 0.0


def test_normalise_drops_an_article_in_front_only():
    assert normalise("The A-Team") == "a team"
    assert normalise("Hospital A") == "hospital a"
    assert normalise("a") == "a"
    assert normalise("ﬁne\u00a0CAFÉ") == "fine café"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3", 3), ("The answer is 3.", 3), ("-2", -2), ("3 of them, so 3", 3), ("Answer: **0**", 0)],
)
def test_one_whole_number_is_read(text, expected):
    assert parse_integer(text) == expected


@pytest.mark.parametrize("text", ["", "three", "3 or 4", "2.5", "7:30", "at 7:30 and 8:00"])
def test_no_or_several_numbers_are_unparsable(text):
    with pytest.raises(ReplyError) as caught:
        parse_integer(text)
    assert caught.value.kind == "unparsable"


CATALOGUE = ("Yoga", "Chess Club", "Sand and Stone")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yoga, Chess Club", ("Chess Club", "Yoga")),
        ("chess   CLUB and yoga.", ("Chess Club", "Yoga")),
        ('["Yoga", "yoga"]', ("Yoga",)),
        ("- Yoga\n- Sand and Stone", ("Sand and Stone", "Yoga")),
        ("{'Yoga'}", ("Yoga",)),
        ("Yoga; Rowing", ("Yoga", "rowing")),
        ("none", ()),
        ("[]", ()),
        ('"Yoga"', ("Yoga",)),
    ],
)
def test_names_are_mapped_to_the_catalogue(text, expected):
    assert parse_names(text, CATALOGUE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7:00-8:30", ((420, 510),)),
        ("07:00 – 08:30, 8:30 to 9:00", ((420, 540),)),
        ("22:00-24:00 and 0:00 until 1:15", ((0, 75), (1320, 1440))),
        ('["7:00-8:00", "9:30-10:30"]', ((420, 480), (570, 630))),
        ("None.", ()),
    ],
)
def test_spans_are_read_in_minutes_and_joined(text, expected):
    assert parse_spans(text) == expected


@pytest.mark.parametrize("text", ["all day", "8:00-7:00", "23:00-24:30", "8:00", "7:00-8:00 and 9:00", "7:70-8:00", ""])
def test_unreadable_spans_fail(text):
    with pytest.raises(ReplyError) as caught:
        parse_spans(text)
    assert caught.value.kind == "unparsable"


def test_options_by_key_by_text_and_inside_a_sentence():
    options = ("Old Mill", "Mill", "Quay")
    for text, expected in [
        ("B", "Mill"),
        ("b)", "Mill"),
        ("(C)", "Quay"),
        ("the quay", "Quay"),
        ("I choose the Old Mill.", "Old Mill"),
        ("the mill", "Mill"),
    ]:
        assert parse_option(text, options) == expected, text


@pytest.mark.parametrize("text", ["D", "Quay or Mill", "neither", "Windmill"])
def test_none_or_several_options_are_not_an_option(text):
    with pytest.raises(ReplyError) as caught:
        parse_option(text, ("Old Mill", "Mill", "Quay"))
    assert caught.value.kind == "not_an_option"


def test_keys_never_look_like_an_option():
    assert option_keys(("Mill", "Quay")) == {"A": "Mill", "B": "Quay"}
    hospitals = ("Hospital B", "Hospital A")
    assert option_keys(hospitals) == {"1": "Hospital B", "2": "Hospital A"}
    assert parse_option("2", hospitals) == "Hospital A"
    assert parse_option("Hospital A", hospitals) == "Hospital A"
    with pytest.raises(ReplyError):
        parse_option("A", hospitals)
    assert option_keys(("Dock 1", "Dock B")) == {}


GOLDS = [
    (Gold("q", "integer", 4), ()),
    (Gold("q", "names", ("Chess Club", "Yoga"), CATALOGUE), ()),
    (Gold("q", "names", (), CATALOGUE), ()),
    (Gold("q", "spans", ((0, 30), (1410, 1440))), ()),
    (Gold("q", "spans", ()), ()),
    (Gold("q", "option", "Mill"), ("Old Mill", "Mill")),
    (Gold("q", "exact", "carving amber masks"), ()),
]


@pytest.mark.parametrize(("gold", "options"), GOLDS)
def test_a_written_gold_reads_back_and_scores_one(gold, options):
    text = write_answer(gold.kind, gold.value)
    assert parse_answer(question(options), gold, text) == gold.value
    assert score_text(question(options), gold, text).value == 1.0


def test_partial_answers_score_in_between():
    names_gold = Gold("q", "names", ("Chess Club", "Yoga"), CATALOGUE)
    assert score_text(question(), names_gold, "Yoga").value == pytest.approx(2 / 3)
    assert score_text(question(), names_gold, "none").value == 0.0
    assert score_text(question(), Gold("q", "spans", ((0, 60),)), "0:00-0:30").value == 0.5
    assert score_answer(Gold("q", "integer", 3), 4) == 0.0


def test_assignment_norm_is_reward_over_optimum():
    table = ((3, 1), (2, 2))
    assert assignment_norm(((0, 0), (1, 1)), table) == 1.0
    assert assignment_norm(((0, 1), (1, 0)), table) == 3 / 5
    assert math.isnan(assignment_norm(((0, 0), (1, 1)), ((0, 0), (0, 0))))


def test_failures_are_counted_apart_and_never_scored():
    gold = Gold("q", "integer", 3)
    scores = [score_text(question(), gold, text) for text in ("3", "4", "", "who knows")]
    scores += [score_text(question(), gold, None, failure="budget"), score_text(question(), gold, None)]
    assert all(math.isnan(s.value) for s in scores[2:])
    summary = summarise_scores(scores)
    assert summary.mean == 0.5
    assert summary.mean_failed_as_zero == pytest.approx(1 / 6)
    assert (summary.n_scored, summary.n_failed) == (2, 4)
    assert summary.failures == {"budget": 1, "empty": 1, "no_answer": 1, "unparsable": 1}


def test_a_summary_of_nothing_is_nan():
    assert math.isnan(summarise_scores([]).mean)
    failed = summarise_scores([score_text(question(), Gold("q", "integer", 3), None)])
    assert math.isnan(failed.mean)
    assert failed.mean_failed_as_zero == 0.0


def test_judge_agreement_counts_both_kinds_of_difference():
    agreement = judge_agreement([True, True, False, False, True], [True, False, True, False, True])
    assert (agreement.share, agreement.n_judge_only, agreement.n_rule_only, agreement.n) == (3 / 5, 1, 1, 5)
    assert math.isnan(judge_agreement([], []).share)
    with pytest.raises(RequestError, match="1 and 0 verdicts"):
        judge_agreement([True], [])
