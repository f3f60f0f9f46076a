"""Hourly funding: protocol reference 8.2. Everything truncates toward zero.

Payments are settled on the hour for every account at once: the venue settles lazily but counts
what is unsettled in the account's value, which comes to the same. Positions of a market add up
to zero, and so do the payments, to the last pico-USDC.
"""

from collections.abc import Sequence

from lighterman.domain.book import Level
from lighterman.domain.units import divide_ceil
from lighterman.matching.outputs import CollateralChanged, FundingPaid, StatsChanged
from lighterman.matching.rules import FRACTION_ONE, HOUR, MINUTE, PPM, Rules
from lighterman.matching.state import Pit, State
from lighterman.matching.views import FundingRound

SAMPLES_PER_HOUR = 60
PERIOD_HOURS = 8
MARKETS_MAX = 4_096


def divide_toward_zero(numerator: int, denominator: int) -> int:
    """Divide like the circuit does."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def sample_moment_us(minute: int) -> int:
    """Return the moment in a minute at which the premium is sampled.

    The venue draws it at random; here it is a fixed hash of the minute, so that runs repeat.
    """
    return minute * MINUTE + minute * 2_654_435_761 % 2**32 * MINUTE // 2**32


def impact_price(levels: Sequence[Level], quote_micro: int, *, is_ask: bool, quote_multiplier: int = 1) -> int:
    """Return the average price of trading `quote_micro` against levels, best first; 0 when too thin.

    The last level gives ceil(rest / price); bids round down, asks up.
    """
    rest, base, paid = quote_micro, 0, 0
    for price, size in levels:
        lot_micro = price * quote_multiplier
        lots = min(size, divide_ceil(rest, lot_micro))
        base += lots
        paid += lots * price
        rest -= lots * lot_micro
        if rest <= 0:
            return divide_ceil(paid, base) if is_ask else paid // base
    return 0


def premium_ppm(pit: Pit, rules: Rules) -> int:
    """Return the premium of the impact prices over the index; a missing side counts as the index."""
    book, index = pit.book.aggregate, pit.index_ticks
    quote_micro = rules.impact_margin_micro * FRACTION_ONE // pit.market.min_initial_margin_fraction
    multiplier = pit.market.quote_multiplier
    bids, asks = book.top_bids(len(book.bids)), book.top_asks(len(book.asks))
    impact_bid = impact_price(bids, quote_micro, is_ask=False, quote_multiplier=multiplier) or index
    impact_ask = impact_price(asks, quote_micro, is_ask=True, quote_multiplier=multiplier) or index
    return divide_toward_zero((max(0, impact_bid - index) - max(0, index - impact_ask)) * PPM, index)


def hourly_rate_ppm(average_ppm: int, rules: Rules) -> int:
    """Return the rate of one hour for an average premium."""
    small, big = rules.funding_clamp_small_ppm, rules.funding_clamp_big_ppm
    rate = average_ppm + max(-small, min(small, rules.funding_interest_ppm - average_ppm))
    return divide_toward_zero(max(-big, min(big, rate)), PERIOD_HOURS)


def estimated_rate_ppm(pit: Pit, rules: Rules) -> int:
    """Return what the coming payment would be if the premium stayed as it was on average."""
    average = divide_toward_zero(pit.premium_sum_ppm, pit.premium_samples) if pit.premium_samples else 0
    return hourly_rate_ppm(average, rules)


def sample_premiums(state: State) -> None:
    """Take the sample of this minute in every active market."""
    for pit in state.pits.values():
        if pit.market.active and pit.index_ticks > 0:
            pit.premium_sum_ppm += premium_ppm(pit, state.rules)
            pit.premium_samples += 1
            state.emit(StatsChanged(market=pit.market.index))


def pay_funding(state: State, now_us: int) -> None:
    """End the hour in every active market: pay, and begin a new sum."""
    for pit in state.pits.values():
        average = divide_toward_zero(pit.premium_sum_ppm, SAMPLES_PER_HOUR)
        pit.premium_sum_ppm = pit.premium_samples = 0
        if not pit.market.active or pit.index_ticks <= 0:
            continue
        funding_round = FundingRound(
            market=pit.market.index,
            funding_id=now_us // HOUR * MARKETS_MAX + pit.market.index,
            rate_ppm=hourly_rate_ppm(average, state.rules),
            index_ticks=pit.index_ticks,
            at_us=now_us,
        )
        pit.funding_rounds.append(funding_round)
        state.emit(StatsChanged(market=pit.market.index))
        _pay_round(state, pit, funding_round)


def _pay_round(state: State, pit: Pit, funding_round: FundingRound) -> None:
    market = pit.market.index
    per_lot_pico = funding_round.rate_ppm * funding_round.index_ticks * pit.market.quote_multiplier
    for account in state.accounts.values():
        size_lots = account.position(market).size_lots
        if not size_lots:
            continue
        amount_pico = -size_lots * per_lot_pico
        account.collateral_pico += amount_pico
        if account.free_of_limits:
            continue
        account.fundings_pico[market] = account.fundings_pico.get(market, 0) + amount_pico
        account.updated_us = funding_round.at_us
        paid = FundingPaid(
            account_index=account.index,
            market=market,
            funding_id=funding_round.funding_id,
            amount_pico=amount_pico,
            rate_ppm=funding_round.rate_ppm,
            size_lots=size_lots,
            at_us=funding_round.at_us,
        )
        account.fundings.append(paid)
        state.emit(paid)
        state.emit(CollateralChanged(account_index=account.index))
