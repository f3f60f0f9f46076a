"""Accounts, orders, trades and transactions as the venue writes them (protocol reference 2.7, 3.6)."""

import json

import msgspec

from lighterman.domain.market import Market
from lighterman.domain.units import PICO_DECIMALS, PICO_PER_MICRO, divide_floor, format_fixed
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import FundingPaid, OrderRow, OrderStatus, TradeDone
from lighterman.matching.requests import AmendOrder, DropOrder, NewOrder, OrderKind, Request, TimeInForce
from lighterman.matching.views import AccountView, PositionView, TransactionRecord
from lighterman.protocol import objects
from lighterman.simulator.market_rendering import (
    MS_US,
    SECOND_US,
    USDC,
    USDC_ASSET,
    micro_text,
    money_text,
    percent_text,
)

RATE_FRACTION_DECIMALS = 6
RATIO_DECIMALS = 2

_KINDS = {OrderKind.LIMIT: "limit", OrderKind.MARKET: "market", OrderKind.LIQUIDATION: "liquidation"}
_TIMES_IN_FORCE = {
    TimeInForce.IOC: "immediate-or-cancel",
    TimeInForce.GTT: "good-till-time",
    TimeInForce.POST_ONLY: "post-only",
}
_STATUS_NUMBERS = {  # of `event_info` (2.7.7)
    OrderStatus.IN_PROGRESS: 0,
    OrderStatus.OPEN: 2,
    OrderStatus.FILLED: 3,
    OrderStatus.CANCELED: 4,
    OrderStatus.CANCELED_POST_ONLY: 5,
    OrderStatus.CANCELED_REDUCE_ONLY: 6,
    OrderStatus.CANCELED_POSITION_NOT_ALLOWED: 7,
    OrderStatus.CANCELED_MARGIN_NOT_ALLOWED: 8,
    OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE: 9,
    OrderStatus.CANCELED_NOT_ENOUGH_LIQUIDITY: 10,
    OrderStatus.CANCELED_SELF_TRADE: 11,
    OrderStatus.CANCELED_EXPIRED: 12,
    OrderStatus.CANCELED_LIQUIDATION: 15,
}


def order(market: Market, row: OrderRow) -> objects.Order:
    """Return an order for its owner (2.7.4): times in seconds, what was not filled zeroed once it ended."""
    is_active = row.status in {OrderStatus.OPEN, OrderStatus.IN_PROGRESS}
    return objects.Order(
        order_index=row.order_index,
        client_order_index=row.client_order_index,
        order_id=str(row.order_index),
        client_order_id=str(row.client_order_index),
        market_index=row.market,
        owner_account_index=row.account_index,
        initial_base_amount=market.size_text(row.size_lots),
        price=market.price_text(row.price_ticks),
        nonce=row.queue_nonce,
        remaining_base_amount=market.size_text(row.remaining_lots),
        is_ask=row.is_ask,
        base_size=row.remaining_lots,
        base_price=row.price_ticks,
        filled_base_amount=market.size_text(row.filled_lots),
        filled_quote_amount=micro_text(row.filled_quote_micro),
        type=_KINDS[row.kind],
        time_in_force=_TIMES_IN_FORCE[row.time_in_force],
        reduce_only=row.reduce_only,
        trigger_price=market.price_text(0),
        order_expiry=row.expiry_ms,
        status=row.status.value,
        block_height=row.block_height,
        timestamp=row.created_us // SECOND_US,
        created_at=row.created_us // SECOND_US,
        updated_at=row.updated_us // SECOND_US,
        transaction_time=row.updated_us,
        order_version=row.order_version,
        integrator_fee_collector_index="" if is_active else "0",
        integrator_taker_fee="" if is_active else "0",
        integrator_maker_fee="" if is_active else "0",
    )


def trade(market: Market, done: TradeDone, own_account: int | None = None) -> objects.Trade:
    """Return a trade (2.7.3); the realised PnL of a side is told to its own account only."""
    return objects.Trade(
        trade_id=done.trade_id,
        trade_id_str=str(done.trade_id),
        tx_hash=done.tx_hash,
        type=done.trade_type.value,
        market_id=done.market,
        size=market.size_text(done.size_lots),
        price=market.price_text(done.price_ticks),
        usd_amount=micro_text(done.quote_micro),
        ask_id=done.ask_order_index,
        ask_id_str=str(done.ask_order_index),
        bid_id=done.bid_order_index,
        bid_id_str=str(done.bid_order_index),
        ask_client_id=done.ask_client_order_index,
        ask_client_id_str=str(done.ask_client_order_index),
        bid_client_id=done.bid_client_order_index,
        bid_client_id_str=str(done.bid_client_order_index),
        ask_account_id=done.ask_account_index,
        bid_account_id=done.bid_account_index,
        is_maker_ask=done.is_maker_ask,
        block_height=done.block_height,
        timestamp=done.block_ms,
        transaction_time=done.at_us,
        taker_fee=done.taker_fee_ppm,
        maker_fee=done.maker_fee_ppm,
        taker_position_size_before=_size_or_empty(market, done.taker_size_before_lots),
        taker_entry_quote_before=_micro_or_empty(done.taker_entry_quote_before_micro),
        taker_initial_margin_fraction_before=done.taker_margin_fraction_before,
        taker_position_sign_changed=done.taker_sign_changed,
        maker_position_size_before=_size_or_empty(market, done.maker_size_before_lots),
        maker_entry_quote_before=_micro_or_empty(done.maker_entry_quote_before_micro),
        maker_initial_margin_fraction_before=done.maker_margin_fraction_before,
        maker_position_sign_changed=done.maker_sign_changed,
        ask_account_pnl=_micro_or_empty(done.ask_realised_micro if own_account == done.ask_account_index else 0),
        bid_account_pnl=_micro_or_empty(done.bid_realised_micro if own_account == done.bid_account_index else 0),
    )


def position(market: Market, view: PositionView) -> objects.AccountPosition:
    """Return a position row (2.7.5): an absolute size, a sign, a margin fraction in percent."""
    size_lots = abs(view.size_lots)
    entry_ticks = divide_floor(view.entry_quote_micro, size_lots * market.quote_multiplier) if size_lots else 0
    liquidation_ticks = view.liquidation_price_ticks
    return objects.AccountPosition(
        market_id=market.index,
        symbol=market.symbol,
        initial_margin_fraction=percent_text(view.initial_margin_fraction),
        open_order_count=view.open_order_count,
        sign=-1 if view.size_lots < 0 else 1,
        position=market.size_text(size_lots),
        avg_entry_price=market.price_text(entry_ticks),
        position_value=micro_text(view.value_micro),
        unrealized_pnl=micro_text(view.unrealised_micro),
        realized_pnl=micro_text(view.realised_micro),
        liquidation_price=market.price_text(liquidation_ticks) if liquidation_ticks else "0",
        total_funding_paid_out=money_text(-view.funding_pico),
    )


def collateral_asset(view: AccountView) -> objects.AccountAsset:
    """Return the USDC row: the perpetuals' collateral with all its twelve decimals (3.6)."""
    return objects.AccountAsset(
        symbol=USDC,
        asset_id=USDC_ASSET,
        balance="0.000000",
        margin_balance=format_fixed(view.collateral_pico, PICO_DECIMALS),
    )


def account_summary(view: AccountView) -> objects.AccountSummary:
    """Return an account as `accountsByL1Address` lists it: without available balance (2.2)."""
    return objects.AccountSummary(
        index=view.index,
        l1_address=view.l1_address,
        collateral=money_text(view.collateral_pico),
        cancel_all_time=view.cancel_all_ms,
        total_order_count=view.open_order_count,
        transaction_time=view.updated_us,
    )


def detailed_account(exchange: Exchange, view: AccountView, *, active_only: bool) -> objects.DetailedAccount:
    """Return an account as `GET account` does (2.7.5); `active_only` hides flat markets."""
    markets = exchange.markets
    shown = [row for row in view.positions if row.size_lots or row.open_order_count or not active_only]
    return objects.DetailedAccount(
        index=view.index,
        account_index=view.index,
        l1_address=view.l1_address,
        collateral=money_text(view.collateral_pico),
        available_balance=money_text(view.available_pico),
        cancel_all_time=view.cancel_all_ms,
        total_order_count=view.open_order_count,
        transaction_time=view.updated_us,
        created_at=view.created_us // SECOND_US,
        positions=[position(markets[row.market], row) for row in shown],
        assets=[collateral_asset(view)],
        total_asset_value=money_text(view.value_pico),
        cross_asset_value=money_text(view.value_pico),
        cross_initial_margin_requirement=money_text(view.initial_margin_pico),
        cross_maintenance_margin_requirement=money_text(view.maintenance_margin_pico),
    )


def user_stats(view: AccountView) -> objects.UserStats:
    """Return the object of `user_stats`: with cross margin alone, cross and total figures are the same."""
    value_micro = sum(row.value_micro for row in view.positions)
    six = objects.MarginStats(
        collateral=money_text(view.collateral_pico),
        portfolio_value=money_text(view.value_pico),
        leverage=_ratio(value_micro * PICO_PER_MICRO, view.value_pico),
        available_balance=money_text(view.available_pico),
        margin_usage=_ratio(view.initial_margin_pico * 100, view.value_pico),
        buying_power="0",
    )
    return objects.UserStats(**msgspec.structs.asdict(six), cross_stats=six, total_stats=six)


def position_funding(market: Market, paid: FundingPaid) -> objects.PositionFunding:
    """Return one payment (2.2): `change` < 0 was paid, the rate is a fraction per hour."""
    return objects.PositionFunding(
        timestamp=paid.at_us // SECOND_US,
        market_id=market.index,
        funding_id=paid.funding_id,
        change=money_text(paid.amount_pico),
        rate=format_fixed(paid.rate_ppm, RATE_FRACTION_DECIMALS),
        position_size=market.size_text(abs(paid.size_lots)),
        position_side="long" if paid.size_lots > 0 else "short",
    )


def transaction(record: TransactionRecord, info: str, l1_address: str) -> objects.EnrichedTransaction:
    """Return a transaction (2.7.7); `info` is its JSON as it was signed."""
    request = record.request
    return objects.EnrichedTransaction(
        hash=request.tx_hash,
        type=request.tx_type,
        info=info,
        event_info=_event_info(request, record.row, record.error),
        status=int(record.state),
        transaction_index=record.sequence_index,
        l1_address=l1_address,
        account_index=request.account_index,
        nonce=request.nonce,
        expire_at=request.expired_at_ms,
        block_height=record.block_height,
        queued_at=record.queued_us // MS_US,
        executed_at=record.executed_us // MS_US,
        sequence_index=record.sequence_index,
        api_key_index=request.api_key_index,
        transaction_time=record.executed_us or record.queued_us,
    )


def _event_info(request: Request, row: OrderRow | None, error: str) -> str:
    """Return the short-key JSON that tells what the sequencer did, and in `ae` why it did not (2.7.7)."""
    match request:
        case NewOrder():
            event = {"m": request.market, "to": row and _short_order(row), "ae": error}
        case AmendOrder():
            event = {"m": request.market, "no": row and _short_order(row), "ae": error}
        case DropOrder():
            index = row.order_index if row else request.index
            client_index = row.client_order_index if row else 0
            event = {"a": request.account_index, "i": index, "u": client_index, "ae": error}
        case _:
            event = {"a": request.account_index, "ae": error}
    return json.dumps(event, separators=(",", ":"))


def _short_order(row: OrderRow) -> dict[str, int]:
    return {
        "i": row.order_index,
        "u": row.client_order_index,
        "a": row.account_index,
        "is": row.size_lots,
        "p": row.price_ticks,
        "rs": row.remaining_lots,
        "ia": int(row.is_ask),
        "ot": int(row.kind),
        "f": int(row.time_in_force),
        "ro": int(row.reduce_only),
        "tp": 0,
        "e": row.expiry_ms,
        "st": _STATUS_NUMBERS[row.status],
        "ts": 0,
        "t0": 0,
        "t1": 0,
        "c0": 0,
    }


def _size_or_empty(market: Market, lots: int) -> str:
    return market.size_text(lots) if lots else ""


def _micro_or_empty(micro: int) -> str:
    return micro_text(micro) if micro else ""


def _ratio(numerator: int, denominator: int) -> str:
    """Return a ratio with two decimals, "0.00" when there is nothing to divide by."""
    if denominator <= 0:
        return format_fixed(0, RATIO_DECIMALS)
    return format_fixed(divide_floor(numerator * 10**RATIO_DECIMALS, denominator), RATIO_DECIMALS)
