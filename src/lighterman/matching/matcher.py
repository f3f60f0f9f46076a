"""The matching loop of protocol reference 9.2: one taker against the other side of the book.

Step numbers in this file are those of the reference. Expired makers are never met: the agenda
ends them before anything else happens at their time.
"""

from lighterman.matching.accounts import Account
from lighterman.matching.ledger import Leg, Terms, settle
from lighterman.matching.lifecycle import end, pull, report, rest
from lighterman.matching.margin import is_valid_change, risk_after, risk_of
from lighterman.matching.orders import Order
from lighterman.matching.outputs import OrderStatus, TradeType
from lighterman.matching.requests import OrderKind, SelfTrade, TimeInForce
from lighterman.matching.rules import PPM
from lighterman.matching.state import Pit, State
from lighterman.matching.views import Health


def match(state: State, pit: Pit, taker: Order, now_us: int) -> None:
    """Trade an order that is not in the book until it ends or rests there."""
    owner = state.accounts[taker.account_index]
    other_side = not taker.is_ask
    while taker.status is OrderStatus.IN_PROGRESS:
        if taker.reduce_only and not owner.can_reduce(taker.market, is_ask=taker.is_ask):
            end(state, taker, OrderStatus.CANCELED_REDUCE_ONLY, now_us)  # step 1
            return
        maker = pit.book.best(is_ask=other_side)
        if maker is None or not (taker.kind is OrderKind.MARKET or taker.crosses(maker.price_ticks)):  # step 2
            if taker.time_in_force is TimeInForce.IOC:
                end(state, taker, OrderStatus.CANCELED_NOT_ENOUGH_LIQUIDITY, now_us)
            else:
                rest(state, pit, taker, now_us)
            return
        if not _obstructed(state, pit, taker, owner, maker, now_us):
            _trade(state, pit, taker, owner, maker, now_us)


def _obstructed(state: State, pit: Pit, taker: Order, owner: Account, maker: Order, now_us: int) -> bool:
    """Do steps 3 to 6: tell whether something was canceled or reduced instead of a trade."""
    counterparty = state.accounts[maker.account_index]
    is_post_only = taker.time_in_force is TimeInForce.POST_ONLY
    if owner is counterparty or (taker.same_master and owner.master == counterparty.master):  # step 3
        if is_post_only:
            end(state, taker, OrderStatus.CANCELED_POST_ONLY, now_us)
        else:
            _self_trade(state, pit, taker, maker, now_us)
    elif counterparty.is_switch_due(now_us):  # step 4
        pull(state, pit, maker, OrderStatus.CANCELED, now_us)
    elif is_post_only:  # step 5
        end(state, taker, OrderStatus.CANCELED_POST_ONLY, now_us)
    elif maker.reduce_only and not counterparty.can_reduce(maker.market, is_ask=maker.is_ask):  # step 6
        pull(state, pit, maker, OrderStatus.CANCELED_REDUCE_ONLY, now_us)
    else:
        return False
    return True


def _self_trade(state: State, pit: Pit, taker: Order, maker: Order, now_us: int) -> None:
    """Apply the taker's mode (protocol reference 9.4); nothing is ever traded."""
    mode = taker.self_trade
    if mode is SelfTrade.REDUCE_BOTH:
        overlap = min(taker.remaining_lots, maker.remaining_lots)
        taker.remaining_lots -= overlap
        pit.book.shrink(maker, overlap, now_us)
        if maker.remaining_lots:
            report(state, maker, now_us)
    if mode in (SelfTrade.EXPIRE_MAKER, SelfTrade.CANCEL_BOTH) or not maker.remaining_lots:
        pull(state, pit, maker, OrderStatus.CANCELED_SELF_TRADE, now_us)
    if mode in (SelfTrade.EXPIRE_TAKER, SelfTrade.CANCEL_BOTH) or not taker.remaining_lots:
        end(state, taker, OrderStatus.CANCELED_SELF_TRADE, now_us)


def _trade(state: State, pit: Pit, taker: Order, owner: Account, maker: Order, now_us: int) -> None:
    """Do steps 7 to 10 against one maker."""
    counterparty = state.accounts[maker.account_index]
    wanted = min(taker.remaining_lots, maker.remaining_lots)  # step 7
    if maker.reduce_only:
        wanted = min(wanted, abs(counterparty.position(maker.market).size_lots))
    if taker.reduce_only:
        wanted = min(wanted, abs(owner.position(taker.market).size_lots))
    size = _within_slippage(taker, maker.price_ticks, wanted)  # step 8
    if not size:
        end(state, taker, OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE, now_us)
        return
    taker_leg = _leg(pit, owner, taker, size, maker.price_ticks, is_maker=False)  # step 9
    maker_leg = _leg(pit, counterparty, maker, size, maker.price_ticks, is_maker=True)
    taker_fault = _taker_fault(state, pit, taker_leg, maker_leg)
    maker_fault = _side_fault(state, pit, maker_leg)
    if taker_fault:
        end(state, taker, taker_fault, now_us)
    if maker_fault:
        pull(state, pit, maker, maker_fault, now_us)
    if taker_fault or maker_fault:
        return
    terms = Terms(
        price_ticks=maker.price_ticks,
        size_lots=size,
        is_maker_ask=maker.is_ask,
        trade_type=TradeType.LIQUIDATION if taker.kind is OrderKind.LIQUIDATION else TradeType.TRADE,
        tx_hash=taker.tx_hash,
        now_us=now_us,
    )
    settle(state, pit, terms, taker=taker_leg, maker=maker_leg)  # step 10
    _fill_maker(state, pit, maker, counterparty, terms)
    _fill_taker(state, pit, taker, owner, terms, is_clipped=size < wanted)


def _within_slippage(taker: Order, price_ticks: int, wanted_lots: int) -> int:
    """Return how much a market order may take at a price (protocol reference 9.3); others all."""
    if taker.kind is not OrderKind.MARKET:
        return wanted_lots
    gap = taker.price_ticks - price_ticks if taker.is_ask else price_ticks - taker.price_ticks
    return min(wanted_lots, taker.slippage_credit // gap) if gap > 0 else wanted_lots


def _leg(pit: Pit, account: Account, order: Order, size_lots: int, price_ticks: int, *, is_maker: bool) -> Leg:
    if order.kind is OrderKind.LIQUIDATION:  # its price is the zero price (protocol reference 8.6)
        improvement_ppm = abs(price_ticks - order.price_ticks) * PPM // price_ticks
        fee_ppm = min(pit.market.liquidation_fee_ppm, improvement_ppm)
    else:
        fee_ppm = account.tier.maker_fee_ppm if is_maker else account.tier.taker_fee_ppm
    delta_lots = -size_lots if order.is_ask else size_lots
    return Leg(account, order, pit.market, delta_lots=delta_lots, price_ticks=price_ticks, fee_ppm=fee_ppm)


def _taker_fault(state: State, pit: Pit, taker: Leg, maker: Leg) -> OrderStatus | None:
    """Return why the taker may not make this trade: open interest, then what holds for both sides."""
    if not taker.account.free_of_limits:
        limit_micro = state.rules.open_interest_limit_micro
        growth = taker.growth_lots()
        now_micro = pit.market.notional_micro(pit.mark_ticks, pit.open_interest_lots)
        added_micro = pit.market.notional_micro(pit.mark_ticks, growth + maker.growth_lots())
        if (now_micro > limit_micro and growth >= 0) or (added_micro > 0 and now_micro + added_micro > limit_micro):
            return OrderStatus.CANCELED_POSITION_NOT_ALLOWED
    return _side_fault(state, pit, taker)


def _side_fault(state: State, pit: Pit, leg: Leg) -> OrderStatus | None:
    """Return why an account may not take its leg: integer bounds, then margin."""
    if not leg.is_within_bounds():
        return OrderStatus.CANCELED_POSITION_NOT_ALLOWED
    account = leg.account
    if account.free_of_limits or is_valid_change(risk_of(state, account), risk_after(state, leg, pit.market.index)):
        return None
    return OrderStatus.CANCELED_MARGIN_NOT_ALLOWED


def _fill_maker(state: State, pit: Pit, maker: Order, owner: Account, terms: Terms) -> None:
    """Book the fill of the resting order: it ends, or keeps its place with what remains."""
    maker.filled_lots += terms.size_lots
    maker.filled_quote_micro += pit.market.notional_micro(terms.price_ticks, terms.size_lots)
    pit.book.shrink(maker, terms.size_lots, terms.now_us)
    if not maker.remaining_lots:
        pull(state, pit, maker, OrderStatus.FILLED, terms.now_us)
    elif maker.reduce_only and not owner.can_reduce(maker.market, is_ask=maker.is_ask):
        pull(state, pit, maker, OrderStatus.CANCELED_REDUCE_ONLY, terms.now_us)
    else:
        report(state, maker, terms.now_us)


def _fill_taker(state: State, pit: Pit, taker: Order, owner: Account, terms: Terms, *, is_clipped: bool) -> None:
    """Book the fill of the incoming order and end it when there is a reason to."""
    taker.filled_lots += terms.size_lots
    taker.filled_quote_micro += pit.market.notional_micro(terms.price_ticks, terms.size_lots)
    taker.remaining_lots -= terms.size_lots
    gain_ticks = terms.price_ticks - taker.price_ticks if taker.is_ask else taker.price_ticks - terms.price_ticks
    taker.slippage_credit += gain_ticks * terms.size_lots
    if not taker.remaining_lots:
        end(state, taker, OrderStatus.FILLED, terms.now_us)
    elif taker.reduce_only and not owner.can_reduce(taker.market, is_ask=taker.is_ask):
        end(state, taker, OrderStatus.CANCELED_REDUCE_ONLY, terms.now_us)
    elif is_clipped:
        end(state, taker, OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE, terms.now_us)
    elif taker.kind is OrderKind.LIQUIDATION and risk_of(state, owner).health() < Health.PARTIAL_LIQUIDATION:
        end(state, taker, OrderStatus.CANCELED, terms.now_us)
