"""Checks between keys: each mistake told once, and only where both keys were readable."""

import pytest

from helpers.settings_files import SEED, bent, problems, settings
from lighterman.config.crosscheck import venue_symbol


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"markets[0].minSpreadBps": 80},
            "markets[0].maxSpreadBps: leaves no room above minSpreadBps, was 80; more than 80",
        ),
        (
            {"markets[1].minEdgeBps": 6},
            "markets[1].minSpreadBps: is below the floor, was 5; at least minEdgeBps, which is 6",
        ),
        (
            {"markets[0].volatilityWindow": 10},
            "markets[0].volatilityMinSamples: can never be reached, was 20; at most volatilityWindow, which is 10",
        ),
        (
            {"markets[0].maxPosition": "0.0449"},
            'markets[0].maxPosition: is less than one side of the ladder, 0.045 over 2 levels, was "0.0449"; more, or',
        ),
        (
            {"markets[1].symbol": "ETH"},
            "markets[1].symbol: is the market ETH again, which markets[0] is already",
        ),
        (
            {"markets[0].symbol": "ETH/USDC"},
            "markets[0].symbol: is not a market's name, was \"ETH/USDC\"; a perpetual market's base",
        ),
        (
            {"performance.updateIntervalMs": 2001},
            "performance.updateIntervalMs: would leave quotes standing on data that is too old, was 2001; at most",
        ),
        ({"markets[0].enabled": False, "markets[1].enabled": False}, "markets: none is enabled; at least one"),
        (
            {"lighter.tier": "standard", "risk.messagesPerMinute": 61},
            "risk.messagesPerMinute: is more than the tier standard has, was 61; at most 60",
        ),
    ],
    ids=["spread", "edge", "samples", "ladder", "twice", "spot", "age", "none", "messages"],
)
def test_contradictions_are_named(changes, line):
    """Keys that contradict each other are one problem, at the key to change."""
    document = SEED
    for path, value in changes.items():
        document = bent(document, path, value)

    (found,) = problems(document)
    assert found.startswith(line)


def test_an_unreadable_key_is_not_told_twice():
    """A key that is wrong by itself is not compared with others."""
    found = problems(bent(bent(SEED, "markets[0].maxSpreadBps", "wide"), "markets[0].minOrderSize", -1))

    assert ["markets[0].minOrderSize", "markets[0].maxSpreadBps"] == [line.partition(":")[0] for line in found]


def test_the_exact_fit_is_allowed():
    """A ladder exactly as large as the position limit is accepted."""
    assert [] == problems(bent(SEED, "markets[0].maxPosition", "0.045"))


@pytest.mark.parametrize(
    ("label", "symbol"),
    [
        *[("ETH-USDC", "ETH"), ("ETH", "ETH"), ("ETH-PERP", "ETH"), ("1000PEPE-USD", "1000PEPE"), ("kBONK", "kBONK")],
        *[("ETH/USDC", ""), ("ETH-BTC", ""), ("-USDC", ""), ("ETH-", ""), ("", ""), ("ETH USDC", ""), ("Ä", "")],
    ],
)
def test_a_label_names_its_base(label, symbol):
    """The venue's symbol is the base part of the configured name."""
    assert symbol == venue_symbol(label)


TOO_FEW = (
    "risk.messagesPerMinute: 20 are too few for 12 orders: when prices move, the best of each side are moved every "
    "29 s and those behind them every 174 s; fewer markets or orderLevels would follow sooner"
)


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        (
            {},
            "markets[].baseDecimals, quoteDecimals, tickSize: compared with the venue's own description, which counts",
        ),
        ({}, "performance.orderPoolSize: no pool is needed; bounds the orders tracked at once"),
        ({}, "performance.websocketBufferSize: without effect; all that has arrived is taken in before each decision"),
        ({"monitoring.host": "10.0.0.1"}, "monitoring.host: 10.0.0.1 shows positions and PnL beyond this machine"),
        (
            {"risk.maxOrderValueUSD": 9001},
            "risk.maxOrderValueUSD: is above maxTotalPositionUSD, so it limits nothing; were they mixed up?",
        ),
        (
            {"risk.messagesPerMinute": 20},
            TOO_FEW,
        ),
    ],
    ids=["decimals", "pool", "buffer", "host", "mixed", "messages"],
)
def test_what_has_no_seed_effect_is_said(changes, notice):
    """A key that is accepted with another meaning than it looks has a notice (defect F2)."""
    document = SEED
    for path, value in changes.items():
        document = bent(document, path, value)

    assert notice in settings(document).notices


def test_a_budget_that_suffices_has_no_notice():
    """The ladders of two markets fit the messages of the smallest tier."""
    document = bent(SEED, "lighter.tier", "standard")

    assert not any(notice.startswith("risk.messagesPerMinute") for notice in settings(document).notices)
