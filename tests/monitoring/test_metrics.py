"""Every metric of the seed is there as it was, and each is moved by what it is about (defect M1)."""

import math
from collections.abc import Callable

import pytest
from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from helpers.journals import HandClock
from helpers.observed import MS, acked, decision, fill, modify, new_figures, place, quoting, row, running, silent
from lighterman.domain.events import (
    CommandExecuted,
    CommandRefused,
    FundingReport,
    Link,
    LinkReport,
    QuotaReport,
    StatsReport,
)
from lighterman.monitoring.figures import Figures
from lighterman.monitoring.metrics import METRICS, Exposition
from lighterman.monitoring.samples import Outside
from lighterman.protocol.signing import Pool
from lighterman.risk.pnl import LossState

SEED = {  # seed reference 2.4, as it stands there
    "marketmaker_orders_placed_total": ("counter", ("market", "side")),
    "marketmaker_orders_canceled_total": ("counter", ("market",)),
    "marketmaker_order_placement_duration_seconds": ("histogram", ("market",)),
    "marketmaker_fills_received_total": ("counter", ("market", "side")),
    "marketmaker_fill_volume_total": ("counter", ("market", "side")),
    "marketmaker_position": ("gauge", ("market",)),
    "marketmaker_position_notional_usd": ("gauge", ("market",)),
    "marketmaker_unrealized_pnl_usd": ("gauge", ("market",)),
    "marketmaker_spread_bps": ("gauge", ("market",)),
    "marketmaker_inventory_skew": ("gauge", ("market",)),
    "marketmaker_risk_checks_total": ("counter", ()),
    "marketmaker_risk_violations_total": ("counter", ()),
    "marketmaker_circuit_breaker_state": ("gauge", ("breaker",)),
    "marketmaker_websocket_connected": ("gauge", ()),
    "marketmaker_websocket_messages_total": ("counter", ("type",)),
    "marketmaker_websocket_reconnects_total": ("counter", ()),
    "marketmaker_update_cycle_duration_seconds": ("histogram", ()),
    "marketmaker_goroutines": ("gauge", ()),
    "marketmaker_memory_bytes": ("gauge", ("type",)),
}
BUCKETS = {
    "marketmaker_order_placement_duration_seconds": (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, math.inf),
    "marketmaker_update_cycle_duration_seconds": (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, math.inf),
}
OUTSIDE = Outside(
    tasks=11,
    messages_left=3990,
    journal_bytes=4096,
    journal_pending=2,
    journal_dropped=1,
    log_lines_dropped=6,
    pools={4: Pool(left=60, taken=9, missed=2)},
)


def scraped(figures: Figures, clock: HandClock) -> dict[str, Family]:
    """Return what a Prometheus would read, by family name."""
    text = Exposition(figures, lambda: OUTSIDE, clock).render().decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(figures: Figures, clock: HandClock, name: str, **labels: str) -> float | None:
    """Return one sample, or None where there is no such one."""
    for family in scraped(figures, clock).values():
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return None


@pytest.mark.parametrize("name", sorted(SEED))
def test_each_seed_metric_is_as_it_was(name):
    """Name, type, labels and buckets of the seed's metrics are unchanged (seed reference 2.4)."""
    clock = HandClock()
    kind, labels = SEED[name]
    family = scraped(running(clock), clock)[name.removesuffix("_total")]

    assert kind == family.type
    samples = [sample for sample in family.samples if sample.name in (name, f"{name}_bucket")]
    assert samples
    assert {labels} == {tuple(label for label in sample.labels if label != "le") for sample in samples}
    if name in BUCKETS:
        bounds = [float(sample.labels["le"]) for sample in samples]
        assert BUCKETS[name] == tuple(bounds[: len(BUCKETS[name])])


def test_markets_and_sides_are_named_as_in_the_seed():
    """The market label is the configured name, the side label buy or sell."""
    clock = HandClock()
    family = scraped(running(clock), clock)["marketmaker_orders_placed"]

    assert {("ETH-USDC", "buy"), ("ETH-USDC", "sell"), ("BTC-USDC", "buy"), ("BTC-USDC", "sell")} == {
        (sample.labels["market"], sample.labels["side"]) for sample in family.samples
    }


def test_breakers_and_types_are_the_seeds():
    """The breakers and the memory types are the seed's, the seed's message types are among ours."""
    clock = HandClock()
    found = scraped(running(clock), clock)

    def labels(name: str, label: str) -> set[str]:
        return {sample.labels[label] for sample in found[name].samples}

    assert {"order_placement", "loss_limit", "api_errors"} == labels("marketmaker_circuit_breaker_state", "breaker")
    assert {"alloc", "sys", "heap"} == labels("marketmaker_memory_bytes", "type")
    assert {"orderbook", "order", "fill"} <= labels("marketmaker_websocket_messages", "type")


def _placed(figures: Figures, clock: HandClock) -> None:
    order = place(1)
    figures.observe_turn([], decision(clock, order), clock.now_ns)
    clock.now_ns += 3 * MS
    figures.observe_event(acked(1, clock.now_ns))
    figures.observe_event(row(order))


def _canceled(figures: Figures, clock: HandClock) -> None:
    _placed(figures, clock)
    figures.observe_event(row(place(1), "canceled"))


def _filled(figures: Figures, clock: HandClock) -> None:
    _placed(figures, clock)
    figures.observe_event(fill(1, place(1), fee_ppm=40))
    figures.observe_event(row(place(1), "filled", 100))
    figures.observe_event(StatsReport(0, 201_000, 0, 0, 5))


def _round_trip(figures: Figures, clock: HandClock) -> None:
    _filled(figures, clock)
    figures.observe_event(fill(2, place(9, is_ask=True), fee_ppm=40))


def _modified(figures: Figures, clock: HandClock) -> None:
    _placed(figures, clock)
    figures.observe_turn([], decision(clock, modify(2, place(1))), clock.now_ns)
    figures.observe_event(CommandExecuted(2, "", 5))


def _refused(figures: Figures, clock: HandClock) -> None:
    figures.observe_turn([], decision(clock, refused=[(place(1), 0, "position_limit")]), clock.now_ns)


def _not_taken(figures: Figures, clock: HandClock) -> None:
    figures.observe_turn([], decision(clock, place(1), place(2)), clock.now_ns)
    figures.observe_event(CommandRefused(1, 21706, "", 5))
    figures.observe_event(row(place(2), "canceled-post-only"))


def _lost_day(figures: Figures, clock: HandClock) -> None:
    figures.observe_turn([], decision(clock, loss=LossState(20_000, -1_500 * 10**12, "daily_loss")), clock.now_ns)


def _disconnected(figures: Figures, clock: HandClock) -> None:
    figures.observe_event(LinkReport(Link.PUBLIC, up=False, reason="1006", recv_ns=5))


def _reconnected(figures: Figures, clock: HandClock) -> None:
    _disconnected(figures, clock)
    figures.observe_event(LinkReport(Link.PUBLIC, up=True, reason="", recv_ns=5))


def _stale(figures: Figures, clock: HandClock) -> None:
    clock.now_ns += 2500 * MS
    figures.observe_turn([], decision(clock, verdicts=[silent(0, "stale_book")]), clock.now_ns)


def _at_the_cap(figures: Figures, clock: HandClock) -> None:
    figures.observe_turn([], decision(clock, verdicts=[quoting(0, bid_lots=0, bound="position_limit")]), clock.now_ns)


def _later(figures: Figures, clock: HandClock) -> None:
    clock.now_ns += 4000 * MS


def _nothing(figures: Figures, clock: HandClock) -> None:
    """Leave everything as it is."""


def _quota(figures: Figures, clock: HandClock) -> None:
    figures.observe_event(QuotaReport(812, 5))


def _funded(figures: Figures, clock: HandClock) -> None:
    figures.observe_event(FundingReport(0, 1, -25 * 10**10, 5))


ETH = {"market": "ETH-USDC"}
BUY = {"market": "ETH-USDC", "side": "buy"}
CASES: list[tuple[Callable[[Figures, HandClock], None], str, dict[str, str], float | None]] = [
    (_placed, "marketmaker_orders_placed_total", BUY, 1),
    (_placed, "marketmaker_orders_placed_total", BUY | {"side": "sell"}, 0),
    (_placed, "marketmaker_order_placement_duration_seconds_sum", ETH, 0.003),
    (_placed, "marketmaker_order_placement_duration_seconds_bucket", ETH | {"le": "0.001"}, 0),
    (_placed, "marketmaker_order_placement_duration_seconds_bucket", ETH | {"le": "0.005"}, 1),
    (_placed, "marketmaker_open_orders", ETH, 1),
    (_placed, "marketmaker_commands_total", {"command": "place", "outcome": "acked"}, 1),
    (_placed, "marketmaker_risk_checks_total", {}, 1),
    (_placed, "marketmaker_websocket_messages_total", {"type": "order"}, 1),
    (_canceled, "marketmaker_orders_canceled_total", ETH, 1),
    (_canceled, "marketmaker_open_orders", ETH, 0),
    (_canceled, "marketmaker_fill_rate", ETH, 0),
    (_filled, "marketmaker_fills_received_total", BUY, 1),
    (_filled, "marketmaker_fill_volume_total", BUY, 0.01),
    (_filled, "marketmaker_position", ETH, 0.01),
    (_filled, "marketmaker_position_notional_usd", ETH, 20.1),
    (_filled, "marketmaker_unrealized_pnl_usd", ETH, 0.115),
    (_filled, "marketmaker_inventory_skew", ETH, 0.001),
    (_filled, "marketmaker_fees_usd", ETH, 0.0007994),
    (_filled, "marketmaker_fill_rate", ETH, 1),
    (_filled, "marketmaker_websocket_messages_total", {"type": "fill"}, 1),
    (_round_trip, "marketmaker_fills_received_total", BUY | {"side": "sell"}, 1),
    (_round_trip, "marketmaker_realized_pnl_usd", ETH, 0.04),
    (_round_trip, "marketmaker_position", ETH, 0),
    (_funded, "marketmaker_funding_usd", ETH, -0.25),
    (_modified, "marketmaker_orders_modified_total", ETH, 1),
    (_refused, "marketmaker_risk_violations_total", {}, 1),
    (_refused, "marketmaker_refusals_total", ETH | {"reason": "position_limit"}, 1),
    (_not_taken, "marketmaker_circuit_breaker_state", {"breaker": "order_placement"}, 1),
    (_not_taken, "marketmaker_commands_total", {"command": "place", "outcome": "refused"}, 1),
    (_not_taken, "marketmaker_orders_rejected_total", ETH | {"status": "canceled-post-only"}, 1),
    (_nothing, "marketmaker_circuit_breaker_state", {"breaker": "order_placement"}, 0),
    (_lost_day, "marketmaker_circuit_breaker_state", {"breaker": "loss_limit"}, 1),
    (_lost_day, "marketmaker_daily_pnl_usd", {}, -1500),
    (_nothing, "marketmaker_circuit_breaker_state", {"breaker": "loss_limit"}, 0),
    (_nothing, "marketmaker_websocket_connected", {}, 1),
    (_disconnected, "marketmaker_websocket_connected", {}, 0),
    (_disconnected, "marketmaker_circuit_breaker_state", {"breaker": "api_errors"}, 1),
    (_disconnected, "marketmaker_link_up", {"link": "public"}, 0),
    (_disconnected, "marketmaker_link_up", {"link": "private"}, 1),
    (_reconnected, "marketmaker_websocket_connected", {}, 1),
    (_reconnected, "marketmaker_websocket_reconnects_total", {}, 1),
    (_nothing, "marketmaker_spread_bps", ETH, 12.5),
    (_nothing, "marketmaker_full_spread_bps", ETH, 400 / 200_050 * 10_000),
    (_stale, "marketmaker_spread_bps", ETH, math.nan),
    (_stale, "marketmaker_full_spread_bps", ETH, math.nan),
    (_stale, "marketmaker_not_quoting", BUY | {"reason": "stale_book"}, 1),
    (_stale, "marketmaker_quoting_seconds_total", ETH, 2.5),
    (_stale, "marketmaker_book_age_seconds", ETH, 2.5),
    (_at_the_cap, "marketmaker_not_quoting", BUY | {"reason": "position_limit"}, 1),
    (_at_the_cap, "marketmaker_not_quoting", BUY | {"side": "sell", "reason": ""}, None),
    (_at_the_cap, "marketmaker_full_spread_bps", ETH, math.nan),
    (_later, "marketmaker_uptime_seconds", {}, 4),
    (_later, "marketmaker_decision_age_seconds", {}, 4),
    (_nothing, "marketmaker_update_cycle_duration_seconds_count", {}, 1),
    (_nothing, "marketmaker_decide_duration_seconds_count", {}, 1),
    (_nothing, "marketmaker_decide_duration_seconds_bucket", {"le": "5e-06"}, 1),
    (_nothing, "marketmaker_quota_remaining", {}, None),
    (_quota, "marketmaker_quota_remaining", {}, 812),
    (_nothing, "marketmaker_goroutines", {}, 11),
    (_nothing, "marketmaker_messages_left", {}, 3990),
    (_nothing, "marketmaker_journal_bytes", {}, 4096),
    (_nothing, "marketmaker_journal_pending_records", {}, 2),
    (_nothing, "marketmaker_journal_dropped_records_total", {}, 1),
    (_nothing, "marketmaker_log_lines_dropped_total", {}, 6),
    (_nothing, "marketmaker_signature_numbers_left", {"key": "4"}, 60),
    (_nothing, "marketmaker_signatures_total", {"key": "4", "way": "prepared"}, 9),
    (_nothing, "marketmaker_signatures_total", {"key": "4", "way": "in full"}, 2),
]


@pytest.mark.parametrize(
    ("scenario", "name", "labels", "expected"),
    CASES,
    ids=[f"{number}-{case[0].__name__}-{case[1]}" for number, case in enumerate(CASES)],
)
def test_each_metric_is_moved_by_its_event(scenario, name, labels, expected):
    """What happens moves the metric that is about it by the right amount (defect M1)."""
    clock = HandClock()
    clock.now_ns = 1000 * MS
    figures = running(clock)
    scenario(figures, clock)

    found = value(figures, clock, name, **labels)

    if expected is None or found is None:
        assert expected is found
    else:
        assert pytest.approx(expected, nan_ok=True) == found


def test_no_metric_is_left_out_of_the_tests():
    """Each metric of the table has a case above, but for memory, which has tests of its own."""
    tested = {name for _, name, _, _ in CASES}
    missing = {metric.name for metric in METRICS if not any(name.startswith(metric.name) for name in tested)}

    assert {"marketmaker_memory_bytes"} == missing


def test_the_table_is_in_order():
    """The seed's nineteen come first, and no name occurs twice."""
    names = [metric.name for metric in METRICS]

    assert list(SEED) == names[:19]
    assert len(names) == len(set(names))


def test_process_metrics_are_kept():
    """The library's process metrics stay available (seed reference 2.4)."""
    clock = HandClock()

    assert {"process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds", "python_info"} <= set(
        scraped(running(clock), clock)
    )


def test_nothing_known_is_no_error():
    """Before the venue has said anything a scrape gives every family, without samples for markets."""
    clock = HandClock()
    found = scraped(new_figures(clock), clock)

    assert {metric.name.removesuffix("_total") for metric in METRICS} <= set(found)
    assert [] == found["marketmaker_position"].samples
