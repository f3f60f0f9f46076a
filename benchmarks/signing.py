"""What a signature costs: native, official library, official client, plain Python; in turn, in one run.

    python benchmarks/signing.py [--rounds 41] [--json]

One modify order, from the transaction to the bytes that are sent: field rules, hash, signature,
JSON. All but the official client's call run on one thread that is not the main one; that call runs
on the main thread of a process of its own (.venv-sdk, or LIGHTERMAN_SDK_PYTHON), as a bot makes it.
CPU time of the thread; the best call decides and the median is shown. Before anything is timed all
must agree on the hash, and every signature of a round is verified after it. Trust the ratios.
"""

import argparse
import asyncio
import base64
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from lighterman.chance import secret_bytes
from lighterman.clock import SystemClock
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto import _native
from lighterman.protocol.signing import SignedTx
from lighterman.protocol.transactions import ModifyOrderTx, decode, transaction_hash, transaction_message
from lighterman.signing.native import NativeSigner
from lighterman.signing.official import VERSION, OfficialSigner, call_for, find_package, library
from lighterman.signing.pure import PureSigner
from lighterman.signing.thread import ThreadedSigner

SECRET = Secret("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728")
ACCOUNT_INDEX, API_KEY_INDEX, CHAIN_ID = 424_242, 5, 304
TX = ModifyOrderTx(
    account_index=ACCOUNT_INDEX,
    api_key_index=API_KEY_INDEX,
    market_index=0,
    index=123,
    base_amount=1100,
    price=410_000,
    trigger_price=0,
    expired_at=1_795_357_261_946,
    nonce=7,
)
CALLS = 30  # a round of one candidate; fewer than the pool holds
LADDER = 10
GOALS = {  # issue and performance reference P12: reference -> what must be so many times faster, by how much
    ("official library, worker thread", "native, prepared"): 20,
    ("official client, main thread", "native, prepared"): 100,
    ("official library, worker thread", "native, in full"): 3,
}

Timed = Callable[[], list[int]]


def time_calls(call: Callable[[], object], calls: int = CALLS) -> list[int]:
    """Return the CPU time of each call in nanoseconds."""
    took = []
    for _ in range(calls):
        started = time.thread_time_ns()
        call()
        took.append(time.thread_time_ns() - started)
    return took


class OfficialClient:
    """The official client in a process of its own."""

    def __init__(self, python: Path) -> None:
        script = Path(__file__).with_name("sdk_signing.py")
        self._process = subprocess.Popen(  # noqa: S603  (ours)
            [str(python), str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def time(self) -> list[int]:
        """Let it sign so many times."""
        requests: IO[str] | None = self._process.stdin
        assert requests is not None  # noqa: S101  (it was asked for)
        requests.write(f"{CALLS}\n")
        requests.flush()
        return [int(took) for took in self._answer()]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self) -> Any:
        answers: IO[str] | None = self._process.stdout
        assert answers is not None  # noqa: S101  (as above)
        line = answers.readline()
        if not line:
            raise SystemExit("the official client ended; see above")
        return json.loads(line)


class Native:
    """The native candidates, and the proof that what they signed is right."""

    def __init__(self) -> None:
        trial = (SECRET, ACCOUNT_INDEX, API_KEY_INDEX, CHAIN_ID, secret_bytes, SystemClock())
        self.signer = NativeSigner(*trial)
        self._key = _native.SigningKey(bytes.fromhex(SECRET.reveal()))
        self._verifier = _native.VerifyingKey(self._key.public_key)
        self._message = transaction_message(TX, CHAIN_ID)
        self._signed: list[SignedTx] = []
        self._keep(self.signer.sign([TX]))  # the first of a kind is verified at once

    def _keep(self, signed: Sequence[SignedTx]) -> None:
        self._signed.extend(signed)

    def _rest(self) -> None:
        while self.signer.rest():
            pass

    def prepared(self) -> list[int]:
        """Sign with a full pool."""
        self._rest()
        return time_calls(lambda: self._keep(self.signer.sign([TX])))

    def ladder(self) -> list[int]:
        """Sign a ladder with a full pool; the time of one of its orders."""
        took = []
        for _ in range(CALLS // LADDER):
            self._rest()
            took += time_calls(lambda: self._keep(self.signer.sign([TX] * LADDER)), 1)
        return [each // LADDER for each in took]

    def in_full(self) -> list[int]:
        """Sign with an empty pool."""
        self.signer.drop()
        return time_calls(lambda: self._keep(self.signer.sign([TX])))

    def hash_alone(self) -> list[int]:
        """Hash the transaction."""
        return time_calls(lambda: transaction_message(TX, CHAIN_ID))

    def online_alone(self) -> list[int]:
        """Do the online part alone: challenge, and one multiplication and subtraction."""
        while self._key.prepare(secret_bytes):
            pass
        return time_calls(lambda: self._key.sign((self._message,), secret_bytes))

    def prepare(self) -> list[int]:
        """Prepare a pair."""
        self._key.drop()
        return time_calls(lambda: self._key.prepare(secret_bytes))

    def verify(self) -> list[int]:
        """Verify a signature."""
        (signature,) = self._key.sign([self._message], secret_bytes)
        return time_calls(lambda: self._verifier.verify(self._message, signature))

    def check(self) -> None:
        """Verify everything that was signed since the last check."""
        for signed in self._signed:
            tx = decode(signed.tx_type, signed.tx_info)
            if not self._verifier.verify(transaction_message(tx, CHAIN_ID), base64.b64decode(tx.sig)):
                raise SystemExit("a native signature does not verify")
        self._signed.clear()


def candidates(native: Native, client: OfficialClient | None) -> dict[str, Timed]:
    """Return what is timed, by name."""
    pure = PureSigner(SECRET, ACCOUNT_INDEX, API_KEY_INDEX, CHAIN_ID, secret_bytes)
    found: dict[str, Timed] = {
        "native, prepared": native.prepared,
        f"native, prepared, one of a ladder of {LADDER}": native.ladder,
        "native, in full": native.in_full,
        "  hash of the transaction": native.hash_alone,
        "  online part alone": native.online_alone,
        "  prepare a pair (idle time)": native.prepare,
        "  verify": native.verify,
        "plain Python": lambda: time_calls(lambda: pure.sign([TX]), 3),
    }
    if find_package() is not None:
        official = OfficialSigner(SECRET, ACCOUNT_INDEX, API_KEY_INDEX, CHAIN_ID)
        (theirs,) = official.sign([TX])
        if theirs.tx_hash != transaction_hash(decode(theirs.tx_type, theirs.tx_info), CHAIN_ID).hex():
            raise SystemExit("the official library has another hash")
        name, arguments = call_for(TX)
        found["official library, worker thread"] = lambda: time_calls(lambda: library().sign(name, **arguments))
        found["official library, as our backend"] = lambda: time_calls(lambda: official.sign([TX]))
    if client is not None:
        found["official client, main thread"] = client.time
    return found


def measure(rounds: int, client: OfficialClient | None) -> dict[str, dict[str, float]]:
    """Run all candidates in turn, round by round; return best and median in microseconds."""
    native = Native()
    took: dict[str, list[int]] = {}
    timed = candidates(native, client)
    for candidate in timed.values():
        candidate()
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for name, candidate in timed.items():
            took.setdefault(name, []).extend(candidate())
        native.check()
    gc.enable()
    return {
        name: {"cpu_us_min": min(each) / 1000, "cpu_us_p50": statistics.median(each) / 1000}
        for name, each in took.items()
    }


async def hop(calls: int = 1_000) -> dict[str, dict[str, float]]:
    """Return the wall time of a signature through a signer's thread, and of the same in place."""
    trial = (SECRET, ACCOUNT_INDEX, API_KEY_INDEX, CHAIN_ID, secret_bytes, SystemClock())
    behind, in_place = NativeSigner(*trial), NativeSigner(*trial)
    threaded = ThreadedSigner(lambda: behind)
    took: dict[str, list[int]] = {"through the signer's thread": [], "in place": []}
    for number in range(calls):
        if number % CALLS == 0:
            while behind.rest() or in_place.rest():
                pass
        started = time.perf_counter_ns()
        await threaded.sign([TX])
        between = time.perf_counter_ns()
        in_place.sign([TX])
        took["in place"].append(time.perf_counter_ns() - between)
        took["through the signer's thread"].append(between - started)
    threaded.close()
    return {
        name: {"wall_us_min": min(each) / 1000, "wall_us_p50": statistics.median(each) / 1000}
        for name, each in took.items()
    }


def client_python() -> Path | None:
    """Return the interpreter of the official client's environment, where there is one."""
    named = os.environ.get("LIGHTERMAN_SDK_PYTHON")
    python = Path(named) if named else Path(__file__).parents[1] / ".venv-sdk" / "bin" / "python"
    return python if python.exists() else None


def ratios(figures: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Return each goal with what was measured; a missing reference is no pass."""
    found = []
    for (reference, ours), goal in GOALS.items():
        row: dict[str, Any] = {"reference": reference, "ours": ours, "goal": goal, "min": None, "p50": None}
        if reference in figures:
            for kind in ("min", "p50"):
                row[kind] = figures[reference][f"cpu_us_{kind}"] / figures[ours][f"cpu_us_{kind}"]
        found.append(row)
    return found


def report(result: dict[str, Any]) -> None:
    """Print figures and ratios for people."""
    print(result["machine"])
    print(f"{'CPU us':42} {'best':>9} {'median':>9}")
    for name, figure in result["figures"].items():
        print(f"{name:42} {figure['cpu_us_min']:9.1f} {figure['cpu_us_p50']:9.1f}")
    print(f"{'wall us, awaited on an event loop':42} {'best':>9} {'median':>9}")
    for name, figure in result["hop"].items():
        print(f"{name:42} {figure['wall_us_min']:9.1f} {figure['wall_us_p50']:9.1f}")
    for row in result["ratios"]:
        name = f"{row['reference']} / {row['ours']}"
        measured = f"{row['min']:6.1f}x best {row['p50']:6.1f}x median" if row["min"] else "not measured"
        print(f"{name:56} {measured}, goal {row['goal']}x")


def main() -> None:
    """Measure on a thread of its own, as the bot signs, and print."""
    parser = argparse.ArgumentParser(description="time signatures")
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    python = client_python()
    client = OfficialClient(python) if python else None
    result: dict[str, Any] = {
        "machine": f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"official library {VERSION}, {options.rounds} rounds of {CALLS}"
    }

    def work() -> None:
        result["figures"] = measure(options.rounds, client)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if client is not None:
        client.close()
    if "figures" not in result:
        sys.exit(1)
    result["hop"] = asyncio.run(hop())
    result["ratios"] = ratios(result["figures"])
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        report(result)


if __name__ == "__main__":
    main()
