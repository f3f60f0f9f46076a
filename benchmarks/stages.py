"""Where the time of a tick goes: each stage from received bytes to the frame that is sent, and who looks on.

    python benchmarks/stages.py [--rounds 5] [--json]

The product's own parts, called as its loop and its sender call them, on the feed of `feed.py`. What the
journal, the metrics and the log add to a tick is the difference between ticks with and without them, in
turn; what their own threads do later is shown apart.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import clockwork
import decide
import feed

from lighterman.chance import secret_bytes
from lighterman.clock import SystemClock, cpu_ns
from lighterman.domain.commands import Command
from lighterman.domain.events import Event
from lighterman.engine.decision import Decision
from lighterman.engine.params import EngineParams
from lighterman.exchange.wiregate import WireGate
from lighterman.journal.disk import SystemDisk
from lighterman.journal.records import Header
from lighterman.journal.settings import JournalSettings
from lighterman.journal.writer import JournalWriter
from lighterman.monitoring.figures import Figures
from lighterman.monitoring.logs import Log, LogWriter
from lighterman.monitoring.narrator import Narrator
from lighterman.monitoring.settings import LogSettings
from lighterman.protocol import messages
from lighterman.protocol.crypto.fastest import IS_NATIVE
from lighterman.protocol.messages import BookFrame
from lighterman.protocol.signing import Signer
from lighterman.protocol.translate import Envelope, transaction
from lighterman.risk.gate import Approved
from lighterman.risk.pnl import LossState
from lighterman.signing.native import open_native
from lighterman.signing.pure import PureSigner, generate_key

CHAIN_ID, ACCOUNT_INDEX, KEY_INDEX = 304, 1, 5
CLOCK_NS = clockwork.clock_cost_ns()
CLOCK = SystemClock()
UPDATES = 1_000
AHEAD_NS = 3_600_000_000_000  # the feed's time is ahead of the clock, so that no decision passes for a slow one
TICKS_A_FLUSH = 8  # of 20 markets at 20 updates a second, while the journal's thread rests
ORDERS = 500
TICK_STAGES = ("decode, continuity", "translate", "book", "decide, risk")
ORDER_STAGES = ("transaction", "sign", "last look", "frame")
NO_TURN: tuple[list[Event], Decision] = [], Decision(0, [], [], [], [], None)
ENVELOPE = Envelope(
    account_index=ACCOUNT_INDEX,
    api_key_index=KEY_INDEX,
    expired_at_ms=1_795_357_261_946,
    order_expiry_ms=1_795_443_661_946,
)


class Onlookers:
    """Journal, figures and log as a run has them, written to a folder that is thrown away."""

    def __init__(self, folder: Path, params: EngineParams) -> None:
        clock, loss = SystemClock(), LossState()
        header = Header(lighterman_version="0", session=folder.name, config_hash="", epoch=1, params=params, loss=loss)
        log = Log("info", clock)
        self.journal = JournalWriter(SystemDisk(), str(folder / "journal"), header, JournalSettings(), clock)
        self.bystanders: dict[str, Figures | Narrator] = {
            "metrics": Figures(params, loss, clock),
            "log": Narrator(params, log),
        }
        self.later_ns = dict.fromkeys(("journal", "log"), 0)
        self._writer = LogWriter(log, LogSettings(output_path=str(folder / "log")), clock)

    def observe_event(self, event: Event) -> None:
        """Show an event outside of turns to all."""
        self.journal.observe_event(event)
        for bystander in self.bystanders.values():
            bystander.observe_event(event)

    def flush(self) -> None:
        """Do what the threads of journal and log do, and count their CPU time."""
        began_ns = cpu_ns()
        self.journal.flush()
        between_ns = cpu_ns()
        self._writer.flush()
        self.later_ns["journal"] += between_ns - began_ns
        self.later_ns["log"] += cpu_ns() - between_ns

    def close(self) -> None:
        """End both files."""
        self.journal.close("done")
        self._writer.stop(0)


class Watched(decide.OurMaker):
    """A maker under the eyes of some, as the trading loop tells them: the journal before, bystanders behind.

    Who does not look on is told after the tick, and then the writers work, as they do while nothing happens.
    So each run has the same work, and what differs is what of it stands within the tick. What all look at
    lives until the next tick is over: nobody pays for its end.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        super().__init__()
        self.onlookers = on = Onlookers(folder, self.params)
        journal = [on.journal] if "journal" in names else []
        self._tell_event = [observer.observe_event for observer in journal]
        self._tell_decision = [observer.observe_decision for observer in journal]
        self._show_turn = [each.observe_turn for each in self._bystanders(names)]
        self._is_recorded = bool(journal)
        self._absent = self._bystanders(on.bystanders.keys() - names)
        self._turn = self._turn_before = NO_TURN
        self._ticks = 0
        for event in self.opening:
            on.observe_event(event)

    def _bystanders(self, names: Collection[str]) -> list[Figures | Narrator]:
        return [each for name, each in self.onlookers.bystanders.items() if name in names]

    def tick(self, message: bytes, now_ns: int) -> list[Approved]:
        """Take one frame."""
        events: list[Event] = [
            self.translator.book(frame, now_ns)
            for frame in self.session.receive(message, now_ns)
            if isinstance(frame, BookFrame)
        ]
        for event in events:
            for tell in self._tell_event:
                tell(event)
            self.engine.observe(event)
        decision = self.engine.decide(now_ns)
        for tell_decision in self._tell_decision:
            tell_decision(decision)
        done_ns = CLOCK.mono_ns()
        for show_turn in self._show_turn:
            show_turn(events, decision, done_ns)
        self._turn = events, decision
        return decision.approved

    def answer(self, approved: list[Approved], now_ns: int) -> None:
        """Do what comes between two ticks."""
        events, decision = self._turn
        self._turn_before = self._turn
        if not self._is_recorded:
            for event in events:
                self.onlookers.journal.observe_event(event)
            self.onlookers.journal.observe_decision(decision)
        for bystander in self._absent:
            bystander.observe_turn(events, decision, now_ns)
        super().answer(approved, now_ns)
        self._ticks += 1
        if self._ticks % TICKS_A_FLUSH == 0:
            self.onlookers.flush()

    def tell(self, event: Event) -> None:
        """Take what else happens, and show it to all."""
        super().tell(event)
        self.onlookers.observe_event(event)


def observed(frames: list[bytes], rounds: int) -> dict[str, Any]:
    """Return what a tick costs without onlookers, with each, and with all."""
    later: dict[str, list[int]] = {"journal": [], "log": []}
    with tempfile.TemporaryDirectory(prefix="lighterman-bench-") as name:
        count = iter(range(1_000_000))

        def run(*names: str) -> clockwork.Samples:
            folder = Path(name) / str(next(count))
            folder.mkdir()
            watched = Watched(folder, names)
            start_ns = CLOCK.mono_ns() + AHEAD_NS
            samples = clockwork.run_ticks(watched, watched.tick, frames, start_ns)
            watched.onlookers.close()
            for writer, took_ns in watched.onlookers.later_ns.items():
                later[writer].append(took_ns // len(frames))
            return samples

        took = clockwork.in_turn(
            {
                "nobody": run,
                "journal": lambda: run("journal"),
                "metrics": lambda: run("metrics"),
                "log": lambda: run("log"),
                "all three": lambda: run("journal", "metrics", "log"),
            },
            rounds,
        )
    rows = {name: clockwork.figures(each) for name, each in took.items()}
    alone = rows["nobody"]
    return {
        "rows": rows,
        "shares": {
            name: row["cpu_us_mean"] / alone["cpu_us_mean"] - 1 for name, row in rows.items() if name != "nobody"
        },
        "later_us": {name: min(each) / 1000 for name, each in later.items()},
    }


def staged(frames: list[bytes], rounds: int) -> dict[str, dict[str, float]]:
    """Return the figures of each stage; those behind the decision are per order."""
    took: dict[str, list[clockwork.Samples]] = {name: [] for name in (*TICK_STAGES, *ORDER_STAGES)}
    with clockwork.no_collector():
        for _ in range(rounds):
            for samples in took.values():
                samples.append([])
            _order_stages(_decide_stages(frames, took), took)
    return {name: clockwork.figures(samples) for name, samples in took.items()}


def _keep(took: dict[str, list[clockwork.Samples]], names: Sequence[str], marks: Sequence[int]) -> None:
    for name, (begin, end) in zip(names, pairwise(marks), strict=True):
        took[name][-1].append(max(0, end - begin - CLOCK_NS))


def _decide_stages(frames: list[bytes], took: dict[str, list[clockwork.Samples]]) -> list[Command]:
    """Run a feed; returns the commands that were approved."""
    maker, commands = decide.OurMaker(), []
    for number, message in enumerate(frames):
        now_ns = decide.START_NS + decide.FRAME_NS * (number + 1)
        if number % decide.STATS_EVERY == 0:
            maker.stats(now_ns)
        marks = [cpu_ns()]
        (frame,) = maker.session.receive(message, now_ns)
        marks.append(cpu_ns())
        event = maker.translator.book(frame, now_ns)  # type: ignore[arg-type]  # the feed has book frames alone
        marks.append(cpu_ns())
        maker.engine.observe(event)
        marks.append(cpu_ns())
        approved = maker.engine.decide(now_ns).approved
        marks.append(cpu_ns())
        maker.answer(approved, now_ns)
        commands += [item.command for item in approved]
        if number:
            _keep(took, TICK_STAGES, marks)
    return commands


def _order_stages(commands: list[Command], took: dict[str, list[clockwork.Samples]]) -> None:
    """Build, sign, check and frame each command, as the sender does."""
    secret, _ = generate_key(secret_bytes)
    signer: Signer
    rest: Callable[[], bool]
    if IS_NATIVE:
        native = open_native(secret, ACCOUNT_INDEX, KEY_INDEX, CHAIN_ID, secret_bytes, SystemClock())
        signer, rest = native, native.rest
    else:
        signer, rest = PureSigner(secret, ACCOUNT_INDEX, KEY_INDEX, CHAIN_ID, secret_bytes), _nothing
    gate = WireGate(
        account_index=ACCOUNT_INDEX, api_key_indexes=[KEY_INDEX], chain_id=CHAIN_ID, order_value_micro_max=10**12
    )
    gate.allow({decide.MARKET.index: decide.MARKET})
    for nonce, command in enumerate(commands[:ORDERS]):
        while rest():
            pass
        marks = [cpu_ns()]
        unsigned = transaction(command, nonce, ENVELOPE)
        marks.append(cpu_ns())
        (signed,) = signer.sign([unsigned])
        marks.append(cpu_ns())
        gate.check(signed)
        marks.append(cpu_ns())
        messages.send_transaction(str(nonce), signed.tx_type, signed.tx_info)
        marks.append(cpu_ns())
        _keep(took, ORDER_STAGES, marks)


def _nothing() -> bool:
    """Rest: a signer in plain Python prepares nothing."""
    return False


def measure(rounds: int) -> dict[str, Any]:
    """Return the figures of stages and onlookers."""
    frames = list(feed.frames(UPDATES))
    return {
        "signer": "native" if IS_NATIVE else "pure",
        "stages": staged(frames, rounds),
        "observed": observed(frames, rounds),
    }


def report(result: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(f"{'CPU us':36} {'best':>8} {'median':>8} {'mean':>8}")
    for name, row in result["stages"].items():
        print(f"{name:36} " + " ".join(f"{each:8.2f}" for each in row.values()))
    watched = result["observed"]
    print("a whole tick, watched by")
    for name, row in watched["rows"].items():
        told = f"{watched['shares'][name]:+7.1%}" if name in watched["shares"] else ""
        print(f"  {name:34} " + " ".join(f"{each:8.2f}" for each in row.values()) + f"   {told}")
    for name, each in watched["later_us"].items():
        print(f"  {f'on the thread of the {name}, later':34} {each:8.2f} a tick")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="time the stages of a tick, and who looks on")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.rounds)
    if options.json:
        print(json.dumps(result))
    else:
        report(result)


if __name__ == "__main__":
    main()
