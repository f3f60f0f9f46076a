"""Who owns what: the two legs of a trade worked out beforehand, then committed together.

Money is only moved here and in `funding`. Positions follow `domain.position` (protocol
reference 8.4), fees are quote x ppm in pico-USDC without rounding (8.3) and go to the treasury,
a liquidation's to the insurance fund. What one side's collateral minus cost gains the other's
loses, so that `total_value_pico` changes by deposits alone.
"""

import msgspec

from lighterman.domain.market import Market
from lighterman.domain.position import Position, apply_fill
from lighterman.domain.units import PICO_PER_MICRO
from lighterman.matching.accounts import Account
from lighterman.matching.orders import Order
from lighterman.matching.outputs import CollateralChanged, PositionChanged, TradeDone, TradeType
from lighterman.matching.state import Pit, State

HASH_DIGITS = 80
AMOUNT_END = 1 << 56  # positions and their cost stay below (protocol reference 8.4)


class Leg:
    """One side of a trade as it would be: nothing is changed until `settle`."""

    __slots__ = ("account", "after", "before", "collateral_pico", "fee_pico", "fee_ppm", "order", "realised_micro")

    def __init__(
        self,
        account: Account,
        order: Order | None,
        market: Market,
        *,
        delta_lots: int,
        price_ticks: int,
        fee_ppm: int,
    ) -> None:
        self.account = account
        self.order = order
        self.before: Position = account.position(market.index)
        self.after, self.realised_micro = apply_fill(
            self.before, delta_lots=delta_lots, price_ticks=price_ticks, market=market
        )
        self.fee_ppm = fee_ppm
        self.fee_pico = market.notional_micro(price_ticks, abs(delta_lots)) * fee_ppm
        self.collateral_pico = account.collateral_pico + self.realised_micro * PICO_PER_MICRO - self.fee_pico

    def growth_lots(self) -> int:
        """Return by how much the absolute position grows."""
        return abs(self.after.size_lots) - abs(self.before.size_lots)

    def is_within_bounds(self) -> bool:
        """Tell whether the position and its cost fit the venue's integers."""
        return abs(self.after.size_lots) < AMOUNT_END and self.after.entry_quote_micro < AMOUNT_END


class Terms(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What both sides of a trade have in common; `tx_hash` is empty when nobody signed for it."""

    price_ticks: int
    size_lots: int
    is_maker_ask: bool
    trade_type: TradeType
    tx_hash: str
    now_us: int


def settle(state: State, pit: Pit, terms: Terms, *, taker: Leg, maker: Leg) -> None:
    """Make a trade true: positions, collateral, fees, open interest, history, outputs."""
    rules = state.rules
    trade = _trade(state, pit, terms, taker=taker, maker=maker)
    pit.open_interest_lots += taker.growth_lots() + maker.growth_lots()
    pit.last_trade_ticks = trade.price_ticks
    pit.tally.add(trade.price_ticks, trade.size_lots, trade.quote_micro, trade.at_us)
    pit.trades.append(trade)
    state.emit(trade)
    _commit(state, maker, trade)
    _commit(state, taker, trade)
    is_liquidation = terms.trade_type is TradeType.LIQUIDATION
    taker_fee_to = rules.insurance_account if is_liquidation else rules.treasury_account
    state.accounts[taker_fee_to].collateral_pico += taker.fee_pico
    state.accounts[rules.treasury_account].collateral_pico += maker.fee_pico


def _commit(state: State, leg: Leg, trade: TradeDone) -> None:
    account, market = leg.account, trade.market
    account.positions[market] = leg.after
    account.collateral_pico = leg.collateral_pico
    if account.free_of_limits:
        return
    account.realised_micro[market] = account.realised_micro.get(market, 0) + leg.realised_micro
    account.fees_pico += leg.fee_pico
    account.traded_micro += trade.quote_micro
    account.trade_count += 1
    account.trades.append(trade)
    account.updated_us = trade.at_us
    state.emit(PositionChanged(account_index=account.index, market=market))
    state.emit(CollateralChanged(account_index=account.index))


def _trade(state: State, pit: Pit, terms: Terms, *, taker: Leg, maker: Leg) -> TradeDone:
    state.trade_count += 1
    market, block_us, now_us = pit.market, state.rules.block_us, terms.now_us
    ask, bid = (maker, taker) if terms.is_maker_ask else (taker, maker)
    ask_order, bid_order = ask.order, bid.order
    default_fraction = market.default_initial_margin_fraction
    return TradeDone(
        trade_id=state.trade_count,
        trade_type=terms.trade_type,
        market=market.index,
        price_ticks=terms.price_ticks,
        size_lots=terms.size_lots,
        quote_micro=market.notional_micro(terms.price_ticks, terms.size_lots),
        is_maker_ask=terms.is_maker_ask,
        ask_account_index=ask.account.index,
        bid_account_index=bid.account.index,
        ask_order_index=ask_order.order_index if ask_order else 0,
        bid_order_index=bid_order.order_index if bid_order else 0,
        ask_client_order_index=ask_order.client_order_index if ask_order else 0,
        bid_client_order_index=bid_order.client_order_index if bid_order else 0,
        ask_order_version=ask_order.version if ask_order else 0,
        bid_order_version=bid_order.version if bid_order else 0,
        ask_realised_micro=ask.realised_micro,
        bid_realised_micro=bid.realised_micro,
        taker_fee_ppm=taker.fee_ppm,
        maker_fee_ppm=maker.fee_ppm,
        taker_size_before_lots=taker.before.size_lots,
        maker_size_before_lots=maker.before.size_lots,
        taker_entry_quote_before_micro=taker.before.entry_quote_micro,
        maker_entry_quote_before_micro=maker.before.entry_quote_micro,
        taker_margin_fraction_before=taker.account.fractions.get(market.index, default_fraction),
        maker_margin_fraction_before=maker.account.fractions.get(market.index, default_fraction),
        taker_sign_changed=taker.before.size_lots * taker.after.size_lots < 0,
        maker_sign_changed=maker.before.size_lots * maker.after.size_lots < 0,
        tx_hash=terms.tx_hash or _internal_hash(state.trade_count, now_us),
        block_height=now_us // block_us,
        block_ms=now_us // block_us * block_us // 1_000,
        at_us=now_us,
    )


def _internal_hash(trade_id: int, now_us: int) -> str:
    """Return a synthetic, zero-padded hash for a trade that no signed transaction caused (2.7.3)."""
    return f"{trade_id:016x}{now_us:016x}".ljust(HASH_DIGITS, "0")


def deposit(state: State, account: Account, amount_micro: int) -> None:
    """Let money enter (or, negative, leave) the exchange."""
    amount_pico = amount_micro * PICO_PER_MICRO
    account.collateral_pico += amount_pico
    state.deposited_pico += amount_pico
    account.updated_us = state.now_us
    if not account.free_of_limits:
        state.emit(CollateralChanged(account_index=account.index))


def total_value_pico(state: State) -> int:
    """Return all collateral minus all signed costs: equal to all deposits, always."""
    return sum(
        account.collateral_pico
        - PICO_PER_MICRO * sum(position.signed_entry_micro() for position in account.positions.values())
        for account in state.accounts.values()
    )
