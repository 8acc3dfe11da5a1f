"""Streams, hashes and files: the same path gives the same bytes, a fault is one line."""

import json
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chisquare

from tidings.benchmarks.asymmetry import (
    PUBLIC,
    DataError,
    PrivateItem,
    answer_from_items,
    build_dialop,
    draw_game,
    fetch_snapshot,
    from_json,
    generate_hidden_profiles,
    generate_needles,
    generate_schedule,
    generate_town,
    is_visible_to,
    load_hidden_bench,
    set_sha256,
    to_json,
    visible_items,
)
from tidings.benchmarks.asymmetry.names import draw_names
from tidings.benchmarks.asymmetry.sources import read_json, read_json_lines
from tidings.benchmarks.streams import Draws, stream_generator
from tidings.core.errors import MissingPartError, RequestError

SMALL_TOWN = {"rows": 4000, "n_people": 30, "n_relations": 110, "n_hubs": 2, "n_chain_pairs": 2, "n_common": 4}
SETS = {
    "schedule paper easy": lambda: generate_schedule("paper", "easy", 5, 7),
    "schedule paper medium": lambda: generate_schedule("paper", "medium", 5, 7),
    "schedule paper hard": lambda: generate_schedule("paper", "hard", 5, 7),
    "schedule balanced easy": lambda: generate_schedule("balanced", "easy", 5, 7),
    "schedule balanced total": lambda: generate_schedule("balanced", "medium-total", 5, 7),
    "schedule balanced hard": lambda: generate_schedule("balanced", "hard", 5, 7),
    "needle": lambda: generate_needles(5, 7),
    "hidden profile": lambda: generate_hidden_profiles(5, 7),
    "town": lambda: generate_town(7, n_stale=4, **SMALL_TOWN),
    "dialop": lambda: build_dialop([draw_game(7, i) for i in range(2)]),
}

# Written by these generators; a change means another file under the same version, so raise the version with it.
SHA256_HEAD = {
    "schedule paper easy": "dde3c1414765c267",
    "schedule paper medium": "c8a5773148a8c81c",
    "schedule paper hard": "13bc6657dbc3320f",
    "schedule balanced easy": "2127c22cbabd6aa3",
    "schedule balanced total": "84aafa0b57416784",
    "schedule balanced hard": "7a057865c571b6d7",
    "needle": "c7e440c62800b9c3",
    "hidden profile": "184625b9fb7fa890",
    "town": "498e453fc7d5522b",
    "dialop": "69166965b0ec4e6f",
}


@pytest.mark.parametrize("name", SETS)
def test_the_bytes_of_a_set_are_those_of_its_version(name):
    assert set_sha256(SETS[name]())[:16] == SHA256_HEAD[name]


@pytest.mark.parametrize("name", SETS)
def test_json_is_canonical_and_reads_back_equal(name):
    tasks = SETS[name]()
    text = to_json(tasks)
    assert from_json(text) == tasks
    assert to_json(from_json(text)) == text
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("name", SETS)
def test_perfect_reader_is_found_by_type_and_facts_are_unique(name):
    tasks = SETS[name]()
    golds = tasks.gold_of()
    for problem in tasks.problems:
        assert len({item.fact for item in problem.items}) == len(problem.items)
        people = {person.id for person in problem.people}
        assert {p for i in problem.items for p in (i.owner, *i.hearers)} <= people | {PUBLIC}
        for question in problem.questions:
            held = visible_items(problem.items, *question.asked)
            assert set(sum(question.evidence, ())) <= {item.fact for item in held}
            if "dialop" not in name:
                assert answer_from_items(question, held) == golds[question.id].value


def test_a_question_nobody_can_read_is_named():
    question = replace(generate_needles(1, 0).problems[0].questions[0], type="needles")
    with pytest.raises(RequestError, match=r"question\.type: found 'needles'; types of schedule, needle"):
        answer_from_items(question, ())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda v: v.update(format="x"), r"f\.json: format 'x'; this version reads 'tidings-asymmetry-1'"),
        (lambda v: v["golds"].pop(), r"questions and golds do not match"),
        (lambda v: v["golds"][0].update(value="four"), r"Expected `int`, got `str`"),
        (lambda v: v["golds"][0].update(kind="guess"), r"Invalid enum value 'guess'"),
        (lambda v: v["problems"][0].pop("items"), r"missing required field `items` - at `\$\.problems\[0\]`"),
        (lambda v: v.update(extra=1), r"contains unknown field `extra`"),
        (lambda v: v["problems"].append(v["problems"][0]), r"questions and golds do not match"),
        (lambda v: [v[key].append(v[key][0]) for key in ("problems", "golds")], r"each question id once in both"),
    ],
)
def test_a_malformed_set_is_one_line(change, complaint):
    value = json.loads(to_json(generate_schedule("paper", "easy", 2, 0)))
    change(value)
    with pytest.raises(DataError, match=complaint) as caught:
        from_json(json.dumps(value), "f.json")
    assert "\n" not in str(caught.value)


def test_text_that_is_no_json_is_one_line():
    with pytest.raises(DataError, match=r"^f\.json: Input data was truncated; expected the format"):
        from_json("{", "f.json")


def test_streams_are_functions_of_their_whole_path():
    assert [Draws(1, "a", 2).uniform() for _ in range(2)] == [Draws(1, "a", 2).uniform()] * 2
    paths = [(1, "a", 2), (1, "a", 3), (1, "b", 2), (2, "a", 2), (1, "a", "2"), (1, "a2"), ("1", "a", 2)]
    assert len({Draws(*path).uniform() for path in paths}) == len(paths)
    draws, plain = Draws(5, "x"), stream_generator(5, "x")
    assert [draws.uniform() for _ in range(200)] == plain.random(200).tolist()


def test_draws_are_uniform():
    draws = Draws(0, "uniform")
    counts = np.bincount([draws.between(3, 8) for _ in range(6000)], minlength=9)
    assert counts[:3].sum() == 0
    assert chisquare(counts[3:]).pvalue > 0.001
    orders = np.bincount([int("".join(map(str, draws.shuffled([0, 1, 2])))) for _ in range(6000)])
    assert chisquare(orders[orders > 0]).pvalue > 0.001
    assert (orders > 0).sum() == 6
    weighted = np.bincount([draws.weighted([0, 1, 2], [1, 2, 0]) for _ in range(6000)], minlength=3)
    assert weighted[2] == 0
    assert weighted[1] / 6000 == pytest.approx(2 / 3, abs=0.03)


def test_a_sample_larger_than_its_pool_is_refused():
    with pytest.raises(ValueError, match="3 of 2 entries"):
        Draws(0).sample([1, 2], 3)


def test_names_are_new_and_different():
    first = draw_names(Draws(0), 400)
    assert len(set(first)) == 400
    assert not set(draw_names(Draws(0), 400, frozenset(first))) & set(first)
    with pytest.raises(RequestError, match="names: 6000 people; at most 5000"):
        draw_names(Draws(0), 6000)


def test_visibility():
    items = (PrivateItem("f", "a", "x", 0, ("b",)), PrivateItem("g", PUBLIC, "y", 1), PrivateItem("h", "c", "z", 2))
    assert [is_visible_to(items[0], person) for person in "abc"] == [True, True, False]
    assert [i.fact for i in visible_items(items, "b")] == ["f", "g"]
    assert [i.fact for i in visible_items(items, "b", "c")] == ["f", "g", "h"]


def test_missing_folders_empty_and_foreign_files_are_one_line(tmp_path):
    with pytest.raises(DataError, match=r"nothere\.json: no such file; expected a HiddenBench tasks file"):
        load_hidden_bench(tmp_path / "nothere.json")
    with pytest.raises(DataError, match="found a folder; expected"):
        read_json(tmp_path, "a file")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    with pytest.raises(DataError, match="the file is empty"):
        list(read_json_lines(empty, "lines"))
    latin = tmp_path / "latin.json"
    latin.write_bytes("é".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8 at byte 0"):
        read_json(latin, "text")
    torn = tmp_path / "torn.jsonl"
    torn.write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(DataError, match=r"torn\.jsonl:2: not JSON at line 1"):
        list(read_json_lines(torn, "lines"))
    assert isinstance(DataError("a", "b"), ValueError)


def test_a_hub_data_set_is_fetched_as_a_folder(monkeypatch, tmp_path):
    asked = []

    def snapshot_download(repository, repo_type):
        asked.append((repository, repo_type))
        if repository == "no/such":
            raise OSError("404")
        return str(tmp_path)

    monkeypatch.setitem(sys.modules, "huggingface_hub", types.SimpleNamespace(snapshot_download=snapshot_download))
    assert fetch_snapshot("owner/name") == Path(tmp_path)
    assert asked == [("owner/name", "dataset")]
    with pytest.raises(DataError, match=r"no/such: the hub did not give it \(OSError\)"):
        fetch_snapshot("no/such")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingPartError, match="huggingface_hub is not installed; pip install"):
        fetch_snapshot("owner/name")
