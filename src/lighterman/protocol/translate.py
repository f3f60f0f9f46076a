"""Lighter's words and ours: frames and replies become domain events, commands become transactions.

Law: texts become whole ticks, lots and pico-USDC exactly or not at all; nothing is rounded
except what is an estimate by nature (mark and index price, average entry). What cannot be
told is an error (RemoteProtocolError, UnitError), never a default. Whatever enters an event
fits 64 bits. Rows of markets we were never told of are left out and counted.

`Translator.book` is on the way from the socket to the order: a look-up for each price, and for each
size one multiplication and the division that proves it.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import floor
from typing import TypeVar, assert_never

import msgspec
from msgspec.structs import replace

from lighterman.domain.book import Level
from lighterman.domain.commands import CancelAll, CancelOrder, Command, ModifyOrder, PlaceOrder
from lighterman.domain.errors import RemoteProtocolError, UnitError
from lighterman.domain.events import (
    AccountSnapshot,
    BookDelta,
    BookSnapshot,
    CollateralReport,
    FillReport,
    FundingReport,
    OrderReport,
    PositionReport,
    StatsReport,
)
from lighterman.domain.market import Market
from lighterman.domain.units import (
    MICRO_DECIMALS,
    PICO_DECIMALS,
    PICO_PER_MICRO,
    NumberToUnits,
    TextToUnits,
    divide_floor,
    parse_fixed,
    parse_signed,
)
from lighterman.protocol import objects
from lighterman.protocol.messages import AccountFrame, BookFrame, HeardLevel
from lighterman.protocol.stream import BOOK_UPDATE
from lighterman.protocol.transactions import (
    Attributes,
    CancelAllMode,
    CancelAllOrdersTx,
    CancelOrderTx,
    CreateOrderTx,
    ModifyOrderTx,
    OrderType,
    TimeInForce,
    Transaction,
)

T = TypeVar("T")

INTEGER_MAX = 2**63 - 1
PRICE_MAX = 2**32 - 1  # 4.3
SIZE_MAX = 2**48 - 1  # 4.3
PERCENT_TO_PPM_DECIMALS = 4  # 1 % is 10^4 ppm
USDC_ASSET = 3
SECONDS_BELOW = 10**11  # epoch times by magnitude (0.2): below this seconds,
MILLISECONDS_BELOW = 10**14  # below this milliseconds, else microseconds
FAILED, PENDING = 0, 1  # status of a transaction (2.7.7)


class _Scale(msgspec.Struct, frozen=True, gc=False):
    """How one market writes prices and sizes."""

    index: int
    market: Market
    prices: TextToUnits
    sizes: TextToUnits
    heard_prices: NumberToUnits
    lots_per_unit: float
    size_max: float  # in units


class Translator:
    """The scales of all markets the venue has described; `unknown_rows` counts what had none."""

    __slots__ = ("_account_index", "_by_channel", "_by_index", "unknown_rows")

    def __init__(self, account_index: int) -> None:
        self._account_index = account_index
        self._by_index: dict[int, _Scale] = {}
        self._by_channel: dict[str, _Scale] = {}
        self.unknown_rows = 0

    def learn(self, markets: Iterable[Market]) -> None:
        """Take the venue's descriptions.

        A market keeps the scale it was first read with: what is held and remembered of it is counted
        so, a text means the same price whatever the scale, and one that is too fine is refused.
        """
        for market in markets:
            known = self._by_index.get(market.index)
            if known is None:
                scale = _scale_of(market)
            elif (known.prices.decimals, known.sizes.decimals) == (market.price_decimals, market.size_decimals):
                scale = replace(known, market=market)
            else:
                continue
            self._by_index[market.index] = scale
            self._by_channel[f"order_book:{market.index}"] = scale

    def _scale(self, market: int) -> _Scale | None:
        scale = self._by_index.get(market)
        if scale is None:
            self.unknown_rows += 1
        return scale

    # -- public data ---------------------------------------------------------------------

    def book(self, frame: BookFrame, recv_ns: int) -> BookSnapshot | BookDelta:
        """Return the levels of a frame whose sequence has been checked; null lists are empty (3.4)."""
        scale, body = self._by_channel.get(frame.channel), frame.order_book
        if scale is None or body is None:
            raise RemoteProtocolError(f"book of an unknown market: {frame.channel[:40]}")
        bids = _levels(body.bids, scale) if body.bids else []
        asks = _levels(body.asks, scale) if body.asks else []
        nonce, venue_us = body.nonce, body.last_updated_at or frame.timestamp * 1000
        if not (0 <= nonce <= INTEGER_MAX and 0 <= venue_us <= INTEGER_MAX):
            raise RemoteProtocolError(f"book nonce {nonce} or time {venue_us} out of range")
        kind = BookDelta if frame.type == BOOK_UPDATE else BookSnapshot
        return kind(scale.index, bids, asks, nonce, venue_us, recv_ns)

    def stats(self, rows: Iterable[objects.MarketStats], recv_ns: int) -> list[StatsReport]:
        """Return mark, index and funding of each known market that has a mark price (3.5)."""
        reports = []
        for row in rows:
            scale = self._scale(row.market_id)
            if scale is None or not row.mark_price:
                continue
            decimals = scale.market.price_decimals
            mark_ticks = _nearest(row.mark_price, decimals)
            index_ticks = _nearest(row.index_price, decimals) if row.index_price else 0
            rate_ppm = _nearest(row.current_funding_rate or "0", PERCENT_TO_PPM_DECIMALS)
            reports.append(StatsReport(scale.index, mark_ticks, index_ticks, rate_ppm, recv_ns))
        return reports

    # -- own account ---------------------------------------------------------------------

    def orders(self, rows: Iterable[objects.OrderFacts], recv_ns: int) -> list[OrderReport]:
        """Return the rows of orders, everybody's who uses the account (2.7.4)."""
        reports = []
        for row in rows:
            scale = self._scale(row.market_index)
            if scale is not None:
                report = OrderReport(
                    market=scale.index,
                    client_order_index=_integer(row.client_order_index),
                    order_index=_integer(row.order_index),
                    is_ask=row.is_ask,
                    price_ticks=scale.prices[row.price],
                    size_lots=scale.sizes[row.initial_base_amount],
                    filled_lots=scale.sizes[row.filled_base_amount],
                    status=row.status,
                    venue_us=epoch_us(row.transaction_time or row.updated_at or row.created_at),
                    recv_ns=recv_ns,
                )
                reports.append(report)
        return reports

    def fills(self, rows: Iterable[objects.TradeFacts], recv_ns: int) -> list[FillReport]:
        """Return our side of each trade, both sides if both are ours, oldest first (2.7.3).

        We were the maker if our side is the maker's; the fee is the rate of that role.
        """
        reports = []
        for row in sorted(rows, key=lambda row: row.trade_id):
            scale = self._scale(row.market_id)
            if scale is not None:
                reports += [
                    FillReport(
                        market=scale.index,
                        trade_id=_integer(row.trade_id),
                        order_index=_integer(row.ask_id if is_ask else row.bid_id),
                        client_order_index=_integer(row.ask_client_id if is_ask else row.bid_client_id),
                        is_ask=is_ask,
                        price_ticks=_positive(scale.prices[row.price]),
                        size_lots=_positive(scale.sizes[row.size]),
                        is_maker=is_ask == row.is_maker_ask,
                        fee_ppm=_rate(row.maker_fee if is_ask == row.is_maker_ask else row.taker_fee),
                        venue_us=epoch_us(row.transaction_time or row.timestamp),
                        recv_ns=recv_ns,
                    )
                    for is_ask, owner in ((True, row.ask_account_id), (False, row.bid_account_id))
                    if owner == self._account_index
                ]
        return reports

    def positions(self, rows: Iterable[objects.PositionFacts], recv_ns: int) -> list[PositionReport]:
        """Return the positions listed; a market that is not listed has not changed (A-12)."""
        reports = []
        for row in rows:
            scale = self._scale(row.market_id)
            if scale is not None:
                reports.append(PositionReport(scale.index, _signed_lots(row, scale.market), recv_ns))
        return reports

    def fundings(self, rows: Iterable[objects.PositionFunding], recv_ns: int) -> list[FundingReport]:
        """Return funding payments: `change` is what was added to the collateral (3.6)."""
        return [
            FundingReport(row.market_id, _integer(row.funding_id), _pico(row.change), recv_ns)
            for row in rows
            if self._scale(row.market_id) is not None
        ]

    def collateral(self, frame: AccountFrame, recv_ns: int) -> list[CollateralReport]:
        """Return the collateral if the frame says it (3.6)."""
        rows = frame.assets.values() if isinstance(frame.assets, Mapping) else ()
        return [
            CollateralReport(_pico(row.margin_balance), recv_ns)
            for row in rows
            if row.asset_id == USDC_ASSET and row.margin_balance
        ]

    def account(
        self, facts: objects.AccountFacts, orders: Sequence[objects.OrderFacts], *, asked_ns: int, recv_ns: int
    ) -> AccountSnapshot:
        """Return what REST says of the account (2.7.5)."""
        positions = []
        for row in facts.positions or ():
            scale = self._scale(row.market_id)
            size_lots = _signed_lots(row, scale.market) if scale is not None else 0
            if scale is not None and size_lots:
                positions.append((scale.index, size_lots, _entry_quote_micro(row, scale.market)))
        reports = self.orders(orders, recv_ns)
        return AccountSnapshot(collateral_pico(facts), positions, reports, asked_ns, recv_ns)


def _scale_of(market: Market) -> _Scale:
    lots_per_unit = float(market.lots_per_unit)  # exact: a power of ten below 2^53
    return _Scale(
        index=market.index,
        market=market,
        prices=TextToUnits(market.price_decimals, PRICE_MAX),
        sizes=TextToUnits(market.size_decimals, SIZE_MAX),
        heard_prices=NumberToUnits(market.price_decimals, PRICE_MAX),
        lots_per_unit=lots_per_unit,
        size_max=SIZE_MAX / lots_per_unit,
    )


def _levels(heard: list[HeardLevel], scale: _Scale) -> list[Level]:
    """Return one side of a book; what `NumberToUnits` says of exactness holds for sizes, too.

    Sizes hardly ever repeat, so they have no memory. Raises UnitError.
    """
    prices, lots_per_unit, size_max = scale.heard_prices, scale.lots_per_unit, scale.size_max
    levels: list[Level] = []
    for level in heard:
        size = level.size
        if not 0 <= size <= size_max:
            raise UnitError(f"size {size!r} of market {scale.index} is less or more than can exist")
        lots = floor(size * lots_per_unit + 0.5)
        if lots / lots_per_unit != size:
            raise UnitError(f"size {size!r} of market {scale.index} is no whole number of lots")
        levels.append((prices[level.price], lots))
    return levels


def market_of(facts: objects.MarketFacts) -> Market:
    """Return the venue's description of a perpetual (2.7.1); raises UnitError for numbers that mean nothing."""
    if facts.quote_multiplier < 1:
        raise UnitError(f"a quote multiplier of {facts.quote_multiplier}")
    return Market(
        index=facts.market_id,
        symbol=facts.symbol,
        price_decimals=facts.price_decimals,
        size_decimals=facts.size_decimals,
        min_base_lots=parse_fixed(facts.min_base_amount, facts.size_decimals),
        min_quote_micro=parse_fixed(facts.min_quote_amount, MICRO_DECIMALS),
        order_quote_limit_micro=parse_fixed(facts.order_quote_limit, MICRO_DECIMALS),
        quote_multiplier=facts.quote_multiplier,
        default_initial_margin_fraction=facts.default_initial_margin_fraction,
        min_initial_margin_fraction=facts.min_initial_margin_fraction,
        maintenance_margin_fraction=facts.maintenance_margin_fraction,
        closeout_margin_fraction=facts.closeout_margin_fraction,
        taker_fee_ppm=parse_signed(facts.taker_fee, PERCENT_TO_PPM_DECIMALS),
        maker_fee_ppm=parse_signed(facts.maker_fee, PERCENT_TO_PPM_DECIMALS),
        liquidation_fee_ppm=parse_fixed(facts.liquidation_fee, PERCENT_TO_PPM_DECIMALS),
        active=facts.status == "active",
    )


def collateral_pico(facts: objects.AccountFacts) -> int:
    """Return the collateral: from USDC's `margin_balance`, which has twelve decimals, where it agrees with the rest."""
    shown_pico = _pico(facts.collateral)
    for row in facts.assets or ():
        if row.asset_id == USDC_ASSET and row.margin_balance:
            exact_pico = _pico(row.margin_balance)
            if abs(exact_pico - shown_pico) < PICO_PER_MICRO:
                return exact_pico
    return shown_pico


def by_market(rows: Mapping[int, Sequence[T]] | Sequence[T] | None) -> list[T]:
    """Return the rows of a map market -> rows, or of a plain list as older frames had it (3.6)."""
    if rows is None:
        return []
    return [row for group in rows.values() for row in group] if isinstance(rows, Mapping) else list(rows)


def verdict(facts: objects.TransactionFacts) -> str | None:
    """Return why the sequencer found no effect ("" where it took effect), None while it has not run (2.7.7)."""
    if facts.status == PENDING:
        return None
    event = objects.decode(facts.event_info, objects.EventInfo) if facts.event_info else objects.EventInfo()
    return event.ae or ("failed" if facts.status == FAILED else "")


class Envelope(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a transaction needs besides its command: who signs it, and until when it holds (4.3, 4.4)."""

    account_index: int
    api_key_index: int
    expired_at_ms: int
    order_expiry_ms: int
    attributes: Attributes | None = None


def transaction(command: Command, nonce: int, envelope: Envelope) -> Transaction:
    """Return the unsigned transaction of a command; creates are post-only limit orders, always."""
    account, key, expired_at = envelope.account_index, envelope.api_key_index, envelope.expired_at_ms
    match command:
        case PlaceOrder():
            return CreateOrderTx(
                account_index=account,
                api_key_index=key,
                market_index=command.market,
                client_order_index=command.client_order_index,
                base_amount=command.size_lots,
                price=command.price_ticks,
                is_ask=int(command.is_ask),
                order_type=OrderType.LIMIT,
                time_in_force=TimeInForce.POST_ONLY,
                reduce_only=0,
                trigger_price=0,
                order_expiry=envelope.order_expiry_ms,
                expired_at=expired_at,
                nonce=nonce,
                l2_tx_attributes=envelope.attributes,
            )
        case ModifyOrder():
            return ModifyOrderTx(
                account_index=account,
                api_key_index=key,
                market_index=command.market,
                index=command.client_order_index,
                base_amount=command.size_lots,
                price=command.price_ticks,
                trigger_price=0,
                expired_at=expired_at,
                nonce=nonce,
                l2_tx_attributes=envelope.attributes,
            )
        case CancelOrder():
            return CancelOrderTx(
                account_index=account,
                api_key_index=key,
                market_index=command.market,
                index=command.client_order_index,
                expired_at=expired_at,
                nonce=nonce,
            )
        case CancelAll():
            return CancelAllOrdersTx(
                account_index=account,
                api_key_index=key,
                time_in_force=CancelAllMode.IMMEDIATE,
                time=0,
                expired_at=expired_at,
                nonce=nonce,
            )
        case _:
            assert_never(command)


def epoch_us(value: int) -> int:
    """Return a time of the venue in microseconds: seconds, ms and µs are told apart by magnitude (0.2)."""
    if _integer(value) < SECONDS_BELOW:
        return value * 1_000_000
    return value * 1000 if value < MILLISECONDS_BELOW else value


def _integer(value: int) -> int:
    if not 0 <= value <= INTEGER_MAX:
        raise RemoteProtocolError(f"integer out of range: {str(value)[:40]}")
    return value


def _positive(value: int) -> int:
    if value <= 0:
        raise RemoteProtocolError("a trade at price or size zero")
    return value


def _rate(ppm: int) -> int:
    if abs(ppm) > 1_000_000:
        raise RemoteProtocolError(f"fee rate of {str(ppm)[:40]} ppm")
    return ppm


def _pico(text: str) -> int:
    value = parse_signed(text, PICO_DECIMALS)
    _integer(abs(value))
    return value


def _nearest(text: str, decimals: int) -> int:
    """Return an estimate in units of 10^-decimals, to the nearest one."""
    unit = 10 ** (PICO_DECIMALS - decimals)
    value = divide_floor(2 * parse_signed(text, PICO_DECIMALS) + unit, 2 * unit)
    _integer(abs(value))
    return value


def _signed_lots(row: objects.PositionFacts, market: Market) -> int:
    size_lots = _integer(parse_fixed(row.position or "0", market.size_decimals))
    return -size_lots if row.sign < 0 else size_lots


def _entry_quote_micro(row: objects.PositionFacts, market: Market) -> int:
    """Return what the position cost.

    The average price is told to the tick only; value and unrealised PnL are exact, and their difference is the
    cost (the sample of 3.6: 0.192175 + 0.000209 = 0.192384). It counts where it agrees with the price.
    """
    size_lots = abs(_signed_lots(row, market))
    by_price_micro = _priced_micro(row, size_lots, market)
    if not row.position_value or not row.unrealized_pnl:
        return by_price_micro
    value_micro = abs(parse_signed(row.position_value, MICRO_DECIMALS))
    gain_micro = parse_signed(row.unrealized_pnl, MICRO_DECIMALS)
    exact_micro = value_micro + gain_micro if row.sign < 0 else value_micro - gain_micro
    agrees = abs(exact_micro - by_price_micro) <= market.notional_micro(1, size_lots)
    return exact_micro if agrees else by_price_micro


def _priced_micro(row: objects.PositionFacts, size_lots: int, market: Market) -> int:
    """Return average entry x size, to the nearest micro-USDC."""
    cost_pico = parse_fixed(row.avg_entry_price or "0", PICO_DECIMALS) * size_lots * market.quote_multiplier
    unit = market.lots_per_unit * PICO_PER_MICRO
    return _integer(divide_floor(2 * cost_pico + unit, 2 * unit))
