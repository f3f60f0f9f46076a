"""Lighter's language, without I/O, for both roles."""
