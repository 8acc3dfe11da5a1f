"""Frames, statistics, figures, report."""
