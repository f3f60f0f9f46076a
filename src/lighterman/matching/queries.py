"""The views of `views.py`, made from the state at the moment of asking."""

from lighterman.matching.accounts import Account, Key
from lighterman.matching.funding import estimated_rate_ppm
from lighterman.matching.margin import Risk, available_pico, initial_fraction, liquidation_price_ticks, risk_of
from lighterman.matching.prices import ONE_PER_PPM
from lighterman.matching.rules import MS
from lighterman.matching.state import Pit, State
from lighterman.matching.views import AccountView, KeyView, MarketStats, PositionView


def account_view(state: State, account: Account) -> AccountView:
    """Return an account with its positions by market."""
    risk = risk_of(state, account)
    markets = sorted(account.positions | account.fractions | {order.market: 0 for order in account.orders.values()})
    return AccountView(
        index=account.index,
        l1_address=account.l1_address,
        tier=account.tier.name,
        collateral_pico=account.collateral_pico,
        value_pico=risk.value_pico,
        initial_margin_pico=risk.initial_pico,
        maintenance_margin_pico=risk.maintenance_pico,
        closeout_margin_pico=risk.closeout_pico,
        available_pico=available_pico(risk, account.collateral_pico),
        health=risk.health(),
        cancel_all_ms=account.cancel_all_us // MS,
        open_order_count=len(account.orders),
        positions=[position_view(state, account, market, risk) for market in markets],
        fees_pico=account.fees_pico,
        funding_pico=sum(account.fundings_pico.values()),
        realised_micro=sum(account.realised_micro.values()),
        traded_micro=account.traded_micro,
        trade_count=account.trade_count,
        created_us=account.created_us,
        updated_us=account.updated_us,
    )


def position_view(state: State, account: Account, market: int, risk: Risk) -> PositionView:
    """Return an account's row in one market."""
    pit, position = state.pits[market], account.position(market)
    return PositionView(
        market=market,
        size_lots=position.size_lots,
        entry_quote_micro=position.entry_quote_micro,
        initial_margin_fraction=initial_fraction(state, account, market),
        open_order_count=account.open_order_count(market),
        value_micro=pit.market.notional_micro(pit.mark_ticks, abs(position.size_lots)),
        unrealised_micro=position.unrealised_micro(pit.mark_ticks, pit.market),
        realised_micro=account.realised_micro.get(market, 0),
        funding_pico=account.fundings_pico.get(market, 0),
        liquidation_price_ticks=liquidation_price_ticks(state, account, risk, market),
    )


def key_view(account: Account, index: int, key: Key) -> KeyView:
    """Return a key with the nonce it must use next."""
    return KeyView(
        account_index=account.index,
        api_key_index=index,
        public_key=key.public_key,
        next_nonce=key.next_nonce,
        maker_only=key.maker_only,
        updated_us=key.updated_us,
    )


def market_stats(state: State, pit: Pit) -> MarketStats:
    """Return a market's prices, funding and last day."""
    day = pit.tally.day(state.now_us)
    last = pit.funding_rounds[-1] if pit.funding_rounds else None
    return MarketStats(
        market=pit.market.index,
        index_ticks=pit.index_ticks,
        mark_ticks=pit.mark_ticks,
        last_trade_ticks=pit.last_trade_ticks,
        open_interest_lots=pit.open_interest_lots,
        current_funding_rate_ppm=estimated_rate_ppm(pit, state.rules),
        funding_rate_ppm=last.rate_ppm if last else 0,
        funding_at_us=last.at_us if last else 0,
        premium_ppm=pit.premium_pico // ONE_PER_PPM,
        day_trades=day.trades,
        day_base_lots=day.base_lots,
        day_quote_micro=day.quote_micro,
        day_low_ticks=day.low_ticks,
        day_high_ticks=day.high_ticks,
        day_open_ticks=day.open_ticks,
    )
