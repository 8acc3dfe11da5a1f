"""The frames of a run: types as the table says, lazy and eager equal, no frame without its words."""

from pathlib import Path

import polars as pl
import pytest

import tidings
from tidings.analysis.frames.frame import ID_COLUMNS, Column, Frame
from tidings.analysis.frames.table import FRAMES, find_frame
from tidings.core import DataError, RequestError

HERD = """
name: herd
graph: {kind: complete, n: 5}
agents: [{kind: bayesian, count: 5}]
environment: {kind: social_learning, precision: 0.7, order: random}
rollouts: {count: 6, seed: 3}
"""

TALK = """
name: talk
graph: {kind: path, n: 3}
agents: [{kind: scripted, count: 3, policy: random}]
environment: {kind: talk, rounds: 2, facts: {a0: {f1: "the key is red"}}}
rollouts: {count: 2, seed: 3}
"""


@pytest.fixture(scope="module", params=["herd", "talk"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tidings.Run:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "s.yaml").write_text({"herd": HERD, "talk": TALK}[request.param])
    return tidings.run(folder / "s.yaml", out=folder)


@pytest.mark.parametrize("name", FRAMES)
def test_every_frame_has_the_columns_that_the_table_says(run: tidings.Run, name: str) -> None:
    frame = find_frame(name)
    found = run.frame(name)
    assert dict(found.schema) == frame.schema
    assert found.equals(getattr(run, name)())
    assert all(column.words and "\n" not in column.words for column in frame.columns.values())
    assert frame.words


@pytest.mark.parametrize("name", FRAMES)
def test_a_scan_gives_the_same_rows(run: tidings.Run, name: str) -> None:
    whole = run.frame(name)
    assert run.scan(name).collect().equals(whole)
    wanted = pl.col("rollout") == 1
    column = whole.columns[-1]
    assert run.scan(name).filter(wanted).select(column).collect().equals(whole.filter(wanted).select(column))
    assert run.scan(name).head(3).collect().equals(whole.head(3))


def test_a_scan_reads_only_as_far_as_needed(run: tidings.Run) -> None:
    made = []

    def rows(run: tidings.Run):
        for number in range(1000):
            made.append(number)
            yield (number,)

    frame = Frame("numbers", {"rollout": ID_COLUMNS["rollout"]}, rows)
    lazy = frame.scan(run)
    assert made == []
    assert lazy.head(3).collect()["rollout"].to_list() == [0, 1, 2]
    made.clear()
    assert len(list(frame._batches(run, 10))) == 100
    first = next(frame._batches(run, 10))
    assert first["rollout"].to_list() == list(range(10))
    assert len(made) == 1010


def test_a_frame_of_ones_own_may_be_made_by_columns(run: tidings.Run) -> None:
    frame = Frame("numbers", {"x": Column(pl.Int64, "a number")}, lambda run: pl.DataFrame({"x": [1, 2, 3]}))
    assert frame.read(run)["x"].to_list() == [1, 2, 3]
    assert frame.scan(run).filter(pl.col("x") > 1).collect()["x"].to_list() == [2, 3]


def test_a_misspelt_frame_is_told(run: tidings.Run) -> None:
    with pytest.raises(RequestError, match="did you mean 'events'"):
        run.frame("event")
    with pytest.raises(AttributeError, match="its frames: events"):
        run.evnts()
    assert {"events", "facts", "metrics", "plot"} <= set(dir(run))


def test_a_run_of_summaries_says_that_it_has_no_events(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(HERD.replace("seed: 3}", "seed: 3, log: summary}"))
    run = tidings.run(tmp_path / "s.yaml", out=tmp_path)
    for name in ("events", "beliefs"):
        with pytest.raises(DataError, match=f"no {name}: this run logged one row a rollout"):
            run.frame(name)
        with pytest.raises(DataError, match="one row a rollout"):
            run.scan(name)
    assert run.calls().is_empty()
    assert list(run.lines()) == []


def test_the_page_of_frames_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    docs = Path(__file__).parents[2] / "docs"
    monkeypatch.syspath_prepend(str(docs))
    from frames_page import frames_page

    assert (docs / "frames.md").read_text() == frames_page(), "run `make docs`"
