"""Events on disk: codec, append-only store, reader."""
