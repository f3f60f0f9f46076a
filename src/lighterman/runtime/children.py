"""The local exchange as a process of its own: started, spoken to, and never left behind.

A process, not a thread of the bot: a crash of one must not hide in the other, and signing
libraries keep process-wide state. It runs in its own session, so that a Ctrl-C on the
terminal reaches the bot alone (which then still has an exchange to cancel its orders on),
and it watches its standard input, so that it ends when its parent does, however that ends. On
Linux it does not interrupt a turn of the bot when an order wakes it.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from lighterman.domain.errors import ConfigError, TransportError
from lighterman.runtime.exits import Exit

READY_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class ReadyExchange:
    """Where a started exchange listens."""

    url: str
    ws_url: str
    chain_id: int


class ExchangeProcess:
    """One `lighterman exchange serve` child."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, arguments: Sequence[str]) -> "ExchangeProcess":
        """Start the child; `ready` waits for it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lighterman",
            "exchange",
            "serve",
            "--port",
            "0",
            "--watch-stdin",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        _give_way(process.pid)
        return cls(process)

    async def ready(self) -> ReadyExchange:
        """Return where it listens.

        Raises ConfigError if it did not take its options (it has said why on stderr), and
        TransportError if it ended otherwise or stays silent.
        """
        if self._process.stdout is None:
            raise TransportError("the local exchange has no output to read")
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), READY_TIMEOUT_S)
            said = json.loads(line)
            return ReadyExchange(said["url"], said["ws_url"], said["chain_id"])
        except TimeoutError:
            raise TransportError(f"the local exchange was not ready within {READY_TIMEOUT_S:.0f} s") from None
        except (ValueError, KeyError):
            code = await self._process.wait() if not line else None
            if code == Exit.CONFIG:
                raise ConfigError(["the local exchange cannot be started with these options"]) from None
            raise TransportError(f"the local exchange did not start (exit code {code})") from None

    async def ended(self) -> int:
        """Return its exit code once it has ended."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End it, gently first."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _give_way(pid: int) -> None:
    """Let a process not interrupt others when it is woken: sched(7), SCHED_BATCH. What it starts later does not either.

    Else the first order that a turn sends wakes it on the turn's own processor: every eleventh turn of a demo
    was interrupted, mostly for a millisecond or two, and went on with cold caches.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it has ended, or may not: then it runs as all do
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
