"""Seats that decide: `async act(observation, spec) -> Reply`, without sight of an environment or of another agent."""
