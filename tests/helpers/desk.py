"""Markets of three scales, and settings with easy numbers: what the tests of a decision start from."""

from lighterman.domain.market import Market
from lighterman.engine.params import EngineParams, MarketParams
from lighterman.risk.limits import AccountLimits, MarketLimits
from lighterman.strategy.params import QuoteParams

USD = 1_000_000  # micro-USDC
VALUE_MAX = 10**15  # micro-USDC of an order: more than any here is worth


def market(index: int, symbol: str, price_decimals: int, min_base_lots: int, **changes: object) -> Market:
    facts: dict[str, object] = {
        "index": index,
        "symbol": symbol,
        "price_decimals": price_decimals,
        "size_decimals": 6 - price_decimals,
        "min_base_lots": min_base_lots,
        "min_quote_micro": 10 * USD,
        "order_quote_limit_micro": 281_474_976_710_655,
    }
    return Market(**(facts | changes))  # type: ignore[arg-type]


# protocol reference 9.6
ETH = market(0, "ETH", 2, 50)
BTC = market(1, "BTC", 1, 20)
DOGE = market(3, "DOGE", 6, 10)


def quote_params(**changes: object) -> QuoteParams:
    facts: dict[str, object] = {
        "order_size": "0.1",
        "half_spread_min_bps": 10.0,
        "half_spread_max_bps": 100.0,
        "levels": 3,
        "size_multiplier": 1.5,
        "skew_factor": 0.3,
    }
    return QuoteParams(**(facts | changes))  # type: ignore[arg-type]


def limits(**changes: object) -> AccountLimits:
    facts: dict[str, object] = {
        "total_position_micro_max": 1_000_000 * USD,
        "order_value_micro_max": 50_000 * USD,
        "daily_loss_micro_max": 1_000 * USD,
        "messages_per_minute": 1_000_000,
        "price_collar_bps": 500.0,
    }
    return AccountLimits(**(facts | changes))  # type: ignore[arg-type]


def market_params(symbol: str = "ETH", position_max: str = "10", **quoting: object) -> MarketParams:
    return MarketParams(
        label=symbol, symbol=symbol, quote=quote_params(**quoting), limits=MarketLimits(position_max=position_max)
    )


def engine_params(*markets: MarketParams, account: AccountLimits | None = None, **changes: object) -> EngineParams:
    facts = {"markets": list(markets) or [market_params()], "limits": account or limits(), "account_index": 7}
    return EngineParams(**(facts | changes))  # type: ignore[arg-type]
