"""Frames and figures of information flow, on the scenario that ships."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from flow_logs import declare, evidence, give, numbered, say

import tidings
from tidings.analysis.frames.flow import EXPOSURES
from tidings.core import DataError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rumour(tmp_path_factory: pytest.TempPathFactory) -> tidings.Run:
    return tidings.run(ROOT / "scenarios" / "rumour.yaml", out=tmp_path_factory.mktemp("runs"))


def test_exposures_hold_the_whole_provenance(rumour: tidings.Run) -> None:
    frame = rumour.exposures().filter(pl.col("rollout") == 0)
    leaks = frame.filter(pl.col("is_leak"))
    assert leaks["path"].to_list() == [
        ["mayor", "clerk", "baker"],
        ["mayor", "clerk", "baker", "smith"],
        ["mayor", "clerk", "baker", "miller"],
    ]
    assert leaks["edge"].to_list() == ["clerk->baker", "baker->smith", "baker->miller"]
    first = frame.filter(pl.col("is_first"))
    assert first.select("fact", "seat").is_unique().all()
    known = dict(rumour.facts().filter(pl.col("rollout") == 0).select("fact", "n_knowers").iter_rows())
    assert known == dict(first.group_by("fact").len().iter_rows()) == {"code": 6, "mill": 3}


def test_whoever_was_told_before_it_was_given_a_fact_knew_it() -> None:
    events = [(0, declare("f", "a")), (1, say("a", ["b"], ("f", "yes"))), (2, give("f", "b")), (2, give("f", "c"))]
    (ledger,) = evidence(numbered([*events, (3, give("f", "c"))])).ledgers
    run: Any = SimpleNamespace(ledgers=lambda: iter([ledger]))
    frame = EXPOSURES.rows(run)
    assert isinstance(frame, pl.DataFrame)
    assert frame.select("how", "seat", "is_first").sort("seat", "is_first").rows() == [
        ("owner", "a", True),
        ("given", "b", False),
        ("told", "b", True),
        ("given", "c", False),
        ("given", "c", True),
    ]


def test_claims_deliveries_and_exposures_count_the_same(rumour: tidings.Run) -> None:
    told = rumour.exposures().filter(pl.col("how") == "told")
    claims, deliveries = rumour.claims(), rumour.deliveries()
    assert claims["n_reached"].sum() == len(told) == deliveries["facts"].list.len().sum()
    assert claims["n_learned"].sum() == told["is_first"].sum()
    assert claims["n_leaked"].sum() == told["is_leak"].sum()
    assert claims.filter(pl.col("is_distorted"))["seat"].unique().to_list() == ["smith"]


@pytest.mark.parametrize("name", ["spread", "exposure_tree", "influence", "leak_paths"])
def test_figures_are_drawn(rumour: tidings.Run, name: str, tmp_path: Path) -> None:
    getattr(rumour.plot, name)().savefig(tmp_path / "f.png")


def test_figures_say_what_they_lack(rumour: tidings.Run) -> None:
    with pytest.raises(DataError, match="no bits of messages"):
        rumour.plot.message_bits()
    with pytest.raises(DataError, match="facts: code, mill"):
        rumour.plot.exposure_tree("ghost")
