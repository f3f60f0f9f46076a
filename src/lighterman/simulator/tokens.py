"""Who asks: tokens signed by an api key, and read-only tokens issued here.

Law of this file (protocol reference 5.8): a signed token lives at most 8 hours ahead of its use
and dies with its key; a read-only token (`ro:…`) opens only what reads. A missing token is
refused 20001, a bad one 20013. Verified tokens are remembered, because a client sends the same
one with every request.
"""

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from lighterman.domain.errors import RemoteProtocolError, VenueError
from lighterman.matching.exchange import Exchange
from lighterman.protocol.codes import Code
from lighterman.protocol.rest import ApiToken
from lighterman.protocol.signing import TOKEN_LIFE_S_MAX, parse_token, token_message
from lighterman.simulator.signatures import Verifier

SECOND_US = 1_000_000
REMEMBERED_MAX = 1_024

READ_ONLY_LIFE_S_MIN = 86_400
READ_ONLY_LIFE_S_MAX = 10 * 365 * 86_400
READ_ONLY_PER_ACCOUNT_MAX = 10
NAME_LENGTH_MAX = 50
SCOPES = "read.*"
_READ_ONLY_SECRET_BYTES = 32


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Whoever holds a valid token; `with_subs` opens the other accounts of the same owner too."""

    account_index: int
    deadline_s: int
    is_read_only: bool = False
    with_subs: bool = False


def bad_token(reason: str) -> VenueError:
    """Return the refusal of a token that is not good."""
    return VenueError(Code.INVALID_AUTH, f"{Code.INVALID_AUTH.text}: {reason}")


class _Known(msgspec.Struct, frozen=True, gc=False):
    """A signed token that was verified against this public key."""

    caller: Caller
    api_key_index: int
    public_key: bytes


class Gatekeeper:
    """Authenticates tokens, and issues and revokes the read-only ones."""

    def __init__(self, exchange: Exchange, verifier: Verifier, entropy: Callable[[int], bytes]) -> None:
        self._exchange = exchange
        self._verifier = verifier
        self._entropy = entropy
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._issued: dict[str, ApiToken] = {}  # by token text; revoked ones stay
        self._issued_count = 0

    def authenticate(self, token: str, now_us: int) -> Caller:
        """Return who holds a token; raises VenueError 20013."""
        caller = self._read_only(token) if token.startswith("ro:") else self._signed(token, now_us)
        if caller.deadline_s * SECOND_US <= now_us:
            raise bad_token("invalid deadline")
        return caller

    def may_see(self, caller: Caller, account_index: int) -> bool:
        """Tell whether a token opens an account: its own, or one of the same owner."""
        if caller.account_index == account_index:
            return True
        return caller.with_subs and self._owner(caller.account_index) == self._owner(account_index)

    def issue(self, token: ApiToken, now_us: int) -> ApiToken:
        """Make a read-only token from a description without id and text; raises VenueError 610xx."""
        self._check(token, now_us)
        self._issued_count += 1
        access = "all" if token.sub_account_access else "single"
        secret = self._entropy(_READ_ONLY_SECRET_BYTES).hex()
        text = f"ro:{token.account_index}:{access}:{token.expiry}:{secret}"
        issued = msgspec.structs.replace(token, token_id=self._issued_count)
        self._issued[text] = issued
        return msgspec.structs.replace(issued, api_token=text)

    def issued_to(self, account_index: int) -> list[ApiToken]:
        """Return the read-only tokens of an account, without their texts."""
        return [token for token in self._issued.values() if token.account_index == account_index]

    def revoke(self, account_index: int, token_id: int) -> None:
        """End a read-only token for good; raises VenueError 61005 or 61006."""
        for text, token in self._issued.items():
            if (token.account_index, token.token_id) == (account_index, token_id):
                if token.revoked:
                    raise VenueError(Code.TOKEN_REVOKED, Code.TOKEN_REVOKED.text)
                self._issued[text] = msgspec.structs.replace(token, revoked=True)
                return
        raise VenueError(Code.TOKEN_NOT_FOUND, Code.TOKEN_NOT_FOUND.text)

    def _read_only(self, text: str) -> Caller:
        token = self._issued.get(text)
        if token is None or token.revoked:
            raise bad_token("unknown or revoked read-only token")
        return Caller(token.account_index, token.expiry, is_read_only=True, with_subs=token.sub_account_access)

    def _signed(self, text: str, now_us: int) -> Caller:
        known = self._known.get(text)
        if known is None:
            known = self._verify(text)
            self._known[text] = known
            if len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)
        caller = known.caller
        key = self._exchange.key(caller.account_index, known.api_key_index)
        if key is None or key.public_key != known.public_key:
            raise bad_token("the api key has changed")
        if caller.deadline_s * SECOND_US > now_us + TOKEN_LIFE_S_MAX * SECOND_US:
            raise bad_token("invalid deadline")
        return caller

    def _verify(self, text: str) -> _Known:
        """Check form, key and signature of a signed token."""
        try:
            token = parse_token(text)
        except RemoteProtocolError:
            raise bad_token("malformed auth string") from None
        key = self._exchange.key(token.account_index, token.api_key_index)
        if key is None:
            raise bad_token("api key not found")
        if not self._verifier.is_valid_token(key.public_key, token_message(token.text), token.signature):
            raise bad_token("invalid signature")
        return _Known(Caller(token.account_index, token.deadline_s), token.api_key_index, key.public_key)

    def _check(self, token: ApiToken, now_us: int) -> None:
        """Check what a read-only token may be (protocol reference 2.5, 2.8)."""
        now_s = now_us // SECOND_US
        live = [other for other in self.issued_to(token.account_index) if not other.revoked and other.expiry > now_s]
        faults = (
            (not token.name, Code.TOKEN_NAME_EMPTY),
            (len(token.name) > NAME_LENGTH_MAX, Code.TOKEN_NAME_TOO_LONG),
            (token.expiry < now_s + READ_ONLY_LIFE_S_MIN, Code.TOKEN_EXPIRY_TOO_SOON),
            (token.expiry > now_s + READ_ONLY_LIFE_S_MAX, Code.TOKEN_EXPIRY_TOO_LATE),
            (token.scopes != SCOPES, Code.TOKEN_SCOPE_UNSUPPORTED),
            (len(live) >= READ_ONLY_PER_ACCOUNT_MAX, Code.TOO_MANY_TOKENS),
        )
        for is_broken, code in faults:
            if is_broken:
                raise VenueError(code, code.text)

    def _owner(self, account_index: int) -> str | None:
        account = self._exchange.account(account_index)
        return None if account is None else account.l1_address
