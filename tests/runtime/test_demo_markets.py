"""What the demo quotes: what its exchange lists, in sizes that suit."""

from importlib.resources import files
from pathlib import Path

import pytest

from helpers.local_server import running
from helpers.local_venue import MID_TICKS, QuietMarket
from lighterman.config.networks import Mode
from lighterman.config.settings import assemble
from lighterman.domain.errors import TransportError
from lighterman.runtime.demo_markets import fitted


def built_in():
    data = files("lighterman.config").joinpath("demo.json").read_bytes()
    return assemble(data, Mode.LOCAL, environ={}, folder=Path(), is_private=True)


async def fitted_to(*symbols):
    """Return the demo's settings at an exchange that lists these markets."""
    settings = built_in()
    async with running(QuietMarket(symbols)) as (_, ready):
        return await fitted(settings, ready["url"])


async def test_known_markets_keep_their_settings():
    """A listed market that the built-in settings know is quoted by them; those not listed are left out."""
    settings = await fitted_to("ETH", "BTC")

    assert built_in().engine.markets[:2] == settings.engine.markets


@pytest.mark.parametrize(
    ("symbol", "index", "mid_ticks", "size", "position"),
    [
        ("DOGE", 3, 150_000, "1000", "40000"),  # at 0.15 USD, in whole coins
        ("WIF", 5, 10_000_000, "5.0", "200.0"),  # at 100 USD, of which the least that can be traded is 5
    ],
)
async def test_unknown_market_gets_the_usual_value(monkeypatch, symbol, index, mid_ticks, size, position):
    """A market without settings is quoted in orders of the usual value, or the venue's least, in whole lots."""
    monkeypatch.setitem(MID_TICKS, index, mid_ticks)
    (market,) = (await fitted_to(symbol)).engine.markets

    assert (f"{symbol}-USDC", symbol) == (market.label, market.symbol)
    assert (size, position) == (market.quote.order_size, market.limits.position_max)


async def test_nobody_there(unused_tcp_port):
    """An exchange that cannot be asked is a failure of the network."""
    with pytest.raises(TransportError, match="markets cannot be read"):
        await fitted(built_in(), f"http://127.0.0.1:{unused_tcp_port}")
