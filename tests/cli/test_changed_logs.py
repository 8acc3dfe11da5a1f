"""A log that somebody changed is named with its line, however deep the key lay that is missing, whoever reads it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tidings.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["tidings", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return call


def _without(path: Path, kind: str, *keys: str | int) -> str:
    """Deletes a key in the data of the first event of a kind, and returns how the event is called."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    number = next(n for n, line in enumerate(lines) if line["kind"] == kind)
    place: Any = lines[number]["data"]
    for key in keys[:-1]:
        place = place[key]
    del place[keys[-1]]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"{path}:{number + 1}: event {lines[number]['index']} of rollout 0 ({kind})"


DELIBERATION = """
name: sums
graph: {kind: complete, n: 2}
agents: [{kind: scripted, count: 2, policy: constant, value: The answer is 4.}]
environment: {kind: deliberation, rounds: 1, items: [{id: q, kind: number, text: What is 2 + 2?, gold: ["4"]}]}
planner: {kind: debate}
rollouts: {count: 1, seed: 1}
"""


@pytest.mark.parametrize("words", [("report",), ("export", "--to", "parquet")])
def test_a_key_deep_in_an_event_is_named_with_its_place(command, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "sums.yaml").write_text(DELIBERATION)
    command("run", tmp_path / "sums.yaml", "--out", tmp_path, "-q")
    run = tmp_path / "sums-001"
    where = _without(run / "events" / "00000000.jsonl", "ledger", "answers", 1, "psi")
    status, err = command(words[0], run, *words[1:])
    assert err.startswith(f"tidings: {where} has no 'psi' in its data.answers.1; the file was changed")
    assert (status, err.count("\n")) == (2, 1)


def test_a_number_that_is_gone_is_no_number(command, tmp_path: Path) -> None:
    (tmp_path / "sums.yaml").write_text(DELIBERATION)
    command("run", tmp_path / "sums.yaml", "--out", tmp_path, "-q")
    where = _without(tmp_path / "sums-001" / "events" / "00000000.jsonl", "result", "calls")
    status, err = command("metrics", tmp_path / "sums-001")
    assert (status, err.startswith(f"tidings: {where} has no 'calls' in its data; ")) == (2, True)


@pytest.mark.parametrize(
    ("words", "kind", "key"),
    [
        (("export", "--to", "inspect"), "topic", "text"),
        (("fork", "--drop", "12"), "reply", "action"),
        (("compare", "itself"), "message", "text"),
    ],
)
def test_whoever_reads_a_changed_log_says_so(
    command, tmp_path: Path, words: tuple[str, ...], kind: str, key: str
) -> None:
    command("run", ROOT / "scenarios" / "rumour.yaml", "--out", tmp_path, "-q")
    run = tmp_path / "rumour-001"
    where = _without(run / "events" / "00000000.jsonl", kind, key)
    more = [run if word == "itself" else word for word in words[1:]]
    status, err = command(words[0], run, *more, *(("--out", tmp_path) if words[0] == "fork" else ()))
    assert (status, err.startswith(f"tidings: {where} has no {key!r} in its data; ")) == (2, True)
