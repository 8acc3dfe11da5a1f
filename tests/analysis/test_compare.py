"""Two runs side by side: paired differences on one seed, Welch's interval on two."""

from pathlib import Path

import pytest
from scipy.stats import ttest_ind, ttest_rel

import tidings
from tidings.analysis.compare import compare_runs


def herd(tmp_path: Path, precision: float, seed: int, n: int) -> Path:
    path = tmp_path / "s.yaml"
    path.write_text(
        f"""
name: herd
graph: {{kind: complete, n: 6}}
agents: [{{kind: bayesian, count: 6}}]
environment: {{kind: social_learning, precision: {precision}}}
rollouts: {{count: {n}, seed: {seed}, log: full}}
"""
    )
    return tidings.run(path, out=tmp_path / "runs").path


@pytest.mark.parametrize(("seed", "n"), [(1, 7), (2, 3)])
def test_intervals_are_those_of_scipy(tmp_path: Path, seed: int, n: int) -> None:
    first, second = herd(tmp_path, 0.7, 1, 7), herd(tmp_path, 0.6, seed, n)
    found = compare_runs(first, second)
    assert found.is_paired == (seed == 1)
    a, b = (tidings.load_run(path).rollouts()["n_correct"].to_numpy() for path in (first, second))
    expected = ttest_rel(b, a) if found.is_paired else ttest_ind(b, a, equal_var=False)
    low, high = expected.confidence_interval(0.95)
    (row,) = (row for row in found.rows if row.name == "n_correct")
    assert row.difference.value == pytest.approx(b.mean() - a.mean())
    assert (row.difference.low, row.difference.high) == pytest.approx((low, high))


def test_equal_values_have_an_interval_of_no_width(tmp_path: Path) -> None:
    found = compare_runs(herd(tmp_path, 1.0, 1, 3), herd(tmp_path, 1.0, 2, 3))
    (row,) = (row for row in found.rows if row.name == "n_correct")
    assert (row.difference.low, row.difference.value, row.difference.high) == (0.0, 0.0, 0.0)
