import pytest

from lighterman.domain.errors import LocalProtocolError
from lighterman.exchange.params import ClientParams

BASE = {"stream_url": "ws://x", "chain_id": 77, "account_index": 1, "symbols": ["ETH"], "order_value_micro_max": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"order_lifetime_ms": 300_000},
        {"order_lifetime_ms": 31 * 24 * 3_600_000},
        {"transaction_lifetime_ms": 0},
        {"transaction_lifetime_ms": 600_000},
    ],
)
def test_times_the_venue_would_refuse_are_refused_here(change):
    """An order lives 5 minutes to 30 days, a transaction less than ten minutes."""
    with pytest.raises(LocalProtocolError, match="lifetime_ms"):
        ClientParams(**BASE, **change)


def test_the_defaults_are_what_the_venue_takes():
    """28 days for an order, ten seconds for a transaction."""
    params = ClientParams(**BASE)

    assert (28 * 86_400_000, 10_000) == (params.order_lifetime_ms, params.transaction_lifetime_ms)
