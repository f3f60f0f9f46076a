"""Every metric there is, one row each: name, type, labels, meaning, and where its value comes from.

The names above the line are the seed's (reference 2.4): none may change its name, labels, type
or buckets. Rendering happens on the thread of whoever scrapes, from plain attributes; nothing
here runs on the trading thread.
"""

import threading
from collections.abc import Callable, Iterator

import msgspec
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from lighterman.domain.clock import Clock
from lighterman.domain.units import MICRO, PICO
from lighterman.monitoring.figures import Figures
from lighterman.monitoring.histogram import NS_PER_S, Histogram
from lighterman.monitoring.memory import memory_bytes
from lighterman.monitoring.samples import (
    Outside,
    Samples,
    Scene,
    book_age_s,
    breakers,
    fill_rate,
    full_spread_bps,
    held,
    ledger_usd,
    notional_usd,
    numbers_prepared,
    one,
    per_market,
    per_side,
    position_lots,
    refusals,
    rejected,
    shown,
    signatures,
    skew,
    spread_bps,
    unrealized_usd,
    why_not_quoting,
)

PAUSE_S = 0.0002  # rendering everything at a stretch would hold up a decision by milliseconds


class Metric(msgspec.Struct, frozen=True):
    """One row. `samples` gives (label values, value) pairs."""

    name: str
    kind: str  # "counter", "gauge" or "histogram"
    labels: tuple[str, ...]
    meaning: str
    samples: Samples

    def family(self, scene: Scene) -> Family:
        """Return the metric with its values as the library wants them."""
        if self.kind == "histogram":
            histogram = HistogramMetricFamily(self.name, self.meaning, labels=self.labels)
            for labels, value in self.samples(scene):
                if isinstance(value, Histogram):
                    histogram.add_metric(labels, value.buckets(), value.sum_s)
            return histogram
        kind = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        family = kind(self.name, self.meaning, labels=self.labels)
        for labels, value in self.samples(scene):
            if not isinstance(value, Histogram):
                family.add_metric(labels, value)
        return family


METRICS: tuple[Metric, ...] = (
    Metric(
        "marketmaker_orders_placed_total",
        "counter",
        ("market", "side"),
        "Orders that the venue has taken.",
        per_side(lambda m, side: m.placed[side]),
    ),
    Metric(
        "marketmaker_orders_canceled_total",
        "counter",
        ("market",),
        "Orders whose cancellation the venue has confirmed.",
        per_market(lambda m: m.canceled),
    ),
    Metric(
        "marketmaker_order_placement_duration_seconds",
        "histogram",
        ("market",),
        "From the decision to place an order to the venue's acknowledgement.",
        per_market(lambda m: m.placement),
    ),
    Metric(
        "marketmaker_fills_received_total",
        "counter",
        ("market", "side"),
        "Trades of ours, each counted once.",
        per_side(lambda m, side: m.fills[side]),
    ),
    Metric(
        "marketmaker_fill_volume_total",
        "counter",
        ("market", "side"),
        "Size traded, in base units.",
        per_side(lambda m, side: shown(m.volume_lots[side], m.market.lots_per_unit)),
    ),
    Metric(
        "marketmaker_position",
        "gauge",
        ("market",),
        "Position in base units; negative is short.",
        held(lambda scene, m: shown(position_lots(scene, m), m.market.lots_per_unit)),
    ),
    Metric(
        "marketmaker_position_notional_usd",
        "gauge",
        ("market",),
        "Value of the position at the mark price, signed.",
        held(notional_usd),
    ),
    Metric(
        "marketmaker_unrealized_pnl_usd",
        "gauge",
        ("market",),
        "PnL of closing the position at the mark price.",
        held(unrealized_usd),
    ),
    Metric(
        "marketmaker_spread_bps",
        "gauge",
        ("market",),
        "Half-spread: distance from fair price to each side, before skew and level step. NaN where not quoted.",
        per_market(spread_bps),
    ),
    Metric(
        "marketmaker_inventory_skew",
        "gauge",
        ("market",),
        "Position over maxPosition, -1 to 1; positive is long.",
        held(skew),
    ),
    Metric(
        "marketmaker_risk_checks_total",
        "counter",
        (),
        "Commands that the risk gate has judged.",
        one(lambda scene: scene.figures.checks),
    ),
    Metric(
        "marketmaker_risk_violations_total",
        "counter",
        (),
        "Commands that the risk gate has refused, and how often orders began to be moved less for want of messages.",
        one(lambda scene: sum(list(scene.figures.refusals.values()))),
    ),
    Metric(
        "marketmaker_circuit_breaker_state",
        "gauge",
        ("breaker",),
        "0 closed, 1 open, 2 half-open. order_placement: the last order was not taken; loss_limit: the day's loss "
        "has tripped; api_errors: a link to the venue is down.",
        breakers,
    ),
    Metric(
        "marketmaker_websocket_connected",
        "gauge",
        (),
        "1 while both streams, public and private, deliver.",
        one(lambda scene: not any(why for link, why in scene.figures.links.items() if link.value != "transactions")),
    ),
    Metric(
        "marketmaker_websocket_messages_total",
        "counter",
        ("type",),
        "Messages received, by type.",
        lambda scene: [((name,), count) for name, count in scene.figures.messages.items()],
    ),
    Metric(
        "marketmaker_websocket_reconnects_total",
        "counter",
        (),
        "Times a stream came back after having been lost.",
        one(lambda scene: scene.figures.reconnects),
    ),
    Metric(
        "marketmaker_update_cycle_duration_seconds",
        "histogram",
        (),
        "From the first message of a cycle until the orders it caused are on their way.",
        one(lambda scene: scene.figures.cycle),
    ),
    Metric(
        "marketmaker_goroutines",
        "gauge",
        (),
        "Live asyncio tasks; the name is the seed's.",
        one(lambda scene: scene.outside.tasks),
    ),
    Metric(
        "marketmaker_memory_bytes",
        "gauge",
        ("type",),
        "sys: resident set; alloc and heap: what of it is not shared.",
        lambda _: [((name,), size) for name, size in memory_bytes().items()],
    ),
    # ------------------------------------------------------------------------------------------
    Metric(
        "marketmaker_full_spread_bps",
        "gauge",
        ("market",),
        "Distance between our innermost bid and ask, in bps of mid. NaN unless both are quoted.",
        per_market(full_spread_bps),
    ),
    Metric(
        "marketmaker_decide_duration_seconds",
        "histogram",
        (),
        "From the call of decide until its orders are on their way, recording included.",
        one(lambda scene: scene.figures.decide),
    ),
    Metric(
        "marketmaker_not_quoting",
        "gauge",
        ("market", "side", "reason"),
        "1 for the reason why a side of a market is not quoted now; no sample while it is.",
        why_not_quoting,
    ),
    Metric(
        "marketmaker_refusals_total",
        "counter",
        ("market", "reason"),
        "Commands that the risk gate has refused, by reason; message_pace counts once each time that it begins.",
        refusals,
    ),
    Metric(
        "marketmaker_orders_rejected_total",
        "counter",
        ("market", "status"),
        "Orders that the sequencer did not take, by the venue's status.",
        rejected,
    ),
    Metric(
        "marketmaker_commands_total",
        "counter",
        ("command", "outcome"),
        "Commands answered: acked, refused, unknown, then executed or failed.",
        lambda scene: list(scene.figures.orders.outcomes.items()),
    ),
    Metric(
        "marketmaker_orders_modified_total",
        "counter",
        ("market",),
        "Modifications that have taken effect.",
        per_market(lambda m: m.modified),
    ),
    Metric(
        "marketmaker_open_orders",
        "gauge",
        ("market",),
        "Orders of this session that rest at the venue.",
        per_market(lambda m: m.open_orders),
    ),
    Metric(
        "marketmaker_fill_rate",
        "gauge",
        ("market",),
        "Share of the placed orders that have traded, 0 to 1.",
        per_market(fill_rate),
    ),
    Metric(
        "marketmaker_quoting_seconds_total",
        "counter",
        ("market",),
        "Time during which both sides were quoted.",
        held(lambda scene, m: m.quoting_total_ns(scene.now_ns) / NS_PER_S),
    ),
    Metric(
        "marketmaker_realized_pnl_usd",
        "gauge",
        ("market",),
        "PnL realised since the start, before fees and funding.",
        ledger_usd("realised_micro", MICRO),
    ),
    Metric(
        "marketmaker_fees_usd",
        "gauge",
        ("market",),
        "Fees paid since the start.",
        ledger_usd("fees_pico", PICO),
    ),
    Metric(
        "marketmaker_funding_usd",
        "gauge",
        ("market",),
        "Funding received since the start; negative is paid.",
        ledger_usd("funding_pico", PICO),
    ),
    Metric(
        "marketmaker_daily_pnl_usd",
        "gauge",
        (),
        "PnL since 00:00 UTC: realised, unrealised, fees and funding; at most 5 s old.",
        one(lambda scene: shown(scene.figures.loss.carried_pico, PICO)),
    ),
    Metric(
        "marketmaker_uptime_seconds",
        "gauge",
        (),
        "Time since the start.",
        one(lambda scene: (scene.now_ns - scene.figures.started_ns) / NS_PER_S),
    ),
    Metric(
        "marketmaker_decision_age_seconds",
        "gauge",
        (),
        "Time since the last decision; grows only if the trading loop is stuck.",
        one(lambda scene: (scene.now_ns - (scene.figures.decided_ns or scene.figures.started_ns)) / NS_PER_S),
    ),
    Metric(
        "marketmaker_book_age_seconds",
        "gauge",
        ("market",),
        "Time since the book was last heard of; infinite while it is not known.",
        held(book_age_s),
    ),
    Metric(
        "marketmaker_link_up",
        "gauge",
        ("link",),
        "1 while a way to the venue works: public, private, transactions.",
        lambda scene: [((link.value,), not why) for link, why in scene.figures.links.items()],
    ),
    Metric(
        "marketmaker_quota_remaining",
        "gauge",
        (),
        "Volume quota left at the venue; no sample until it is told.",
        lambda scene: [((), quota)] if (quota := scene.figures.quota_remaining) is not None else [],
    ),
    Metric(
        "marketmaker_messages_left",
        "gauge",
        (),
        "Transactions left in the message budget, the cancel reserve included.",
        one(lambda scene: scene.outside.messages_left),
    ),
    Metric(
        "marketmaker_journal_bytes",
        "gauge",
        (),
        "Size of this session's journal.",
        one(lambda scene: scene.outside.journal_bytes),
    ),
    Metric(
        "marketmaker_journal_pending_records",
        "gauge",
        (),
        "Records waiting to be written.",
        one(lambda scene: scene.outside.journal_pending),
    ),
    Metric(
        "marketmaker_journal_dropped_records_total",
        "counter",
        (),
        "Records that could not be kept.",
        one(lambda scene: scene.outside.journal_dropped),
    ),
    Metric(
        "marketmaker_log_lines_dropped_total",
        "counter",
        (),
        "Log lines that could not be kept.",
        one(lambda scene: scene.outside.log_lines_dropped),
    ),
    Metric(
        "marketmaker_signature_numbers_left",
        "gauge",
        ("key",),
        "Numbers prepared for the next signatures, by API key; no sample where the signer prepares none.",
        numbers_prepared,
    ),
    Metric(
        "marketmaker_signatures_total",
        "counter",
        ("key", "way"),
        "Signatures made with a prepared number, and in full because none was left.",
        signatures,
    ),
)


class Exposition(Collector):
    """Renders all metrics, and the process's own, as Prometheus reads them."""

    def __init__(self, figures: Figures, outside: Callable[[], Outside], clock: Clock) -> None:
        self._figures = figures
        self._outside = outside
        self._clock = clock
        self._never = threading.Event()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def describe(self) -> list[Family]:
        """Return nothing: what there is depends on the figures, and is collected when it is asked for."""
        return []

    def collect(self) -> Iterator[Family]:
        """Yield every metric as it stands now, and after each let the trading thread have the interpreter."""
        scene = Scene(self._figures, self._outside(), self._clock.mono_ns())
        for metric in METRICS:
            yield metric.family(scene)
            self._never.wait(PAUSE_S)

    def render(self) -> bytes:
        """Return the text of /metrics."""
        return generate_latest(self._registry)
