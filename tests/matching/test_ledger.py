"""Who owns what after a trade, to the last pico-USDC: protocol reference 2.7.3, 8.3, 8.4."""

from helpers.trading_floor import (
    ALPHA,
    CROWD,
    GAMMA,
    INDEX,
    START_US,
    ask,
    bid,
    do,
    floor,
    maker_ask,
    only,
    taker_ask,
    taker_bid,
)
from lighterman.domain.position import Position
from lighterman.matching.outputs import TradeDone, TradeType
from lighterman.matching.rules import MS, SECOND


def test_step_10_trade_facts():
    """2.7.3: a trade carries ids, positions before, margin fractions, fees, flips and realised PnL."""
    exchange = floor(tier="premium")
    opening = only(do(exchange, ask(GAMMA, 1000, 4), taker_bid(ALPHA, 1000, 4)), TradeDone)[0]
    do(exchange, maker_ask(ALPHA, 1010, 10, client=7))
    trade = only(do(exchange, taker_bid(GAMMA, 1010, 10, client=8, tx_hash="ab")), TradeDone)[0]

    assert (trade.trade_id, trade.trade_type, trade.tx_hash) == (2, TradeType.TRADE, "ab")
    assert (trade.ask_account_index, trade.bid_account_index, trade.is_maker_ask) == (ALPHA, GAMMA, True)
    assert (trade.ask_client_order_index, trade.bid_client_order_index) == (7, 8)
    assert (trade.price_ticks, trade.size_lots, trade.quote_micro) == (1010, 10, 10_100)
    assert (trade.taker_size_before_lots, trade.taker_entry_quote_before_micro) == (-4, 4_000)
    assert (trade.maker_size_before_lots, trade.maker_entry_quote_before_micro) == (4, 4_000)
    assert (trade.taker_margin_fraction_before, trade.maker_margin_fraction_before) == (500, 500)
    assert (trade.taker_fee_ppm, trade.maker_fee_ppm) == (280, 40)
    assert not opening.taker_sign_changed
    assert not opening.maker_sign_changed
    assert trade.taker_sign_changed
    assert trade.maker_sign_changed
    assert (trade.ask_realised_micro, trade.bid_realised_micro) == (40, -40)
    assert trade.at_us == START_US


def test_trades_nobody_signed_for():
    """2.7.3: a trade of the exchange's own has a synthetic, zero-padded hash, unlike any other's."""
    exchange = floor()
    outputs = do(exchange, ask(CROWD, 1000, 9), taker_bid(ALPHA, 1000, 4), taker_bid(ALPHA, 1000, 4))
    hashes = [trade.tx_hash for trade in only(outputs, TradeDone)]

    assert len(set(hashes)) == 2
    assert all(len(tx_hash) == 80 and tx_hash.endswith("0" * 48) for tx_hash in hashes)


def test_block_time():
    """9.5: a trade's `timestamp` is its block's time in ms, at most one block before the trade."""
    exchange = floor()
    exchange.act(ask(ALPHA, 1000, 4), START_US + 3_500 * MS)
    exchange.act(taker_bid(CROWD, 1000, 4), START_US + 3_700 * MS)
    trade = exchange.recent_trades(0)[0]

    assert trade.block_ms == START_US // MS + 2_000
    assert trade.at_us == START_US + 3_700 * MS
    assert trade.block_height == exchange.block_height(trade.at_us) == START_US // (2 * SECOND) + 1


def test_captured_position_example():
    """8.4: short 0.0001 ETH entered at 1921.25 (entry 0.192125), closed at 1924.74, realises -0.000349."""
    exchange = floor(min_base_lots=1, min_quote_micro=0)
    do(exchange, bid(CROWD, 192_125, 1), taker_ask(ALPHA, 192_125, 1))
    opened = exchange.account(ALPHA)
    do(exchange, ask(CROWD, 192_474, 1), taker_bid(ALPHA, 192_474, 1))
    closed = exchange.account(ALPHA)

    assert opened is not None
    assert closed is not None
    assert (opened.positions[0].size_lots, opened.positions[0].entry_quote_micro) == (-1, 192_125)
    assert (closed.positions[0].size_lots, closed.positions[0].entry_quote_micro) == (0, 0)
    assert closed.realised_micro == closed.positions[0].realised_micro == -349


def test_fees_are_exact():
    """8.3: fee = quote x ppm in 1e-12 USDC, nothing rounded, taken from collateral."""
    exchange = floor(tier="premium", collateral_micro=10**6)
    do(exchange, maker_ask(GAMMA, 1001, 7), taker_bid(ALPHA, 1001, 7))
    taker, maker = exchange.account(ALPHA), exchange.account(GAMMA)

    assert taker is not None
    assert maker is not None
    assert taker.fees_pico == 1001 * 7 * 280
    assert maker.fees_pico == 1001 * 7 * 40
    assert taker.collateral_pico == 10**12 - taker.fees_pico
    treasury = exchange.account(0)
    assert treasury is not None
    assert treasury.collateral_pico == taker.fees_pico + maker.fees_pico


def test_positions_of_both_sides():
    """8.4: what one side buys the other sells, at the same cost."""
    exchange = floor()
    do(exchange, ask(ALPHA, 1000, 4), taker_bid(GAMMA, 1000, 4))
    buyer, seller = exchange.account(GAMMA), exchange.account(ALPHA)

    assert buyer is not None
    assert seller is not None
    assert Position(4, 4_000) == Position(buyer.positions[0].size_lots, buyer.positions[0].entry_quote_micro)
    assert Position(-4, 4_000) == Position(seller.positions[0].size_lots, seller.positions[0].entry_quote_micro)
    assert INDEX == exchange.stats(0).last_trade_ticks
