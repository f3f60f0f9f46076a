"""A position and what a fill does to it, in the venue's own integer arithmetic.

Formulas: protocol reference 8.4 (`apply_trade.rs`). `entry_quote_micro` is what the open
position cost in micro-USDC and is never negative; the sign is that of `size_lots`.
"""

import msgspec

from lighterman.domain.market import Market


class Position(msgspec.Struct, frozen=True, gc=False):
    """Signed size in lots and its cost in micro-USDC; flat is (0, 0)."""

    size_lots: int = 0
    entry_quote_micro: int = 0

    def signed_entry_micro(self) -> int:
        """Return the cost with the position's sign."""
        return self.entry_quote_micro if self.size_lots > 0 else -self.entry_quote_micro

    def unrealised_micro(self, mark_ticks: int, market: Market) -> int:
        """Return the PnL of closing at the mark, in micro-USDC."""
        return self.size_lots * mark_ticks * market.quote_multiplier - self.signed_entry_micro()


FLAT = Position()


def apply_fill(position: Position, *, delta_lots: int, price_ticks: int, market: Market) -> tuple[Position, int]:
    """Return the position after buying (+) or selling (-) and the realised PnL in micro-USDC.

    Four cases: opening or adding (cost grows), reducing (cost shrinks in proportion, rounded
    down), flipping (the rest costs the trade's price), closing (no cost is left).
    """
    old, new = position.size_lots, position.size_lots + delta_lots
    quote_micro = market.notional_micro(price_ticks, abs(delta_lots))
    if new == 0:
        entry = 0
    elif old == 0 or (old > 0) == (delta_lots > 0):
        entry = position.entry_quote_micro + quote_micro
    elif (old > 0) == (new > 0):
        entry = position.entry_quote_micro * abs(new) // abs(old)
    else:
        entry = quote_micro // abs(delta_lots) * abs(new)
    after = Position(new, entry)
    signed_quote = quote_micro if delta_lots > 0 else -quote_micro
    return after, after.signed_entry_micro() - (position.signed_entry_micro() + signed_quote)
