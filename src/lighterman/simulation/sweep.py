"""The kill sweep: one calm minute of the bot's life, ended by kill -9 before every step of it in turn.

The scenario is run once. Before each step that is to be tried the whole world forks: the parent goes
on unharmed, and in the child the bot dies there, is started again on what the disk holds, and must
converge. It has `RECOVERS_WITHIN_S` to quote both sides again, to know its position, its money and
every order that rests, and to have nothing unknown; no help from a person, no fault. Then it must
stop clean. What is torn on the disk, and when the bot is started again, differs from step to step.

A failure is reproduced by its step: `sweep(only=step)`, or `kill_before(step)` where the log is wanted.
"""

import asyncio
import contextlib
import itertools
import resource
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from lighterman.domain.chance import Rng
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import OrderChanged, OrderStatus, Output, TradeDone
from lighterman.protocol.transactions import TxType
from lighterman.runtime.outcome import Outcome
from lighterman.simulation.beliefs import terms_of
from lighterman.simulation.bot import Process
from lighterman.simulation.forks import Child, Forks, Report, in_child
from lighterman.simulation.oracle import Oracle, Violation
from lighterman.simulation.plan import Fault, Options, Plan
from lighterman.simulation.verdict import Verdict, judge
from lighterman.simulation.virtual import NS_PER_S
from lighterman.simulation.world import World

RECOVERS_WITHIN_S = 24  # half of it waits for what the dead process sent
RECENT_NS = NS_PER_S // 10
KILL_CPU_S_MAX = 20
SWEEP_CPU_S_MAX = 1_000  # of the process that forks all the others
Tell = Callable[[int, str, bytes], None]  # when, what, and the bytes of it
CANCELS = (TxType.CANCEL_ORDER, TxType.CANCEL_ALL_ORDERS)

SCENARIO = Plan(
    seed=1,
    options=Options(
        symbols=["ETH", "BTC"],
        levels=2,
        tempo_ms=[900, 1_100],
        tier="premium",
        start_us=1_728_018_000_000_000,  # no hour and no day begins within the minute
        warm_up_ms=8_000,
        faults_ms=19_000,
    ),
    faults=[
        Fault(14_000, "closed_connection", {"stream": "private", "reason": "gone (1006)"}),
        Fault(18_000, "closed_connection", {"stream": "transactions", "reason": "gone (1006)"}),
        Fault(22_000, "closed_connection", {"stream": "public", "reason": "gone (1006)"}),
    ],
)


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """One kill: before which step, what the bot was about, and what came of it."""

    step: int
    at_ms: int = 0
    phase: str = "unknown"
    trace: str = ""
    violations: list[Violation]


class SweepResult(msgspec.Struct, frozen=True, kw_only=True):
    """All kills of a sweep. `acts` counts what the scenario is there for, in the run that nobody disturbs."""

    steps: int
    kills: list[Kill]
    acts: dict[str, int]
    cpu_s: float  # of the children
    unharmed: list[Violation]  # of that run

    @property
    def failed(self) -> list[Kill]:
        """Return the kills after which something was wrong."""
        return [kill for kill in self.kills if kill.violations]

    @property
    def phases(self) -> dict[str, int]:
        """Return how often the bot was killed at what."""
        phases = [kill.phase for kill in self.kills]
        return {phase: phases.count(phase) for phase in sorted(set(phases))}

    @property
    def ok(self) -> bool:
        """Tell whether nothing was wrong."""
        return not self.unharmed and not self.failed


class SweptWorld(World):
    """The scenario's world, in which the bot's first process is killed at one of `steps`.

    With `split` it is killed in the children alone: `split` forks, and returns the child in the child.
    """

    killed: Kill | None = None
    child: Child | None = None  # where a child reports

    def __init__(
        self,
        plan: Plan,
        steps: Iterator[int],
        split: Callable[[int], Child | None] | None = None,
        tell: Tell = lambda _, __, ___: None,
    ) -> None:
        super().__init__(plan)
        terms = terms_of(self.settings, self.markets.markets, plan.options, is_canary=False)
        self.oracle = Oracle(replace(terms, quotes_within_ns=RECOVERS_WITHIN_S * NS_PER_S))
        self.first_steps = 0
        self.acts = dict.fromkeys(("order", "partial fill", "fill", "cancel", "reconnect", "stop"), 0)
        self._steps = steps
        self._split = split
        self._tell = tell
        self._last_ns: dict[str, int] = {}
        self._starts_again = asyncio.Event()

    # -- the run -------------------------------------------------------------------------

    async def run(self) -> None:
        """Go through the scenario, or to where the bot is killed and through its recovery."""
        self._scenario = asyncio.ensure_future(super().run())
        with contextlib.suppress(asyncio.CancelledError):
            await self._scenario
        if self.killed is not None:
            await self._recover()

    async def _recover(self) -> None:
        """Demand of the next process what the oracle demands after faults, and a little more."""
        async with asyncio.timeout(RECOVERS_WITHIN_S):
            await self._starts_again.wait()
        self.oracle.healed(self.now_ns)
        await asyncio.sleep(RECOVERS_WITHIN_S)
        await self._be_quiet()
        self._look()
        await self._stop()
        self._is_over = True
        self.oracle.finished(self.now_ns)
        left = self.exchange.open_orders(self.account)
        if left:
            self.failures.append(f"SWEEP: {len(left)} orders are open after the last stop: {left}")

    async def _stop(self) -> None:
        self._act("stop")
        await super()._stop()

    def _look(self) -> None:
        """Compare what rests at the venue with what the bot manages, exactly."""
        process = self.process
        if process is None or process.bot is None:
            self.failures.append("SWEEP: the bot does not run")
            return
        because = process.halted_because()
        if because:
            self.failures.append(f"SWEEP: the bot waits for a person: {because}")
        known = {order.client_order_index for order in process.bot.engine.state.orders}
        live = self.exchange.open_orders(self.account)
        unmanaged = [order for order in live if order.client_order_index not in known]
        if unmanaged:
            self.failures.append(f"SWEEP: the bot does not manage {unmanaged}")
        for index in self.exchange.markets:
            for is_ask in (False, True):
                count = sum(order.market == index and order.is_ask == is_ask for order in live)
                if count > self.plan.options.levels:
                    self.failures.append(f"SWEEP: {count} orders on one side of market {index}: {live}")

    # -- the kill ------------------------------------------------------------------------

    def _launch(self) -> None:
        super()._launch()
        if self.starts > 1:
            self._starts_again.set()
        elif self.process is not None:
            node = self.process.node
            node.kill_at = next(self._steps, 0)
            node.on_kill_due = self._kill_is_due

    def _kill_is_due(self) -> None:
        """Kill it, or fork and kill it in the child alone."""
        if self.process is None:
            return
        node = self.process.node
        step = node.steps
        if self._split is not None:
            node.kill_at = next(self._steps, 0)
            self.child = self._split(step)
        if self._split is None or self.child is not None:
            self.killed = Kill(step=step, at_ms=self.now_ns // 1_000_000, phase=self._phase(), violations=[])
            node.kill()

    def _bot_was_killed(self) -> None:
        self._scenario.cancel()  # at once: it might be about to stop the bot, and never to start it again
        self._is_over = False
        self.oracle.fault_began("kill", self.now_ns)
        super()._bot_was_killed()

    def _bot_ended(self, process: Process, outcome: Outcome) -> None:
        if self.starts == 1:
            self.first_steps = process.node.steps
        elif not self._is_over:
            self.failures.append(f"SWEEP: the bot ended: {outcome.exit_code} {outcome.stopped_by}")
        super()._bot_ended(process, outcome)

    def chance(self, stream: str) -> Rng:
        """Return a stream of chance; what comes after a kill is another one for each step."""
        return super().chance(stream if self.killed is None else f"{stream} after {self.killed.step}")

    def _strike(self, fault: Fault) -> None:
        if self.killed is None:
            super()._strike(fault)
            self._act("reconnect")

    def _phase(self) -> str:
        """Return what the bot is about."""
        process, now_ns = self.process, self.now_ns
        if process is not None and process.stop is not None and process.stop.is_asked:
            return "stop"
        if not self.acts["order"]:
            return "start"
        if process is not None and process.bot is not None and process.bot.engine.state.links_down:
            return "reconnect"
        for name in ("cancel", "partial fill", "fill"):
            if now_ns < self._last_ns.get(name, -RECENT_NS) + RECENT_NS:
                return name
        return "quote"

    # -- what is seen ---------------------------------------------------------------------

    def _act(self, name: str) -> None:
        self.acts[name] += 1
        self._last_ns[name] = self.now_ns

    def note(self, text: str, data: bytes = b"") -> None:
        """Put something into the trace, and tell it."""
        super().note(text, data)
        self._tell(self.now_ns, text, data)

    def happened(self, outputs: Sequence[Output], exchange: Exchange) -> None:
        """Take note of what the exchange did."""
        for output in outputs:
            if isinstance(output, OrderChanged) and output.row.account_index == self.account:
                if output.row.status is OrderStatus.OPEN:
                    self._act("partial fill" if output.row.filled_lots else "order")
            elif isinstance(output, TradeDone) and self.account in (output.ask_account_index, output.bid_account_index):
                self._act("fill")
        super().happened(outputs, exchange)

    def transaction_left(self, tx_type: int, tx_info: bytes) -> None:
        """Take note of a transaction that the bot has handed over."""
        if tx_type in CANCELS:
            self._act("cancel")
        super().transaction_left(tx_type, tx_info)


def sweep(
    every: int = 1,
    workers: int = 2,
    *,
    first: int = 1,
    only: int = 0,
    show: Callable[[Kill], None] = lambda _: None,
) -> SweepResult:
    """Kill the bot before every step from the first on, before each `every`th, or before one.

    `show` hears of each kill as it ends, in another process: it may print, and remembers nothing.
    """
    steps = iter((only,)) if only else itertools.count(first, every)
    report = in_child(lambda: _swept(steps, workers, show), SWEEP_CPU_S_MAX)
    return msgspec.json.decode(report.words(), type=SweepResult)


def kill_before(step: int, tell: Tell = lambda _, __, ___: None) -> Kill:
    """Kill the bot before one step, without a second run beside it; `tell` hears all, as `show` does."""
    graves: list[object] = []

    def killed() -> bytes:
        world = SweptWorld(SCENARIO, iter((step,)), tell=tell)
        return msgspec.json.encode(_killed(world, judge(world, graves)))

    return msgspec.json.decode(in_child(killed, KILL_CPU_S_MAX).words(), type=Kill)


def _swept(steps: Iterator[int], workers: int, show: Callable[[Kill], None]) -> bytes:
    """Go through the scenario and fork where the bot is to be killed; of the children none returns from here."""
    kills: list[Kill] = []
    graves: list[object] = []

    def ended(step: int, report: Report) -> None:
        kills.append(_read(step, report))
        show(kills[-1])

    forks = Forks(workers, KILL_CPU_S_MAX, ended)
    with contextlib.ExitStack() as stack:

        def split(step: int) -> Child | None:
            child = forks.fork(step)
            return None if child is None else stack.enter_context(child)

        world = SweptWorld(SCENARIO, steps, split)
        verdict = judge(world, graves)
        if world.child is not None:
            world.child.report(msgspec.json.encode(_killed(world, verdict)))
    forks.wait_for_all()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = SweepResult(
        steps=world.first_steps,
        kills=sorted(kills, key=lambda kill: kill.step),
        acts=world.acts,
        cpu_s=usage.ru_utime + usage.ru_stime,
        unharmed=verdict.violations,
    )
    return msgspec.json.encode(result)


def _killed(world: SweptWorld, verdict: Verdict) -> Kill:
    killed = world.killed or Kill(step=0, phase="never", violations=[])
    return replace(killed, trace=verdict.trace, violations=verdict.violations)


def _read(step: int, report: Report) -> Kill:
    if report.failure:
        return Kill(step=step, violations=[Violation("SWEEP", f"the child {report.failure}", 0)])
    return msgspec.json.decode(report.data, type=Kill)


def describe(result: SweepResult) -> list[str]:
    """Say in lines what a sweep came to, and how to see a failure again."""
    phases = ", ".join(f"{count} at {phase}" for phase, count in result.phases.items())
    acts = ", ".join(f"{count} x {name}" for name, count in result.acts.items())
    lines = [
        f"{result.steps} steps in the scenario: {acts}",
        f"{len(result.kills)} kills: {phases}",
        f"{result.cpu_s / max(1, len(result.kills)):.3f} CPU seconds a kill",
        f"{len(result.failed)} kills after which something was wrong",
    ]
    lines += [f"undisturbed: {violation.id}: {violation.text}" for violation in result.unharmed]
    for kill in result.failed:
        first = kill.violations[0]
        lines.append(f"step {kill.step} ({kill.phase}, {kill.at_ms} ms): {first.id}: {first.text}")
        lines.append(f"    again: lighterman sim sweep --only {kill.step}")
    return lines
