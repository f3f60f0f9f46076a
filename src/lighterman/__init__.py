"""A market maker for Lighter, and an exchange that speaks Lighter's protocol."""

__version__ = "0.1.0"
