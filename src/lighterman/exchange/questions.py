"""Questions to the venue, asked until they are answered.

Law: a question that fails is asked again, later and later, and the same question twice is one
question. Orders, account and transactions are asked about each by itself: what fails makes nobody
else wait. Only the account after a silence is read before the rest, which waits some seconds. Transactions are looked
at one by one: they can be many, and each costs as much. Answers are events with the time at which
they were asked, because what is on the wire meanwhile is not in them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import NoReturn, Protocol

from lighterman.domain.clock import Clock
from lighterman.domain.commands import Query, QueryAccount, QueryOrders, ResyncBook
from lighterman.domain.errors import InvariantBroken, LightermanError
from lighterman.domain.events import OrdersAbsent
from lighterman.exchange.port import Sink
from lighterman.exchange.private import PrivateFeed
from lighterman.exchange.reads import CLIENT_INDEXES_MAX, Reads
from lighterman.protocol.objects import TransactionFacts
from lighterman.protocol.translate import Translator, verdict

AGAIN_FIRST_S = 1.0
AGAIN_LAST_S = 5.0  # what is well again is known within 30 s
LOOK_AGAIN_S = 1.0  # at a transaction that has not run yet


class Inquirer(Protocol):
    """Who wants to know what became of a transaction."""

    def transaction_told(self, facts: TransactionFacts, recv_ns: int) -> None:
        """Take the venue's word."""
        ...

    def transaction_absent(self, tx_hash: str) -> bool:
        """The venue knows nothing of it; return whether to stop asking."""
        ...


class Questions:
    """What is still to be asked."""

    def __init__(
        self,
        reads: Reads,
        feed: PrivateFeed,
        translator: Translator,
        clock: Clock,
        emit: Sink,
        resync: Callable[[int], None],
    ) -> None:
        self._reads = reads
        self._feed = feed
        self._translator = translator
        self._clock = clock
        self._emit = emit
        self._resync = resync
        self._orders: dict[int, None] = {}
        self._transactions: dict[str, Inquirer] = {}
        self._orders_wanted = asyncio.Event()
        self._account_wanted = asyncio.Event()
        self._transactions_wanted = asyncio.Event()

    def query(self, query: Query) -> None:
        """Take a question of the engine's."""
        match query:
            case QueryOrders():
                self._orders.update(dict.fromkeys(query.client_order_indexes))
                self._orders_wanted.set()
            case QueryAccount():
                self._account_wanted.set()
            case ResyncBook():
                self._resync(query.market)

    def ask_transaction(self, tx_hash: str, inquirer: Inquirer) -> None:
        """Take the question what became of a transaction."""
        self._transactions[tx_hash] = inquirer
        self._transactions_wanted.set()

    def runs(self) -> list[Coroutine[None, None, NoReturn]]:
        """Return what is to be run: each asks one kind of question, for ever."""
        return [
            self._keep_asking(self._orders_wanted, self._ask_orders),
            self._keep_asking(self._account_wanted, self._feed.catch_up),
            self._keep_asking(self._transactions_wanted, self._ask_transaction),
        ]

    async def _keep_asking(self, wanted: asyncio.Event, ask: Callable[[], Awaitable[None]]) -> NoReturn:
        delay_s = AGAIN_FIRST_S
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                await ask()
            except InvariantBroken:
                raise
            except LightermanError:  # the network, the venue, what it said, or no token to ask with
                wanted.set()
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, AGAIN_LAST_S)
            else:
                delay_s = AGAIN_FIRST_S

    async def _ask_orders(self) -> None:
        while self._orders:
            await self._feed.calm()
            asked_ns = self._clock.mono_ns()
            wanted = list(self._orders)[:CLIENT_INDEXES_MAX]
            rows = await self._reads.orders_by_client_index(wanted)
            now_ns = self._clock.mono_ns()
            found = {report.client_order_index: report for report in self._translator.orders(rows, now_ns)}
            for index in wanted:
                self._orders.pop(index, None)
            for report in found.values():
                self._emit(report)
            absent = [index for index in wanted if index not in found]
            if absent:
                self._emit(OrdersAbsent(absent, asked_ns, now_ns))

    async def _ask_transaction(self) -> None:
        """Look at one transaction; come back to it later if it has not run. One that fails goes behind the others."""
        if not self._transactions:
            return
        await self._feed.calm()
        tx_hash = next(iter(self._transactions))
        inquirer = self._transactions[tx_hash] = self._transactions.pop(tx_hash)
        facts = await self._reads.transaction(tx_hash)
        del self._transactions[tx_hash]
        is_over = inquirer.transaction_absent(tx_hash) if facts is None else verdict(facts) is not None
        if not is_over:
            asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self.ask_transaction, tx_hash, inquirer)
        elif facts is not None:
            inquirer.transaction_told(facts, self._clock.mono_ns())
        if self._transactions:
            self._transactions_wanted.set()
