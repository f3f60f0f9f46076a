"""From the bytes of a transaction to the exchange's queue: protocol reference 9.1, in its order.

parse -> type known -> account and key known -> signature -> nonce -> not expired -> market open
-> fields -> everything `matching` checks -> rates and quota. The first fault is the answer,
nothing is consumed by it, and of a batch either all are queued or none (A-21).
"""

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from lighterman.domain.errors import RemoteProtocolError, VenueError
from lighterman.matching.exchange import Exchange
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import Request, SetLeverage
from lighterman.matching.views import Rejected
from lighterman.protocol import transactions
from lighterman.protocol.codes import Code
from lighterman.protocol.crypto import goldilocks
from lighterman.protocol.transactions import Transaction, TxType
from lighterman.simulator.limits import LimitRules, Quota, TierLimits, Windows
from lighterman.simulator.listening import Listener
from lighterman.simulator.requests import request_of, skips_nonce, unoffered
from lighterman.simulator.signatures import Verifier

MS_US = 1_000
INFOS_KEPT = 10_000

_KNOWN_TYPES = frozenset(TxType)
_QUOTA_TYPES = frozenset({TxType.CREATE_ORDER, TxType.CANCEL_ALL_ORDERS, TxType.MODIFY_ORDER})


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What the sender is told; `quota_remaining` is None where no quota applies."""

    tx_hashes: list[str]
    predicted_ms: int
    message: str
    quota_remaining: int | None


class Admission:
    """The one way in for transactions, from HTTP and from the stream."""

    def __init__(
        self,
        exchange: Exchange,
        verifier: Verifier,
        limits: LimitRules,
        chain_id: int,
        listener: Listener | None = None,
    ) -> None:
        self._exchange = exchange
        self._verifier = verifier
        self._limits = limits
        self._chain_id = chain_id
        self._listener = listener
        self._sent = Windows()
        self._leverage_sent = Windows()
        self._quotas: dict[str, Quota] = {}
        self._owners: dict[int, str] = {}
        self._infos: OrderedDict[str, str] = OrderedDict()

    def send(self, tx_types: Sequence[int], tx_infos: Sequence[bytes | str], now_us: int) -> Receipt:
        """Queue one transaction or a batch; raises VenueError with the code of the first fault."""
        if self._listener is None:
            return self._send(tx_types, tx_infos, now_us)
        told = list(zip(tx_types, tx_infos, strict=False))
        for tx_type, tx_info in told:
            self._listener.arrived(tx_type, tx_info)
        try:
            return self._send(tx_types, tx_infos, now_us)
        except VenueError:
            for tx_type, tx_info in told:
                self._listener.refused(tx_type, tx_info)
            raise

    def _send(self, tx_types: Sequence[int], tx_infos: Sequence[bytes | str], now_us: int) -> Receipt:
        if len(tx_types) != len(tx_infos):
            raise VenueError(Code.BATCH_LENGTHS_DIFFER, Code.BATCH_LENGTHS_DIFFER.text)
        if not 0 < len(tx_types) <= self._limits.batch_max:
            raise VenueError(Code.BATCH_TOO_LARGE, f"{Code.BATCH_TOO_LARGE.text}: 1 to {self._limits.batch_max}")
        parsed = [_parse(tx_type, info) for tx_type, info in zip(tx_types, tx_infos, strict=True)]
        hashes = [self._authenticate(tx) for tx in parsed]
        for tx in parsed:
            self._check_fields(tx, now_us)
        requests = [request_of(tx, tx_hash) for tx, tx_hash in zip(parsed, hashes, strict=True)]
        rejected = self._exchange.refusal(requests, now_us)
        if rejected is not None:
            raise _refusal(rejected.reason)
        receipt = self._pay(requests, hashes, now_us)
        admitted = self._exchange.admit(requests, now_us)
        if isinstance(admitted, Rejected):
            raise _refusal(admitted.reason)
        self._remember(parsed, hashes)
        return msgspec.structs.replace(receipt, predicted_ms=max(admitted.predicted_us) // MS_US)

    def info(self, tx_hash: str) -> str:
        """Return a recent transaction's JSON as it was signed, or an empty text."""
        return self._infos.get(tx_hash, "")

    def _authenticate(self, tx: Transaction) -> str:
        """Return the transaction's hash if its key is known and signed it."""
        key = self._exchange.key(tx.account_index, tx.api_key_index)
        if key is None:
            is_known = self._exchange.account(tx.account_index) is not None
            code = Code.API_KEY_NOT_FOUND if is_known else Code.ACCOUNT_NOT_FOUND
            raise VenueError(code, code.text)
        message = transactions.transaction_message(tx, self._chain_id)
        if not self._verifier.is_valid_transaction(key.public_key, message, tx.sig):
            raise VenueError(Code.INVALID_SIGNATURE, Code.INVALID_SIGNATURE.text)
        return goldilocks.to_bytes(message).hex()

    def _check_fields(self, tx: Transaction, now_us: int) -> None:
        """Refuse what is wrong by itself, unless something is wrong that is checked before."""
        fault = transactions.check(tx) or unoffered(tx)
        if fault is None:
            return
        if tx.nonce != self._exchange.next_nonce(tx.account_index, tx.api_key_index) and not skips_nonce(tx):
            raise _refusal(Reject.INVALID_NONCE)
        if tx.expired_at * MS_US <= now_us:
            raise _refusal(Reject.TRANSACTION_EXPIRED)
        if not isinstance(tx, transactions.CancelAllOrdersTx):
            market = self._exchange.markets.get(tx.market_index)
            if market is None:
                raise _refusal(Reject.INVALID_MARKET)
            if not market.active:
                raise _refusal(Reject.MARKET_INACTIVE)
        raise VenueError(fault.code, fault.message)

    def _pay(self, requests: Sequence[Request], hashes: list[str], now_us: int) -> Receipt:
        """Count the transactions against the owner's rates and quota (protocol reference 6.2, 6.3)."""
        if not self._limits.enforced:
            return Receipt(hashes, 0, '{"ratelimit": "Ratelimit is off"}', None)
        account_index = requests[0].account_index
        owner, tier = self._owner(account_index), self._limits.tiers[self._exchange.tier(account_index).name]
        changes = sum(isinstance(request, SetLeverage) for request in requests)
        has_room = self._sent[owner].has_room(len(requests), tier.transactions, now_us)
        may_change = self._leverage_sent[owner].has_room(changes, self._limits.leverage_changes_per_minute, now_us)
        if not has_room or (changes and not may_change):
            raise VenueError(Code.TOO_MANY_REQUESTS, Code.TOO_MANY_REQUESTS.text)
        message, remaining = self._pay_quota(requests, owner, tier, now_us)
        self._sent[owner].spend(len(requests), now_us)
        if changes:
            self._leverage_sent[owner].spend(changes, now_us)
        return Receipt(hashes, 0, message, remaining)

    def _pay_quota(
        self, requests: Sequence[Request], owner: str, tier: TierLimits, now_us: int
    ) -> tuple[str, int | None]:
        """Return the words and the rest of the quota; raises when it does not suffice (code: A-3)."""
        if not tier.has_quota:
            return "", None
        quota = self._quotas.setdefault(owner, Quota())
        accounts = self._exchange.account_indexes(owner)
        traded_micro = sum(self._exchange.traded_micro(index) for index in accounts)
        cost = sum(request.tx_type in _QUOTA_TYPES for request in requests)
        if not quota.is_free(cost, now_us) and cost > quota.remaining(self._limits, traded_micro):
            raise VenueError(Code.TOO_MANY_REQUESTS, "not enough volume quota remaining")
        has_used = quota.use(cost, self._limits, now_us)
        remaining = quota.remaining(self._limits, traded_micro)
        message = f"{remaining} volume quota remaining." if has_used else '{"ratelimit": "didn\'t use volume quota"}'
        return message, remaining

    def _owner(self, account_index: int) -> str:
        """Return the address that owns an account; it never changes."""
        owner = self._owners.get(account_index)
        if owner is None:
            view = self._exchange.account(account_index)
            owner = self._owners[account_index] = view.l1_address if view else ""
        return owner

    def _remember(self, parsed: Sequence[Transaction], hashes: Sequence[str]) -> None:
        for tx, tx_hash in zip(parsed, hashes, strict=True):
            self._infos[tx_hash] = transactions.encode(tx).decode()
            if len(self._infos) > INFOS_KEPT:
                self._infos.popitem(last=False)


def _parse(tx_type: int, info: bytes | str) -> Transaction:
    if tx_type not in _KNOWN_TYPES:
        raise VenueError(Code.UNSUPPORTED_TX_TYPE, Code.UNSUPPORTED_TX_TYPE.text)
    try:
        return transactions.decode(tx_type, info)
    except RemoteProtocolError as error:
        raise VenueError(Code.INVALID_TX_INFO, str(error)) from None


def _refusal(reason: Reject) -> VenueError:
    return VenueError(Code[reason.name], reason.value)
