"""Experiments on steering a herd: who learns what when a planner sets the precision of private signals."""

from tidings.benchmarks.steering.cells import Cell, Control, Grid
from tidings.benchmarks.steering.suite import SteeringReport, run_analytical, run_extensions, run_hybrid, run_llm

__all__ = ["Cell", "Control", "Grid", "SteeringReport", "run_analytical", "run_extensions", "run_hybrid", "run_llm"]
