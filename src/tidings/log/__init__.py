"""Events and calls on disk: codec, append-only stores, readers."""
