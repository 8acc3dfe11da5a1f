"""Suites and how they are scored."""
