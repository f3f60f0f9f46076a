"""Tick to decision: bytes of a book update in, approved orders out, against the naive way.

Both makers get the same frames, the same answers and the same settings (a 2 x 5 ladder). They
are first run side by side and must want the same orders; then they are timed in turn, round by
round, so that a busy machine slows both. CPU time of the thread decides; wall time is shown.
"""

import argparse
import gc
import json
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import feed
from naive import NaiveMaker

from lighterman.clock import SystemClock, cpu_ns
from lighterman.domain.commands import CancelAll, CancelOrder
from lighterman.domain.events import (
    AccountSnapshot,
    DayStarted,
    Event,
    Link,
    LinkReport,
    MarketReport,
    OrderReport,
    StatsReport,
)
from lighterman.domain.market import Market
from lighterman.engine.engine import Engine
from lighterman.engine.params import EngineParams, MarketParams
from lighterman.protocol.messages import BookFrame
from lighterman.protocol.stream import StreamSession
from lighterman.protocol.translate import Translator
from lighterman.risk.gate import Approved
from lighterman.risk.limits import AccountLimits, MarketLimits
from lighterman.risk.pnl import LossState
from lighterman.strategy.params import QuoteParams

Ladder = list[tuple[int, int]]  # (price_ticks, size_lots) of each resting order

UPDATES = 2000
USUAL_LEVELS = (9, 10)  # the mean message changes nine and a half
FRAME_NS = 50_000_000
START_NS = 10_000_000_000  # late enough for the engine's first look at its account's worth
STATS_EVERY = 20
MARK_TICKS = feed.MID_TICKS
EQUAL_SHARE_MIN = 0.999  # floats round a price that lies on a tick otherwise than decimals do

MARKET = Market(
    index=0,
    symbol="ETH",
    price_decimals=feed.PRICE_DECIMALS,
    size_decimals=feed.SIZE_DECIMALS,
    min_base_lots=50,
    min_quote_micro=10_000_000,
    order_quote_limit_micro=281_474_976_710_655,
)
QUOTING = QuoteParams(
    order_size="0.5",
    half_spread_min_bps=2.0,
    half_spread_max_bps=40.0,
    levels=5,
    size_multiplier=1.5,
    skew_factor=0.5,
    imbalance_factor_bps=1.0,
    volatility_samples_min=5,
)
LIMITS = AccountLimits(
    total_position_micro_max=500_000_000_000,
    order_value_micro_max=50_000_000_000,
    daily_loss_micro_max=1_000_000_000,
    messages_per_minute=1_000_000,
)
NAIVE = {
    "mark": "3338.80",
    "tick": "0.01",
    "lot": "0.0001",
    "minimum_size": "0.0050",
    "minimum_value": "10",
    "position_max": "20",
    "order_value_max": "50000",
    "total_position_max": "500000",
    "price_collar_bps": LIMITS.price_collar_bps,
    **{name: getattr(QUOTING, name) for name in QUOTING.__struct_fields__},
}


class OurMaker:
    """The product's path from socket to approved orders: session, translation, engine, gate."""

    def __init__(self, quoting: QuoteParams = QUOTING, markets: Sequence[Market] = (MARKET,)) -> None:
        limits = MarketLimits(position_max="20")
        quoted = [MarketParams(label=each.symbol, symbol=each.symbol, quote=quoting, limits=limits) for each in markets]
        self.markets = markets
        self.params = EngineParams(markets=quoted, limits=LIMITS, account_index=1, requote_interval_ms=0)
        self.engine = Engine(self.params, epoch=1, loss=LossState())
        self.session = StreamSession([f"order_book/{market.index}" for market in markets])
        self.translator = Translator(1)
        self.translator.learn(list(markets))
        self.session.on_open(1)
        self.session.receive(b'{"session_id":"x","type":"connected"}', 1)
        self.session.poll(1)
        self.opening: list[Event] = [
            *(MarketReport(market, 1) for market in markets),
            *(LinkReport(link, up=True, reason="", recv_ns=1) for link in Link),
            AccountSnapshot(10**16, [], [], 1, 1),
            DayStarted(1, 1),
        ]
        for event in self.opening:
            self.engine.observe(event)

    def on_message(self, message: bytes, now_ns: int) -> list[Approved]:
        """Take one frame; return what risk has approved. This is what is timed."""
        for frame in self.session.receive(message, now_ns):
            if isinstance(frame, BookFrame):
                self.engine.observe(self.translator.book(frame, now_ns))
        return self.engine.decide(now_ns).approved

    def tell(self, event: Event) -> None:
        """Take what else happens: outside the timed part."""
        self.engine.observe(event)

    def stats(self, now_ns: int) -> None:
        """Take the once-a-second statistics: outside the timed part."""
        for market in self.markets:
            self.tell(StatsReport(market.index, MARK_TICKS, MARK_TICKS, 0, now_ns))

    def answer(self, approved: list[Approved], now_ns: int) -> None:
        """Let the venue answer at once: outside the timed part."""
        for item in approved:
            command = item.command
            if isinstance(command, CancelAll):
                continue
            order = self.engine.state.orders.get(command.client_order_index)
            if order is None:
                continue
            status, price, size = "open", order.asked_ticks, order.asked_lots
            if isinstance(command, CancelOrder):
                status = "canceled"
            report = OrderReport(
                command.market, order.client_order_index, 1, order.is_ask, price, size, 0, status, 0, now_ns
            )
            self.tell(report)


def _run_ours(frames: list[bytes], samples: list[tuple[int, int]] | None) -> list[Ladder]:
    """Run all frames; collect (cpu, wall) of each update, and return the resting ladder after each."""
    maker, clock = OurMaker(), SystemClock()
    wanted = []
    for number, message in enumerate(frames):
        now_ns = START_NS + FRAME_NS * (number + 1)
        if number % STATS_EVERY == 0:
            maker.stats(now_ns)
        wall, cpu = clock.mono_ns(), cpu_ns()
        approved = maker.on_message(message, now_ns)
        cpu, wall = cpu_ns() - cpu, clock.mono_ns() - wall
        maker.answer(approved, now_ns)
        if samples is not None and number:
            samples.append((cpu, wall))
        slots = maker.engine.state.orders.of_market(0).slots
        wanted.append([(order.price_ticks, order.size_lots) for side in slots for order in side if order])
    return wanted


def _run_naive(frames: list[bytes], samples: list[tuple[int, int]] | None) -> list[Ladder]:
    maker, clock = NaiveMaker(NAIVE), SystemClock()
    wanted = []
    for number, message in enumerate(frames):
        now_ns = START_NS + FRAME_NS * (number + 1)
        wall, cpu = clock.mono_ns(), cpu_ns()
        maker.on_message(message, now_ns)
        cpu, wall = cpu_ns() - cpu, clock.mono_ns() - wall
        if samples is not None and number:
            samples.append((cpu, wall))
        wanted.append(
            [
                (int(order["price"] * MARKET.ticks_per_unit), int(order["size"] * MARKET.lots_per_unit))
                for _, order in sorted(maker.resting.items(), key=lambda item: (item[0][0] == "ask", item[0][1]))
            ]
        )
    return wanted


def agreement(frames: list[bytes]) -> float:
    """Return the share of resting orders that both makers want alike, over all frames."""
    pairs = list(zip(_run_ours(frames, None), _run_naive(frames, None), strict=True))
    total = sum(len(ours) for ours, _ in pairs)
    equal = sum(sum(a == b for a, b in zip(ours, naive, strict=False)) for ours, naive in pairs)
    return equal / total if total else 0.0


def _figures(rounds: list[list[tuple[int, int]]], frames: list[bytes]) -> dict[str, float]:
    """Return percentiles over all, the cheapest tick, and the mean of what each tick cost in its best round.

    The usual ticks are those whose message changes as many levels as the mean message does.
    """
    cpu = sorted(sample[0] for samples in rounds for sample in samples)
    wall = sorted(sample[1] for samples in rounds for sample in samples)
    best = [min(sample[0] for sample in tick) for tick in zip(*rounds, strict=True)]
    usual = [took for took, frame in zip(best, frames[1:], strict=True) if frame.count(b'"price"') in USUAL_LEVELS]
    return {
        "cpu_us_min": cpu[0] / 1000,
        "cpu_us_usual_min": min(usual) / 1000,
        "cpu_us_usual_p50": statistics.median(usual) / 1000,
        "cpu_us_mean": statistics.fmean(best) / 1000,
        "cpu_us_p50": cpu[len(cpu) // 2] / 1000,
        "cpu_us_p99": cpu[len(cpu) * 99 // 100] / 1000,
        "wall_us_p50": wall[len(wall) // 2] / 1000,
        "wall_us_p99": wall[len(wall) * 99 // 100] / 1000,
    }


def measure(rounds: int) -> dict[str, Any]:
    """Return the figures of both makers and their ratio, from interleaved rounds."""
    frames = list(feed.frames(UPDATES))
    agreed = agreement(frames)
    if agreed < EQUAL_SHARE_MIN:
        raise SystemExit(f"the two makers agree on only {agreed:.2%} of their orders: nothing is timed")
    ours: list[list[tuple[int, int]]] = [[] for _ in range(rounds)]
    naive: list[list[tuple[int, int]]] = [[] for _ in range(rounds)]
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        _run_ours(frames, ours[number])
        _run_naive(frames, naive[number])
    figures, reference = _figures(ours, frames), _figures(naive, frames)
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": platform.machine(),
        "rounds": rounds,
        "updates_per_round": UPDATES,
        "bytes_per_update": sum(map(len, frames[1:])) / UPDATES,
        "orders_agreed": agreed,
        "ours": figures,
        "naive": reference,
        "ratio_min": reference["cpu_us_min"] / figures["cpu_us_min"],
        "ratio_mean": reference["cpu_us_mean"] / figures["cpu_us_mean"],
        "ratio_p50": reference["cpu_us_p50"] / figures["cpu_us_p50"],
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    result = measure(options.rounds)
    if options.json:
        print(json.dumps(result))
        return 0
    size = result["bytes_per_update"]
    print(f"tick -> approved orders, 2 x 5 ladder, {size:.0f} bytes a message, {result['python']}")
    titles = ("cpu min", "usual min", "usual p50", "cpu mean", "cpu p50", "cpu p99", "wall p50", "wall p99")
    print(" " * 8 + "".join(f"{title:>10}" for title in titles) + "   microseconds")
    for name in ("ours", "naive"):
        row = result[name]
        print(f"{name:8}" + "".join(f"{value:10.1f}" for value in row.values()))
    print(f"ratio naive / ours: {result['ratio_mean']:.1f} in the mean, {result['ratio_p50']:.1f} at the median")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
