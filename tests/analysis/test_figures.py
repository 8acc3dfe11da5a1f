"""The figures of a run are found by the table, drawn as what the run holds, and the same bytes each time."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import tidings
from tidings.analysis.canvas import to_svg
from tidings.analysis.figures import FIGURES, find_figure
from tidings.core import DataError

HERD = """
name: herd
graph: {kind: complete, n: 5}
agents: [{kind: scripted, count: 2, policy: random}, {kind: bayesian, count: 3}]
environment: {kind: social_learning, precision: 0.7}
rollouts: {count: 6, seed: 3}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tidings.Run:
    folder = tmp_path_factory.mktemp("herd")
    (folder / "s.yaml").write_text(HERD)
    return tidings.run(folder / "s.yaml", out=folder)


def test_the_table_leads_to_functions_with_words() -> None:
    for name in FIGURES:
        function = find_figure(name)
        assert callable(function)
        assert (function.__doc__ or "").startswith("Returns "), name


def test_plots_go_through_the_table(run: tidings.Run) -> None:
    assert dir(run.plot) == sorted(FIGURES)
    assert run.plot.actions.__doc__ == find_figure("actions").__doc__
    with pytest.raises(AttributeError, match="did you mean 'actions'"):
        run.plot.action()


@pytest.mark.parametrize("name", ["actions", "beliefs", "correctness"])
def test_a_figure_is_the_same_bytes_each_time(run: tidings.Run, name: str) -> None:
    figures = [getattr(run.plot, name)() for _ in range(2)]
    assert all(isinstance(figure, Figure) for figure in figures)
    first, second = map(to_svg, figures)
    assert first == second
    assert first.startswith("<svg")


def test_nothing_to_draw_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(HERD.replace("count: 6", "count: 1"))
    run = tidings.run(tmp_path / "s.yaml", out=tmp_path)
    for path in (run.path / "events").glob("*.jsonl"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="no decisions to draw"):
        run.plot.actions()
    with pytest.raises(DataError, match="no stated beliefs to draw"):
        run.plot.beliefs()


def test_a_map_that_leaves_rollouts_out_says_so_and_counts_places_from_1(run: tidings.Run) -> None:
    (axes,) = find_figure("cascades")(run, max_rollouts=4).axes
    assert "(first 4 of 6 rollouts)" in axes.get_title(loc="left")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3", "4", "5"]
    (paths,) = find_figure("trajectories")(run, max_rollouts=4).axes
    assert "first 4 of 6 rollouts" in paths.get_title(loc="left")
    (whole,) = find_figure("cascades")(run).axes
    assert "first" not in whole.get_title(loc="left")


def test_two_seats_stand_inside_their_picture(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        HERD.replace("n: 5", "n: 2").replace("count: 3", "nodes: rest").replace("2, p", "1, p")
    )
    (axes,) = tidings.run(tmp_path / "s.yaml", out=tmp_path).plot.graph().axes
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert axes.get_title(loc="left") == "2 seats, 1 edge"
    assert top - bottom > 0.5
    places = [place for points in axes.collections[1:] for place in np.asarray(points.get_offsets())]
    assert len(places) == 2
    assert all(low < x < high and bottom < y < top for x, y in places)


def test_names_of_seats_stand_clear_of_the_seats(tmp_path: Path) -> None:
    text = HERD.replace("{kind: complete, n: 5}", "{edges: [[mayor, banker], [banker, clerk]]}").replace(
        "[{kind: scripted, count: 2, policy: random}, {kind: bayesian, count: 3}]", "[{kind: bayesian, nodes: rest}]"
    )
    (tmp_path / "s.yaml").write_text(text)
    figure = tidings.run(tmp_path / "s.yaml", out=tmp_path).plot.graph()
    (axes,), renderer = figure.axes, FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    radius = 0.5 * np.sqrt(90) * figure.dpi / 72
    seats = axes.transData.transform(np.asarray(axes.collections[1].get_offsets()))
    assert len(axes.texts) == len(seats) == 3
    for name in axes.texts:
        box = name.get_window_extent(renderer)
        gaps = [np.hypot(x - np.clip(x, box.x0, box.x1), y - np.clip(y, box.y0, box.y1)) for x, y in seats]
        assert min(gaps) >= radius - 1, name.get_text()


def test_facts_that_spread_alike_share_a_line(tmp_path: Path) -> None:
    facts = "{a0: {f1: one, f2: two, f3: three, f4: four, f5: five}}"
    text = f"""
name: silence
graph: {{kind: path, n: 3}}
agents: [{{kind: silent, count: 3}}]
environment: {{kind: talk, rounds: 2, facts: {facts}}}
rollouts: {{count: 1, seed: 3}}
"""
    (tmp_path / "s.yaml").write_text(text)
    (axes,) = tidings.run(tmp_path / "s.yaml", out=tmp_path).plot.spread().axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["f1\nf2\nf3\nand 2 more"]
    assert axes.get_title(loc="left") == "How news spread (1 rollout)"


def test_a_fact_that_nobody_told_has_no_tree(tmp_path: Path) -> None:
    text = """
name: silence
graph: {kind: path, n: 3}
agents: [{kind: silent, count: 3}]
environment: {kind: talk, rounds: 2, facts: {a0: {where: in the mill}}}
rollouts: {count: 1, seed: 3}
"""
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(DataError, match="nobody told anybody a fact in rollout 0"):
        tidings.run(tmp_path / "s.yaml", out=tmp_path).plot.exposure_tree()
