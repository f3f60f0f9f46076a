"""The numbers of protocol reference 1.5, 4.10, 4.11 and 8.2."""

from lighterman.matching.rules import DAY, MINUTE, MS, TIERS, Rules

STAKED = {  # name: maker and taker fee in ppm, taker latency in ms
    "premium": (40, 280, 200),
    "premium-1k": (39, 273, 195),
    "premium-3k": (38, 266, 190),
    "premium-10k": (36, 252, 180),
    "premium-30k": (34, 238, 170),
    "premium-100k": (32, 224, 160),
    "premium-300k": (30, 210, 150),
    "premium-500k": (28, 196, 140),
}


def test_tiers():
    """1.5: fees and latencies of every tier; premium makers and cancels are not delayed."""
    rows = {
        name: (tier.maker_fee_ppm, tier.taker_fee_ppm, tier.taker_delay_us // MS)
        for name, tier in TIERS.items()
        if tier.maker_delay_us == tier.cancel_delay_us == 0
    }

    assert rows == STAKED
    assert {name: tier.name for name, tier in TIERS.items()} == {name: name for name in TIERS}
    assert [(TIERS[name].maker_fee_ppm, TIERS[name].taker_fee_ppm) for name in ("standard", "plus")] == [
        (0, 0),
        (50, 50),
    ]


def test_defaults():
    """4.3, 4.10, 4.11, 8.2: windows, counts and clamps."""
    rules = Rules()

    assert (rules.expiry_min_us, rules.expiry_max_us) == (5 * MINUTE, 30 * DAY)
    assert (rules.dms_min_us, rules.dms_max_us) == (5 * MINUTE, 15 * DAY)
    assert (rules.orders_per_account_max, rules.orders_per_market_max) == (1_500, 1_000)
    assert (rules.funding_interest_ppm, rules.funding_clamp_small_ppm, rules.funding_clamp_big_ppm) == (
        100,
        500,
        40_000,
    )
    assert rules.impact_margin_micro * 10_000 // 200 == 25_000_000_000
