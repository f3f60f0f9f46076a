"""Processes of `lighterman`: waited for by what they say, and never left behind.

Nothing here depends on how fast the machine is; `PATIENCE_S` only ends what would hang for ever.
"""

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import NamedTuple

PATIENCE_S = 180.0


class Ended(NamedTuple):
    """How a process ended, and all it said."""

    code: int
    out: str
    err: str

    @property
    def result(self):
        """Return the one JSON object on stdout; anything else there is an error."""
        (line,) = self.out.splitlines()
        return json.loads(line)


class Process:
    """One running process."""

    def __init__(self, process):
        self._process = process
        self.out, self.err = [], []
        self._said = asyncio.Condition()
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self.out)),
            asyncio.create_task(self._read(process.stderr, self.err)),
        ]

    @property
    def pid(self):
        return self._process.pid

    def send(self, number):
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def says(self, text, count=1):
        """Wait until lines with a text have been said that often; return the last of them."""
        async with asyncio.timeout(PATIENCE_S), self._said:
            while len(found := [line for line in self.out + self.err if text in line]) < count:
                assert not all(reader.done() for reader in self._readers), f"it never said {text!r}: {self.err[-20:]}"
                await self._said.wait()
        return found[count - 1]

    async def end(self, number=None):
        """Wait for the end, after a signal if one is given."""
        if number is not None:
            self.send(number)
        async with asyncio.timeout(PATIENCE_S):
            code = await self._process.wait()
            await asyncio.gather(*self._readers)
        return Ended(code, "".join(self.out), "".join(self.err))

    async def close(self):
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self.end()

    async def _read(self, stream, lines):
        while line := await stream.readline():
            lines.append(line.decode())
            async with self._said:
                self._said.notify_all()
        async with self._said:
            self._said.notify_all()


@contextlib.asynccontextmanager
async def started(*arguments, cwd, program=("-m", "lighterman")):
    """Start `lighterman` with arguments, and kill it if it is still there at the end."""
    process = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            *map(str, arguments),
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
    )
    try:
        yield process
    finally:
        await process.close()


async def finished(*arguments, cwd, program=("-m", "lighterman")):
    """Run `lighterman` to its end."""
    async with started(*arguments, cwd=cwd, program=program) as process:
        return await process.end()


@contextlib.asynccontextmanager
async def exchange(*arguments, cwd, chain_id=131_072_304):
    """Serve a local exchange in a process of its own; give the process and its URL."""
    async with started("exchange", "serve", "--chain-id", chain_id, *arguments, cwd=cwd) as process:
        yield process, json.loads(await process.says('"ready"'))["url"]


@contextlib.contextmanager
def hangups_heard():
    """Let processes started meanwhile hear SIGHUP, though the tests themselves may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def children(pid):
    """Return the children of a process (Linux)."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def settings_file(folder, document, name="settings.json"):
    """Write a settings file, readable by its owner alone; return its path."""
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    path.chmod(0o600)
    return path


STOP = signal.SIGINT
