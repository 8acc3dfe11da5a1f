"""The figures of a run are found by the table, drawn as what the run holds, and the same bytes each time."""

from pathlib import Path

import pytest
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
