import ast
import gzip
import inspect
import json
from collections import Counter
from dataclasses import FrozenInstanceError, fields
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tidings.theory
from tidings.benchmarks.grading import grade
from tidings.benchmarks.question_formats import FORMATS, load_questions
from tidings.benchmarks.questions import Gold, QuestionSet
from tidings.core.errors import DataError, RequestError
from tidings.core.seeds import SeedPath
from tidings.theory import aggregation, shapley, topology
from tidings.theory.extraction import extract
from tidings.theory.option_order import OptionOrder, is_fixed_order, is_last_option, shuffle_options
from tidings.theory.questions import Question, extract_answer

FOLDER = Path(__file__).parents[1] / "fixtures" / "questions"
FILES = {
    "aqua": FOLDER / "aqua.jsonl",
    "gsm8k": FOLDER / "gsm8k.jsonl",
    "humaneval": FOLDER / "humaneval.jsonl",
    "mmlu": FOLDER / "mmlu",
    "svamp": FOLDER / "svamp.json",
}


def load(name):
    return load_questions(name, FILES[name])


def keys(questions):
    return [sorted(questions.golds[question.id].keys) for question in questions]


def choice(*options):
    return Question("q", "choice", "Which?", options)


def test_every_format_is_tested():
    assert set(FILES) == set(FORMATS)
    assert len(CONTRIBUTION_CODE) >= 7


def test_gsm8k():
    questions = load("gsm8k")
    assert [question.id for question in questions] == ["gsm8k/0", "gsm8k/1", "gsm8k/2"]
    assert keys(questions) == [["1234"], ["-5"], ["18"]]
    assert questions.questions[2].text == "Ida reads 6 pages a day for 3 days. How many pages?"
    assert {question.kind for question in questions} == {"number"}


def test_aqua():
    questions = load("aqua")
    assert questions.questions[0].options == ("54", "56", "58", "64", "None of these")
    assert questions.questions[2].options[:2] == ("1", "2")
    assert keys(questions) == [["B"], ["A", "C"], ["B"]]  # the second repeats the right text
    assert questions.questions[0].letters == "ABCDE"


def test_mmlu_keeps_line_breaks_inside_cells():
    questions = load("mmlu")
    ids = ["mmlu/toy_civics/0", "mmlu/toy_civics/1", "mmlu/toy_physics/0", "mmlu/toy_physics/1"]
    assert [question.id for question in questions] == ids
    assert questions.questions[2].options == ("cork", "iron, cast", "lead", "gold")
    assert questions.questions[3].text == 'A rule says:\n"wet stones sink".\nWhat follows?'
    assert questions.questions[3].options[2:] == ("nothing", "All of the above")
    assert keys(questions) == [["A"], ["B"], ["A"], ["B"]]
    one = load_questions("mmlu", FILES["mmlu"] / "toy_physics_test.csv")
    assert [question.id for question in one] == ids[2:]


def test_svamp():
    questions = load("svamp")
    assert [question.text for question in questions] == [
        "Ana has 7 pens and loses 2. How many are left?",
        "A rope of 3 m is cut in half. How long is a piece?",
    ]
    assert keys(questions) == [["5"], ["1.5"]]
    assert questions.questions[0].id == "svamp/chal-1"


def test_humaneval_plain_and_packed(tmp_path):
    packed = tmp_path / "HumanEval.jsonl.gz"
    packed.write_bytes(gzip.compress(FILES["humaneval"].read_bytes()))
    questions = load("humaneval")
    assert load_questions("humaneval", packed) == questions
    (question,) = questions
    assert (question.id, question.kind, question.entry_point) == ("humaneval/0", "code", "double_all")
    assert questions.golds["humaneval/0"].tests.startswith("def check(candidate)")
    found = extract_answer(question, "    return [v + v for v in values]\n")
    assert grade(found, questions.golds["humaneval/0"]) == "needs_sandbox"


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_worked_solutions_reach_no_object(name):
    """The fixtures hold the word CANARY in every field that must stay hidden."""
    questions = load(name)
    if name != "mmlu":
        path = FILES[name]
        assert "CANARY" in path.read_text()
    held = [getattr(value, f.name) for q in questions for value in (q, questions.golds[q.id]) for f in fields(value)]
    assert "CANARY" not in repr(held)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_public_part_alone_prints_and_shows_no_gold(name):
    questions = load(name)
    for question in questions:
        gold = questions.golds[question.id]
        assert repr(gold) == f"Gold(question_id='{question.id}', kind='{question.kind}')"
        assert str(gold) == f"{gold!s}" == f"Gold({question.id})"
        if gold.tests:
            assert gold.tests not in repr(question)
    assert "Gold" not in repr(questions)
    assert {f.name for f in fields(Question)} & {f.name for f in fields(Gold)} == {"kind"}


CONTRIBUTION_CODE = [
    path
    for pattern in ("agg*.py", "coal*.py", "cosine.py", "shapley.py", "topology*.py")
    for path in sorted(Path(next(iter(tidings.theory.__path__))).glob(pattern))
]


@pytest.mark.parametrize("path", CONTRIBUTION_CODE, ids=lambda path: path.name)
def test_contribution_code_neither_imports_nor_names_grading_data(path):
    """Acceptance test 10, by type: contributions see arrays and keys; the leak of the released code has no door."""
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    own = {name for name in imported if name.startswith("tidings.")}
    assert all(name.split(".")[1] in ("core", "theory") for name in own)
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    assert not arguments & {"gold", "golds", "reference", "sample", "answer_key", "question", "questions"}


@pytest.mark.parametrize("module", [shapley, topology, aggregation])
def test_contribution_functions_refuse_gold(module):
    questions = load("gsm8k")
    gold = questions.golds["gsm8k/0"]
    takes_embeddings = 0
    for name in module.__all__:
        function = getattr(module, name)
        if not inspect.isfunction(function) or "embeddings" not in inspect.signature(function).parameters:
            continue
        takes_embeddings += 1
        others = [p for p in inspect.signature(function).parameters.values() if p.default is inspect.Parameter.empty]
        for wrong in (gold, [gold, gold], [[gold]], questions, dict(questions.golds)):
            with pytest.raises((ValueError, TypeError)):
                function(wrong, *[1] * (len(others) - 1))
    assert takes_embeddings >= 2


def test_shuffling_maps_letters_there_and_back():
    question, gold = choice("w", "x", "y", "z"), Gold("q", "choice", frozenset("B"))
    for seed in range(30):
        order = shuffle_options(question, SeedPath.root(seed))
        shown, moved = order.apply(question), gold.as_shown(order)
        (letter,) = moved.keys
        assert shown.options["ABCD".index(letter)] == "x"
        assert order.to_source(letter) == "B"
        assert order.to_shown("B") == letter
        assert grade(extract_answer(shown, f"The answer is {letter}."), moved) == "right"
        assert grade(extract_answer(shown, f"It is {shown.options['ABCD'.index(letter)]}."), moved) == "right"
        assert [order.to_source(order.to_shown(mark)) for mark in "ABCD"] == list("ABCD")


def test_every_order_is_equally_likely_and_repeats():
    root = SeedPath.root(7)
    orders = [
        shuffle_options(Question(f"q{i}", "choice", "Which?", ("x", "y", "z")), root).sources for i in range(3000)
    ]
    counts = Counter(orders)
    assert set(counts) == set(permutations(range(3)))
    assert all(400 < count < 600 for count in counts.values())  # 500 expected, standard deviation 20
    assert shuffle_options(choice("x", "y", "z"), root) == shuffle_options(choice("x", "y", "z"), root)
    seeds = {shuffle_options(choice("x", "y", "z"), SeedPath.root(seed)).sources for seed in range(40)}
    assert len(seeds) == 6


@pytest.mark.parametrize(
    "option",
    [
        "None of these",
        "none of the above.",
        "None",
        "Neither of these",
        "Cannot be determined",
        "NONE OF THEM",
        "Data inadequate",
    ],
)
def test_options_that_deny_the_others_keep_to_the_end(option):
    assert is_last_option(option)
    for place in (1, 3):
        options = ["1", "2", "3"]
        options.insert(place, option)
        orders = [shuffle_options(choice(*options), SeedPath.root(seed)) for seed in range(40)]
        assert {order.apply(choice(*options)).options[-1] for order in orders} == {option}
        assert len({order.sources for order in orders}) == 6
    both = [shuffle_options(choice("1", option, "2", "None"), SeedPath.root(s)).sources for s in range(20)]
    assert {sources[2:] for sources in both} == {(1, 3)}


@pytest.mark.parametrize(
    "option",
    [
        "All of the above",
        "all of these.",
        "Both of these",
        "Both",
        "Either of these",
        "Any 2 of the above values",
        "both A and B",
        "A and B only",
        "Neither (a) nor (b).",
        "a. and c. above",
        "Both A & C",
        "Options A and B",
        "A, B and C",
        "either A or B",
    ],
)
def test_options_that_join_others_forbid_shuffling(option):
    options = ("1", "2", option, "None of the above")
    assert is_fixed_order(options)
    assert {shuffle_options(choice(*options), SeedPath.root(seed)).sources for seed in range(20)} == {(0, 1, 2, 3)}


@pytest.mark.parametrize(
    "option",
    [
        "None are oncogenic per se",
        "cannot return a value",
        "a and the",
        "E and F are both independent",
        "Both studies were observational studies.",
        "I and II only",
        "all waves",
        "the same",
        "B",
        "Anne and Bob",
    ],
)
def test_plain_options_are_free(option):
    options = ("1", "2", option, "4")
    assert not is_fixed_order(options)
    assert not is_last_option(option)
    assert len({shuffle_options(choice(*options), SeedPath.root(seed)).sources for seed in range(200)}) == 24


@given(st.permutations(range(5)))
@settings(max_examples=30)
def test_any_order_is_a_bijection_of_letters(sources):
    order = OptionOrder(tuple(sources))
    assert sorted(map(order.to_source, "ABCDE")) == list("ABCDE")
    assert all(order.to_shown(order.to_source(letter)) == letter for letter in "ABCDE")
    gold = Gold("q", "choice", frozenset("AC")).as_shown(order)
    assert {order.to_source(letter) for letter in gold.keys} == {"A", "C"}


def test_grades():
    number, letter = Gold("n", "number", frozenset({"18"})), Gold("c", "choice", frozenset("AC"))
    assert grade(extract("number", "The answer is $18.00"), number) == "right"
    assert grade(extract("number", "19"), number) == "wrong"
    assert grade(extract("number", "no idea"), number) == "unparsable"
    options = ("5 m", "6 m", "5 m")
    assert [grade(extract("choice", f"({x})", options), letter) for x in "ABC"] == ["right", "wrong", "right"]
    assert grade(extract("choice", "", options), letter) == "unparsable"
    assert grade(extract("choice", "it is 5 m", options), letter) == "unparsable"
    assert grade(extract("text", "The Nile"), Gold("t", "text", frozenset({"nile"}))) == "right"
    with pytest.raises(RequestError, match="found an answer of kind 'number'; need 'choice'"):
        grade(extract("number", "18"), letter)


def test_first_keeps_golds_with_their_questions():
    few = load("gsm8k").first(2)
    assert len(few) == 2
    assert set(few.golds) == {"gsm8k/0", "gsm8k/1"}


def test_values_are_frozen():
    with pytest.raises(FrozenInstanceError):
        load("gsm8k").questions[0].text = "x"  # type: ignore[misc]


BAD_FILES = [
    ("gsm8k", '{"question": "q", "answer": "no mark"}', r":1, field 'answer'.*need '#### '"),
    ("gsm8k", '{"question": "q", "answer": "#### many"}', r":1: found 'many'; need one number"),
    ("gsm8k", '{"question": "q", "answer": "#### 1 2"}', r"found '1 2'; need one number"),
    ("gsm8k", '{"question": "q"}', r"field 'answer': found None"),
    ("gsm8k", '{"question": " ", "answer": "#### 1"}', r"question 'gsm8k/0'\.text: found no text"),
    ("gsm8k", '{"question": "q", "answer": "#### 1"}\n{"question"', r":2: is no JSON"),
    ("gsm8k", "[1]", r"field 'answer': found None"),
    ("gsm8k", "\n", r"found no question"),
    ("aqua", '{"question": "q", "options": ["A)1", "C)2"], "correct": "A"}', r"need 'A\)\.\.\.'"),
    ("aqua", '{"question": "q", "options": ["A)1", "B)2"], "correct": "C"}', r"found 'C'; need a letter of the 2"),
    ("aqua", '{"question": "q", "options": ["A)1", "B)2"], "correct": ""}', r"found ''; need a letter"),
    ("aqua", '{"question": "q", "options": ["A)1", "B)2"], "correct": "AB"}', r"found 'AB'; need a letter"),
    ("aqua", '{"question": "q", "options": ["A)1", "B)"], "correct": "A"}', r"options: found \('1', ''\)"),
    ("mmlu", "q,1,2,3,4\n", r"row 1: found \['q'.*need question,A,B,C,D,letter"),
    ("mmlu", "q,1,2,3,4,E\n", r"row 1: found 'E'"),
    ("mmlu", 'q,1,2,3,4,A\n"q,1', r"is no CSV"),
    ("svamp", "{}", r"found 'dict'; need one JSON array"),
    ("svamp", '[{"ID": "1", "Body": "b", "Question": "q", "Answer": "five"}]', r"item 0, field 'Answer': found 'five'"),
    ("svamp", '[{"ID": "1", "Body": "b", "Question": "q", "Answer": true}]', r"field 'Answer': found True"),
    ("svamp", '[{"ID": "1", "Body": "b", "Question": "q", "Answer": NaN}]', r"found 'nan'; need one number"),
    (
        "humaneval",
        json.dumps({"task_id": "x/1", "prompt": "def g():", "entry_point": "f", "test": "check"}),
        r":1: found 'f'; need an entry point that the prompt defines",
    ),
]


@pytest.mark.parametrize(("name", "content", "words"), BAD_FILES)
def test_a_malformed_row_is_an_error_with_its_place(tmp_path, name, content, words):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(RequestError, match=words) as error:
        load_questions(name, path)
    assert "\n" not in str(error.value)


def test_bad_requests(tmp_path):
    with pytest.raises(DataError, match=r"format: found 'gsm8'; need one of aqua, .*did you mean 'gsm8k'"):
        load_questions("gsm8", FILES["gsm8k"])
    with pytest.raises(DataError, match="need an existing file"):
        load_questions("gsm8k", tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="need an existing file"):
        load_questions("gsm8k", tmp_path)
    with pytest.raises(DataError, match="found no question"):
        load_questions("mmlu", tmp_path)
    (tmp_path / "a.jsonl.gz").write_bytes(b"not packed")
    with pytest.raises(DataError, match="need a UTF-8 file"):
        load_questions("gsm8k", tmp_path / "a.jsonl.gz")
    with pytest.raises(RequestError, match="without options"):
        shuffle_options(load("gsm8k").questions[0], SeedPath.root(0))
    with pytest.raises(RequestError, match="option letter: found 'E'; need one of A, B"):
        OptionOrder((1, 0)).to_source("E")
    with pytest.raises(RequestError, match=r"options: found \('x',\)"):
        Question("q", "number", "How many?", ("x",))
    with pytest.raises(RequestError, match=r"options: found \(\)"):
        Question("q", "choice", "Which?")


def test_a_set_has_one_gold_for_each_question():
    question, gold = Question("q", "number", "How many?"), Gold("q", "number", frozenset({"1"}))
    assert len(QuestionSet("mine", (question,), {"q": gold})) == 1
    with pytest.raises(DataError, match=r"found \['q'\] twice or without partner"):
        QuestionSet("mine", (question,), {})
    with pytest.raises(DataError, match="twice"):
        QuestionSet("mine", (question, question), {"q": gold})
    with pytest.raises(DataError, match=r"need one of kind number"):
        QuestionSet("mine", (question,), {"q": Gold("q", "text", frozenset({"1"}))})
    with pytest.raises(DataError, match=r"found the gold of 'p'"):
        QuestionSet("mine", (question,), {"q": Gold("p", "number", frozenset({"1"}))})
