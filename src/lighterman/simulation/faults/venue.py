"""Faults of the exchange and of its market: pauses, restarts, moves, and what befalls the account (E3-E14)."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from lighterman.domain.chance import Rng
from lighterman.exchange.transport import HttpReply
from lighterman.matching.requests import DropOrder, NewOrder
from lighterman.matching.rules import TIERS
from lighterman.protocol.rest import API, JSON
from lighterman.simulation.ear import KINDS, REST
from lighterman.simulation.faults.frames import STREAMS
from lighterman.simulation.faults.kind import Args, FaultKind, kind
from lighterman.simulation.faults.requests import pause_markets
from lighterman.simulation.network import Fate
from lighterman.simulation.stage import Stage
from lighterman.simulator.calls import HttpRequest

FOREIGN_CLIENT_ID = 7
SIDES = ("bid", "ask")


def _market(stage: Stage, rng: Rng) -> int:
    markets = list(stage.exchange.markets)
    return markets[rng.randrange(0, len(markets))]


def _market_paused(stage: Stage, args: Args, _: Rng) -> bool:
    pause_markets(stage, args["seconds"])
    return True


def _venue_restart(stage: Stage, args: Args, rng: Rng) -> bool:
    """The venue is away for a while, and comes back with books whose nonces are lower than before."""
    network = stage.network
    for weather in network.weather.values():
        weather.is_refusing = True
    network.cut_streams(STREAMS, "restart (1006)")
    told_nonce = min(stage.exchange.book(market).nonce for market in stage.exchange.markets) - network.book_nonce_offset
    offset = rng.randrange(0, max(1, min(400, told_nonce)))
    network.book_nonce_offset += offset
    stage.rewind_books(offset)

    def release() -> None:
        for name in KINDS:
            network.weather[name].is_refusing = False

    stage.pull(args["seconds"], release)
    return True


def _foreign_order(stage: Stage, args: Args, rng: Rng) -> bool:
    """Somebody else rests an order on our account, and takes it back later."""
    exchange, index = stage.exchange, _market(stage, rng)
    market = exchange.markets[index]
    stats = exchange.stats(index)
    is_ask = args["side"] == "ask"
    price_ticks = stats.mark_ticks * (105 if is_ask else 95) // 100
    size_lots = max(market.min_base_lots, -(-market.min_quote_micro // market.notional_micro(max(price_ticks, 1), 1)))
    order = NewOrder(
        account_index=stage.account,
        market=index,
        size_lots=size_lots,
        price_ticks=price_ticks,
        is_ask=is_ask,
        client_order_index=FOREIGN_CLIENT_ID,
    )
    if not price_ticks or exchange.act(order, stage.now_us()) is not None:
        return False
    drop = DropOrder(account_index=stage.account, market=index, index=FOREIGN_CLIENT_ID)
    stage.pull(args["seconds"], lambda: _ignore(exchange.act(drop, stage.now_us())))
    return True


def _foreign_transaction(stage: Stage, args: Args, _: Rng) -> bool:
    """Somebody else signs with our key: its next nonce is used up."""
    exchange, key = stage.exchange, args["key"]
    nonce = exchange.next_nonce(stage.account, key)
    if nonce is None:
        return False
    market = next(iter(exchange.markets))
    request = DropOrder(
        account_index=stage.account, api_key_index=key, nonce=nonce, market=market, index=1, tx_hash=f"{nonce:080x}"
    )
    exchange.admit([request], stage.now_us())
    stage.use_key(key)
    return True


def _collateral_withdrawn(stage: Stage, args: Args, _: Rng) -> bool:
    """A person moves money away, and brings it back later."""
    amount_micro = args["usd"] * 1_000_000
    stage.deposit(-amount_micro)
    stage.pull(args["seconds"], lambda: stage.deposit(amount_micro))
    return True


def _liquidation(stage: Stage, args: Args, rng: Rng) -> bool:
    """So much collateral goes that the position is taken from us."""
    exchange = stage.exchange
    held = [market for market in exchange.markets if exchange.position_lots(stage.account, market)]
    view = exchange.account(stage.account)
    if not held or view is None:
        return False
    amount_micro = view.collateral_pico // 1_000_000
    stage.deposit(-amount_micro)
    market = held[rng.randrange(0, len(held))]
    now_us = stage.now_us()
    exchange.set_index(market, exchange.stats(market).index_ticks, now_us)
    stage.pull(args["seconds"], lambda: stage.deposit(amount_micro))
    return True


def _minimum_changed(stage: Stage, args: Args, rng: Rng) -> bool:
    exchange, index = stage.exchange, _market(stage, rng)
    market = exchange.markets[index]
    exchange.set_market(replace(market, min_base_lots=market.min_base_lots * args["factor"]))
    (first,) = (each for each in stage.markets.markets if each.index == index)
    stage.pull(
        args["seconds"],
        lambda: exchange.set_market(replace(exchange.markets[index], min_base_lots=first.min_base_lots)),
    )
    return True


def _fee_changed(stage: Stage, args: Args, _: Rng) -> bool:
    """The account pays other fees from now on, without a word."""
    exchange = stage.exchange
    tier = TIERS[exchange.tier(stage.account).name]
    exchange.set_fees(stage.account, maker_fee_ppm=args["maker_ppm"], taker_fee_ppm=args["taker_ppm"])
    stage.pull(
        args["seconds"],
        lambda: exchange.set_fees(stage.account, maker_fee_ppm=tier.maker_fee_ppm, taker_fee_ppm=tier.taker_fee_ppm),
    )
    return True


def _decimals_changed(stage: Stage, args: Args, _: Rng) -> bool:
    """The venue describes its markets with other decimals, for a while."""
    change = int(args["change"])
    judges = stage.network.weather[REST].judges
    network = stage.network

    def judge(request: HttpRequest, _: Mapping[str, str] | None) -> Fate | None:
        if request.path != API + "orderBookDetails":
            return None
        body = network.peek(request.path, request.query)
        changed = re.sub(
            rb'"price_decimals":(\d+)', lambda found: b'"price_decimals":%d' % (int(found[1]) + change), body
        )
        return Fate(is_lost=True, reply=HttpReply(200, JSON, changed))

    judges[judge] = None
    stage.pull(args["seconds"], lambda: judges.pop(judge, None))
    return True


def _ignore(_: object) -> None:
    """An order that is gone already need not be dropped."""


# -- the market ----------------------------------------------------------------------------------


def _jump(stage: Stage, args: Args, rng: Rng) -> bool:
    stage.markets.jump(_market(stage, rng), args["bps"])
    return True


def _burst(stage: Stage, args: Args, rng: Rng) -> bool:
    stage.markets.burst(_market(stage, rng), args["side"] == "ask", args["count"])
    return True


def _one_sided(stage: Stage, args: Args, rng: Rng) -> bool:
    stage.markets.one_sided(_market(stage, rng), args["side"] == "ask", args["seconds"])
    return True


def _mark_zero(stage: Stage, args: Args, rng: Rng) -> bool:
    stage.markets.mark_zero(_market(stage, rng), args["seconds"])
    return True


def _frozen(stage: Stage, args: Args, rng: Rng) -> bool:
    stage.markets.freeze(_market(stage, rng), args["seconds"])
    return True


VENUE_FAULTS: dict[str, FaultKind] = {
    "market_paused": kind("E4", "a market is closed", _market_paused, seconds=(1.0, 20.0)),
    "foreign_order": kind(
        "E14", "an order that is not ours", _foreign_order, side=SIDES, seconds=(5.0, 30.0), per_minute=0.3
    ),
    "foreign_transaction": kind("E14", "our key in other hands", _foreign_transaction, key=(4, 5), per_minute=0.3),
    "collateral_withdrawn": kind(
        "O4", "money goes", _collateral_withdrawn, usd=(1, 500), seconds=(5.0, 40.0), per_minute=0.3
    ),
    "liquidation": kind("E11", "the position is taken", _liquidation, seconds=(3.0, 10.0), per_minute=0.3),
    "minimum_changed": kind(
        "E12", "smallest orders become larger", _minimum_changed, factor=(2, 30), seconds=(20.0, 90.0)
    ),
    "fee_changed": kind(
        "E12", "fees change", _fee_changed, maker_ppm=(-20, 100), taker_ppm=(100, 400), seconds=(10.0, 90.0)
    ),
    "jump": kind("E13", "the market jumps", _jump, bps=(-60.0, 60.0), per_minute=3),
    "burst": kind("E8", "many takers at once", _burst, side=SIDES, count=(2, 12), per_minute=4),
    "one_sided": kind("E13", "one side of the book is empty", _one_sided, side=SIDES, seconds=(0.5, 10.0)),
    "mark_zero": kind("E13", "no mark price", _mark_zero, seconds=(1.0, 15.0)),
    "frozen": kind("E13", "nobody does anything", _frozen, seconds=(1.0, 15.0)),
}
ANNOUNCED_FAULTS: dict[str, FaultKind] = {  # told with changed messages
    "venue_restart": kind(
        "E6", "the venue restarts, nonces go back", _venue_restart, seconds=(0.5, 15.0), per_minute=0.5
    ),
    "decimals_changed": kind(
        "E12", "prices have another scale", _decimals_changed, change=("1", "-1"), seconds=(20.0, 60.0), per_minute=0.5
    ),
}
