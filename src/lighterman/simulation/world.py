"""One run of a plan: bot, exchange, network and disk in one process, from the first start to the last check.

The wiring place of mode `sim`. Phases: warm-up without faults, faults, heal, liveness, quiet, stop.
An operator stands by all the time: he starts again what has ended, as a service manager does, and
after the faults he clears what only a person may clear. He never touches what the bot should mend.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence

import msgspec

from lighterman.domain.events import Event, StopRequested
from lighterman.engine.decision import Decision
from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import FundingPaid, Output, StatsChanged, TradeDone
from lighterman.protocol.rest import OpenAccount
from lighterman.runtime.outcome import Outcome
from lighterman.signing.fake import FakeSigner
from lighterman.simulation.beliefs import COLLATERAL_USDC, belief_of, terms_of
from lighterman.simulation.bot import Process, settings_of
from lighterman.simulation.ear import OverheardTransport
from lighterman.simulation.faults.catalogue import FAULTS
from lighterman.simulation.hosts import MessageHost, WireHost
from lighterman.simulation.market import SimulatedMarkets
from lighterman.simulation.oracle import Belief, Oracle
from lighterman.simulation.plan import Fault, Plan
from lighterman.simulation.stage import Stage
from lighterman.simulation.virtual import NS_PER_S, Node, VirtualLoop, outside
from lighterman.simulation.wire import Wire, WireLoop
from lighterman.simulator.app import AppRules, LocalExchange
from lighterman.simulator.calls import HttpRequest
from lighterman.simulator.signatures import Verification

LOCALHOST = "127.0.0.1"
UP_WITHIN_S = 90.0  # from the end of the faults: the operator's patience
QUIET_S = 2.5
STOP_WITHIN_S = 15.0
LOOK_EVERY_S = 0.25
LATE_NEWS = {  # halts that come after the end of a fault which had nothing else to show, or was not heard of
    "market_minimum_changed": "minimum_changed",
    "market_scale_changed": "decimals_changed",
    "foreign_order": "foreign_order",
    "foreign_fill": "foreign_order",
}
TOTAL_NEAR = 0.5  # of the total limit: resting orders count against the rest
MICRO = 1_000_000
BOOKS_EVERY_NS = 500_000_000
RESTART_AFTER_S = (0.5, 4.0)
RESTARTS_AT_ONCE, RESTART_LATER_MAX = 4, 8  # of failures in a row; then up to so many times later


class World(Stage):
    """One run, and what is known of it afterwards."""

    def __init__(self, plan: Plan, *, is_canary: bool = False) -> None:
        self.plan = plan
        self.settings = settings_of(plan.options)
        super().__init__(plan.seed, plan.options.start_us, self.settings.venue.account_index)
        self.markets = SimulatedMarkets(
            dict(zip(plan.options.symbols, plan.options.tempo_ms, strict=True)), self.chance
        )
        self.wire = Wire(plan.seed)
        self.oracle = Oracle(terms_of(self.settings, self.markets.markets, plan.options, is_canary=is_canary))
        self.trace = hashlib.blake2b(digest_size=8)
        self.failures: list[str] = []  # what is wrong whatever the invariants say
        self.fills = 0
        self.log: list[tuple[int, str, bytes]] | None = None  # everything, where somebody wants to read it
        self.fired: dict[str, int] = {}  # faults that found something to act on
        self._fired_ns: dict[str, int] = {}  # the last time
        self._cleared_ns: dict[str, int] = {}  # of each halt, the last time that the operator cleared it
        self.starts = 0
        self._failed_in_a_row = 0
        self._is_over = False
        self._wants_rearm = False
        self._has_moved_money = False  # since the last start: whoever does that starts the bot again
        self._sent_ns: dict[bytes, int] = {}
        self._books_told_ns = 0
        self._book_nonce_offset = 0
        self._funded_ns = -NS_PER_S  # when funding was last paid

    def loop(self) -> VirtualLoop:
        """Return the loop that this world runs on."""
        order = self.chance("order")
        return WireLoop(self.wire, order) if self.plan.options.wire else VirtualLoop(order)

    # -- the run -------------------------------------------------------------------------

    async def run(self) -> None:
        """Go through all phases."""
        options = self.plan.options
        self.app = self._opened_exchange()
        self._host = self._opened_host()
        self._open_account()
        self._launch()
        for fault in self.plan.faults:
            outside(fault.at_ms / 1000, self._strike, fault)
        await asyncio.sleep((options.warm_up_ms + options.faults_ms) / 1000)
        self._heal()
        await self._come_up()
        if not await self._live():  # news from before the end of the faults came late, and asks for a person
            await self._come_up()
            await self._live()
        await self._be_quiet()
        await self._stop()
        self._is_over = True
        self.oracle.finished(self.now_ns)

    def _opened_host(self) -> MessageHost | WireHost:
        if self.plan.options.wire:
            return WireHost(self.app, self.clock, self.wire, self.chance)
        host = MessageHost(self.app, self.clock, self.chance)
        self.network = host.network
        return host

    def _opened_exchange(self) -> LocalExchange:
        entropy = self.chance("entropy")
        rules = AppRules(
            chain_id=self.settings.venue.chain_id,
            default_tier=self.plan.options.tier,
            verification=Verification.OFF,
        )
        return LocalExchange(
            self.markets,
            rules,
            lambda count: entropy.getrandbits(8 * count).to_bytes(count, "little"),
            self.plan.options.start_us,
            listener=self,
        )

    async def _come_up(self) -> None:
        """Let the operator see to it that the bot runs and may trade; from then on it must."""
        if not await self._until(self._is_up, UP_WITHIN_S):
            self.failures.append(f"L1: the bot did not come up within {UP_WITHIN_S:g} s after the faults")
        self.oracle.healed(self.now_ns)

    async def _live(self) -> bool:
        """Let the bot show that it quotes again, where its limits let it; False where only a person can help."""
        for _ in range(round(self.plan.options.quotes_within_s / LOOK_EVERY_S)):
            reason = self._why_no_quotes()
            for market in self.markets.markets:
                self.oracle.excused(market.index, reason, self.now_ns)
            await asyncio.sleep(LOOK_EVERY_S)
            if self.process is not None and self._is_late_news(self.process.halted_because()):
                return False
        return True

    def _is_late_news(self, reason: str) -> bool:
        """Tell whether a halt is owed to a fault that no halt has been owed to yet."""
        fired_ns = self._fired_ns.get(LATE_NEWS.get(reason, ""), -1)
        return fired_ns > self._cleared_ns.get(reason, -1)

    def _why_no_quotes(self) -> str:
        """Return the limit of the account that may rightly keep the bot from quoting both sides everywhere."""
        bot = self.process.bot if self.process is not None else None
        if bot is not None and bot.engine.state.loss.tripped:
            return "daily loss"
        held_micro = sum(
            market.notional_micro(
                self.exchange.stats(market.index).mark_ticks,
                abs(self.exchange.position_lots(self.account, market.index)),
            )
            for market in self.markets.markets
        )
        return "total position" if held_micro > self.plan.options.total_usd * MICRO * TOTAL_NEAR else ""

    async def _be_quiet(self) -> None:
        """Nobody else trades for a moment: what the bot believes must then be the truth."""
        for market in self.markets.markets:
            self.markets.freeze(market.index, QUIET_S + 2)
        await asyncio.sleep(QUIET_S)
        if self.now_ns < self._funded_ns + NS_PER_S:  # the hour has just turned: that is on the wire
            await asyncio.sleep(1)
        self.oracle.quiet(self._belief(with_books=True), self.now_ns)

    def _belief(self, *, with_books: bool) -> Belief | None:
        bot = self.process.bot if self.process is not None else None
        if bot is None:
            return None
        return belief_of(bot.engine.state, bot.journal.health.bytes_written, with_books=with_books)

    async def _stop(self) -> None:
        if self.process is not None:
            self._is_over = True
            self.process.ask_to_stop("SIGTERM")
            if not await self._until(lambda: self.process is None, STOP_WITHIN_S):
                self.failures.append(f"I3: the bot did not end within {STOP_WITHIN_S:g} s")

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        for _ in range(round(seconds / LOOK_EVERY_S)):
            if condition():
                return True
            await asyncio.sleep(LOOK_EVERY_S)
        return condition()

    # -- faults --------------------------------------------------------------------------

    def _strike(self, fault: Fault) -> None:
        if FAULTS[fault.kind].begin(self, fault.args, self.chance(f"fault {fault.kind} {fault.at_ms}")):
            self.fired[fault.kind] = self.fired.get(fault.kind, 0) + 1
            self._fired_ns[fault.kind] = self.now_ns
            self.oracle.fault_began(fault.kind, self.now_ns)
            self.note(f"fault {fault.kind}")

    def _heal(self) -> None:
        """End all faults."""
        self.release_all()
        self.note("healed")

    def deposit(self, amount_micro: int) -> None:
        """Move money, and tell the oracle."""
        super().deposit(amount_micro)
        self._has_moved_money = True
        self.oracle.deposited(amount_micro, self.now_ns)

    def use_key(self, api_key_index: int) -> None:
        """Tell the oracle of a stranger who used our key."""
        self.oracle.key_used(api_key_index)

    def refuse(self, tx_type: int, tx_info: bytes) -> None:
        """Tell the oracle of a transaction that was refused in the venue's place."""
        self.transaction_refused(tx_type, tx_info)

    def rewind_books(self, offset: int) -> None:
        """Tell the oracle that the venue counts its books from a lower number."""
        self._book_nonce_offset += offset
        self.oracle.venue_restarted(-self._book_nonce_offset, self.now_ns)

    # -- the operator --------------------------------------------------------------------

    def _launch(self) -> None:
        """Start the bot anew, as the service manager does."""
        if self._is_over:
            return
        self.starts += 1
        node = Node(f"bot {self.starts}")
        self.process = process = Process(
            node, self.bot_clock, self.disk, self.settings, self.chance(f"bot {self.starts}")
        )
        node.on_killed = self._bot_was_killed
        if self._wants_rearm:
            self.oracle.rearmed()
        self.oracle.bot_started(self.now_ns)
        self.note("bot started")
        process.start(
            lambda stack: OverheardTransport(self._host.transport(node, stack), self),
            [self],
            self._bot_ended,
            rearm=self._wants_rearm,
        )
        self._wants_rearm = self._has_moved_money = False

    def _bot_was_killed(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        self._host.drop(process.node)
        self.disk.crash(self.chance(f"crash {self.starts}"))
        self.oracle.bot_killed(self.now_ns)
        self.note("bot killed")
        self._launch_soon()

    def _bot_ended(self, process: Process, outcome: Outcome) -> None:
        self.process = None
        process.node.is_alive = False
        self._host.drop(process.node)
        self.oracle.bot_ended(outcome.exit_code, outcome.open_orders_after_stop, self.now_ns)
        self.note(f"bot ended: {outcome.exit_code} {outcome.stopped_by}")
        self.failures += [f"BUG: {type(error).__name__}: {error}" for error in process.bugs]
        self._failed_in_a_row = self._failed_in_a_row + 1 if outcome.exit_code else 0
        self._launch_soon()

    def _launch_soon(self) -> None:
        """Start the bot again, later and later while it ends with a failure: each start asks a lot of the venue."""
        patience = min(RESTART_LATER_MAX, 2 ** max(0, self._failed_in_a_row - RESTARTS_AT_ONCE))
        outside(self.chance(f"restart {self.starts}").uniform(*RESTART_AFTER_S) * patience, self._launch)

    def _is_up(self) -> bool:
        """Tell whether the bot runs and may trade; else see to it, as a person would."""
        process = self.process
        if process is None or process.bot is None or process.stop is None or process.stop.is_asked:
            return False
        if not process.bot.engine.state.markets:  # it is still asking the venue whether it may begin
            return False
        if process.halted_because() or self._has_moved_money:
            self._cleared_ns[process.halted_because()] = self.now_ns
            self._wants_rearm = True
            process.ask_to_stop("operator")
            return False
        return True

    def _open_account(self) -> None:
        """Open the bot's account, with its keys, before the bot begins."""
        venue = self.settings.venue
        for key in dict.fromkeys((venue.api_key_index, venue.cancel_api_key_index)):
            wanted = OpenAccount(
                account_index=self.account,
                api_key_index=key,
                public_key=FakeSigner(self.account, key, venue.chain_id).public_key,
                tier=self.plan.options.tier,
                collateral_usdc=str(COLLATERAL_USDC),
            )
            body = msgspec.json.encode(wanted)
            self.app.handle(
                HttpRequest("POST", "/local/v1/accounts", "", {}, body, LOCALHOST), self.plan.options.start_us
            )

    # -- what is heard: by the trace, and by the oracle ------------------------------------

    def note(self, text: str, data: bytes = b"") -> None:
        """Put something into the trace, and into the log where one is kept."""
        if self.log is not None:
            self.log.append((self.now_ns, text, data))
        self.trace.update(b"%d %s " % (self.now_ns, text.encode()))
        self.trace.update(data)

    def frame_reached_bot(self, kind: str, data: bytes) -> None:
        """Take note of what the bot is about to hear."""
        self.note(kind, data)
        self.oracle.frame_reached_bot(kind, data, self.now_ns)

    def transaction_left(self, tx_type: int, tx_info: bytes) -> None:
        """Take note of a transaction that the bot has handed over."""
        self._sent_ns[tx_info] = self.now_ns
        self.note("left", tx_info)
        self.oracle.transaction_left(tx_type, tx_info, self.now_ns)

    def transaction_refused(self, tx_type: int, tx_info: bytes) -> None:
        """Take note of a transaction that could not be sent."""
        self.oracle.transaction_refused(tx_type, tx_info, self.now_ns)

    def arrived(self, tx_type: int, tx_info: bytes | str) -> None:
        """Take note of a transaction at the exchange's door."""
        data = tx_info if isinstance(tx_info, bytes) else tx_info.encode()
        self.note("arrived", data)
        self.oracle.transaction_arrived(tx_type, data, self._sent_ns.get(data, self.now_ns), self.now_ns)

    def refused(self, tx_type: int, tx_info: bytes | str) -> None:
        """Take note of a transaction that the exchange's door refused."""
        self.transaction_refused(tx_type, tx_info if isinstance(tx_info, bytes) else tx_info.encode())

    def happened(self, outputs: Sequence[Output], exchange: Exchange) -> None:
        """Take note of what the exchange did."""
        now_ns = self.now_ns
        for output in outputs:
            self.oracle.venue_did(output, now_ns)
            if isinstance(output, TradeDone):
                self.fills += self.account in (output.ask_account_index, output.bid_account_index)
            elif isinstance(output, FundingPaid):
                self._funded_ns = now_ns
            elif isinstance(output, StatsChanged):
                self.oracle.mark_told(output.market, exchange.stats(output.market).mark_ticks, now_ns)

    def observe_event(self, event: Event) -> None:
        """Take note of the bot's wish to stop."""
        if isinstance(event, StopRequested):
            self.oracle.bot_stop_asked(self.now_ns)

    def observe_decision(self, _: Decision) -> None:
        """Take note of what the bot believes after each of its turns."""
        is_time_for_books = self.now_ns >= self._books_told_ns + BOOKS_EVERY_NS
        belief = self._belief(with_books=is_time_for_books)
        if is_time_for_books:
            self._books_told_ns = self.now_ns
        if belief is not None:
            self.oracle.bot_believes(belief, self.now_ns)
