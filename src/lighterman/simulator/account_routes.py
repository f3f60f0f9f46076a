"""Accounts, their orders and their money: protocol reference 2.2 and 2.3."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from lighterman.domain.errors import VenueError
from lighterman.domain.units import MICRO_DECIMALS, PICO_DECIMALS, PICO_PER_MICRO
from lighterman.matching.outputs import FundingPaid, OrderRow, TradeDone, TradeType
from lighterman.protocol import rest
from lighterman.protocol.codes import Code
from lighterman.protocol.rest import API
from lighterman.simulator import account_rendering as rendering
from lighterman.simulator.calls import Access, Call, Route, Services, own_view, refuse, view_of
from lighterman.simulator.forms import invalid
from lighterman.simulator.market_rendering import PPM, SECOND_US, micro_text, number

ALL_KEYS = 255
ALL_MARKETS = 255
PAGE_MAX = 100
CLIENT_INDEXES_MAX = 20
CLIENT_INDEX_MAX = 2**48 - 1
TIMESTAMP_MAX = 2**53
ENDED_SEARCHED = 1_000
DAY_US = 86_400 * SECOND_US

KEYS_WEIGHT = 150
NONCE_WEIGHT = 6
ENDED_ORDERS_WEIGHT = 100

_MARKET_TYPES = ("all", "spot", "perp")

R = TypeVar("R")


def _account(services: Services, call: Call) -> msgspec.Struct:
    """One account by index, or all of an owner; unknown ones are 29404."""
    exchange = services.exchange
    active_only = call.form.flag("active_only")
    if call.form.choice("by", ("index", "l1_address")) == "index":
        indexes = [call.account_index("value")]
    else:
        indexes = exchange.account_indexes(call.form.text("value").lower())
    views = [view for index in indexes if (view := exchange.account(index)) is not None]
    if not views:
        raise refuse(Code.NOT_FOUND)
    accounts = [rendering.detailed_account(exchange, view, active_only=active_only) for view in views]
    return rest.Accounts(total=len(accounts), accounts=accounts)


def _accounts_by_address(services: Services, call: Call) -> msgspec.Struct:
    address = call.form.text("l1_address")
    indexes = services.exchange.account_indexes(address.lower())
    if not indexes:
        raise refuse(Code.ACCOUNT_NOT_FOUND)
    accounts = [rendering.account_summary(view_of(services, index)) for index in indexes]
    return rest.AccountsByAddress(l1_address=address, sub_accounts=accounts)


def _api_keys(services: Services, call: Call) -> msgspec.Struct:
    view = view_of(services, call.account_index())
    wanted = call.form.integer("api_key_index", 0, ALL_KEYS, ALL_KEYS)
    keys = [key for key in services.exchange.keys(view.index) if wanted in {ALL_KEYS, key.api_key_index}]
    if not keys:
        raise refuse(Code.API_KEY_NOT_FOUND)
    rows = [
        rest.ApiKey(
            account_index=view.index,
            api_key_index=key.api_key_index,
            nonce=key.next_nonce,
            public_key=key.public_key.hex(),
            transaction_time=key.updated_us,
        )
        for key in keys
    ]
    return rest.ApiKeys(api_keys=rows)


def _next_nonce(services: Services, call: Call) -> msgspec.Struct:
    view = view_of(services, call.account_index())
    nonce = services.exchange.next_nonce(view.index, call.form.integer("api_key_index", 0, ALL_KEYS))
    if nonce is None:
        raise refuse(Code.API_KEY_NOT_FOUND)
    return rest.NextNonce(nonce=nonce)


def _account_limits(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    tier = services.exchange.tier(view.index)
    return rest.AccountLimits(
        user_tier=tier.name.partition("-")[0],
        user_tier_name=tier.name,
        user_tier_last_update=services.registry.tier_changed_us(view.index) // SECOND_US,
        current_maker_fee_tick=tier.maker_fee_ppm,
        current_taker_fee_tick=tier.taker_fee_ppm,
    )


def _active_orders(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    rows = services.exchange.open_orders(view.index)
    return _orders(services, [row for row in rows if _is_of_market(call, row)])


def _inactive_orders(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    limit = call.form.integer("limit", 1, PAGE_MAX)
    side = call.form.integer("ask_filter", -1, 1, -1)
    after_us, before_us = _between(call.form.text("between_timestamps", ""))
    rows = [
        row
        for row in services.exchange.ended_orders(view.index)
        if _is_of_market(call, row) and side in {-1, int(row.is_ask)} and after_us <= row.updated_us <= before_us
    ]
    page, cursor = _page(call, rows, limit, lambda row: (row.updated_us, row.order_index))
    return _orders(services, page, cursor)


def _some_orders(services: Services, call: Call) -> msgspec.Struct:
    """Orders by client order index: among the active ones, and those ended within a day (2.3)."""
    own_account = call.caller.account_index if call.caller else None
    view = own_view(services, call, default=own_account)
    wanted = _client_indexes(call.form.text("client_order_indexes"))
    ended = services.exchange.ended_orders(view.index)[:ENDED_SEARCHED]
    recent = [row for row in ended if row.updated_us > call.now_us - DAY_US]
    found = [row for row in services.exchange.open_orders(view.index) + recent if row.client_order_index in wanted]
    return _orders(services, found)


def _position_funding(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    limit = call.form.integer("limit", 1, PAGE_MAX)
    side = call.form.choice("side", ("all", "long", "short"), "all")
    market = call.form.integer("market_id", 0, ALL_MARKETS, ALL_MARKETS)
    start_us = call.form.integer("start_timestamp", 0, TIMESTAMP_MAX, 0) * SECOND_US
    end_us = call.form.integer("end_timestamp", 0, TIMESTAMP_MAX, TIMESTAMP_MAX) * SECOND_US

    def is_wanted(paid: FundingPaid) -> bool:
        is_side = side == "all" or (paid.size_lots > 0) == (side == "long")
        return is_side and market in {ALL_MARKETS, paid.market} and start_us <= paid.at_us <= end_us

    rows = [paid for paid in services.exchange.fundings_of(view.index) if is_wanted(paid)]
    page, cursor = _page(call, rows, limit, lambda paid: (paid.at_us, paid.funding_id))
    markets = services.exchange.markets
    payments = [rendering.position_funding(markets[paid.market], paid) for paid in page]
    return rest.PositionFundings(next_cursor=cursor, position_fundings=payments)


def _liquidations(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    limit = call.form.integer("limit", 1, PAGE_MAX)
    market = call.form.integer("market_id", 0, ALL_MARKETS, ALL_MARKETS)
    rows = [
        trade
        for trade in services.exchange.trades_of(view.index)
        if trade.trade_type is not TradeType.TRADE and market in {ALL_MARKETS, trade.market}
    ]
    page, cursor = _page(call, rows, limit, lambda trade: (trade.at_us, trade.trade_id))
    return rest.Liquidations(next_cursor=cursor, liquidations=[_liquidation(services, trade) for trade in page])


def _pnl(services: Services, call: Call) -> msgspec.Struct:
    """Cumulative figures as they are now: this exchange keeps no history of them, so one live row."""
    call.form.choice("by", ("index",), "index")
    view = view_of(services, call.account_index("value"))
    resolution = call.form.text("resolution")
    if resolution not in {"1h", "1d"}:
        raise refuse(Code.INVALID_CANDLE_RESOLUTION)
    deposited_micro = services.registry.deposited_micro(view.index)
    inflow_micro = 0 if call.form.flag("ignore_transfers") else deposited_micro
    row = rest.PnlRow(
        timestamp=call.now_us // SECOND_US,
        trade_pnl=number(view.value_pico - deposited_micro * PICO_PER_MICRO, PICO_DECIMALS),
        inflow=number(inflow_micro, MICRO_DECIMALS),
        volume=number(view.traded_micro, MICRO_DECIMALS),
    )
    return rest.Pnl(resolution=resolution, pnl=[row])


def _liquidation(services: Services, trade: TradeDone) -> rest.Liquidation:
    market = services.exchange.markets[trade.market]
    return rest.Liquidation(
        id=trade.trade_id,
        market_id=trade.market,
        type="deleverage" if trade.trade_type is TradeType.DELEVERAGE else "partial",
        trade=rest.LiquidationTrade(
            price=market.price_text(trade.price_ticks),
            size=market.size_text(trade.size_lots),
            taker_fee=micro_text(trade.quote_micro * trade.taker_fee_ppm // PPM),
            maker_fee=micro_text(trade.quote_micro * trade.maker_fee_ppm // PPM),
            transaction_time=trade.at_us,
        ),
        info={},
        executed_at=trade.at_us // SECOND_US,
    )


def _orders(
    services: Services, rows: Iterable[OrderRow], cursor: str | msgspec.UnsetType = msgspec.UNSET
) -> rest.Orders:
    markets = services.exchange.markets
    return rest.Orders(next_cursor=cursor, orders=[rendering.order(markets[row.market], row) for row in rows])


def _is_of_market(call: Call, row: OrderRow) -> bool:
    market = call.form.integer("market_id", 0, ALL_MARKETS, ALL_MARKETS)
    is_perpetual = call.form.choice("market_type", _MARKET_TYPES, "all") != "spot"
    return is_perpetual and market in {ALL_MARKETS, row.market}


def _page(
    call: Call, rows: list[R], limit: int, place: Callable[[R], tuple[int, int]]
) -> tuple[list[R], str | msgspec.UnsetType]:
    """Return the rows behind the cursor, newest first, and the cursor of the next page."""
    text = call.form.text("cursor", "")
    if text:
        first, dash, second = text.partition("-")
        if not (dash and _is_number(first) and _is_number(second)):
            raise refuse(Code.INVALID_CURSOR)
        last = (int(first), int(second))
        rows = [row for row in rows if place(row) < last]
    page = rows[:limit]
    return page, "{}-{}".format(*place(page[-1])) if len(rows) > limit else msgspec.UNSET


def _between(text: str) -> tuple[int, int]:
    """Return the microseconds of `"<start s>-<end s>"`."""
    if not text:
        return 0, TIMESTAMP_MAX * SECOND_US
    start, dash, end = text.partition("-")
    if not (dash and _is_number(start) and _is_number(end)):
        raise invalid("between_timestamps")
    return int(start) * SECOND_US, int(end) * SECOND_US


def _client_indexes(text: str) -> set[int]:
    texts = text.split(",")
    if len(texts) > CLIENT_INDEXES_MAX or not all(map(_is_number, texts)):
        raise invalid("client_order_indexes")
    indexes = set(map(int, texts))
    if not 0 < min(indexes) <= max(indexes) <= CLIENT_INDEX_MAX:
        raise VenueError(Code.INVALID_CLIENT_ORDER_INDEX, Code.INVALID_CLIENT_ORDER_INDEX.text)
    return indexes


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(2**63))


ROUTES: Mapping[tuple[str, str], Route] = MappingProxyType(
    {
        ("GET", f"{API}account"): Route(_account),
        ("GET", f"{API}accountsByL1Address"): Route(_accounts_by_address),
        ("GET", f"{API}apikeys"): Route(_api_keys, weight=KEYS_WEIGHT),
        ("GET", f"{API}nextNonce"): Route(_next_nonce, weight=NONCE_WEIGHT),
        ("GET", f"{API}accountLimits"): Route(_account_limits, Access.READ),
        ("GET", f"{API}accountActiveOrders"): Route(_active_orders, Access.READ),
        ("GET", f"{API}accountInactiveOrders"): Route(_inactive_orders, Access.READ, ENDED_ORDERS_WEIGHT),
        ("GET", f"{API}accountOrders"): Route(_some_orders, Access.READ),
        ("GET", f"{API}positionFunding"): Route(_position_funding, Access.READ),
        ("GET", f"{API}liquidations"): Route(_liquidations, Access.READ),
        ("GET", f"{API}pnl"): Route(_pnl),
    }
)
