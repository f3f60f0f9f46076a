"""Two perpetuals as the venue describes them (protocol reference 9.6)."""

from lighterman.domain.market import Market


def perpetual(index, symbol, price_decimals, size_decimals, min_base_lots, **changes):
    return Market(
        index=index,
        symbol=symbol,
        price_decimals=price_decimals,
        size_decimals=size_decimals,
        min_base_lots=min_base_lots,
        min_quote_micro=10_000_000,
        order_quote_limit_micro=281_474_976_710_655,
        **changes,
    )


ETH = perpetual(0, "ETH", 2, 4, 50)
BTC = perpetual(1, "BTC", 1, 5, 20)
