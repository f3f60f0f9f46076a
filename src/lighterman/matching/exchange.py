"""The exchange as one state machine: requests in, outputs out, time given."""

from collections.abc import Iterable, Mapping, Sequence

from lighterman.domain.book import OrderBook
from lighterman.domain.market import Market
from lighterman.matching.outputs import FundingPaid, OrderRow, Output, TradeDone
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import Request
from lighterman.matching.rules import Rules, Tier
from lighterman.matching.views import (
    AccountView,
    Admitted,
    FundingRound,
    KeyView,
    MarketStats,
    Rejected,
    TransactionRecord,
)


class Exchange:
    """Markets, accounts and a sequencer. `now_us` is the time of the last call and never goes back."""

    def __init__(self, markets: Sequence[Market], rules: Rules, now_us: int) -> None:
        raise NotImplementedError

    # Time

    @property
    def now_us(self) -> int:
        """Return the time up to which everything due has been done."""
        raise NotImplementedError

    def advance(self, now_us: int) -> None:
        """Do everything due: transactions, expiries, dead man's switches, samples, funding."""
        raise NotImplementedError

    def next_due_us(self) -> int:
        """Return when `advance` next has something to do (funding is always ahead)."""
        raise NotImplementedError

    def take_outputs(self) -> list[Output]:
        """Return what happened since the last call, in order."""
        raise NotImplementedError

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

        They have no margin, order-count or open-interest limits, are never liquidated, and
        their private outputs are not reported. Raises LocalProtocolError when the account
        exists or the tier does not.
        """
        raise NotImplementedError

    def deposit(self, account_index: int, amount_micro: int) -> None:
        """Add to (or take from) an account's collateral; the only way money enters or leaves."""
        raise NotImplementedError

    def set_tier(self, account_index: int, tier: str) -> Reject | None:
        """Change the tier of a flat account without orders (protocol reference 1.5)."""
        raise NotImplementedError

    def add_key(self, account_index: int, api_key_index: int, public_key: bytes) -> None:
        """Register a key with nonce 0, or replace its public key and keep the nonce."""
        raise NotImplementedError

    def set_maker_only(self, account_index: int, api_key_indexes: Iterable[int]) -> None:
        """Restrict these keys of the account to post-only orders and cancels, and free the others."""
        raise NotImplementedError

    # Orders

    def admit(self, requests: Sequence[Request], now_us: int) -> Admitted | Rejected:
        """Check transactions as the venue's API does after the signature, and queue all or none.

        The order of checks is protocol reference 9.1; a batch is executed back to back.
        """
        raise NotImplementedError

    def act(self, request: Request, now_us: int) -> None:
        """Execute a market participant's request at once: no key, no nonce, no delay, no queue.

        A request that breaks a rule does nothing (there is nobody to be told).
        """
        raise NotImplementedError

    # Markets

    @property
    def markets(self) -> Mapping[int, Market]:
        """Return the markets by index."""
        raise NotImplementedError

    def set_market(self, market: Market) -> None:
        """Replace a market's description (status, minimums, margins); its decimals must stay."""
        raise NotImplementedError

    def set_index(self, market: int, index_ticks: int, now_us: int) -> None:
        """Set the index price; mark follows (protocol reference 8.1), then liquidations. 0: no oracle."""
        raise NotImplementedError

    # Questions

    def block_height(self, at_us: int) -> int:
        """Return the number of the block that holds a moment."""
        raise NotImplementedError

    def book(self, market: int) -> OrderBook:
        """Return the live aggregate book; read it, never write it."""
        raise NotImplementedError

    def resting_orders(self, market: int, *, is_ask: bool, limit: int) -> list[OrderRow]:
        """Return up to `limit` orders of one side in the order in which they would trade."""
        raise NotImplementedError

    def stats(self, market: int) -> MarketStats:
        """Return prices, funding and the last day of a market."""
        raise NotImplementedError

    def recent_trades(self, market: int) -> list[TradeDone]:
        """Return the market's last trades, newest first."""
        raise NotImplementedError

    def fundings(self, market: int) -> list[FundingRound]:
        """Return the market's last funding rounds, newest first."""
        raise NotImplementedError

    def account_indexes(self, l1_address: str | None = None) -> list[int]:
        """Return the accounts that are not market participants (of one owner), in order of opening."""
        raise NotImplementedError

    def account(self, account_index: int) -> AccountView | None:
        """Return an account, or None."""
        raise NotImplementedError

    def position_lots(self, account_index: int, market: int) -> int:
        """Return the signed size of a position without building a view."""
        raise NotImplementedError

    def tier(self, account_index: int) -> Tier:
        """Return the tier of an account."""
        raise NotImplementedError

    def traded_micro(self, account_index: int) -> int:
        """Return the account's traded volume as maker and taker since it was opened."""
        raise NotImplementedError

    def keys(self, account_index: int) -> list[KeyView]:
        """Return the account's keys by index."""
        raise NotImplementedError

    def key(self, account_index: int, api_key_index: int) -> KeyView | None:
        """Return one key, or None."""
        raise NotImplementedError

    def next_nonce(self, account_index: int, api_key_index: int) -> int | None:
        """Return the nonce the key must use next, or None for an unknown key."""
        raise NotImplementedError

    def open_orders(self, account_index: int, market: int | None = None) -> list[OrderRow]:
        """Return the account's active orders, newest first."""
        raise NotImplementedError

    def ended_orders(self, account_index: int) -> list[OrderRow]:
        """Return the account's last ended orders, newest first."""
        raise NotImplementedError

    def trades_of(self, account_index: int) -> list[TradeDone]:
        """Return the account's last trades, newest first."""
        raise NotImplementedError

    def fundings_of(self, account_index: int) -> list[FundingPaid]:
        """Return the account's last funding payments, newest first."""
        raise NotImplementedError

    def transaction(self, tx_hash: str) -> TransactionRecord | None:
        """Return a recent transaction by hash, or None."""
        raise NotImplementedError

    def transactions_of(self, account_index: int) -> list[TransactionRecord]:
        """Return the account's recent transactions by sequence index, ascending."""
        raise NotImplementedError

    def total_value_pico(self) -> int:
        """Return all collateral minus all signed entry costs: constant but for deposits."""
        raise NotImplementedError
