"""How a run can end. Exit codes are part of the interface: they tell the truth about orders."""

import enum


class Exit(enum.IntEnum):
    """Exit codes of every command (peers-and-ux reference 6.2; 70 as in sysexits)."""

    OK = 0
    USAGE = 2
    CONFIG = 3
    PREFLIGHT = 4  # venue, key or account do not fit the settings
    RISK_HALT = 5  # a limit stopped trading; no order is left
    VENUE = 6  # the venue cannot be reached or refuses us
    ORDERS_UNKNOWN = 7  # orders may be left at the venue
    BROKEN = 70  # an invariant broke: a bug; everything was cancelled
    FAIL_SAFE = 75  # something we depend on failed (journal, disk): stopped on purpose, nothing left
