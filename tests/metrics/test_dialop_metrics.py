"""Figures of optimisation games, from logs written by hand and from a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tidings
from tidings.core import NOBODY, Event
from tidings.metrics.dialop import agreed, game_row, norm
from tidings.metrics.table import ROWS

SCENARIO = Path(__file__).parents[2] / "scenarios" / "dialop.yaml"


def game(status: str, value: float | None, n_messages: int = 2) -> list[Event]:
    said = [Event("message", ("*",), {"text": "x", "round": i}, "a0") for i in range(n_messages)]
    end = {"status": status, "reward": None if value is None else 10 * value, "norm": value, "seat": None}
    return [Event("gold", NOBODY, {"item": "g", "value": 10}), *said, Event("outcome", NOBODY, end)]


def test_a_game_without_agreement_has_no_norm_and_is_not_a_zero() -> None:
    rows = ROWS["dialop"].frame([(0, game("agreed", 0.75)), (1, game("no_agreement", None)), (2, game("agreed", 0.25))])
    assert rows["norm"].to_list() == [0.75, None, 0.25]
    assert norm(rows)[0].value == pytest.approx(0.5)
    assert norm(rows)[0].n == 2
    assert agreed(rows)[0].value == pytest.approx(2 / 3)
    assert game_row(game("agreed", 0.75, 5))["messages"] == 5


def test_a_run_says_what_came_of_it(tmp_path: Path) -> None:
    run = tidings.run(SCENARIO, out=tmp_path, rollouts=2)
    found = {row["name"]: row for row in run.metrics("norm", "agreed", "messages", "proposals").to_dicts()}
    outcomes = [event["norm"] for event in map(json.loads, run.events().filter(kind="outcome")["data"])]
    assert found["norm"]["value"] == pytest.approx(sum(outcomes) / len(outcomes))
    assert found["proposals"]["value"] >= 1.0
