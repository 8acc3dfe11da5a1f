"""Doors to the ecosystem: PettingZoo, chat transcripts, trackers. Each is imported only when asked for."""
