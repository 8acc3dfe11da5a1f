"""YAML in: values, line numbers, and everything that is refused before it can do harm."""

import time
from pathlib import Path

import pytest

from tidings.core import ScenarioError
from tidings.spec.yaml_scalars import is_text_when_plain
from tidings.spec.yaml_source import MAX_BYTES, MAX_DEPTH, MAX_NODES, load_yaml, read_yaml


def test_plain_values() -> None:
    text = "a: 1\nb: 1.5\nc: 1e-3\nd: 1e3\ne: -.5E+2\nf: true\ng: no\nh: ~\ni: text\nj: '1e3'\nk: [x, 2]\nl: {m: }\n"
    data = load_yaml(text).data
    values = [1, 1.5, 0.001, 1000.0, -50.0, True, False, None, "text", "1e3", ["x", 2], {"m": None}]
    assert data == dict(zip("abcdefghijkl", values, strict=True))
    assert isinstance(data["a"], int)
    assert isinstance(data["d"], float)


def test_aliases_and_merge_keys() -> None:
    text = "base: &base {a: 1, b: 2}\nother: &other {b: 5, c: 6}\n"
    text += "one: {<<: *base, b: 3}\ntwo:\n  <<: [*base, *other]\nthree: *base\n"
    data = load_yaml(text).data
    assert data["one"] == {"b": 3, "a": 1}
    assert data["two"] == {"a": 1, "b": 2, "c": 6}
    assert data["three"] == data["base"]
    assert data["three"] is not data["base"], "an override of one must not change the other"


def test_lines_of_keys_items_and_merged_values() -> None:
    text = "a: 1\nb:\n  c:\n    - x\n    - d: no\n\ne: &e\n  f: 1\ng:\n  <<: *e\n"
    source = load_yaml(text, "s.yaml")
    assert [source.line(path) for path in ("a", "b", "b.c", "b.c.0", "b.c.1.d", "e.f", "g.f")] == [1, 2, 3, 4, 5, 8, 8]
    assert source.line("b.c.1.missing.deeper") == 5
    assert source.where("b.c.1.d") == "s.yaml:5 b.c.1.d"
    assert source.written("b.c.1.d") == "no"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\na: 2\n", "s.yaml:2 a", "occurs twice (first in line 1)"),
        ("a:\n  b: 1\n  b: 2\n", "s.yaml:3 a.b", "occurs twice"),
        ("a: 2024-01-01\n", "s.yaml:1 a", "found the date '2024-01-01'; put it in quotes"),
        ("a: 010\n", "s.yaml:1 a", "put it in quotes if it is text"),
        ("a: 0x1F\n", "s.yaml:1 a", "put it in quotes if it is text"),
        ("a: 0o17\n", "s.yaml:1 a", "put it in quotes if it is text"),
        ("a: 12:30\n", "s.yaml:1 a", "put it in quotes if it is text"),
        ("a: 1_000\n", "s.yaml:1 a", "put it in quotes if it is text"),
        ("a: .inf\n", "s.yaml:1 a", "write a finite number"),
        ("a: -.inf\n", "s.yaml:1 a", "write a finite number"),
        ("a: .nan\n", "s.yaml:1 a", "write a finite number"),
        ("a: 1e999\n", "s.yaml:1 a", "too large"),
        (f"a: {'9' * 5000}\n", "s.yaml:1 a", "5000 digits"),
        ("a: !!python/object/apply:os.system [x]\n", "s.yaml:1 a", "found the tag"),
        ("a: !!binary aGk=\n", "s.yaml:1 a", "found the tag '!!binary'"),
        ("a: !mine 5\n", "s.yaml:1 a", "found the tag '!mine'"),
        ("a: !mine x\n", "s.yaml:1 a", "found the tag '!mine'"),
        ("a: !!set {x}\n", "s.yaml:1 a", "found the tag"),
        ("1: x\n", "s.yaml:1", "found the key '1', which is no text"),
        ("yes: x\n", "s.yaml:1", "found the key 'yes'"),
        ("? [a]\n: x\n", "s.yaml:1", "a list as key"),
        ("a: {<<: 3}\n", "s.yaml:1 a", "merge key"),
        ("b: &b {c: 1}\na:\n  <<: *b\n  <<: *b\n", "s.yaml:3 a", "merge key"),
        ("a: 1\n\tb: 2\n", "s.yaml:2:1", "indent with spaces, not tabs"),
        ("a: [1, 2\n", "s.yaml:2:1", "not YAML"),
        ("a: 'x\n", "s.yaml:", "not YAML"),
        ("a: *nobody\n", "s.yaml:1:4", "undefined alias"),
        ("a: 1\n---\nb: 2\n", "s.yaml:2:1", "another document"),
        ("a: \x01\n", "s.yaml", "not YAML"),
        ("- a\n", "s.yaml", "found a list at the top"),
        ("just text\n", "s.yaml", "found a single value at the top"),
        ("", "s.yaml", "the file is empty"),
        ("# nothing\n", "s.yaml", "the file is empty"),
    ],
)
def test_refused(text: str, place: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_yaml(text, "s.yaml")
    message = str(caught.value)
    assert message.startswith(place), message
    assert words in message
    assert "\n" not in message


def test_all_unreadable_values_are_listed() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_yaml("a: 010\nb: 2024-01-01\nc: fine\nd: .nan\n", "s.yaml")
    assert [line.split()[0] for line in str(caught.value).splitlines()] == ["s.yaml:1", "s.yaml:2", "s.yaml:4"]


def refused_quickly(text: str) -> str:
    start = time.process_time()
    with pytest.raises(ScenarioError) as caught:
        load_yaml(text, "s.yaml")
    assert time.process_time() - start < 2.0
    return str(caught.value)


def test_bomb_of_aliases() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    assert "too large once its aliases are written out" in refused_quickly("\n".join(lines))


def test_bomb_of_merge_keys() -> None:
    lines = ["a0: &a0 {x0: 1, y0: 1, z0: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, 30)]
    assert "too large" in refused_quickly("\n".join(lines))


def test_bomb_of_long_text() -> None:
    text = f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 100)}]\n"
    assert "characters" in refused_quickly(text)


def test_bomb_by_nesting_and_by_count() -> None:
    assert "nested too deeply" in refused_quickly("a: " + "[" * 100_000)
    assert "nested too deeply" in refused_quickly("\n".join(f"{' ' * i}a:" for i in range(MAX_DEPTH + 2)))
    assert "too large" in refused_quickly(f"a: [{'1,' * (MAX_NODES + 1)}]")


def test_bomb_by_a_chain_of_aliases() -> None:
    chain = "\n".join(["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 5000))])
    assert "nested too deeply" in refused_quickly(chain)


def test_alias_of_itself() -> None:
    assert "contains itself" in refused_quickly("a: &a [1, *a]\n")
    assert "contains itself" in refused_quickly("a: &a {b: {c: *a}}\n")


def test_sizes_just_below_the_caps_are_read() -> None:
    depth = MAX_DEPTH - 1
    assert load_yaml(f"a: {'[' * depth}{']' * depth}").data
    n = MAX_NODES - 3
    assert len(load_yaml(f"a: [{'1,' * n}]").data["a"]) == n


def test_files(tmp_path: Path) -> None:
    good = tmp_path / "good.yaml"
    good.write_bytes(b"\xef\xbb\xbfname: x\n")
    source = read_yaml(good)
    assert (source.data, source.folder, source.name) == ({"name": "x"}, tmp_path, str(good))
    with pytest.raises(ScenarioError, match="cannot read the file"):
        read_yaml(tmp_path / "missing.yaml")
    with pytest.raises(ScenarioError, match="cannot read the file"):
        read_yaml(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9\n")
    with pytest.raises(ScenarioError, match="byte 6 is not UTF-8"):
        read_yaml(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ScenarioError, match="the file is too large"):
        read_yaml(tmp_path / "large.yaml")


def test_text_that_must_be_quoted() -> None:
    for text in ("1", "1e3", "010", "0x1F", "1:30", "yes", "No", "null", "~", "", ".nan", "-.inf", "1_0", "="):
        assert not is_text_when_plain(text), text
    for text in ("one", "1a", "v1.2.3", "a:b", "nobody", "e3"):
        assert is_text_when_plain(text), text
