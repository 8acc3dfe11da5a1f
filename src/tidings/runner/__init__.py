"""Requests to event streams: local asyncio or Ray; run folder, budgets, progress."""
