"""Accounts of the people and programs that trade here: opened by the local door, never by the venue's.

Law of this file: opening is idempotent; an existing account keeps its money and tier; keys are
throw-away keys made for this exchange, and their public half must be a group element other than
the neutral one. Every account has an owner's address of its own, visibly no real one.
"""

from collections.abc import Iterable

from lighterman.domain.errors import UnitError, VenueError
from lighterman.domain.units import MICRO_DECIMALS, PICO_PER_MICRO, parse_fixed
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow import PARTICIPANTS_FROM
from lighterman.matching.rules import Rules
from lighterman.protocol.codes import Code
from lighterman.protocol.crypto.fastest import VerifyingKey
from lighterman.protocol.crypto.schnorr import PUBLIC_KEY_BYTES
from lighterman.protocol.rest import Ledger, OpenAccount, OpenedAccount
from lighterman.simulator.forms import invalid

KEY_INDEX_MAX = 254
COLLATERAL_MICRO_MAX = 10**18
HOUR_US = 3_600_000_000
DAY_US = 86_400_000_000
TIERS_FOR_SALE = ("standard", "plus", "premium")


class Registry:
    """Opens accounts, and remembers of each what the exchange's core does not."""

    def __init__(self, exchange: Exchange, rules: Rules, default_tier: str, chain_id: int) -> None:
        self._exchange = exchange
        self._rules = rules
        self._default_tier = default_tier
        self._chain_id = chain_id
        self._deposited_micro: dict[int, int] = {}
        self._tier_changed_us: dict[int, int] = {}
        self._maker_only_changed_us: dict[int, int] = {}

    def open(self, wanted: OpenAccount) -> OpenedAccount:
        """Open an account or add a key to it; raises VenueError 20001 for what cannot be."""
        index = wanted.account_index
        reserved = (self._rules.treasury_account, self._rules.insurance_account)
        if not 0 <= index < PARTICIPANTS_FROM or index in reserved:
            raise invalid(f"account_index {index} is not one of users")
        if not 0 <= wanted.api_key_index <= KEY_INDEX_MAX:
            raise invalid("api_key_index")
        tier = self._default_tier if wanted.tier is None else wanted.tier
        if tier not in self._rules.tiers:
            raise invalid(f"tier is none of {', '.join(self._rules.tiers)}")
        public_key = _public_key(wanted.public_key)
        collateral_micro = _collateral_micro(wanted.collateral_usdc)
        is_new = self._exchange.account(index) is None
        if is_new:
            self._exchange.open_account(
                index, collateral_micro=collateral_micro, tier=tier, l1_address=f"0x{index:040x}"
            )
            self._deposited_micro[index] = collateral_micro
        key = self._exchange.key(index, wanted.api_key_index)
        if key is None or key.public_key != public_key:
            self._exchange.add_key(index, wanted.api_key_index, public_key)
        return OpenedAccount(
            account_index=index,
            api_key_index=wanted.api_key_index,
            created=is_new or key is None,
            nonce=self._exchange.next_nonce(index, wanted.api_key_index) or 0,
            tier=self._exchange.tier(index).name,
            chain_id=self._chain_id,
        )

    def deposited_micro(self, account_index: int) -> int:
        """Return what an account was given."""
        return self._deposited_micro.get(account_index, 0)

    def change_tier(self, account_index: int, tier: str, now_us: int) -> None:
        """Change a tier as the venue allows (1.5): flat, no orders, once a day (A-34)."""
        if tier not in TIERS_FOR_SALE:
            raise VenueError(Code.INVALID_TIER, Code.INVALID_TIER.text)
        changed_us = self._tier_changed_us.get(account_index)
        if changed_us is not None and now_us - changed_us < DAY_US:
            raise VenueError(Code.TIER_CHANGE_TOO_SOON, Code.TIER_CHANGE_TOO_SOON.text)
        reason = self._exchange.set_tier(account_index, tier)
        if reason is not None:
            raise VenueError(Code[reason.name], reason.value)
        self._tier_changed_us[account_index] = now_us

    def change_maker_only(self, account_index: int, api_key_indexes: Iterable[int], now_us: int) -> None:
        """Replace the list of maker-only keys, once an hour (1.4); raises VenueError 23000."""
        changed_us = self._maker_only_changed_us.get(account_index)
        if changed_us is not None and now_us - changed_us < HOUR_US:
            raise VenueError(Code.TOO_MANY_REQUESTS, "maker-only keys can be changed once an hour")
        self._exchange.set_maker_only(account_index, api_key_indexes)
        self._maker_only_changed_us[account_index] = now_us

    def tier_changed_us(self, account_index: int) -> int:
        """Return when an account's tier was changed last, 0 if never."""
        return self._tier_changed_us.get(account_index, 0)

    def ledger(self, account_index: int) -> Ledger:
        """Return an account in the exchange's own integers; raises VenueError 29404."""
        view = self._exchange.account(account_index)
        if view is None:
            raise VenueError(Code.NOT_FOUND, Code.NOT_FOUND.text)
        return Ledger(
            account_index=account_index,
            collateral_pico=view.collateral_pico,
            deposits_pico=self.deposited_micro(account_index) * PICO_PER_MICRO,
            fees_pico=view.fees_pico,
            funding_pico=view.funding_pico,
            realised_micro=view.realised_micro,
            positions={row.market: (row.size_lots, row.entry_quote_micro) for row in view.positions if row.size_lots},
            open_orders=view.open_order_count,
        )


def _public_key(text: str) -> bytes:
    digits = text.lower().removeprefix("0x")
    try:
        public_key = bytes.fromhex(digits)
        if len(digits) != 2 * PUBLIC_KEY_BYTES or len(public_key) != PUBLIC_KEY_BYTES:
            raise invalid(f"public_key is not {2 * PUBLIC_KEY_BYTES} hex digits")
        VerifyingKey(public_key)
    except ValueError as error:
        raise invalid(f"public_key: {error}") from None
    return public_key


def _collateral_micro(text: str) -> int:
    try:
        collateral_micro = parse_fixed(text, MICRO_DECIMALS)
    except UnitError as error:
        raise invalid(f"collateral_usdc: {error}") from None
    if collateral_micro > COLLATERAL_MICRO_MAX:
        raise invalid("collateral_usdc is absurd")
    return collateral_micro
