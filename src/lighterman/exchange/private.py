"""Our own account: what its channels say, and what was missed while they were silent.

Law: each trade and each funding payment is told once, whatever told it, and none from before
the first account snapshot, which contains them. Account, orders, trades and fundings are read
over REST together, and missed fills are told before the snapshot that already contains them:
before the link counts as up after a reconnect, since streams resume nothing (protocol
reference 3.1), and whenever the engine asks for the account.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from lighterman.domain.clock import Clock
from lighterman.domain.errors import PreflightError
from lighterman.domain.events import AccountSnapshot, Link, LinkReport
from lighterman.exchange.link import Heard
from lighterman.exchange.port import Sink
from lighterman.exchange.reads import Reads
from lighterman.exchange.venuetime import VenueTime
from lighterman.protocol import messages, objects
from lighterman.protocol.stream import BookGap
from lighterman.protocol.translate import Translator, by_market

IDS_REMEMBERED_MAX = 65_536
BASELINE_TRIES_MAX = 5
CALM_S_MAX = 10.0  # five readings at the pace of a spent budget take six


def channels(account_index: int) -> list[str]:
    """Return the channels of an account (3.6)."""
    families = ("account_all_orders", "account_all_trades", "account_all_positions", "account_all", "account_tx")
    return [f"{family}/{account_index}" for family in families]


class _Told:
    """What has been told already, or belongs to the past; the oldest are forgotten when there are too many."""

    def __init__(self) -> None:
        self._ids: dict[tuple[int, int], None] = {}

    def is_new(self, identity: tuple[int, int]) -> bool:
        """Remember an identity, and tell whether it is new."""
        if identity in self._ids:
            return False
        self._ids[identity] = None
        if len(self._ids) > IDS_REMEMBERED_MAX:
            del self._ids[next(iter(self._ids))]
        return True


class TransactionWatcher(Protocol):
    """Who sent transactions and wants to know what became of them."""

    def transaction_told(self, facts: objects.TransactionFacts, recv_ns: int) -> None:
        """Take the venue's word on a transaction of the account."""
        ...

    def stream_was_silent(self) -> None:
        """Words may have been missed: ask about what is still open."""
        ...


class PrivateFeed:
    """The owner of the private link."""

    def __init__(self, reads: Reads, translator: Translator, venue_time: VenueTime, clock: Clock, emit: Sink) -> None:
        self._reads = reads
        self._translator = translator
        self._venue_time = venue_time
        self._clock = clock
        self._emit = emit
        self._watchers: list[TransactionWatcher] = []
        self._is_up = False
        self._is_calm = asyncio.Event()
        self._is_calm.set()
        self._baseline_trade = 0  # trades up to here are in the first snapshot
        self._whole_until_trade = 0  # none up to here was missed: a stream may lose frames, only a reading is whole
        self._fills_told = _Told()
        self._fundings_told = _Told()

    def watch_transactions(self, watchers: Sequence[TransactionWatcher]) -> None:
        """Name those who want to know what became of transactions."""
        self._watchers = list(watchers)

    async def begin(self) -> None:
        """Tell the account for the first time; what happened before is in it, and only in it.

        Account and history are read until the history is the same before and after: then no
        trade and no funding lies between them. Raises PreflightError when that never happens.
        """
        for _ in range(BASELINE_TRIES_MAX):
            trade, fundings = await self._reads.newest_trade_id(), await self._reads.fundings()
            snapshot = await self.snapshot()
            if (trade, _ids(fundings)) == (await self._reads.newest_trade_id(), _ids(await self._reads.fundings())):
                break
        else:
            raise PreflightError("the account trades all the time: stop whatever else uses it")
        self._baseline_trade = self._whole_until_trade = trade
        for identity in _ids(fundings):
            self._fundings_told.is_new(identity)
        self._emit(snapshot)

    async def snapshot(self) -> AccountSnapshot:
        """Read account and open orders."""
        asked_ns = self._clock.mono_ns()
        facts, orders = await self._reads.account(), await self._reads.active_orders()
        return self._translator.account(facts, orders, asked_ns=asked_ns, recv_ns=self._clock.mono_ns())

    # -- the stream ----------------------------------------------------------------------

    def heard(self, frame: Heard, recv_ns: int) -> None:
        """Take a frame; raises RemoteProtocolError or UnitError."""
        match frame:
            case messages.OrdersFrame():
                for order in self._translator.orders(by_market(frame.orders), recv_ns):
                    self._emit(order)
            case messages.AccountTradesFrame():
                self._tell_fills(by_market(frame.trades), recv_ns)
            case messages.PositionsFrame():
                for position in self._translator.positions((frame.positions or {}).values(), recv_ns):
                    self._emit(position)
            case messages.AccountFrame():
                if not frame.is_snapshot and isinstance(frame.funding_histories, Mapping):
                    self._tell_fundings(by_market(frame.funding_histories), recv_ns)
                for collateral in self._translator.collateral(frame, recv_ns):
                    self._emit(collateral)
            case messages.TransactionsFrame():
                for facts in frame.txs or ():
                    for watcher in self._watchers:
                        watcher.transaction_told(facts, recv_ns)
            case _:
                pass

    def lost(self, gap: BookGap, recv_ns: int) -> None:
        """Do nothing: an account has no books."""

    def went_down(self, reason: str) -> None:
        """The account is not heard any more."""
        self._is_up = False
        self._emit(LinkReport(Link.PRIVATE, up=False, reason=reason, recv_ns=self._clock.mono_ns()))

    # -- what was missed -----------------------------------------------------------------

    async def become_ready(self) -> None:
        """Catch up, then be up. A connection that broke may mean that this machine slept: see what time it is."""
        if not self._is_up:
            self._is_calm.clear()
        try:
            await self._venue_time.measure(self._reads.venue_time_s)
            await self.catch_up()
        finally:
            self._is_calm.set()
        for watcher in self._watchers:
            watcher.stream_was_silent()
        if not self._is_up:
            self._is_up = True
            self._emit(LinkReport(Link.PRIVATE, up=True, reason="", recv_ns=self._clock.mono_ns()))

    async def calm(self) -> None:
        """Wait a little while the account is read after a silence: nothing is quoted then, and requests are few."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CALM_S_MAX):
                await self._is_calm.wait()

    async def catch_up(self) -> None:
        """Read what may have been missed, and tell it in the order in which it can be understood.

        A trade is told as soon as it is known, whether or not the rest can be read.
        """
        snapshot = await self.snapshot()
        trades = await self._reads.trades_after(self._whole_until_trade)
        self._tell_fills(trades, self._clock.mono_ns())
        self._whole_until_trade = max([self._whole_until_trade, *(row.trade_id for row in trades)])
        fundings = await self._reads.fundings()
        self._tell_fundings(fundings, self._clock.mono_ns())
        self._emit(snapshot)

    def _tell_fills(self, rows: Iterable[objects.TradeFacts], recv_ns: int) -> None:
        for fill in self._translator.fills(rows, recv_ns):
            if fill.trade_id > self._baseline_trade and self._fills_told.is_new((fill.trade_id, fill.is_ask)):
                self._emit(fill)

    def _tell_fundings(self, rows: Iterable[objects.PositionFunding], recv_ns: int) -> None:
        for funding in self._translator.fundings(rows, recv_ns):
            if self._fundings_told.is_new((funding.funding_id, funding.market)):
                self._emit(funding)


def _ids(rows: Iterable[objects.PositionFunding]) -> list[tuple[int, int]]:
    return [(row.funding_id, row.market_id) for row in rows]
