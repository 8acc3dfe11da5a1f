"""Planner seats: they set signal precision, send signals, or build the communication graph."""
