"""The official signer library, as the package `lighter-sdk` carries it, called through ctypes.

The law of this file:
1. The package `lighter` is located, never imported: 11 ms in place of 1.5 s (protocol reference 10.1).
2. Only the pinned library and header are loaded: a digest that is not listed is refused.
3. Its functions are called by parameter name (`binding`), and it passes `selftest` when loaded.
4. Never on the process's main thread, where every call costs up to 0.7 ms more (10.4).
5. The library's registry of keys is global to the process and silently overwritten (10.3), hence
   one process is one network, and a second signer for the same account and key is refused.
6. Every `char*` it returns is freed; what it signed is compared, field by field, with what was asked.
"""

import ctypes
import functools
import hashlib
import importlib.util
import platform
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, final

from lighterman.domain.errors import RemoteProtocolError, SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto import schnorr
from lighterman.protocol.signing import SignedTx, refuse_unsignable, token_text
from lighterman.protocol.transactions import (
    Attribute,
    CancelAllOrdersTx,
    CancelOrderTx,
    CreateOrderTx,
    ModifyOrderTx,
    Transaction,
    UpdateLeverageTx,
    attribute,
    decode,
)
from lighterman.signing import selftest
from lighterman.signing.binding import Function, SignedTxResponse, read_header
from lighterman.signing.pure import read_scalar

VERSION = "1.1.8"

# (system, machine): library, its SHA-256, the SHA-256 of its header; all from the wheel of VERSION.
_PINNED = {
    ("Linux", "x86_64"): (
        "lighter-signer-linux-amd64.so",
        "7f107a0e2240aa40c9f0ae8aba396380fe62892fe199dd3691e3103fc9a6fd8e",
        "e060d6a15e9e5ca79b5a03c22c192f26a2182346d359b6f1d2d24a1046847302",
    ),
    ("Linux", "aarch64"): (
        "lighter-signer-linux-arm64.so",
        "9088ced1545e4cf81b6a4e18102c9459f3145215256c9d2f0a7ee4d160d7dfae",
        "e060d6a15e9e5ca79b5a03c22c192f26a2182346d359b6f1d2d24a1046847302",
    ),
    ("Darwin", "x86_64"): (
        "lighter-signer-darwin-amd64.dylib",
        "cc7a6b7c4736d09e9bf236def745e132d962a30c91d72235d579c44d895cfaa1",
        "d00a8fd44a60ef06b6ac8c079e55c5dd90522b0c094d39f7353100096277e769",
    ),
    ("Darwin", "arm64"): (
        "lighter-signer-darwin-arm64.dylib",
        "b58e94ae6149be8c4e2ca90a6058fcb86e3c16604d0f09c3be29034b8feb2630",
        "9c29cf95b85373f726622ee774b83f09c6df1f1af0f0651522f803f96d45f2ab",
    ),
}
_EXPORTS = (
    "CreateClient",
    "CreateAuthToken",
    "SignCreateOrder",
    "SignCancelOrder",
    "SignCancelAllOrders",
    "SignModifyOrder",
    "SignUpdateLeverage",
)


def find_package() -> Path | None:
    """Return the folder of the installed package `lighter`, without importing it, or None."""
    spec = importlib.util.find_spec("lighter")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


class Library:
    """The loaded library and the (account, api key) pairs its registry holds."""

    def __init__(self, package: Path) -> None:
        """Check, load and bind the library of a `lighter` package; raise SigningError for any other than VERSION's."""
        names = _PINNED.get((platform.system(), platform.machine()))
        if names is None:
            raise SigningError(f"the official library is not pinned for {platform.system()} {platform.machine()}")
        path = package / "signers" / names[0]
        header = path.with_suffix(".h")
        _require_digest(path, names[1])
        _require_digest(header, names[2])
        declarations = read_header(header.read_text())
        try:
            library = ctypes.CDLL(str(path))
        except OSError as error:
            raise SigningError(f"the official library cannot be loaded: {error}") from error
        self._functions = {name: Function(library, name, declarations) for name in _EXPORTS}
        self._free = ctypes.CDLL(None).free  # the strings are malloc's; freeing them there spares a call into Go (10.3)
        self._free.argtypes = [ctypes.c_void_p]
        self._free.restype = None
        self._registered: set[tuple[int, int]] = set()

    def create_client(self, secret: Secret, account_index: int, api_key_index: int, chain_id: int) -> None:
        """Put a key into the library's registry; raise SigningError when its place is taken."""
        if (account_index, api_key_index) in self._registered:
            raise SigningError(
                f"account {account_index} key {api_key_index} has a signer in this process already: "
                "the official library would sign for both with the newer key and chain"
            )
        error = self._functions["CreateClient"](
            url=b"",  # the library shall never speak HTTP itself
            privateKey=secret.reveal().strip().encode("ascii"),
            chainId=chain_id,
            apiKeyIndex=api_key_index,
            accountIndex=account_index,
        )
        self._raise(self._take(error), "CreateClient")
        self._registered.add((account_index, api_key_index))

    def sign(self, name: str, **arguments: int) -> tuple[int, bytes, str]:
        """Call a Sign function; return tx_type, tx_info and tx_hash."""
        response: SignedTxResponse = self._functions[name](**arguments)
        tx_info, tx_hash = self._take(response.tx_info), self._take(response.tx_hash)
        self._take(response.message_to_sign)
        self._raise(self._take(response.err), name)
        return response.tx_type, tx_info, tx_hash.decode("ascii")

    def auth_token(self, deadline_s: int, account_index: int, api_key_index: int) -> str:
        """Return an auth token."""
        response = self._functions["CreateAuthToken"](
            deadline=deadline_s, apiKeyIndex=api_key_index, accountIndex=account_index
        )
        token = self._take(response.str)
        self._raise(self._take(response.err), "CreateAuthToken")
        return token.decode("ascii")

    def _take(self, pointer: int | None) -> bytes:
        """Copy a returned C string and free it; a null pointer is an empty text."""
        if pointer is None:
            return b""
        text = ctypes.string_at(pointer)
        self._free(pointer)
        return text

    @staticmethod
    def _raise(error: bytes, name: str) -> None:
        if error:
            raise SigningError(f"{name} of the official library: {error.decode('utf-8', 'replace')}")


def _require_digest(path: Path, expected: str) -> None:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SigningError(f"the official library is not where its package should have it: {error}") from error
    if digest != expected:
        raise SigningError(f"{path} is not that of lighter-sdk {VERSION}: its SHA-256 is {digest}")


_loading = threading.Lock()


def library() -> Library:
    """Return the process's one library, tried by `selftest` when it is first loaded."""
    with _loading:
        return _load()


@functools.cache
def _load() -> Library:
    package = find_package()
    if package is None:
        raise SigningError(f"the package lighter-sdk {VERSION} is not installed: `make install-official` does it")
    loaded = Library(package)
    trial = (selftest.SECRET, selftest.ACCOUNT_INDEX, selftest.API_KEY_INDEX, selftest.CHAIN_ID)
    selftest.run(OfficialSigner(*trial, using=loaded))
    return loaded


@final
class OfficialSigner:
    """Signs for one account, API key and chain through the official library.

    The library fixes ExpiredAt at 599 s from now, whatever the transaction asks (10.3).
    """

    __slots__ = ("_account_index", "_api_key_index", "_library", "public_key")

    backend = f"official library {VERSION}"

    def __init__(
        self,
        secret: Secret,
        account_index: int,
        api_key_index: int,
        chain_id: int,
        *,
        using: Library | None = None,
    ) -> None:
        """Register the key; `using` is the process's `library()` unless that is just being tried."""
        _refuse_main_thread()
        self.public_key = schnorr.public_key(read_scalar(secret)).hex()
        self._library = library() if using is None else using
        self._library.create_client(secret, account_index, api_key_index, chain_id)
        self._account_index = account_index
        self._api_key_index = api_key_index

    def __repr__(self) -> str:
        return f"<OfficialSigner account {self._account_index} key {self._api_key_index}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is neither pickled nor copied")

    def sign(self, transactions: Sequence[Transaction]) -> list[SignedTx]:
        """Sign a batch in order; see `Signer.sign`."""
        _refuse_main_thread()
        refuse_unsignable(transactions, self._account_index, self._api_key_index)
        return [self._sign_one(tx) for tx in transactions]

    def auth_token(self, deadline_s: int) -> str:
        """Return an auth token; see `Signer.auth_token`."""
        _refuse_main_thread()
        token = self._library.auth_token(deadline_s, self._account_index, self._api_key_index)
        if not token.startswith(token_text(deadline_s, self._account_index, self._api_key_index) + ":"):
            raise SigningError("the official library made a token for another deadline, account or key")
        return token

    def _sign_one(self, tx: Transaction) -> SignedTx:
        name, arguments = call_for(tx)
        tx_type, tx_info, tx_hash = self._library.sign(name, **arguments)
        try:
            signed = decode(tx_type, tx_info)
        except RemoteProtocolError as error:
            raise SigningError(f"{name} of the official library returned what is no transaction") from error
        wrong = selftest.difference(tx, signed) if type(signed) is type(tx) else "type"
        if wrong:
            raise SigningError(f"{name} of the official library changed {wrong}")
        return SignedTx(tx_type, tx_info, tx_hash, signed.expired_at)


def call_for(tx: Transaction) -> tuple[str, dict[str, int]]:
    """Return the function that signs a transaction and its arguments by name (10.2)."""
    match tx:
        case CreateOrderTx():
            name = "SignCreateOrder"
            arguments = {
                "marketIndex": tx.market_index,
                "clientOrderIndex": tx.client_order_index,
                "baseAmount": tx.base_amount,
                "price": tx.price,
                "isAsk": tx.is_ask,
                "orderType": tx.order_type,
                "timeInForce": tx.time_in_force,
                "reduceOnly": tx.reduce_only,
                "triggerPrice": tx.trigger_price,
                "orderExpiry": tx.order_expiry,
                **_order_attributes(tx),
            }
        case ModifyOrderTx():
            name = "SignModifyOrder"
            arguments = {
                "marketIndex": tx.market_index,
                "index": tx.index,
                "baseAmount": tx.base_amount,
                "price": tx.price,
                "triggerPrice": tx.trigger_price,
                "orderVersion": attribute(tx, Attribute.ORDER_VERSION),
                **_order_attributes(tx),
            }
        case CancelOrderTx():
            name = "SignCancelOrder"
            arguments = {"marketIndex": tx.market_index, "orderIndex": tx.index}
        case CancelAllOrdersTx():
            name = "SignCancelAllOrders"
            market = attribute(tx, Attribute.CANCEL_ALL_MARKET)
            arguments = {"timeInForce": tx.time_in_force, "time": tx.time, "cancelAllMarketIndex": market}
        case UpdateLeverageTx():
            name = "SignUpdateLeverage"
            arguments = {
                "marketIndex": tx.market_index,
                "initialMarginFraction": tx.initial_margin_fraction,
                "marginMode": tx.margin_mode,
            }
    tail = {
        "skipNonce": attribute(tx, Attribute.SKIP_NONCE),
        "nonce": tx.nonce,
        "apiKeyIndex": tx.api_key_index,
        "accountIndex": tx.account_index,
    }
    return name, arguments | tail


def _order_attributes(tx: CreateOrderTx | ModifyOrderTx) -> dict[str, int]:
    return {
        "integratorAccountIndex": attribute(tx, Attribute.INTEGRATOR_ACCOUNT),
        "integratorTakerFee": attribute(tx, Attribute.INTEGRATOR_TAKER_FEE),
        "integratorMakerFee": attribute(tx, Attribute.INTEGRATOR_MAKER_FEE),
        "selfTradeBehaviorMode": attribute(tx, Attribute.SELF_TRADE_BEHAVIOR),
        "selfTradeEqualityMode": attribute(tx, Attribute.SELF_TRADE_EQUALITY),
    }


def _refuse_main_thread() -> None:
    if threading.current_thread() is threading.main_thread():
        raise SigningError("the official library must not be called on the process's main thread")
