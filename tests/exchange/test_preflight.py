import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.golden import golden_object
from helpers.memory_venue import ACCOUNT, CREATE_KEY, DirectSigner, Network, World, json_reply
from helpers.virtual_time import run
from lighterman.domain.errors import PreflightError
from lighterman.domain.events import AccountSnapshot, MarketReport
from lighterman.exchange.preflight import find_market, markets_known, markets_traded
from lighterman.protocol.objects import MarketFacts
from lighterman.signing.pure import PureSigner, generate_key


def _row(market_id, symbol, **changes):
    row = golden_object("order_book_detail") | {"market_id": market_id, "symbol": symbol} | changes
    return msgspec.convert(row, MarketFacts)


MARKETS = [_row(0, "ETH"), _row(1, "BTC"), _row(17, "1000SHIB"), _row(2048, "ETH", market_type="spot")]


@pytest.mark.parametrize("symbol", ["ETH", "eth", "ETH-USDC", "ETH/USDC", "ETH-USD", "eth-usdc"])
def test_a_symbol_may_carry_its_quote(symbol):
    """The venue's own symbol, and the form with the quote behind it, mean the same perpetual."""
    assert find_market(symbol, MARKETS).market_id == 0


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("BTX", "did you mean BTC"),
        ("SHIB", "no perpetual"),
        ("ETH-BTC", "no perpetual"),
        ("", "no perpetual"),
        ("-USDC", "no perpetual"),
    ],
)
def test_a_symbol_that_fits_nothing_is_refused(symbol, words):
    """Near is not enough, and another quote is another market."""
    with pytest.raises(PreflightError, match=words):
        find_market(symbol, MARKETS)


def test_a_symbol_that_fits_two_markets_fits_none():
    """Which one is meant is not guessed."""
    with pytest.raises(PreflightError, match="ambiguous"):
        find_market("ETH-USDC", [*MARKETS, _row(9, "ETH-USDC")])


@given(st.text(max_size=20))
def test_any_text_finds_a_market_or_says_why_not(symbol):
    """Whatever an operator writes: a market of that name, or a refusal."""
    try:
        found = find_market(symbol, MARKETS)
    except PreflightError:
        return
    assert found.symbol in symbol.upper()


def test_a_market_that_cannot_be_read_matters_only_if_it_is_traded():
    """A minimum finer than a lot, or scales that do not make micro-USDC, stop only those who trade there."""
    odd = [_row(5, "FINE", min_base_amount="0.00501"), _row(6, "WIDE", price_decimals=3)]

    assert ["ETH", "BTC", "1000SHIB", "WIDE"] == [market.symbol for market in markets_known(MARKETS[:3] + odd)]
    for symbol in ("FINE", "WIDE"):
        with pytest.raises(PreflightError, match=symbol):
            markets_traded([symbol], odd)


def _start(prepare, **options):
    """Start a client after `prepare(world)`; return the world."""

    async def body():
        world = World(**options)
        world.network.start()
        try:
            prepare(world)
            await world.venue.start()
        finally:
            await world.venue.close()
            world.network.stop()
        return world

    return run(body())


def test_a_venue_that_fits_is_told_in_order():
    """First the markets, then the account; and every key's next nonce has been asked for."""
    world = _start(lambda world: None)

    assert ["ETH", "BTC"] == [report.market.symbol for report in world.of(MarketReport)]
    assert [MarketReport, MarketReport, AccountSnapshot] == [type(event) for event in world.events[:3]]
    assert world.network.requests.count(("GET", "nextNonce")) == 2


def test_a_clock_that_is_off_is_refused():
    """More than two seconds off, and expiries would mean something else to the venue."""
    for skew_us, words in ((5_000_000, "ahead"), (-5_000_000, "behind")):
        with pytest.raises(PreflightError, match=words):
            _start(lambda world: None, network=_network(skew_us))
    _start(lambda world: None, network=_network(1_000_000))


def _network(skew_us):
    network = Network()
    network.clock.skew_us = skew_us
    return network


def test_a_key_that_is_not_registered_is_refused():
    """The error says which keys there are and what to change."""

    def forget(world):
        world.network.instead["apikeys"] = json_reply(
            '{"code":200,"api_keys":[{"account_index":100,"api_key_index":9,"nonce":0,"public_key":"00"}]}'
        )

    with pytest.raises(PreflightError, match=r"no api key 5.*apiKeyIndex.*9"):
        _start(forget)


@pytest.mark.parametrize(("code", "words"), [(21100, "no account 100.*accountIndex"), (21109, "no api key 5.*none")])
def test_an_account_that_does_not_exist_is_refused(code, words):
    """An account without keys, and no account at all: each names the setting to mend."""

    def refuse(world):
        world.network.instead["apikeys"] = json_reply(f'{{"code":{code},"message":"no"}}', 400)

    with pytest.raises(PreflightError, match=words):
        _start(refuse)


def test_another_public_key_is_refused():
    """The private key does not belong to the registered public one."""

    def exchange_key(world):
        entropy = world.network.entropy
        world.signers[CREATE_KEY] = DirectSigner(PureSigner(generate_key(entropy)[0], ACCOUNT, CREATE_KEY, 77, entropy))

    with pytest.raises(PreflightError, match="another public key"):
        _start(exchange_key)


def test_a_symbol_the_venue_does_not_list_is_refused():
    """Before anything is signed."""
    with pytest.raises(PreflightError, match="DOGEE"):
        _start(lambda world: None, symbols=["ETH", "DOGEE"])


def test_the_tier_sets_the_pace():
    """Limits are those of the tier that the venue names, not of the one that was hoped for."""
    assert _start(lambda world: None).venue.transactions_per_minute == 4000
    assert _start(lambda world: None, tier="standard").venue.transactions_per_minute == 60
