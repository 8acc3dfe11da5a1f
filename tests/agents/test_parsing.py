import json
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidings.agents.parsing import find_json_object, read_action, read_choice, read_json_value, read_number, read_text
from tidings.core import ChoiceSpec, NumberSpec, ReplyError, StructuredSpec, TextSpec, draw_action

UNIT = NumberSpec(0.0, 1.0)
PERCENT = NumberSpec(0.0, 100.0)
WAIT = ChoiceSpec(("wait", "go now"))
LABELS = {"A": "go now", "B": "wait"}
SPEC = StructuredSpec(
    {"belief": UNIT, "action": WAIT, "note": TextSpec(20), "n": NumberSpec(-9, 9, is_integer=True)},
    optional=frozenset({"note"}),
)


def kind_of(call, *given):
    with pytest.raises(ReplyError) as raised:
        call(*given)
    return raised.value.kind


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.7", 0.7),
        (" .25\n", 0.25),
        ("I would say 0.7.", 0.7),
        ("70%", 0.7),
        ("about 70 percent", 0.7),
        ("0.7, that is 70%", 0.7),
        ("1e-3", 0.001),
        ("**Answer:** 0.4 (not 0.5, as a3 says)", None),
        ("First 0.9. Then again...\nAnswer: 0.4", 0.4),
        ("a3 and b12 decided G, so 0.9", 0.9),
        ("1", 1),
        ("+0.5", 0.5),
    ],
)
def test_number_is_read(text, value):
    if value is None:
        assert kind_of(read_number, text, UNIT) == "ambiguous"
    else:
        assert read_number(text, UNIT) == pytest.approx(value, abs=0)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "not_a_number"),
        ("high", "not_a_number"),
        ("between 0.5 and 0.6", "ambiguous"),
        ("0.5-0.6", "ambiguous"),
        ("1/2", "ambiguous"),
        ("0,7", "ambiguous"),
        ("0.7.1", "ambiguous"),
        ("10k", "ambiguous"),
        ("3 out of 4", "ambiguous"),
        ("٣", "ambiguous"),
        ("½", "ambiguous"),
        (">0.5", "ambiguous"),
        ("70", "out_of_range"),
        ("-0.2", "out_of_range"),
        ("1e300", "out_of_range"),
        ("1e400", "not_a_number"),
    ],
)
def test_number_that_can_be_read_in_two_ways_or_none_is_an_error(text, kind):
    assert kind_of(read_number, text, UNIT) == kind


def test_percent_counts_as_hundredths_only_where_that_is_what_is_asked():
    assert read_number("70%", PERCENT) == 70
    assert kind_of(read_number, "70%", NumberSpec(0.0, 10.0)) == "ambiguous"
    assert kind_of(read_number, "7.5", NumberSpec(0, 10, is_integer=True)) == "not_an_integer"
    assert read_number("-3", SPEC.fields["n"]) == -3


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("wait", "wait"),
        ("WAIT.", "wait"),
        ("'Go now'", "go now"),
        ("A", "go now"),
        ("b", "wait"),
        ("(B)", "wait"),
        ("B.", "wait"),
        ("B) wait", "wait"),
        ("A: go now.", "go now"),
        ("B) because the hint says so", "wait"),
        ("B\n\nThe hint says so.", "wait"),
        ("Let me think.\nIt may rain.\nAnswer: B", "wait"),
        ("The answer is: wait", "wait"),
        ("**A**", "go now"),
    ],
)
def test_choice_is_read(text, option):
    assert read_choice(text, WAIT, LABELS) == option


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "not_an_option"),
        ("C", "not_an_option"),
        ("I would not wait", "not_an_option"),
        ("A good question", "not_an_option"),
        ("A) go now\nB) wait", "ambiguous"),
        ("A) go now, or B) wait", "ambiguous"),
        ("wait\ngo now", "ambiguous"),
        ("A) wait", "ambiguous"),
        ("A) wait, it may rain", "ambiguous"),
        ("Answer: A\nAnswer: B", "ambiguous"),
        ("B\nAnswer: neither", "not_an_option"),
    ],
)
def test_choice_that_can_be_read_in_two_ways_or_none_is_an_error(text, kind):
    found = kind_of(read_choice, text, WAIT, LABELS)
    assert found == kind


def test_case_matters_only_where_options_differ_by_it():
    spec = ChoiceSpec(("yes", "Yes"))
    assert read_choice("Yes", spec) == "Yes"
    assert kind_of(read_choice, "YES", spec) == "ambiguous"


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        'Sure!\n```json\n{"a": 1}\n```\nDone.',
        'With {braces} in it: {"a": 1}',
        '{"a": 1} and once more {"a": 1}',
    ],
)
def test_json_object_is_found(text):
    assert find_json_object(text) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("no object", "not_json"),
        ("{'a': 1}", "not_json"),
        ('{"a": 1', "not_json"),
        ('{"x": {"a": 1}, "b": ', "not_json"),
        ('{"a": 1} or {"a": 2}', "ambiguous"),
        ('{"a": 1} or {"a": true}', "ambiguous"),
        ('{"a": 1, "a": 2}', "ambiguous"),
        ('{"a": NaN}', "not_json"),
        ('{"a": ' + "[" * 100_000, "not_json"),
        ("{" * 20_000, "not_json"),
        ('{"a": __import__("os")}', "not_json"),
    ],
)
def test_json_that_is_no_single_object_is_an_error(text, kind):
    assert kind_of(find_json_object, text) == kind


def test_structured_values_are_read_part_by_part_and_parts_are_named():
    given = {"belief": "70%", "action": "WAIT", "note": None, "n": 3}
    assert read_json_value(given, SPEC) == {"belief": 0.7, "action": "wait", "n": 3}
    with pytest.raises(ReplyError, match=r"out_of_range: belief: 1\.5 is outside"):
        read_json_value({**given, "belief": 1.5}, SPEC)
    assert kind_of(read_json_value, {**given, "n": 10**400}, SPEC) == "out_of_range"
    assert kind_of(read_json_value, {**given, "belief": True}, SPEC) == "not_a_number"
    assert kind_of(read_json_value, {"belief": 0.5, "action": "wait"}, SPEC) == "missing_field"
    assert kind_of(read_json_value, {**given, "more": 1}, SPEC) == "unknown_field"
    assert kind_of(read_json_value, [given], SPEC) == "not_structured"
    assert kind_of(read_json_value, {**given, "n": None}, SPEC) == "not_a_number"


def test_half_a_character_never_reaches_the_log():
    assert kind_of(read_text, "\ud800", TextSpec()) == "not_text"
    assert kind_of(read_action, '{"belief": 0.5, "action": "wait", "n": 1, "note": "\\ud800"}', SPEC) == "not_text"


@given(st.integers(0, 10_000))
def test_every_allowed_action_is_read_back_from_json_in_a_fence(seed):
    action = draw_action(SPEC, Random(seed))
    assert read_action(f"Well:\n```json\n{json.dumps(action, indent=1)}\n```", SPEC) == action


@given(st.text(alphabet='AB().:0123456789%{}"[], \nwaitgonowASer'))
@example("A) go now")
def test_whatever_the_text_an_answer_is_allowed_or_an_error(text):
    for spec in (WAIT, UNIT, PERCENT, TextSpec(30), SPEC):
        try:
            value = read_choice(text, WAIT, LABELS) if spec is WAIT else read_action(text, spec)
        except ReplyError:
            continue
        assert spec.check(value) == value
