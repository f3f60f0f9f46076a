"""The list of all kinds of faults, by name; which can occur depends on how bot and exchange are hosted."""

from collections.abc import Mapping
from types import MappingProxyType

from lighterman.simulation.faults.frames import FRAME_FAULTS
from lighterman.simulation.faults.kind import FaultKind
from lighterman.simulation.faults.machine import MACHINE_FAULTS
from lighterman.simulation.faults.requests import REQUEST_FAULTS
from lighterman.simulation.faults.venue import ANNOUNCED_FAULTS, VENUE_FAULTS
from lighterman.simulation.faults.wires import WIRE_FAULTS

OF_MESSAGES = FRAME_FAULTS | REQUEST_FAULTS | ANNOUNCED_FAULTS
ANYWHERE = VENUE_FAULTS | MACHINE_FAULTS
FAULTS: Mapping[str, FaultKind] = MappingProxyType(OF_MESSAGES | ANYWHERE | WIRE_FAULTS)


def kinds(*, wire: bool) -> Mapping[str, FaultKind]:
    """Return the kinds that can occur in a world of bytes, or in one of messages."""
    return WIRE_FAULTS | ANYWHERE if wire else OF_MESSAGES | ANYWHERE
