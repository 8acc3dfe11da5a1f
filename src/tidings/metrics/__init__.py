"""Pure functions of events."""
