"""The list of all kinds of faults, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from lighterman.simulation.faults.frames import FRAME_FAULTS
from lighterman.simulation.faults.kind import FaultKind
from lighterman.simulation.faults.machine import MACHINE_FAULTS
from lighterman.simulation.faults.requests import REQUEST_FAULTS
from lighterman.simulation.faults.venue import VENUE_FAULTS
from lighterman.simulation.plan import Chances

FAULTS: Mapping[str, FaultKind] = MappingProxyType(FRAME_FAULTS | REQUEST_FAULTS | VENUE_FAULTS | MACHINE_FAULTS)
CHANCES: Mapping[str, Chances] = MappingProxyType({name: fault.chances for name, fault in FAULTS.items()})
