"""Suite `deliberation`: planners that build the communication graph, beside the controls of a fair comparison."""

from tidings.benchmarks.deliberation.suite import DeliberationReport, run_deliberation

__all__ = ["DeliberationReport", "run_deliberation"]
