"""The local exchange process."""
