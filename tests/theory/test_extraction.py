import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.theory.extraction import Extracted, Unparsable, extract, text_key
from tidings.theory.extraction.number import canonical_number

OPTIONS = ("12 km", "15 km", "5 km", "None of these", "2 km")


def read(kind, text, **more):
    found = extract(kind, text, **more)
    return found.value if isinstance(found, Extracted) else None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("#### 18", "18"),
        ("#### 18 eggs", "18"),
        ("so 16 - 3 = 13", "13"),
        ("She has 3 and he has 4.", "4"),
        ("The answer is $1,234.50.", "1234.5"),
        ("The final answer is: $\\boxed{70,000}$", "70000"),
        ("Answer: Let's think.\n3+4=7\n7*2=14", "14"),
        ("Answer:\n18", "18"),
        ("The answer is:\n\n18 eggs", "18"),
        ("The answer is 18. She eats 3.", "18"),
        ("The answer is 18 because 3 were left", "18"),
        ("The answer is 3 + 4 = 7", "7"),
        ("The answer is 5. No: final answer: 7", "7"),
        ("The answer is 5, which took 3 steps.\n#### Step 9 of 2\nDone.", "3"),
        ("\\boxed{8} and then 9", "8"),
        ("\\boxed{3}, no, \\boxed{4}", "4"),
        ("**18**", "18"),
        ("18%.", "18"),
        ("a 5th day, 7 eggs, the 3rd", "7"),
        ("GPT4 says 7, H2O", "7"),
        ("12/25/2020 then 4", "4"),
        ("1,2,3", "3"),
        ("...18", "18"),
    ],
)
def test_the_number_meant(text, value):
    assert extract("number", text) == Extracted("number", value, value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("-3", "-3"),
        ("\u22125", "-5"),
        ("= - 3", "-3"),
        ("10-3", "3"),
        ("$-5", "-5"),
        ("-$5", "-5"),
        ("$ 18", "18"),
        ("\\$1{,}234", "1234"),
        ("$18/hour", "18"),
        ("1.000", "1"),
        ("007", "7"),
        ("-0", "0"),
        (".5", "0.5"),
        ("-.25", "-0.25"),
        ("1/3", "1/3"),
        ("6/4", "1.5"),
        ("-1/8", "-0.125"),
        ("2 1/2", "2.5"),
        ("\\frac{3}{4}", "0.75"),
        ("1.2e3", "1200"),
        ("1.2 \\times 10^{3}", "1200"),
        ("4 * 10^-2", "0.04"),
        ("5,000,000", "5000000"),
    ],
)
def test_ways_to_write_a_number(written, value):
    assert read("number", f"The answer is {written}.") == value
    assert read("number", written) == value


@pytest.mark.parametrize(
    "text",
    ["no idea", "x^2", "it is 2^10", "3/0", "9" * 5000, "1e999999999", "H2O", "A1", "on the 2nd", "-", "$", "1" * 61],
)
def test_no_number_is_unparsable_and_never_zero(text):
    assert extract("number", text) == Unparsable("number", "no_number")
    assert extract("number", text).key is None


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
@settings(max_examples=150)
def test_decimals_come_back_as_written(digits, places):
    value = Fraction(digits, 10**places)
    written = canonical_number(value)
    assert Fraction(written) == value
    assert read("number", f"The answer is {written}.") == written
    assert read("number", f"{digits / 10**places:,.{places}f} dollars") == written


@given(st.integers(-999, 999), st.integers(1, 999))
@settings(max_examples=100)
def test_equal_values_have_one_key(numerator, denominator):
    assert read("number", f"{numerator}/{denominator}") == canonical_number(Fraction(numerator, denominator))


@given(st.text(alphabet="0123456789.,-+/$%^eE{}x ab#\n", max_size=40))
@settings(max_examples=300)
def test_any_text_gives_a_canonical_number_or_none(text):
    found = read("number", text)
    assert found is None or canonical_number(Fraction(found)) == found


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is B", "B"),
        ("The answer is E.", "E"),
        ("answer: (c)", "C"),
        ("**Answer:** **C**", "C"),
        ("Answer: option D", "D"),
        ("ANSWER:D", "D"),
        ("so it grows\nAnswer D", "D"),
        ("The correct answer is: **B) 15 km**", "B"),
        ("The best option is (D).", "D"),
        ("Option B is correct", "B"),
        ("the answer is a", "A"),
        ("The answer is A because B is wrong", "A"),
        ("The answer is not A but B", "B"),
        ("I first thought the answer is A, but the answer is C", "C"),
        ("Answer: A and D are too long, so B", "B"),
        ("\\boxed{D}", "D"),
        ("\\boxed{\\text{E}}", "E"),
        ("\\boxed{(b)}", "B"),
        ("\\boxed{12 km}", "A"),
        ("B", "B"),
        ("b.", "B"),
        ("B) 15 km", "B"),
        ("B. It moves.", "B"),
        ("So (C)", "C"),
        ("(A) is short, so (C)", "C"),
        ("(A) 12 (B) 15 (C) 5 (D) none (E) 2, so (B)", "B"),
        ("it is 15 km", "B"),
        ("it is 5 km", "C"),
        ("The answer is 15 km since 12 km is short", "B"),
        ("The answer is none of these", "D"),
    ],
)
def test_the_letter_meant(text, letter):
    found = extract("choice", text, OPTIONS)
    if text.startswith("Answer: A and D"):
        assert found == Unparsable("choice", "ambiguous")
    else:
        assert found == Extracted("choice", letter, letter)


@pytest.mark.parametrize(
    "text",
    [
        "I do not know",
        "A robe takes 2 bolts",
        "The answer is A robe",
        "the answer is a bit unclear",
        "The answer is F",
        "The answer is not B",
        "12 km or 15 km",
        "(A) 12 (B) 15 (C) 5 (D) none (E) 2",
        "Answer: let me see. A. 12 B. 15 C. 5 D. none E. 2",
        "A) 12 km\nB) 15 km\nhm",
        "I think it is far",
        "it is -5 km or 0.5 km or 15.5 km",
    ],
)
def test_no_letter_is_unparsable_and_never_option_a(text):
    assert extract("choice", text, OPTIONS) == Unparsable("choice", "no_letter")


@pytest.mark.parametrize("text", ["The answer is A or B", "Answer: A, B", "Answer: (C) and (D)", "answer is A/E."])
def test_several_letters_are_ambiguous(text):
    assert extract("choice", text, OPTIONS) == Unparsable("choice", "ambiguous")


def test_letters_stop_where_the_options_stop():
    assert read("choice", "The answer is D", options=("x1", "x2", "x3")) is None
    assert read("choice", "The answer is J", options=tuple(f"x{i}" for i in range(10))) == "J"
    assert read("choice", "The answer is I think", options=tuple(f"x{i}" for i in range(10))) is None


def test_quoted_options():
    assert read("choice", "It is heat transfer.", options=("heat", "heat transfer", "work")) == "B"
    assert read("choice", "It is heat.", options=("heat", "heat", "work")) is None
    assert read("choice", "heat and heat transfer", options=("heat", "heat transfer", "work")) is None
    assert read("choice", "It is -5", options=("5", "-5")) == "B"
    assert read("choice", "It is 5.5", options=("5", "6")) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Answer: The Nile.", "nile"),
        ("It is long.\nThe answer is **the  Nile**\nbecause", "nile"),
        ("Nile", "nile"),
        ("\\boxed{Nile}", "nile"),
        ("Answer:\n\nan Owl", "owl"),
    ],
)
def test_free_text(text, key):
    found = extract("text", text)
    assert isinstance(found, Extracted)
    assert found.key == key == text_key(found.value)


def test_free_text_without_an_answer():
    assert extract("text", "line one\nline two") == Unparsable("text", "no_text")
    assert extract("text", "...") == Unparsable("text", "no_text")


PROMPT = 'from typing import List\n\ndef total(xs: List[int]) -> int:\n    """Sum."""\n'
BODY = "    return sum(xs)\n"


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        f"Sure:\n```python\n{PROMPT}{BODY}```\nDone.",
        f"```\n{BODY}```",
        f"```python\ndef total(xs):\n{BODY}```",
        f"def total(xs):\n{BODY}",
        f"```python\ndef total(xs):\n{BODY}```\nUse it:\n```python\nprint(total([1]))\n```",
        f"```python\ndef total(xs):\n{BODY}",
        f"```py\nbroken(\n```\n```py\nasync def total(xs):\n{BODY}```",
    ],
)
def test_programs(text):
    found = extract("code", text, entry_point="total", prompt=PROMPT)
    assert isinstance(found, Extracted)
    assert found.key is None
    assert "return sum(xs)" in found.value
    assert "from typing import List" in found.value
    assert "```" not in found.value
    compile(found.value, "program", "exec")


def test_the_last_block_that_defines_the_function_wins():
    blocks = "".join(f"```python\ndef total(xs):\n    return {i}\n```\n" for i in (1, 2))
    assert "return 2" in (read("code", blocks, entry_point="total") or "")


@pytest.mark.parametrize(
    "text",
    ["I cannot.", PROMPT, f"```python\n{PROMPT}```", "def other(xs):\n    return 1\n", "def total(:", "a" * 10 + "\0"],
)
def test_no_program(text):
    assert extract("code", text, entry_point="total", prompt=PROMPT) == Unparsable("code", "no_program")


def test_programs_are_parsed_and_never_run(tmp_path):
    mark = tmp_path / "ran"
    text = f"```python\nopen({str(mark)!r}, 'w')\ndef total(xs):\n    return '\\d'\n```"
    assert read("code", text, entry_point="total") is not None
    assert not mark.exists()
    deep = "def total(xs):\n    return " + "(" * 5000 + ")" * 5000
    assert read("code", deep, entry_point="total") is None


@pytest.mark.parametrize("kind", ["number", "choice", "text", "code"])
@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_empty_text_is_unparsable(kind, text):
    assert extract(kind, text, OPTIONS, "f") == Unparsable(kind, "empty")


def test_bad_requests():
    with pytest.raises(ValueError, match=r"extract\.kind: found 'letter'; need one of number, choice, text, code"):
        extract("letter", "x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"extract\.options: found none"):
        extract("choice", "x")
    with pytest.raises(ValueError, match=r"extract\.entry_point: found none"):
        extract("code", "x")
    with pytest.raises(ValueError, match=r"options: found 11"):
        extract("choice", "x", tuple(f"o{i}" for i in range(11)))


@pytest.mark.parametrize(
    "piece", ["answer ", "1,", "(A) ", "\\boxed{", "```\n", "* ", "A and ", "9.", "answer is ", "((", "  "]
)
def test_long_replies_are_read_quickly(piece):
    text = piece * (20_000 // len(piece))
    start = time.perf_counter()
    for kind in ("number", "choice", "text", "code"):
        extract(kind, text, OPTIONS, "f", PROMPT)
    assert time.perf_counter() - start < 2
