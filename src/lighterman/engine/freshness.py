"""How old market data was when it reached us.

Law: data that waited on its way (a slow network, a pause of ours, a backlog) is as old as the
venue's time says, however new the read. The two clocks are not the same, so times are never
compared, only how long frames took: by how much one took longer than the fastest is its lag.
What even the fastest needs is not seen; it is the network at its best.
"""

from lighterman.engine.orders import NEVER_NS
from lighterman.engine.state import State

# The fastest way counts as longer by a thousandth of the time since: more than clocks drift, so that
# they may, and a venue's clock that was set back by two seconds is believed again within the hour.
DRIFT = 1000
NS_PER_US = 1000


def written_ns(state: State, venue_us: int, recv_ns: int) -> int:
    """Return when the venue wrote a public frame, by our clock; later than that only by the fastest way."""
    way_ns = recv_ns - recv_ns // DRIFT - venue_us * NS_PER_US
    if way_ns < state.fastest_ns:
        state.fastest_ns = way_ns
    state.public_lag_ns = lag_ns = way_ns - state.fastest_ns
    return recv_ns - lag_ns


def forget_fastest(state: State) -> None:
    """The link is lost: the next one may lead to another server, with another clock."""
    state.fastest_ns, state.public_lag_ns = NEVER_NS, 0
