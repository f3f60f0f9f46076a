"""Runs of the bot within the test's own process, against a local exchange on real sockets."""

import os

from helpers.settings_files import settings
from lighterman.clock import SystemClock
from lighterman.runtime.bot import RunPlan

CHAIN = 131_072_304  # config/networks.py: nobody's
MARKET = {
    "symbol": "ETH-USDC",
    "minOrderSize": "0.05",
    "minSpreadBps": 2,
    "maxSpreadBps": 12,
    "orderLevels": 2,
    "maxPosition": "2",
    "orderSizeMultiplier": 1.3,
    "skewFactor": 0.6,
}
DOCUMENT = {
    "lighter": {"signer": "pure"},
    "markets": [MARKET],
    "risk": {"maxTotalPositionUSD": 20000, "maxOrderValueUSD": 2000, "dailyLossLimitUSD": 200, "staleDataMs": 60000},
    "logging": {"level": "error", "outputPath": os.devnull},
    "performance": {"metricsPort": 0},
}


def plan(folder, url="", document=DOCUMENT, **options):
    """Return the plan of a run that records into a folder, at an exchange that runs already if one is named."""
    place = {"baseURL": url} if url else {}
    document = document | {"lighter": document["lighter"] | place, "journal": {"directory": str(folder)}}
    usual = {
        "settings": settings(document),
        "exchange_arguments": ["--scenario", "calm"],
        "duration_ns": None,
        "started_ns": SystemClock().mono_ns(),
        "is_throwaway": False,
        "rearm": False,
    }
    return RunPlan(**(usual | options))
