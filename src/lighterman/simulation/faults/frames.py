"""Faults of single frames and of connections: lost, repeated, late, changed, closed, silent (N1-N5, N10, N13)."""

import re
from collections.abc import Callable, Sequence

from lighterman.domain.chance import Rng
from lighterman.simulation.ear import PRIVATE, PUBLIC, TRANSACTIONS
from lighterman.simulation.faults.kind import Args, FaultKind, kind
from lighterman.simulation.network import MemoryStream, Passage
from lighterman.simulation.stage import Stage

STREAMS = (PUBLIC, PRIVATE, TRANSACTIONS)
LISTENING = (PUBLIC, PRIVATE)
UPDATE = b'"update/'
BOOK_UPDATE = b'"update/order_book"'
BOOK_SNAPSHOT = b'"subscribed/order_book"'
LASTS_S = 20.0  # a trap for one frame waits so long for it

JUNK = (
    "{",
    "[]",
    "null",
    '"text"',
    "12e400",
    '{"type":"update/order_book","channel":"order_book:0","order_book":{"nonce":1e99}}',
    '{"type":"update/order_book","channel":"order_book:0","order_book":{"asks":[{"price":"-1","size":"NaN"}]}}',
    '{"type":"update/account_all_orders","channel":"account_all_orders:100","orders":null}',
    '{"type":"update/account_all_trades","channel":"account_all_trades:100","trades":{"0":[{"trade_id":"x"}]}}',
    '{"type":"nobody/knows"}',
    '{"error":{"code":23999,"message":"made up"}}',
    "<html><body>502 Bad Gateway</body></html>",
)

Change = Callable[[bytes, Rng], Sequence[Passage]]


def _trap(stage: Stage, stream: str, count: int, concerns: Callable[[bytes], bool], change: Change, rng: Rng) -> bool:
    """Have something done to the next `count` frames towards the bot that concern us."""
    tampers = stage.network.weather[stream].tampers_in
    left = count

    def tamper(_: MemoryStream, data: bytes) -> Sequence[Passage] | None:
        nonlocal left
        if not left or not concerns(data):
            return None
        left -= 1
        if not left:
            tampers.pop(tamper, None)
        return change(data, rng)

    tampers[tamper] = None
    stage.pull(LASTS_S, lambda: tampers.pop(tamper, None))
    return True


def _for_a_while(
    stage: Stage, stream: str, seconds: float, change: Callable[[bytes], Sequence[Passage] | None]
) -> bool:
    """Have something done to all frames towards the bot for some time."""
    tampers = stage.network.weather[stream].tampers_in

    def tamper(_: MemoryStream, data: bytes) -> Sequence[Passage] | None:
        return change(data)

    tampers[tamper] = None
    stage.pull(seconds, lambda: tampers.pop(tamper, None))
    return True


def _is_update(data: bytes) -> bool:
    return UPDATE in data


def _is_book_update(data: bytes) -> bool:
    return BOOK_UPDATE in data


def _lose(_: bytes, __: Rng) -> Sequence[Passage]:
    return ()


def _lost_frame(stage: Stage, args: Args, rng: Rng) -> bool:
    return _trap(stage, args["stream"], args["count"], _is_update, _lose, rng)


def _gap(stage: Stage, args: Args, rng: Rng) -> bool:
    return _trap(stage, PUBLIC, args["count"], _is_book_update, _lose, rng)


def _duplicated_frame(stage: Stage, args: Args, rng: Rng) -> bool:
    def twice(data: bytes, _: Rng) -> Sequence[Passage]:
        return (Passage(data), Passage(data, args["late_s"]))

    return _trap(stage, args["stream"], args["count"], _is_update, twice, rng)


def _reordered_frame(stage: Stage, args: Args, rng: Rng) -> bool:
    def later(data: bytes, _: Rng) -> Sequence[Passage]:
        return (Passage(data, args["late_s"]),)

    return _trap(stage, args["stream"], args["count"], _is_update, later, rng)


def _late_snapshot(stage: Stage, args: Args, rng: Rng) -> bool:
    """A gap makes the bot subscribe again; its snapshot is overtaken by updates."""
    _gap(stage, {"count": 1}, rng)

    def later(data: bytes, _: Rng) -> Sequence[Passage]:
        return (Passage(data, args["late_s"]),)

    return _trap(stage, PUBLIC, 1, lambda data: BOOK_SNAPSHOT in data, later, rng)


def _snapshot_twice(stage: Stage, args: Args, rng: Rng) -> bool:
    """A gap makes the bot subscribe again; its snapshot comes a second time when it is old."""
    _gap(stage, {"count": 1}, rng)

    def twice(data: bytes, _: Rng) -> Sequence[Passage]:
        return (Passage(data), Passage(data, args["late_s"]))

    return _trap(stage, PUBLIC, 1, lambda data: BOOK_SNAPSHOT in data, twice, rng)


def _shuffled_private(stage: Stage, args: Args, rng: Rng) -> bool:
    def later(data: bytes) -> Sequence[Passage] | None:
        return (Passage(data, rng.uniform(0.01, args["late_s"])),) if rng.random() < 0.5 else None

    return _for_a_while(stage, PRIVATE, args["seconds"], later)


def _duplicated_private(stage: Stage, args: Args, rng: Rng) -> bool:
    def twice(data: bytes) -> Sequence[Passage]:
        return (Passage(data), Passage(data, rng.uniform(0.01, args["late_s"])))

    return _for_a_while(stage, PRIVATE, args["seconds"], twice)


def _late_fills(stage: Stage, args: Args, _: Rng) -> bool:
    def later(data: bytes) -> Sequence[Passage] | None:
        return (Passage(data, args["late_s"]),) if b'"update/account_all_trades"' in data else None

    return _for_a_while(stage, PRIVATE, args["seconds"], later)


def _late_orders(stage: Stage, args: Args, _: Rng) -> bool:
    def later(data: bytes) -> Sequence[Passage] | None:
        return (Passage(data, args["late_s"]),) if b'"update/account_all_orders"' in data else None

    return _for_a_while(stage, PRIVATE, args["seconds"], later)


def _malformed_frame(stage: Stage, args: Args, _: Rng) -> bool:
    found = [stream for stream in stage.network.streams if stream.kind == args["stream"]]
    for stream in found:
        stream.inject(args["text"].encode())
    return bool(found)


def _missing_field(stage: Stage, args: Args, rng: Rng) -> bool:
    """A field that the bot needs is called something else."""
    pattern = re.compile(rb'"(nonce|begin_nonce|price|size|trade_id|status|client_order_index|client_order_id)":')

    def without(data: bytes, _: Rng) -> Sequence[Passage]:
        return (Passage(pattern.sub(rb'"\1_v2":', data, count=1)),)

    return _trap(stage, args["stream"], 1, _is_update, without, rng)


def _extra_field(stage: Stage, args: Args, _: Rng) -> bool:
    """The venue adds fields, to every frame."""

    def more(data: bytes) -> Sequence[Passage] | None:
        return (Passage(b'{"added":{"since":[1,"2"]},' + data[1:]),) if data[:1] == b"{" and len(data) > 2 else None

    return _for_a_while(stage, args["stream"], args["seconds"], more)


def _closed_connection(stage: Stage, args: Args, _: Rng) -> bool:
    found = [stream for stream in stage.network.streams if stream.kind == args["stream"]]
    for stream in found:
        stream.reset(args["reason"])
    return bool(found)


def _all_closed(stage: Stage, args: Args, _: Rng) -> bool:
    found = stage.network.streams
    stage.network.cut_streams(STREAMS, args["reason"])
    return bool(found)


def _half_open(stage: Stage, args: Args, _: Rng) -> bool:
    found = [stream for stream in stage.network.streams if stream.kind == args["stream"]]
    for stream in found:
        stream.is_dead = True
    return bool(found)


def _shutdown_frame(stage: Stage, args: Args, _: Rng) -> bool:
    """The venue announces that it goes, and goes."""
    found = stage.network.streams
    for stream in found:
        stream.inject(b'{"type":"shutdown","close_in_ms":%d}' % round(args["seconds"] * 1000))
    stage.pull(args["seconds"], lambda: stage.network.cut_streams(STREAMS, "shutdown (1001)"))
    return bool(found)


def _slow_network(stage: Stage, args: Args, _: Rng) -> bool:
    for weather in stage.network.weather.values():
        weather.slowness *= args["factor"]

    def release() -> None:
        for weather in stage.network.weather.values():
            weather.slowness /= args["factor"]

    stage.pull(args["seconds"], release)
    return True


def _stalled_stream(stage: Stage, args: Args, _: Rng) -> bool:
    _stall(stage, args["stream"], args["seconds"])
    return True


def _swizzle(stage: Stage, args: Args, rng: Rng) -> bool:
    """Streams stall one by one and come back in another order."""
    kinds = list(stage.network.weather)
    for delay_s in (0.0, *(rng.uniform(0, args["seconds"] / 2) for _ in kinds[1:])):
        stream = kinds.pop(rng.randrange(0, len(kinds)))
        _stall(stage, stream, delay_s + rng.uniform(0.1, args["seconds"] / 2))
    return True


def _stall(stage: Stage, stream: str, seconds: float) -> None:
    weather = stage.network.weather[stream]
    weather.stalled_until_s = max(weather.stalled_until_s, stage.now_ns / 1e9 + seconds)


def _partition(*streams: str) -> Callable[[Stage, Args, Rng], bool]:
    """Cut some kinds of connections: nothing arrives, and nobody is told."""

    def begin(stage: Stage, args: Args, _: Rng) -> bool:
        weathers = [stage.network.weather[stream] for stream in streams]
        for weather in weathers:
            weather.is_cut = True

        def release() -> None:
            for weather in weathers:
                weather.is_cut = False

        stage.pull(args["seconds"], release)
        return True

    return begin


REASONS = ("bye (1000)", "gone (1006)", "policy (1008)")
FRAME_FAULTS: dict[str, FaultKind] = {
    "lost_frame": kind("N3", "frames vanish", _lost_frame, stream=LISTENING, count=(1, 3), per_minute=3),
    "gap": kind("N3", "book updates vanish", _gap, count=(1, 3), per_minute=3),
    "duplicated_frame": kind(
        "N3", "frames come twice", _duplicated_frame, stream=LISTENING, count=(1, 3), late_s=(0.01, 0.5), per_minute=3
    ),
    "reordered_frame": kind(
        "N3", "frames are overtaken", _reordered_frame, stream=LISTENING, count=(1, 3), late_s=(0.05, 0.5), per_minute=3
    ),
    "late_snapshot": kind("N4", "updates before the snapshot", _late_snapshot, late_s=(0.1, 2.0), per_minute=2),
    "snapshot_twice": kind("N4", "an old snapshot again", _snapshot_twice, late_s=(0.1, 2.0), per_minute=2),
    "shuffled_private": kind(
        "E9", "private frames out of order", _shuffled_private, seconds=(3.0, 20.0), late_s=(0.05, 0.8)
    ),
    "duplicated_private": kind(
        "E9", "private frames twice", _duplicated_private, seconds=(3.0, 20.0), late_s=(0.05, 3.0)
    ),
    "late_fills": kind("E7", "fills long after the orders' ends", _late_fills, seconds=(3.0, 15.0), late_s=(0.5, 5.0)),
    "late_orders": kind(
        "E9", "fills long before the orders' rows", _late_orders, seconds=(3.0, 15.0), late_s=(0.5, 5.0)
    ),
    "malformed_frame": kind("D1", "nonsense", _malformed_frame, stream=STREAMS, text=JUNK, per_minute=4),
    "missing_field": kind("E16", "a field is gone", _missing_field, stream=LISTENING, per_minute=2),
    "extra_field": kind("E16", "fields are new", _extra_field, stream=LISTENING, seconds=(5.0, 30.0)),
    "closed_connection": kind(
        "N1", "one connection ends", _closed_connection, stream=STREAMS, reason=REASONS, per_minute=2
    ),
    "all_closed": kind("N1", "all connections end", _all_closed, reason=REASONS),
    "half_open": kind("N2", "a connection is dead, and nobody says so", _half_open, stream=STREAMS),
    "shutdown_frame": kind("N1", "the venue says goodbye", _shutdown_frame, seconds=(0.3, 3.0)),
    "slow_network": kind("N8", "latency times many", _slow_network, factor=(4.0, 30.0), seconds=(2.0, 20.0)),
    "stalled_stream": kind(
        "N5",
        "a stream stands still, then catches up",
        _stalled_stream,
        stream=(*STREAMS, "rest"),
        seconds=(0.3, 5.0),
        per_minute=2,
    ),
    "swizzle": kind("N13", "streams stall one by one", _swizzle, seconds=(1.0, 8.0)),
    "partition_public": kind("N10", "no market data", _partition(PUBLIC), seconds=(2.0, 25.0), per_minute=0.7),
    "partition_private": kind("N10", "no private stream", _partition(PRIVATE), seconds=(2.0, 25.0), per_minute=0.7),
    "partition_transactions": kind(
        "N10", "no transaction path", _partition(TRANSACTIONS), seconds=(2.0, 25.0), per_minute=0.7
    ),
    "partition_rest": kind("N10", "no requests", _partition("rest"), seconds=(2.0, 25.0), per_minute=0.7),
    "partition_trading": kind(
        "N10",
        "market data, and nothing else",
        _partition(PRIVATE, TRANSACTIONS, "rest"),
        seconds=(2.0, 25.0),
        per_minute=0.7,
    ),
    "partition_all": kind("N10", "nothing", _partition(*STREAMS, "rest"), seconds=(2.0, 40.0), per_minute=0.5),
}
