"""When an account cannot carry its positions any more: protocol reference 8.6, simplified.

Below maintenance margin all its orders are canceled and each position is offered to the book as an
IOC at its zero price until the account is above again. Below closeout margin the insurance fund
takes over what is left, at the zero price, which leaves the account with nothing but rounding. When
the fund cannot pay for that, the most profitable holders of the other side are closed against it
instead (auto-deleveraging). The fund keeps what it took over. No step makes or loses money.
"""

from lighterman.domain.units import divide_ceil, divide_floor
from lighterman.matching.accounts import Account
from lighterman.matching.execution import PRICE_END, pull_all
from lighterman.matching.ledger import Leg, Terms, settle
from lighterman.matching.margin import Risk, risk_after, risk_of
from lighterman.matching.matcher import match
from lighterman.matching.orders import Order
from lighterman.matching.outputs import OrderStatus, TradeType
from lighterman.matching.requests import NewOrder, OrderKind, TimeInForce
from lighterman.matching.rules import FRACTION_ONE
from lighterman.matching.state import Pit, State
from lighterman.matching.views import Health


def check_accounts(state: State, now_us: int) -> None:
    """Liquidate every account that is below its maintenance margin; after marks or collateral moved."""
    for account in state.watched:
        if account.positions and risk_of(state, account).health() >= Health.PARTIAL_LIQUIDATION:
            _liquidate(state, account, now_us)


def zero_price_ticks(pit: Pit, size_lots: int, risk: Risk) -> int:
    """Return the price at which closing leaves value / maintenance as it is.

    mark x (1 - sign x mmf x AV / MMR), up for longs, down for shorts, within 1 ... 2^32 - 1.
    """
    share = pit.market.maintenance_margin_fraction * risk.value_pico
    whole = FRACTION_ONE * risk.maintenance_pico
    if size_lots > 0:
        price = divide_ceil(pit.mark_ticks * (whole - share), whole)
    else:
        price = divide_floor(pit.mark_ticks * (whole + share), whole)
    return max(1, min(price, PRICE_END - 1))


def _liquidate(state: State, account: Account, now_us: int) -> None:
    pull_all(state, account, None, OrderStatus.CANCELED_LIQUIDATION, now_us)
    held = sorted(market for market, position in account.positions.items() if position.size_lots)
    for market in held:
        _offer(state, state.pits[market], account, now_us)
        if risk_of(state, account).health() < Health.PARTIAL_LIQUIDATION:
            return
    for market in held:
        if account.position(market).size_lots and risk_of(state, account).health() >= Health.FULL_LIQUIDATION:
            _take_over(state, state.pits[market], account, now_us)


def _offer(state: State, pit: Pit, account: Account, now_us: int) -> None:
    """Send the whole position to the book as an IOC at its zero price, if anybody is there."""
    size_lots = account.position(pit.market.index).size_lots
    is_ask = size_lots > 0
    price = zero_price_ticks(pit, size_lots, risk_of(state, account))
    request = NewOrder(
        account_index=account.index,
        market=pit.market.index,
        size_lots=abs(size_lots),
        price_ticks=price,
        is_ask=is_ask,
        kind=OrderKind.LIQUIDATION,
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
    )
    best = pit.book.best(is_ask=not is_ask)
    if best is None or (best.price_ticks < price if is_ask else best.price_ticks > price):
        return
    nonce = pit.book.take_nonce(is_ask=is_ask)
    match(state, pit, Order(request, pit.book.order_index(nonce), nonce, now_us), now_us)


def _take_over(state: State, pit: Pit, account: Account, now_us: int) -> None:
    """Hand the position to the insurance fund, or to the winners of the other side."""
    size_lots = account.position(pit.market.index).size_lots
    price = zero_price_ticks(pit, size_lots, risk_of(state, account))
    fund = state.accounts[state.rules.insurance_account]
    leg = Leg(fund, None, pit.market, delta_lots=size_lots, price_ticks=price, fee_ppm=0)
    if risk_after(state, leg, pit.market.index).value_pico >= 0:
        _transfer(state, pit, account, fund, size_lots, price, TradeType.LIQUIDATION, now_us)
        return
    for winner in _winners(state, pit, size_lots):
        closed = min(abs(size_lots), abs(winner.position(pit.market.index).size_lots))
        delta_lots = closed if size_lots > 0 else -closed
        _transfer(state, pit, account, winner, delta_lots, price, TradeType.DELEVERAGE, now_us)
        size_lots -= delta_lots
        if not size_lots:
            return


def _winners(state: State, pit: Pit, size_lots: int) -> list[Account]:
    """Return the accounts on the other side, most profitable per unit of cost first."""
    market = pit.market

    def rank(account: Account) -> tuple[int, int]:
        position = account.position(market.index)
        profit = position.unrealised_micro(pit.mark_ticks, market)
        return -(profit * FRACTION_ONE // max(1, position.entry_quote_micro)), account.index

    accounts = state.accounts.values()
    return sorted((held for held in accounts if held.position(market.index).size_lots * size_lots < 0), key=rank)


def _transfer(
    state: State,
    pit: Pit,
    loser: Account,
    winner: Account,
    delta_lots: int,
    price_ticks: int,
    trade_type: TradeType,
    now_us: int,
) -> None:
    """Move `delta_lots` (signed) of a position from one account to another at a price, without fee."""
    terms = Terms(
        price_ticks=price_ticks,
        size_lots=abs(delta_lots),
        is_maker_ask=delta_lots < 0,
        trade_type=trade_type,
        tx_hash="",
        now_us=now_us,
    )
    settle(
        state,
        pit,
        terms,
        taker=Leg(loser, None, pit.market, delta_lots=-delta_lots, price_ticks=price_ticks, fee_ppm=0),
        maker=Leg(winner, None, pit.market, delta_lots=delta_lots, price_ticks=price_ticks, fee_ppm=0),
    )
