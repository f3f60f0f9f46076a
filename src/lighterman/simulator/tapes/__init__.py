"""Recorded sessions as the market: our tape format, readers of others, and the queue model."""
