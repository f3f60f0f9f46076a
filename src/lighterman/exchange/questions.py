"""Questions to the venue, asked until they are answered.

Law: a question that fails is asked again, later and later, and the same question twice is one
question. Orders and account come before transactions, which are looked at one by one: they can be
many, and each costs as much. Answers are events with the time at which they were asked, because
what is on the wire meanwhile is not in them.
"""

import asyncio
from collections.abc import Callable
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
AGAIN_LAST_S = 30.0
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
        self._is_account_wanted = False
        self._transactions: dict[str, Inquirer] = {}
        self._woken = asyncio.Event()

    def query(self, query: Query) -> None:
        """Take a question of the engine's."""
        match query:
            case QueryOrders():
                self._orders.update(dict.fromkeys(query.client_order_indexes))
            case QueryAccount():
                self._is_account_wanted = True
            case ResyncBook():
                self._resync(query.market)
        self._woken.set()

    def ask_transaction(self, tx_hash: str, inquirer: Inquirer) -> None:
        """Take the question what became of a transaction."""
        self._transactions[tx_hash] = inquirer
        self._woken.set()

    async def run(self) -> NoReturn:
        """Ask, for ever."""
        delay_s = AGAIN_FIRST_S
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._ask_orders()
                await self._ask_account()
                await self._ask_transaction()
            except InvariantBroken:
                raise
            except LightermanError:  # the network, the venue, what it said, or no token to ask with
                self._woken.set()
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, AGAIN_LAST_S)
            else:
                delay_s = AGAIN_FIRST_S

    async def _ask_orders(self) -> None:
        while self._orders:
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

    async def _ask_account(self) -> None:
        if self._is_account_wanted:
            await self._feed.catch_up()
            self._is_account_wanted = False

    async def _ask_transaction(self) -> None:
        """Look at one transaction; come back to it later if it has not run."""
        if not self._transactions:
            return
        tx_hash, inquirer = next(iter(self._transactions.items()))
        facts = await self._reads.transaction(tx_hash)
        del self._transactions[tx_hash]
        is_over = inquirer.transaction_absent(tx_hash) if facts is None else verdict(facts) is not None
        if not is_over:
            asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self.ask_transaction, tx_hash, inquirer)
        elif facts is not None:
            inquirer.transaction_told(facts, self._clock.mono_ns())
        if self._transactions:
            self._woken.set()
