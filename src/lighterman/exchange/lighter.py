"""The one Lighter client: mainnet, testnet, the local exchange and a simulation are all behind it.

Law: this file only puts the parts together. Bytes are carried by `transport.py`, understood in
`protocol/`, and everything learnt leaves as an event through the sink. What differs between
venues is the transport, the URL and the keys; nothing here asks which one it is.

    public.py   private.py   wire.py      what the three links are for
         link.py (x 3)                    connect, keep alive, connect again
    sender.py (x keys)  wiregate.py       sign, check, send in nonce order
    reads.py  questions.py  preflight.py  REST
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence

from lighterman.domain.chance import Rng
from lighterman.domain.clock import Clock
from lighterman.domain.commands import CancelAll, CancelOrder, Command, Query
from lighterman.domain.errors import LocalProtocolError, RemoteProtocolError, TransportError, VenueError
from lighterman.domain.events import CommandRefused, Event, FillReport, Link, LinkReport, MarketReport
from lighterman.domain.market import Market
from lighterman.exchange import private, public
from lighterman.exchange.link import LinkOwner, StreamLink
from lighterman.exchange.params import ClientParams
from lighterman.exchange.port import Sink
from lighterman.exchange.preflight import check_venue, markets_described_again, markets_known
from lighterman.exchange.private import PrivateFeed
from lighterman.exchange.public import PublicFeed
from lighterman.exchange.questions import Questions
from lighterman.exchange.ratelimit import Allowance, RateLimits
from lighterman.exchange.reads import Reads
from lighterman.exchange.sender import KeySender, SenderTools
from lighterman.exchange.tokens import AuthTokens
from lighterman.exchange.transport import Transport
from lighterman.exchange.venuetime import VenueTime
from lighterman.exchange.wire import NOT_CONNECTED_YET, TransactionWire
from lighterman.exchange.wiregate import WireGate
from lighterman.protocol.signing import AsyncSigner
from lighterman.protocol.stream import PING_TIMEOUT_NS, SILENCE_NS, BookGap, StreamSession
from lighterman.protocol.translate import Translator
from lighterman.risk.gate import Approved

NS_PER_S = 1_000_000_000
UNHEARD_NS = SILENCE_NS + PING_TIMEOUT_NS + NS_PER_S  # a live link says something sooner
EARLIER_SESSION = "what an earlier session has sent may still run"
CLOSED_AGAIN_MS = 10_000  # when a market that is closed is looked at again
_CANCELS = (CancelOrder, CancelAll)


class LighterVenue:
    """A `Venue`. `signers` by api key index: the first signs creates, the last cancels; one may do both.

    `on_failure` hears of bugs (InvariantBroken among them) that have ended a part of the client.
    """

    def __init__(
        self,
        params: ClientParams,
        signers: Mapping[int, AsyncSigner],
        transport: Transport,
        clock: Clock,
        rng: Rng,
        sink: Sink,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        if not 1 <= len(signers) <= 2:
            raise LocalProtocolError(f"one key or two, not {len(signers)}")
        self._params = params
        self._signers = signers
        self._transport = transport
        self._clock = clock
        self._rng = rng
        self._sink = sink
        self._on_failure = on_failure
        self._tasks: list[asyncio.Task[None]] = []
        self._limits = RateLimits(Allowance(params.messages_per_minute, params.asking_per_minute))
        self._venue_time = VenueTime(clock)
        self._tokens = AuthTokens(list(signers.values()), self._venue_time)
        self._reads = Reads(
            transport,
            clock,
            self._limits,
            self._tokens,
            account_index=params.account_index,
            timeout_ms=params.request_timeout_ms,
        )
        self._translator = Translator(params.account_index)
        self._gate = WireGate(
            account_index=params.account_index,
            api_key_indexes=signers,
            chain_id=params.chain_id,
            order_value_micro_max=params.order_value_micro_max,
        )
        self._private = PrivateFeed(self._reads, self._translator, self._venue_time, clock, self._tell_private)
        self._questions = Questions(self._reads, self._private, self._translator, clock, sink, self._resync)
        self._wire = TransactionWire(
            transport, clock, self._limits, self._transactions_changed, params.answer_timeout_ms
        )
        self._transactions_told = NOT_CONNECTED_YET
        self._senders: list[KeySender] = []
        self._public_link: StreamLink | None = None
        self._private_session: StreamSession | None = None
        self._is_quiet = params.quiet_ms > 0

    @property
    def notes(self) -> list[str]:
        """Return what an operator should know of this set-up."""
        if len(self._signers) > 1:
            return []
        (only,) = self._signers
        return [f"api key {only} signs creates and cancels alike: while one of its outcomes is unknown, cancels wait"]

    @property
    def transactions_per_minute(self) -> int:
        """Return what the account's tier allows; known after `start`."""
        return self._limits.tier.transactions_per_minute

    # -- the port ------------------------------------------------------------------------

    async def start(self) -> None:
        """Check the venue, tell markets and account, open the streams (see `Venue`)."""
        params = self._params
        checked = await check_venue(
            self._reads,
            self._venue_time,
            symbols=params.symbols,
            public_keys={index: signer.public_key for index, signer in self._signers.items()},
            account_index=params.account_index,
            clock_skew_ms_max=params.clock_skew_ms_max,
        )
        self._limits.set_tier(checked.tier)
        self._translator.learn(checked.known)
        self._gate.allow({market.index: market for market in checked.traded})
        for market in checked.traded:
            self._sink(MarketReport(market, self._clock.mono_ns()))
        await self._private.begin()
        tools = SenderTools(
            wire=self._wire,
            gate=self._gate,
            reads=self._reads,
            limits=self._limits,
            clock=self._clock,
            venue_time=self._venue_time,
            params=params,
            emit=self._sink,
            ask=self._questions.ask_transaction,
            on_change=self._transactions_changed,
        )
        self._senders = [
            KeySender(index, signer, checked.next_nonces[index], tools) for index, signer in self._signers.items()
        ]
        self._private.watch_transactions(self._senders)
        for sender in self._senders:
            self._run(sender.run())
        for run in self._questions.runs():
            self._run(run)
        self._run(self._read_markets_again(checked.traded))
        self._run(self._stay_quiet())
        self._open_links([market.index for market in checked.traded])

    def submit(self, approved: Sequence[Approved]) -> None:
        """Send commands: cancels over their own key, unless that one is in doubt and the other is not."""
        creator, canceller = self._senders[0], self._senders[-1]
        if canceller.frozen_because and not creator.frozen_because:
            canceller = creator
        creates: list[Command] = []
        cancels: list[Command] = []
        for item in approved:
            (cancels if isinstance(item.command, _CANCELS) else creates).append(item.command)
        if canceller is creator:  # one request of a key at a time: all in one batch
            creator.submit(cancels + creates)
            return
        if cancels:
            canceller.submit(cancels)
        if creates and not self._refuse_unheard(creates):
            creator.submit(creates)

    def query(self, queries: Sequence[Query]) -> None:
        """Ask."""
        for query in queries:
            self._questions.query(query)

    def stop_creates(self) -> None:
        """Let nothing out any more that could add an order."""
        self._gate.stop()

    async def open_order_count(self) -> int:
        """Return how many orders the venue holds for the account now."""
        return len(await self._reads.active_orders())

    async def close(self) -> None:
        """End all connections."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- inside --------------------------------------------------------------------------

    def _open_links(self, markets: list[int]) -> None:
        account = self._params.account_index
        feed = PublicFeed(markets, self._translator, self._clock, self._sink)
        self._public_link = self._link(StreamSession(public.channels(markets)), feed)
        self._private_session = StreamSession(private.channels(account))
        private_link = self._link(self._private_session, self._private, is_private=True)
        transactions_link = self._link(StreamSession([]), self._wire)
        self._wire.speak = transactions_link.send
        for link in (self._public_link, private_link, transactions_link):
            self._run(link.run())

    def _link(self, session: StreamSession, owner: LinkOwner, *, is_private: bool = False) -> StreamLink:
        return StreamLink(
            self._params.stream_url,
            session,
            owner,
            self._transport,
            self._clock,
            self._rng,
            self._limits.connections,
            self._tokens.current if is_private else None,
        )

    def _refuse_unheard(self, creates: Sequence[Command]) -> bool:
        """Refuse orders while nothing private has been heard for longer than a live link can be silent.

        A process that stood still finds its links as it left them: what it decides first must not go out on that.
        """
        now_ns = self._clock.mono_ns()
        session = self._private_session
        if session is None or now_ns - session.received_ns <= UNHEARD_NS:
            return False
        for command in creates:
            self._sink(CommandRefused(command.command_id, 0, "nothing private was heard lately", now_ns))
        return True

    async def _stay_quiet(self) -> None:
        """Wait until nothing that an earlier session has sent can run any more."""
        await asyncio.sleep(self._params.quiet_ms / 1000)
        self._is_quiet = False
        self._transactions_changed()

    def _tell_private(self, event: Event) -> None:
        if isinstance(event, FillReport):
            self._gate.filled(event.client_order_index, event.size_lots)
        self._sink(event)

    def _transactions_changed(self) -> None:
        """Tell whether transactions can be sent without a doubt, when that has changed."""
        frozen = next((sender.frozen_because for sender in self._senders if sender.frozen_because), "")
        reason = self._wire.down_because or frozen or (EARLIER_SESSION if self._is_quiet else "")
        if reason != self._transactions_told:
            self._transactions_told = reason
            self._sink(LinkReport(Link.TRANSACTIONS, not reason, reason, self._clock.mono_ns()))

    def _resync(self, market: int) -> None:
        """Fetch a market's book anew, because who holds it has found it corrupt."""
        if self._public_link is not None:
            channel = public.book_channel(market)
            self._public_link.resync(BookGap(channel, "crossed book"))

    async def _read_markets_again(self, traded: Sequence[Market]) -> None:
        """Tell the markets anew, for ever: fees, minimums and status change. Clocks drift, too.

        One that is closed is looked at more often: nobody tells when it opens.
        """
        while True:
            every_ms = self._params.markets_again_ms
            is_open = all(market.active for market in traded)
            await asyncio.sleep((every_ms if is_open else min(every_ms, CLOSED_AGAIN_MS)) / 1000)
            try:
                facts = await self._reads.markets()
                await self._venue_time.measure(self._reads.venue_time_s)
            except (TransportError, VenueError, RemoteProtocolError):
                continue
            traded = markets_described_again(self._params.symbols, traded, facts)
            self._translator.learn(markets_known(facts))
            for market in traded:
                self._sink(MarketReport(market, self._clock.mono_ns()))

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_done)
        self._tasks.append(task)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._on_failure(error)
