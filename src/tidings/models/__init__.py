"""Language models behind one port, and the guard around each: retries, rate limits, caps, cache, record."""
