"""Metrics, logs and health; owns no state of trade."""
