"""The judge of a simulated run; its law stands in `oracle.py`."""

from lighterman.simulation.oracle.digests import book_digest
from lighterman.simulation.oracle.oracle import Oracle
from lighterman.simulation.oracle.records import Belief, MarketTerms, Terms, Violation

__all__ = ["Belief", "MarketTerms", "Oracle", "Terms", "Violation", "book_digest"]
