"""The data frames of a run: one module a kind, one line a frame in `table.py`."""
