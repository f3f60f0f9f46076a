"""The bot's event loop, wiring and shutdown."""
