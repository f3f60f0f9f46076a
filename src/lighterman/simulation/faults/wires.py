"""Faults of bytes, below the real client and server (N1, N2, N5, N8, N9)."""

from collections.abc import Callable

from lighterman.domain.chance import Rng
from lighterman.simulation.faults.kind import Args, Begin, FaultKind, kind
from lighterman.simulation.stage import Stage
from lighterman.simulation.wire import Connection

Act = Callable[[Connection, Args], None]


def _one(act: Act) -> Begin:
    """Return a fault of one connection that is open, whichever chance picks."""

    def begin(stage: Stage, args: Args, rng: Rng) -> bool:
        found = stage.wire.connections
        if found:
            act(found[rng.randrange(0, len(found))], args)
        return bool(found)

    return begin


def _all(stage: Stage, _: Args, __: Rng) -> bool:
    found = stage.wire.connections
    for connection in found:
        connection.reset()
    return bool(found)


def _connecting(lever: str) -> Begin:
    """Return a fault of whoever connects, for a while."""

    def begin(stage: Stage, args: Args, _: Rng) -> bool:
        stage.switch_on(stage.wire, lever, args["seconds"])
        return True

    return begin


def _split(stage: Stage, args: Args, _: Rng) -> bool:
    """All that is open carries small pieces for a while."""
    lines = [direction.line for each in stage.wire.connections for direction in (each.up, each.down)]
    before = [line.piece_bytes_max for line in lines]
    for line in lines:
        line.piece_bytes_max = args["bytes"]

    def release() -> None:
        for line, pieces in zip(lines, before, strict=True):
            line.piece_bytes_max = pieces

    stage.pull(args["seconds"], release)
    return bool(lines)


def _narrow(stage: Stage, args: Args, _: Rng) -> bool:
    """What the bot is sent comes through slowly."""
    lines = [each.down.line for each in stage.wire.connections]
    for line in lines:
        line.bytes_per_s = args["bytes_per_s"]

    def release() -> None:
        for line in lines:
            line.bytes_per_s = float("inf")

    stage.pull(args["seconds"], release)
    return bool(lines)


WIRE_FAULTS: dict[str, FaultKind] = {
    "reset": kind("N1", "a connection is reset", _one(lambda each, _: each.reset()), per_minute=2),
    "reset_all": kind("N1", "all connections are reset", _all),
    "reset_in_frame": kind(
        "N1",
        "a connection is reset in the middle of a frame",
        _one(lambda each, args: each.down.reset_after(args["bytes"])),
        bytes=(1, 3000),
        per_minute=3,
    ),
    "reset_in_request": kind(
        "N6",
        "a connection is reset in the middle of what the bot says",
        _one(lambda each, args: each.up.reset_after(args["bytes"])),
        bytes=(1, 1500),
        per_minute=2,
    ),
    "half_close": kind("N1", "one direction ends", _one(lambda each, _: each.down.end()), per_minute=2),
    "dead_wire": kind("N2", "bytes go nowhere, and nobody says so", _one(lambda each, _: each.cut())),
    "dead_direction": kind("N2", "nothing reaches the bot, and nobody says so", _one(lambda each, _: each.down.cut())),
    "stalled_down": kind(
        "N5",
        "what the bot is sent stands still for a while",
        _one(lambda each, args: each.down.stall(args["seconds"])),
        seconds=(0.2, 6.0),
        per_minute=3,
    ),
    "stalled_up": kind(
        "N8",
        "what the bot says stands still for a while",
        _one(lambda each, args: each.up.stall(args["seconds"])),
        seconds=(0.2, 6.0),
        per_minute=3,
    ),
    "split_bytes": kind("N3", "bytes come in small pieces", _split, bytes=(1, 64), seconds=(1.0, 10.0)),
    "narrow_wire": kind("N5", "bytes come slowly", _narrow, bytes_per_s=(2_000, 60_000), seconds=(1.0, 10.0)),
    "refused": kind("N9", "nobody can connect", _connecting("is_refusing"), seconds=(1.0, 12.0)),
    "unanswered": kind("N9", "who connects hears nothing", _connecting("is_silent"), seconds=(1.0, 12.0)),
}
