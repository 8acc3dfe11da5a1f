"""Seats that decide. An agent is `async act(observation, spec) -> Reply`; it never sees an environment or another agent."""
