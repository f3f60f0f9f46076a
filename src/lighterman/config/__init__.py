"""Reads, checks and assembles the settings of every room."""
