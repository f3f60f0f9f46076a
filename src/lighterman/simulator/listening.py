"""Who may look over the local exchange's shoulder: tests, and the oracle of a simulation."""

from collections.abc import Sequence
from typing import Protocol

from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import Output


class Listener(Protocol):
    """Hears everything in the order in which it happens, and changes nothing."""

    def arrived(self, tx_type: int, tx_info: bytes | str) -> None:
        """A transaction is at the door, before anything about it is checked."""
        ...

    def refused(self, tx_type: int, tx_info: bytes | str) -> None:
        """A transaction was refused at the door, alone or with its batch: it has consumed nothing."""
        ...

    def happened(self, outputs: Sequence[Output], exchange: Exchange) -> None:
        """The exchange's core has done something; its views are current."""
        ...
