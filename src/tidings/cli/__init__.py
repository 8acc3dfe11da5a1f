"""The `tidings` command: one small file per command, no logic."""
