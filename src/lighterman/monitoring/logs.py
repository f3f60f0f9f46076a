"""Structured log lines that cost the caller a tuple.

Law: `Log.emit` formats nothing and waits for nothing. Lines are rendered by structlog's
processors on the log's own thread: order, redaction, JSON. The ring is bounded; what does not
fit is counted, and the count is logged. A warning or error that comes again within ten
seconds is not written but counted (defect M7). Nothing here takes a configuration, and every
text is redacted.
"""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import msgspec
import structlog

from lighterman.domain.clock import Clock
from lighterman.domain.errors import PreflightError
from lighterman.domain.secret import redact
from lighterman.monitoring.settings import LogSettings

RING_MAX = 10_000
BATCH_LINES = 64  # about 0.5 ms of rendering, then the other threads have their turn
REPEAT_WINDOW_US = 10_000_000
REPEATS_MAX = 1000  # different messages remembered
IDLE_S = 0.05
PAUSE_S = 0.001
MICROS_PER_S = 1_000_000
FILE_MODE = 0o640
STANDARD = ("stdout", "stderr")  # not ours to close, whatever stands for them by then
LEVELS = {"debug": 10, "info": 20, "warn": 30, "error": 40}

Value = str | int | float | bool | None
EventDict = MutableMapping[str, Any]


class Log:
    """The door for everybody who has something to say; cheap, and safe from any thread."""

    __slots__ = ("_clock", "_least", "_ring", "dropped")

    def __init__(self, level: str, clock: Clock) -> None:
        self._least = LEVELS[level]
        self._clock = clock
        self._ring: deque[tuple[int, str, str, Mapping[str, Value]]] = deque()
        self.dropped = 0

    def tells(self, level: str) -> bool:
        """Tell whether lines of a level are kept: who would say much need not gather it in vain."""
        return LEVELS[level] >= self._least

    def emit(self, level: str, message: str, **fields: Value) -> None:
        """Keep a line for later: a level of the settings, a fixed message, and fields that vary."""
        if not self.tells(level):
            return
        if len(self._ring) >= RING_MAX:
            self.dropped += 1
            return
        self._ring.append((self._clock.wall_us(), level, message, fields))

    def debug(self, message: str, **fields: Value) -> None:
        """Say something only a developer wants to read."""
        self.emit("debug", message, **fields)

    def info(self, message: str, **fields: Value) -> None:
        """Say that something happened as it should."""
        self.emit("info", message, **fields)

    def warning(self, message: str, **fields: Value) -> None:
        """Say that something is not as it should be."""
        self.emit("warn", message, **fields)

    def error(self, message: str, **fields: Value) -> None:
        """Say that something failed."""
        self.emit("error", message, **fields)

    def take(self, count: int) -> list[tuple[int, str, str, Mapping[str, Value]]]:
        """Return and remove the oldest lines: the writing side's door."""
        taken: list[tuple[int, str, str, Mapping[str, Value]]] = []
        while self._ring and len(taken) < count:
            taken.append(self._ring.popleft())
        return taken


class LogWriter:
    """Renders and writes what a Log has kept; `start` gives it a thread."""

    def __init__(self, log: Log, settings: LogSettings, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._output = _open(settings.output_path, "logging.outputPath")
        self._errors = _open(settings.error_output_path, "logging.errorOutputPath")
        paths = (settings.output_path, settings.error_output_path)
        self._opened = [
            stream for path, stream in zip(paths, (self._output, self._errors), strict=True) if path not in STANDARD
        ]
        self._repeats = _Repeats()
        self._dropped_said = 0
        self._complaint = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._logger = structlog.wrap_logger(
            structlog.PrintLogger(self._output),
            processors=[_arrange, redact_values, structlog.processors.JSONRenderer(_encode)],
            wrapper_class=structlog.BoundLogger,
            context_class=dict,
        )

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Write what is left and end; return False if the output took longer than allowed."""
        self._stop.set()
        if self._thread.ident is None:
            self._finish()
        else:
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                return False
        for stream in self._opened:
            with contextlib.suppress(OSError):  # what could not be written has been told
                stream.close()
        return True

    def flush(self) -> bool:
        """Write one batch; return whether there may be more."""
        lines = self._log.take(BATCH_LINES)
        for wall_us, level, message, fields in lines:
            if self._repeats.is_new(wall_us, level, message, fields):
                self._write(wall_us, level, message, fields)
        self._say_repeats(everything=False)
        if self._log.dropped > self._dropped_said:
            self._dropped_said = self._log.dropped
            self._write(self._clock.wall_us(), "warn", "log lines dropped", {"total": self._dropped_said})
        return bool(lines)

    def _say_repeats(self, *, everything: bool) -> None:
        now_us = self._clock.wall_us()
        for level, message, fields in self._repeats.over(now_us, everything=everything):
            self._write(now_us, level, message, fields)

    def _write(self, wall_us: int, level: str, message: str, fields: Mapping[str, Value]) -> None:
        line = {**fields, "level": level, "ts": wall_us / MICROS_PER_S}
        try:
            self._logger.bind(**line).msg(message)
            self._output.flush()
        except (OSError, ValueError, TypeError) as error:
            self._complain(f"lighterman: a log line cannot be written: {redact(str(error))}\n")

    def _complain(self, complaint: str) -> None:
        """Tell the logger's own trouble, once; where even that fails there is nobody left to tell."""
        if complaint != self._complaint:
            self._complaint = complaint
            with contextlib.suppress(OSError, ValueError):
                self._errors.write(complaint)
                self._errors.flush()

    def _run(self) -> None:
        while not self._stop.wait(IDLE_S):
            while self.flush():
                self._stop.wait(PAUSE_S)
        self._finish()

    def _finish(self) -> None:
        while self.flush():
            pass
        self._say_repeats(everything=True)


class _Repeats:
    """Remembers what was said lately, to say once what comes again and again."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str, Value], tuple[int, int]] = {}  # when it was written, how often since

    def is_new(self, wall_us: int, level: str, message: str, fields: Mapping[str, Value]) -> bool:
        """Tell whether a line is to be written; warnings and errors are counted instead if they come again."""
        if LEVELS[level] < LEVELS["warn"]:
            return True
        name = (level, message, fields.get("market"))
        if name in self._said:
            first_us, count = self._said[name]
            self._said[name] = (first_us, count + 1)
            return False
        if len(self._said) < REPEATS_MAX:
            self._said[name] = (wall_us, 0)
        return True

    def over(self, now_us: int, *, everything: bool) -> list[tuple[str, str, dict[str, Value]]]:
        """Forget what was said long enough ago; return lines on what has come again since."""
        over = [
            name
            for name, (first_us, _) in self._said.items()
            if everything or not first_us <= now_us < first_us + REPEAT_WINDOW_US
        ]
        lines: list[tuple[str, str, dict[str, Value]]] = []
        for name in over:
            _, count = self._said.pop(name)
            level, message, market = name
            if count:
                lines.append((level, message, {"repeated": count} | ({"market": market} if market else {})))
        return lines


def redact_values(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Take keys, signatures and tokens out of every text of a line: a structlog processor."""
    return {name: redact(value) if isinstance(value, str) else value for name, value in event.items()}


def _arrange(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Put level, time and message in front, by the names of the seed's logs: a structlog processor."""
    message = event.pop("event")
    first = {"level": event.pop("level"), "ts": event.pop("ts"), "msg": message}
    return {**first, **event, "msg": message}


def _encode(event: EventDict, **_options: object) -> str:
    """Return a line of JSON; what JSON cannot say becomes null (NaN) or its text, redacted."""
    return msgspec.json.encode(event, enc_hook=lambda value: redact(str(value))).decode()


def _open(path: str, key: str) -> TextIO:
    """Open where the settings say; raises PreflightError."""
    if path in STANDARD:
        return sys.stdout if path == "stdout" else sys.stderr
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE), "a")
    except OSError as error:
        raise PreflightError(f"{key}: {path} cannot be written: {error.strerror}") from None
