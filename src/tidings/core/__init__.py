"""The vocabulary all rooms share: ids, seed paths, errors, events, action specs and ports. Standard library only."""
