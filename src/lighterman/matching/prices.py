"""Index and mark: protocol reference 8.1, in the form it gives for a simulator.

mark = index + clamp(EMA(mid - index), +-0.5 %). The average is kept as a fraction of the index in
1e-12 and moves towards each new sample by elapsed / tau, at most wholly: integers throughout.
"""

from lighterman.matching.outputs import StatsChanged
from lighterman.matching.rules import PPM, Rules
from lighterman.matching.state import Pit, State

ONE = 10**12
ONE_PER_PPM = ONE // PPM


def set_index(state: State, pit: Pit, index_ticks: int, now_us: int) -> None:
    """Take a new index price and let mark follow; 0 means that the oracle stopped, mark stays."""
    pit.index_ticks = index_ticks
    if index_ticks > 0:
        _sample_premium(pit, state.rules, now_us)
        cap = state.rules.mark_premium_cap_ppm * ONE_PER_PPM
        premium = max(-cap, min(cap, pit.premium_pico))
        pit.mark_ticks = max(1, (index_ticks * (ONE + premium) + ONE // 2) // ONE)
    state.emit(StatsChanged(market=pit.market.index))


def _sample_premium(pit: Pit, rules: Rules, now_us: int) -> None:
    """Move the average premium towards that of the book's middle; a one-sided book counts as none."""
    bid, ask = pit.book.aggregate.best_bid(), pit.book.aggregate.best_ask()
    twice_index = 2 * pit.index_ticks
    premium = (bid[0] + ask[0] - twice_index) * ONE // twice_index if bid and ask else 0
    elapsed_us = min(now_us - pit.premium_at_us, rules.mark_premium_tau_us)
    pit.premium_pico += (premium - pit.premium_pico) * elapsed_us // rules.mark_premium_tau_us
    pit.premium_at_us = now_us
