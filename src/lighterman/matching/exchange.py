"""The exchange as one state machine: requests in, outputs out, time given.

The law of this room:

* It imports only `domain`; it reads no clock and draws no chance. Time is epoch microseconds.
* Everything is an integer: ticks, lots, micro-USDC (1e-6) and, for collateral, pico-USDC (1e-12).
* The same calls in the same order give the same outputs: nothing iterates over a set.
* This file is the only door and only dispatches; `requests`, `outputs`, `views`, `rejects` and
  `rules` are its vocabulary. State is data (`state`), rules are functions over it.

What it does not do, and says so by refusing: trigger, TWAP and grouped orders, orders of size zero
("whole position"), isolated margin, spot markets, and transactions of other types than 14-17 and 20.
Signatures, rate limits, the volume quota and auth tokens belong to the server in front of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from msgspec.structs import replace

from lighterman.domain.book import OrderBook
from lighterman.domain.errors import LocalProtocolError
from lighterman.domain.market import Market
from lighterman.matching import ledger, prices, queries, sequencer
from lighterman.matching.accounts import Account, Key
from lighterman.matching.admission import find_fault
from lighterman.matching.agenda import Duty, Item, Queued
from lighterman.matching.execution import execute, shrink, trigger_switch
from lighterman.matching.funding import pay_funding, sample_moment_us, sample_premiums
from lighterman.matching.lifecycle import pull
from lighterman.matching.liquidation import check_accounts
from lighterman.matching.orderbook import Book
from lighterman.matching.orders import Order
from lighterman.matching.outputs import FundingPaid, OrderRow, OrderStatus, Output, TradeDone
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import Request
from lighterman.matching.rules import HOUR, MINUTE, Rules, Tier
from lighterman.matching.state import Pit, State
from lighterman.matching.views import (
    AccountView,
    Admitted,
    FundingRound,
    KeyView,
    MarketStats,
    Rejected,
    TransactionRecord,
    TransactionState,
)


class Exchange:
    """Markets, accounts and a sequencer. `now_us` is the time of the last call and never goes back."""

    def __init__(self, markets: Sequence[Market], rules: Rules, now_us: int) -> None:
        self._state = State(rules, now_us)
        self._markets = {market.index: market for market in markets}
        for market in markets:
            self._state.pits[market.index] = Pit(market, Book(market.index, self._state.emit), rules)
        for index, collateral_micro in (
            (rules.treasury_account, 0),
            (rules.insurance_account, rules.insurance_collateral_micro),
        ):
            self.open_account(
                index, collateral_micro=collateral_micro, tier="standard", l1_address="", free_of_limits=True
            )
        minute = now_us // MINUTE
        first = minute if sample_moment_us(minute) > now_us else minute + 1
        self._state.agenda.add(sample_moment_us(first), Duty.PREMIUM_SAMPLE, None)
        self._state.agenda.add((now_us // HOUR + 1) * HOUR, Duty.FUNDING, None)

    # Time

    @property
    def now_us(self) -> int:
        """Return the time up to which everything due has been done."""
        return self._state.now_us

    def advance(self, now_us: int) -> None:
        """Do everything due: transactions, expiries, dead man's switches, samples, funding."""
        state = self._state
        while state.agenda.next_due_us() <= now_us:
            due_us, duty, item = state.agenda.pop()
            state.now_us = max(state.now_us, due_us)
            self._perform(duty, item, due_us)
        state.now_us = max(state.now_us, now_us)

    def next_due_us(self) -> int:
        """Return when `advance` next has something to do (funding is always ahead)."""
        return self._state.agenda.next_due_us()

    def take_outputs(self) -> list[Output]:
        """Return what happened since the last call, in order."""
        taken = self._state.outputs.copy()
        self._state.outputs.clear()
        return taken

    # Accounts

    def open_account(
        self,
        account_index: int,
        *,
        collateral_micro: int,
        tier: str,
        l1_address: str,
        free_of_limits: bool = False,
    ) -> None:
        """Open an account. `free_of_limits` is for market participants.

        They have no margin, order-count, open-interest or minimum-size limits, are never
        liquidated, and their private outputs are not reported. Raises LocalProtocolError when
        the account exists or the tier does not.
        """
        state = self._state
        if account_index in state.accounts or tier not in state.rules.tiers:
            raise LocalProtocolError(f"account {account_index} cannot be opened with tier {tier!r}")
        account = Account(
            account_index,
            tier=state.rules.tiers[tier],
            l1_address=l1_address,
            master=state.masters.setdefault(l1_address, account_index) if l1_address else account_index,
            free_of_limits=free_of_limits,
            rules=state.rules,
            now_us=state.now_us,
        )
        state.accounts[account_index] = account
        if not free_of_limits:
            state.watched.append(account)
        ledger.deposit(state, account, collateral_micro)

    def deposit(self, account_index: int, amount_micro: int) -> None:
        """Add to (or take from) an account's collateral; the only way money enters or leaves."""
        ledger.deposit(self._state, self._state.accounts[account_index], amount_micro)

    def set_tier(self, account_index: int, tier: str) -> Reject | None:
        """Change the tier of a flat account without orders (protocol reference 1.5)."""
        account = self._state.accounts[account_index]
        wanted = self._state.rules.tiers.get(tier)
        if wanted is None:
            return Reject.INVALID_TIER
        if wanted is account.tier:
            return Reject.SAME_TIER
        if any(position.size_lots for position in account.positions.values()):
            return Reject.TIER_OPEN_POSITIONS
        if account.orders:
            return Reject.TIER_OPEN_ORDERS
        account.tier = wanted
        return None

    def set_fees(self, account_index: int, *, maker_fee_ppm: int, taker_fee_ppm: int) -> None:
        """Let an account pay other fees from now on, whatever its tier says."""
        account = self._state.accounts[account_index]
        account.tier = replace(account.tier, maker_fee_ppm=maker_fee_ppm, taker_fee_ppm=taker_fee_ppm)

    def add_key(self, account_index: int, api_key_index: int, public_key: bytes) -> None:
        """Register a key with nonce 0, or replace its public key and keep the nonce."""
        keys, now_us = self._state.accounts[account_index].keys, self._state.now_us
        if api_key_index in keys:
            keys[api_key_index].public_key = public_key
            keys[api_key_index].updated_us = now_us
        else:
            keys[api_key_index] = Key(public_key, now_us)

    def set_maker_only(self, account_index: int, api_key_indexes: Iterable[int]) -> None:
        """Restrict these keys of the account to post-only orders and cancels, and free the others."""
        restricted = frozenset(api_key_indexes)
        for index, key in self._state.accounts[account_index].keys.items():
            key.maker_only = index in restricted

    # Orders

    def admit(self, requests: Sequence[Request], now_us: int) -> Admitted | Rejected:
        """Check transactions as the venue's API does after the signature, and queue all or none.

        The order of checks is protocol reference 9.1; a batch is executed back to back.
        """
        fault = self.refusal(requests, now_us)
        return fault or Admitted(sequencer.enqueue(self._state, requests, self._state.now_us))

    def refusal(self, requests: Sequence[Request], now_us: int) -> Rejected | None:
        """Return why `admit` would refuse these transactions at this moment, and queue nothing."""
        self.advance(now_us)
        return find_fault(self._state, requests, self._state.now_us)

    def act(self, request: Request, now_us: int) -> Reject | None:
        """Execute a market participant's request at once: no key, no nonce, no delay, no queue.

        Everything due by then is done before. Returns why nothing happened, or None; a post-only
        or IOC order that was canceled did happen.
        """
        state = self._state
        if state.agenda.next_due_us() <= now_us:
            self.advance(now_us)
        elif now_us > state.now_us:
            state.now_us = now_us
        result = execute(state, request, state.now_us)
        return result if isinstance(result, Reject) else None

    def shrink(self, account_index: int, market: int, index: int, lots: int, now_us: int) -> None:
        """Take size off a market participant's order, which keeps its place; none left cancels it.

        No operation of the venue, where a modify loses priority: a tape needs it, whose levels
        shrink by the cancels of others. Does nothing when the order is no longer active.
        """
        self.advance(now_us)
        order = self._state.accounts[account_index].find_order(market, index)
        if order is not None:
            shrink(self._state, self._state.pits[market], order, lots, self._state.now_us)

    def touch(self, market: int, now_us: int) -> None:
        """Tell a market's book again though nothing changed: a tape's sign that its feed was alive."""
        self.advance(now_us)
        self._state.pits[market].book.touch(self._state.now_us)

    # Markets

    @property
    def markets(self) -> Mapping[int, Market]:
        """Return the markets by index."""
        return MappingProxyType(self._markets)

    def set_market(self, market: Market) -> None:
        """Replace a market's description (status, minimums, margins); its decimals must stay."""
        pit = self._state.pits[market.index]
        old = pit.market
        scales = (market.price_decimals, market.size_decimals, market.quote_multiplier)
        if scales != (old.price_decimals, old.size_decimals, old.quote_multiplier):
            raise LocalProtocolError(f"the decimals of market {market.index} cannot change")
        pit.market = self._markets[market.index] = market

    def set_index(self, market: int, index_ticks: int, now_us: int) -> None:
        """Set the index price; mark follows (protocol reference 8.1), then liquidations. 0: no oracle."""
        self.advance(now_us)
        prices.set_index(self._state, self._state.pits[market], index_ticks, self._state.now_us)
        check_accounts(self._state, self._state.now_us)

    # Questions

    def block_height(self, at_us: int) -> int:
        """Return the number of the block that holds a moment."""
        return at_us // self._state.rules.block_us

    def book(self, market: int) -> OrderBook:
        """Return the live aggregate book; read it, never write it."""
        return self._state.pits[market].book.aggregate

    def resting_orders(self, market: int, *, is_ask: bool, limit: int) -> list[OrderRow]:
        """Return up to `limit` orders of one side in the order in which they would trade."""
        orders = islice(self._state.pits[market].book.orders(is_ask=is_ask), limit)
        return [order.row(self._state.rules.block_us) for order in orders]

    def stats(self, market: int) -> MarketStats:
        """Return prices, funding and the last day of a market."""
        return queries.market_stats(self._state, self._state.pits[market])

    def recent_trades(self, market: int) -> list[TradeDone]:
        """Return the market's last trades, newest first."""
        return list(reversed(self._state.pits[market].trades))

    def fundings(self, market: int) -> list[FundingRound]:
        """Return the market's last funding rounds, newest first."""
        return list(reversed(self._state.pits[market].funding_rounds))

    def account_indexes(self, l1_address: str | None = None) -> list[int]:
        """Return the accounts that are not market participants (of one owner), in order of opening."""
        return [
            account.index for account in self._state.watched if l1_address is None or account.l1_address == l1_address
        ]

    def account(self, account_index: int) -> AccountView | None:
        """Return an account, or None."""
        account = self._state.accounts.get(account_index)
        return queries.account_view(self._state, account) if account else None

    def position_lots(self, account_index: int, market: int) -> int:
        """Return the signed size of a position without building a view."""
        return self._state.accounts[account_index].position(market).size_lots

    def tier(self, account_index: int) -> Tier:
        """Return the tier of an account."""
        return self._state.accounts[account_index].tier

    def traded_micro(self, account_index: int) -> int:
        """Return the account's traded volume as maker and taker since it was opened."""
        return self._state.accounts[account_index].traded_micro

    def keys(self, account_index: int) -> list[KeyView]:
        """Return the account's keys by index."""
        account = self._state.accounts[account_index]
        return [queries.key_view(account, index, account.keys[index]) for index in sorted(account.keys)]

    def key(self, account_index: int, api_key_index: int) -> KeyView | None:
        """Return one key, or None."""
        account = self._state.accounts.get(account_index)
        key = account.keys.get(api_key_index) if account else None
        return queries.key_view(account, api_key_index, key) if account and key else None

    def next_nonce(self, account_index: int, api_key_index: int) -> int | None:
        """Return the nonce the key must use next, or None for an unknown key."""
        account = self._state.accounts.get(account_index)
        key = account.keys.get(api_key_index) if account else None
        return key.next_nonce if key else None

    def open_orders(self, account_index: int, market: int | None = None) -> list[OrderRow]:
        """Return the account's active orders, newest first."""
        orders = reversed(self._state.accounts[account_index].orders.values())
        block_us = self._state.rules.block_us
        return [order.row(block_us) for order in orders if market is None or order.market == market]

    def ended_orders(self, account_index: int) -> list[OrderRow]:
        """Return the account's last ended orders, newest first."""
        return list(reversed(self._state.accounts[account_index].ended))

    def trades_of(self, account_index: int) -> list[TradeDone]:
        """Return the account's last trades, newest first."""
        return list(reversed(self._state.accounts[account_index].trades))

    def fundings_of(self, account_index: int) -> list[FundingPaid]:
        """Return the account's last funding payments, newest first."""
        return list(reversed(self._state.accounts[account_index].fundings))

    def transaction(self, tx_hash: str) -> TransactionRecord | None:
        """Return a recent transaction by hash, or None."""
        return self._state.transactions.get(tx_hash)

    def transactions_of(self, account_index: int) -> list[TransactionRecord]:
        """Return the account's recent transactions by sequence index, ascending; pending ones last."""
        found = [
            record for record in self._state.transactions.values() if record.request.account_index == account_index
        ]
        return sorted(found, key=lambda record: (record.state is TransactionState.PENDING, record.sequence_index))

    def total_value_pico(self) -> int:
        """Return all collateral minus all signed entry costs: always equal to `deposited_pico`."""
        return ledger.total_value_pico(self._state)

    def deposited_pico(self) -> int:
        """Return what all deposits added up to."""
        return self._state.deposited_pico

    def _perform(self, duty: Duty, item: Item, now_us: int) -> None:
        """Do one entry of the agenda."""
        state = self._state
        if isinstance(item, Queued):
            sequencer.run(state, item, now_us)
        elif isinstance(item, Account):
            trigger_switch(state, item, now_us)
        elif isinstance(item, Order):
            if not item.has_ended():
                pull(state, state.pits[item.market], item, OrderStatus.CANCELED_EXPIRED, now_us)
        elif duty is Duty.PREMIUM_SAMPLE:
            sample_premiums(state)
            state.agenda.add(sample_moment_us(now_us // MINUTE + 1), Duty.PREMIUM_SAMPLE, None)
        else:
            pay_funding(state, now_us)
            state.agenda.add(now_us + HOUR, Duty.FUNDING, None)
            check_accounts(state, now_us)
