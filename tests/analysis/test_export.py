"""Exports hold what the run holds: equal frames in Parquet, chats of what each seat could see and said."""

import json
from pathlib import Path

import polars as pl

import tidings
from tidings.analysis.export import chats, export_chat, export_parquet
from tidings.analysis.frames.table import FRAMES

TALK = """
name: talk
graph: {kind: path, n: 3}
agents: [{kind: scripted, count: 3, policy: random}]
environment: {kind: talk, rounds: 2, facts: {a0: {f1: "the key is red"}}}
rollouts: {count: 2, seed: 3}
"""


def play(folder: Path) -> tidings.Run:
    (folder / "s.yaml").write_text(TALK)
    return tidings.run(folder / "s.yaml", out=folder)


def test_parquet_files_are_the_frames(tmp_path: Path) -> None:
    run = play(tmp_path)
    files = export_parquet(run, tmp_path / "out")
    assert {path.stem for path in files} >= {*FRAMES, "metrics", "rollouts"}
    for name in FRAMES:
        frame = pl.read_parquet(tmp_path / "out" / f"{name}.parquet")
        assert frame.drop("run").equals(run.frame(name)), name
        assert set(frame["run"]) <= {run.path.name}


def test_chats_hold_what_a_seat_saw_and_said_and_nothing_else(tmp_path: Path) -> None:
    run = play(tmp_path)
    assert export_chat(run, tmp_path / "chat.jsonl") == 6
    lines = [json.loads(line) for line in (tmp_path / "chat.jsonl").read_text().splitlines()]
    assert lines == list(chats(run))
    first, second, third = lines[:3]
    assert [m["role"] for m in first["messages"]] == ["system", "user", "assistant", "user", "assistant"]
    said = {c["metadata"]["seat"]: [m["content"] for m in c["messages"] if m["role"] == "assistant"] for c in lines[:3]}
    assert "the key is red" in json.dumps(first)
    assert "the key is red" not in json.dumps([second, third])
    assert said["a0"][0] in json.dumps(second["messages"])
    assert said["a0"][0] not in json.dumps(third["messages"])
