"""The bots of the benchmarks: processes of their own, started against a lane and stopped in good order."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from venue import ACCOUNT_INDEX, Lane

from lighterman.chance import secret_bytes
from lighterman.domain.market import Market
from lighterman.domain.units import format_fixed
from lighterman.signing.pure import generate_key

KEY_INDEX = 5
HALF_SPREAD_BPS = 5
LEVEL_STEP = 0.5
SIZE_LOTS = 5_000
START_S, STOP_S = 60.0, 30.0
REFERENCE = Path(__file__).with_name("reference_bot.py")

Pump = Callable[[Callable[[], bool], float], bool]  # serves the exchange until something is so, or patience ends


@dataclass(frozen=True)
class Quoting:
    """What every bot is told to quote; `is_full` starts it with all the position it may have, so that it only asks."""

    levels: int = 1
    is_full: bool = False
    requote_ms: int = 1
    reprice_bps: float = 0.0
    log_level: str = "info"
    busy_poll_ms: int = 0

    @property
    def sides(self) -> list[str]:
        """Return which sides are quoted."""
        return ["ask"] if self.is_full else ["bid", "ask"]

    @property
    def orders(self) -> int:
        """Return how many orders stand."""
        return self.levels * len(self.sides)


class Process:
    """A bot that runs."""

    def __init__(self, name: str, command: Sequence[str], said: Path, told: str = "") -> None:
        self.name = name
        self._said = said
        with said.open("w") as errors:
            self.popen = subprocess.Popen(  # noqa: S603  (ours)
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                text=True,
                env={**os.environ, "NO_PROXY": "*"},
            )
        if told:
            self._stdin.write(told + "\n")
            self._stdin.flush()

    @property
    def _stdin(self) -> Any:
        return self.popen.stdin

    @property
    def pid(self) -> int:
        """Return the process's number."""
        return self.popen.pid

    @property
    def last_words(self) -> str:
        """Return the end of what it complained about."""
        return self._said.read_text(errors="replace")[-2_000:]

    def check(self) -> None:
        """End the benchmark if the bot has ended."""
        if self.popen.poll() is not None:
            raise SystemExit(f"{self.name} ended with {self.popen.returncode}: {self.last_words}")

    def stop(self, pump: Pump) -> None:
        """Let it cancel its orders and end."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGINT)
            self._stdin.close()
            if not pump(lambda: self.popen.poll() is not None, STOP_S):
                self.popen.kill()
        self.popen.wait()


def reference(lane: Lane, market: Market, quoting: Quoting, python: Path, folder: Path) -> Process:
    """Start the reference bot."""
    secret, public_key = generate_key(secret_bytes)
    lane.open_key(KEY_INDEX, public_key)
    told = {
        "url": lane.url,
        "stream_url": lane.url.replace("http", "ws", 1) + "/stream",
        "account_index": ACCOUNT_INDEX,
        "api_key_index": KEY_INDEX,
        "private_key": secret.reveal(),
        "market": market.index,
        "tick": format_fixed(1, market.price_decimals),
        "lot": format_fixed(1, market.size_decimals),
        "half_spread_bps": str(HALF_SPREAD_BPS),
        "level_step": str(LEVEL_STEP),
        "sizes": [format_fixed(SIZE_LOTS, market.size_decimals)] * quoting.levels,
        "sides": quoting.sides,
    }
    return Process("reference", [str(python), str(REFERENCE)], _words(folder, "reference"), json.dumps(told))


def ours(
    lane: Lane, markets: Sequence[Market], quoting: Quoting, signer: str, folder: Path, python: str = sys.executable
) -> Process:
    """Start `lighterman run` against a lane."""
    home = Path(tempfile.mkdtemp(dir=folder))
    settings = home / "settings.json"
    settings.write_text(json.dumps(document(markets, quoting, signer, home)))
    command = [python, "-m", "lighterman", "run", "-c", str(settings), "--mode", "local", "--exchange", lane.url]
    return Process(f"ours, {signer}", [*command, "--json", "--directory", str(home / "runs")], _words(home, "ours"))


def document(markets: Sequence[Market], quoting: Quoting, signer: str, home: Path) -> dict[str, Any]:
    """Return the settings of our bot: the same ladder as the reference bot's."""
    size_lots, levels = SIZE_LOTS, quoting.levels
    held_lots = size_lots * levels
    return {
        "lighter": {"signer": signer, "accountIndex": ACCOUNT_INDEX, "tier": "premium"},
        "markets": [
            {
                "symbol": market.symbol,
                "minOrderSize": format_fixed(size_lots, market.size_decimals),
                "minSpreadBps": HALF_SPREAD_BPS - 0.01,
                "maxSpreadBps": HALF_SPREAD_BPS,
                "orderLevels": levels,
                "levelStep": LEVEL_STEP,
                "orderSizeMultiplier": 1,
                "maxPosition": format_fixed(held_lots, market.size_decimals),
                "skewFactor": 0,
                "volatilityFactor": 0,
                "volatilityWindow": 10_000,
                "volatilityMinSamples": 10_000,  # never believed: the spread stays at its maximum
                "imbalanceFactorBps": 0,
                "repriceThresholdBps": quoting.reprice_bps,
            }
            for market in markets
        ],
        "risk": {
            "maxTotalPositionUSD": 10_000_000,
            "maxOrderValueUSD": 100_000,
            "dailyLossLimitUSD": 100_000,
            "staleDataMs": 60_000,
            "messagesPerMinute": 40_000,
        },
        "performance": {
            "updateIntervalMs": quoting.requote_ms,
            "busyPollMs": quoting.busy_poll_ms,
            "metricsPort": 0,
        },
        "logging": {"level": quoting.log_level, "outputPath": str(home / "log.jsonl")},
    }


def _words(folder: Path, name: str) -> Path:
    return folder / f"{name}.err"
