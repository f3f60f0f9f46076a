"""Fair price and imbalance."""

from hypothesis import given
from hypothesis import strategies as st

from lighterman.strategy.fair import imbalance, micro, mid

PRICES = st.integers(1, 2**32)
SIZES = st.integers(1, 2**48)


@given(PRICES, st.integers(1, 1000), SIZES, SIZES)
def test_micro_price_leans_to_the_thin_side(bid_ticks, gap, bid_lots, ask_lots):
    """The micro-price lies between bid and ask, above the mid where the bid is the bigger (reference 2.4)."""
    ask_ticks = bid_ticks + gap
    middle, weighed = mid(bid_ticks, ask_ticks), micro(bid_ticks, bid_lots, ask_ticks, ask_lots)

    assert bid_ticks <= weighed <= ask_ticks
    assert (weighed >= middle) if bid_lots > ask_lots else (weighed <= middle)


@given(SIZES, SIZES)
def test_imbalance_is_a_signed_share(bid_lots, ask_lots):
    """Imbalance is within [-1, 1], changes sign with the sides, and is 1 where only bids are."""
    tilt = imbalance(bid_lots, ask_lots)

    assert -1 <= tilt <= 1
    assert -tilt == imbalance(ask_lots, bid_lots)
    assert (tilt > 0) == (bid_lots > ask_lots)
    assert (1.0, -1.0, 0.0) == (imbalance(bid_lots, 0), imbalance(0, ask_lots), imbalance(0, 0))
