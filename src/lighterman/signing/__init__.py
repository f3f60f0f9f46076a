"""Interchangeable backends of protocol/signing.py."""
