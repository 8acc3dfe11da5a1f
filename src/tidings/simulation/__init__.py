"""Observe, loop, compile: the only room that knows environments, agents, planners and models together."""
