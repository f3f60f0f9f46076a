"""Log lines: cheap to say, complete in JSON, never a secret, never a flood."""

import io
import json
import os
import sys
import threading
from pathlib import Path

import pytest
import structlog

from helpers.journals import HandClock
from lighterman.domain.errors import PreflightError
from lighterman.domain.secret import Secret
from lighterman.monitoring.logs import LEVELS, RING_MAX, Log, LogWriter, redact_values
from lighterman.monitoring.settings import LogSettings

CANARY = "0x" + "ca11ab1e" * 10


class Bench:
    """A log into a file, written when told to."""

    def __init__(self, folder: Path, level: str = "info") -> None:
        self.clock = HandClock()
        self.path = folder / "log"
        self.errors = folder / "errors"
        self.log = Log(level, self.clock)
        settings = LogSettings(level=level, output_path=str(self.path), error_output_path=str(self.errors))
        self.writer = LogWriter(self.log, settings, self.clock)

    def lines(self) -> list[dict]:
        """Return the lines written by now."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path):
    """Return a log into a file."""
    bench = Bench(tmp_path)
    yield bench
    bench.writer.stop(10)


def test_a_line_is_json(bench):
    """A line holds level, epoch seconds, message and its fields, in that order (seed reference 2.6)."""
    bench.clock.now_ns = 250_000_000
    bench.log.info(
        "fill received", market="ETH-USDC", side="buy", size="0.01", orderID=7, elapsed=0.5, ok=True, no=None
    )
    bench.writer.flush()

    (line,) = bench.lines()
    assert ["level", "ts", "msg", "market", "side", "size", "orderID", "elapsed", "ok", "no"] == list(line)
    assert ("info", 1_784_946_862.25, "fill received") == (line["level"], line["ts"], line["msg"])
    assert ("ETH-USDC", 7, 0.5, True, None) == (
        line["market"],
        line["orderID"],
        line["elapsed"],
        line["ok"],
        line["no"],
    )


def test_saying_something_writes_nothing(bench):
    """The caller only leaves a line behind; the writer's side renders it."""
    bench.log.error("failed to place order")

    assert [] == bench.lines()
    bench.writer.flush()
    assert 1 == len(bench.lines())


@pytest.mark.parametrize("level", LEVELS)
def test_lines_below_the_level_are_left_out(tmp_path, level):
    """Only lines of the configured level and above are written."""
    bench = Bench(tmp_path, level)
    for name, say in zip(LEVELS, (bench.log.debug, bench.log.info, bench.log.warning, bench.log.error), strict=True):
        say(f"a {name}")
    bench.writer.stop(10)

    assert list(LEVELS)[list(LEVELS).index(level) :] == [line["level"] for line in bench.lines()]


def test_no_secret_is_written(bench):
    """Keys in messages, fields, exceptions and boxes are taken out before a line is written (reliability G16)."""
    message = f"key {CANARY}"
    bench.log.info(message, key=CANARY, url=f"wss://x/stream?auth={CANARY}", box=Secret(CANARY))  # type: ignore[arg-type]
    bench.log.error("failed", error=repr(ValueError(CANARY)), object=ValueError(CANARY))  # type: ignore[arg-type]
    bench.writer.flush()

    text = bench.path.read_text()
    assert "ca11ab1e" not in text
    assert 2 == len(bench.lines())
    assert text.count("[redacted]") >= 5


def test_fields_may_have_any_name(bench):
    """A field that is named like a part of the line does not break it."""
    bench.log.info("odd", event="e", ts="t", msg="m", logger="l")
    bench.writer.flush()

    (line,) = bench.lines()
    assert ("info", 1_784_946_862.0, "odd") == (line["level"], line["ts"], line["msg"])


def test_repeated_errors_are_counted(bench):
    """The same error again within ten seconds is counted, and told once at the end (defect M7: 112 lines a second)."""
    for _ in range(500):
        bench.log.error("failed to get market state", market="ETH")
    bench.log.error("failed to get market state", market="BTC")
    bench.log.info("quoting")
    bench.log.info("quoting")
    while bench.writer.flush():
        pass
    assert 4 == len(bench.lines())

    bench.clock.now_ns = 10_000_000_000
    bench.writer.flush()
    last = bench.lines()[-1]
    assert (5, "failed to get market state", 499, "ETH") == (
        len(bench.lines()),
        last["msg"],
        last["repeated"],
        last["market"],
    )
    bench.log.error("failed to get market state", market="ETH")
    bench.writer.flush()
    assert "repeated" not in bench.lines()[-1]


def test_the_last_repeats_are_told_at_the_end(tmp_path):
    """What was still being counted when the log ends is told."""
    bench = Bench(tmp_path)
    for _ in range(3):
        bench.log.warning("risk check failed")
    bench.writer.stop(10)

    assert [None, 2] == [line.get("repeated") for line in bench.lines()]


def test_a_flood_is_bounded_and_said(bench):
    """What does not fit into the ring is dropped, counted, and the count is logged."""
    for number in range(RING_MAX + 7):
        bench.log.info("tick", number=number)
    assert 7 == bench.log.dropped
    while bench.writer.flush():
        pass

    dropped = [line for line in bench.lines() if line["msg"] == "log lines dropped"]
    assert [7] == [line["total"] for line in dropped]
    assert RING_MAX == len(bench.lines()) - 1


def test_the_thread_writes_everything(tmp_path):
    """With its own thread running, all lines of all threads are written by the end."""
    bench = Bench(tmp_path)
    bench.writer.start()

    def speak() -> None:
        for number in range(500):
            bench.log.info("said", number=number)

    speakers = [threading.Thread(target=speak) for _ in range(4)]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join()

    assert bench.writer.stop(10)
    assert 2000 == len(bench.lines())


def test_a_stuck_output_holds_up_nobody(tmp_path):
    """While nobody reads the output, saying things costs nothing, and the end waits only as long as allowed."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    clock = HandClock()
    log = Log("debug", clock)
    writer = LogWriter(log, LogSettings(output_path=str(pipe)), clock)
    for number in range(RING_MAX):
        log.debug("said", number=number)
    writer.start()
    assert not writer.stop(0.2)

    read = 0
    os.set_blocking(reader, True)
    while piece := os.read(reader, 1 << 16):
        read += piece.count(b"\n")
        if read == RING_MAX:
            break
    assert writer.stop(10)
    os.close(reader)


def test_a_full_disk_is_told_once(tmp_path):
    """An output that cannot be written is told on the other output, once, and stops nothing (reliability P11)."""
    clock = HandClock()
    log = Log("info", clock)
    errors = tmp_path / "errors"
    writer = LogWriter(log, LogSettings(output_path="/dev/full", error_output_path=str(errors)), clock)
    for number in range(5):
        log.info("said", number=number)
    assert writer.stop(10)

    assert [
        "lighterman: a log line cannot be written: [Errno 28] No space left on device"
    ] == errors.read_text().splitlines()


def test_an_unwritable_path_is_named(tmp_path):
    """A log file that cannot be opened is a refusal to start, with its key."""
    settings = LogSettings(output_path=str(tmp_path / "no" / "log"))
    with pytest.raises(PreflightError, match=r"logging\.outputPath: .*/no/log cannot be written: No such file"):
        LogWriter(Log("info", HandClock()), settings, HandClock())


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_the_standard_streams_are_left_open(name, capsys):
    """The process's own streams are written to and not closed."""
    clock = HandClock()
    log = Log("info", clock)
    writer = LogWriter(log, LogSettings(output_path=name), clock)
    log.info("said")
    writer.stop(10)

    assert "said" == json.loads(getattr(capsys.readouterr(), "out" if name == "stdout" else "err"))["msg"]
    assert not getattr(sys, name).closed


def test_streams_that_were_replaced_meanwhile_are_left_open(monkeypatch):
    """A live status may stand in for stderr while the log ends: the real one is not the log's to close."""
    real = io.StringIO()
    monkeypatch.setattr(sys, "stderr", real)
    writer = LogWriter(Log("info", HandClock()), LogSettings(output_path="stderr"), HandClock())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    writer.stop(10)

    assert not real.closed


def test_the_redaction_is_a_structlog_processor():
    """It fits into any structlog pipeline."""
    with structlog.testing.capture_logs(processors=[redact_values]) as captured:
        structlog.get_logger().info("auth", token=f"{CANARY}")

    assert "[redacted]" == captured[0]["token"]
