"""Faults of the bot's own machine: its process, its disk, its clock (reference P1-P8, C1)."""

from lighterman.domain.chance import Rng
from lighterman.simulation.faults.kind import Args, Begin, FaultKind, kind
from lighterman.simulation.stage import Stage

STATE = "/journal/state/"


def _kill(stage: Stage, args: Args, _: Rng) -> bool:
    process = stage.process
    if process is None:
        return False
    process.node.kill_at = process.node.steps + args["steps"]
    return True


def _terminate(stage: Stage, _: Args, __: Rng) -> bool:
    if stage.process is None:
        return False
    stage.process.ask_to_stop("SIGTERM")
    return True


def _pause(stage: Stage, args: Args, _: Rng) -> bool:
    process = stage.process
    if process is None or process.node.is_paused:
        return False
    process.node.pause()
    stage.pull(args["seconds"], process.node.resume)
    return True


def _disk(lever: str) -> Begin:
    """Return a fault of the disk that lasts for a while."""

    def begin(stage: Stage, args: Args, _: Rng) -> bool:
        stage.switch_on(stage.disk, lever, args["seconds"])
        return True

    return begin


def _wall_jump(stage: Stage, args: Args, _: Rng) -> bool:
    """The bot's wall clock is set wrong, and right again later."""
    skew_us = round(args["by_s"] * 1_000_000)
    stage.bot_clock.skew_us += skew_us

    def release() -> None:
        stage.bot_clock.skew_us -= skew_us

    stage.pull(args["seconds"], release)
    return True


MACHINE_FAULTS: dict[str, FaultKind] = {
    "kill": kind("P1", "kill -9, at any step", _kill, steps=(1, 400), per_minute=0.7),
    "terminate": kind("P2", "a polite end", _terminate, per_minute=0.5),
    "pause": kind("P3", "the process stands still", _pause, seconds=(0.2, 12.0)),
    "disk_full": kind("P6", "no room on the disk", _disk("is_full"), seconds=(2.0, 15.0), per_minute=0.4),
    "write_error": kind("P6", "the disk does not write", _disk("fails_writes"), seconds=(2.0, 15.0), per_minute=0.4),
    "fsync_error": kind("P6", "the disk does not flush", _disk("fails_flushes"), seconds=(2.0, 15.0), per_minute=0.4),
    "wall_jump": kind(
        "C1", "the clock is set", _wall_jump, by_s=(-4000.0, 4000.0), seconds=(5.0, 40.0), per_minute=0.5
    ),
}
