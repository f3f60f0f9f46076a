"""Holds the compiled cryptography against plain Python and the official library, over random transactions.

    python tools/conformance.py [--transactions 100000] [--seed N] [--without-official]

Every transaction: the hash in C equals the one in Python, a signature made in C (prepared and in
full by turns) verifies in C, and the official library signs the transaction under the same hash
with a signature that C accepts. Every so many: Python verifies C's and the library's signatures, C
verifies Python's, both sign the same with the same number; tokens; altered signatures and keys
that are none, on which C and Python must judge alike. The library exports no verification, so that
direction rests on Python. Prints the counts; the first disagreement ends it with exit code 1.
"""

import argparse
import base64
import sys
import threading
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from lighterman.chance import secret_bytes, seeded
from lighterman.domain.errors import SigningError
from lighterman.domain.secret import Secret
from lighterman.protocol.crypto import _native, poseidon2, schnorr
from lighterman.protocol.crypto.curve import N
from lighterman.protocol.crypto.goldilocks import P, to_bytes, words
from lighterman.protocol.signing import parse_token, token_message, token_text
from lighterman.protocol.transactions import (
    CancelAllOrdersTx,
    CancelOrderTx,
    CreateOrderTx,
    ModifyOrderTx,
    Transaction,
    UpdateLeverageTx,
    check,
    decode,
    transaction_message,
)
from lighterman.signing.official import OfficialSigner

if TYPE_CHECKING:
    from lighterman.protocol.signing import Signer

PYTHON_EVERY = 20  # a signature in Python costs as much as twenty in C
TOKEN_EVERY = 10
REPORT_EVERY = 10_000
ACCOUNT_INDEX, API_KEY_INDEX, CHAIN_ID = 77_777, 5, 300
SCALAR_BYTES, WORD_BITS = 40, 64

UINT32, UINT48, UINT56 = 2**32 - 1, 2**48 - 1, 2**56 - 1
TIMES_IN_FORCE = {0: (0, 1, 2), 1: (0,), 2: (0,), 3: (0, 1, 2), 4: (0,), 5: (0, 1, 2), 6: (1,)}  # by order type
SELF_TRADE: tuple[dict[str, int], ...] = ({}, {"6": 1}, {"6": 2, "7": 1}, {"7": 1}, {"6": 3})


Head = dict[str, Any]  # the fields that every transaction has; all integers


class DisagreementError(Exception):
    """Two implementations differ; says in what."""


def demand(is_so: bool, what: str, *about: object) -> None:
    """Raise DisagreementError unless it is so."""
    if not is_so:
        raise DisagreementError(f"{what}: {', '.join(map(repr, about))}")


# --- random transactions -----------------------------------------------------------------------


def between(rng: Random, low: int, high: int) -> int:
    """Draw from a range, its ends and powers of two more often than chance would."""
    if rng.random() < 0.25:
        return rng.choice((low, high, min(high, low + 1), max(low, high - 1)))
    if rng.random() < 0.5:
        return min(high, max(low, rng.getrandbits(rng.randint(1, 56))))
    return rng.randint(low, high)


def market(rng: Random) -> int:
    """Draw a market of either kind."""
    return between(rng, 0, 254) if rng.random() < 0.7 else between(rng, 2048, 4094)


def integrator(rng: Random) -> dict[str, int]:
    """Draw the attributes of an order that shares its fee."""
    fees = {key: between(rng, 1, 10**6) for key in ("2", "3")}
    return {"1": between(rng, 1, UINT48 - 1), **fees}


def order_attributes(rng: Random) -> dict[str, int]:
    """Draw what creates and modifies may carry."""
    return integrator(rng) if rng.random() < 0.2 else dict(rng.choice(SELF_TRADE))


def create(rng: Random, head: Head) -> tuple[Transaction, dict[str, int]]:
    """Draw an order of any type."""
    kind = rng.randint(0, 6)
    time_in_force = rng.choice(TIMES_IN_FORCE[kind])
    is_conditional = 2 <= kind <= 5
    market_index = between(rng, 0, 254) if is_conditional else market(rng)
    reduce_only = rng.randint(0, 1) if market_index < 255 else 0
    tx = CreateOrderTx(
        **head,
        market_index=market_index,
        client_order_index=between(rng, 0, UINT48),
        base_amount=between(rng, 0 if reduce_only else 1, UINT48),
        price=between(rng, 1, UINT32),
        is_ask=rng.randint(0, 1),
        order_type=kind,
        time_in_force=time_in_force,
        reduce_only=reduce_only,
        trigger_price=between(rng, 1, UINT32) if is_conditional else 0,
        order_expiry=between(rng, 1, UINT48) if is_conditional or time_in_force else 0,
    )
    return tx, order_attributes(rng)


def modify(rng: Random, head: Head) -> tuple[Transaction, dict[str, int]]:
    """Draw a modify, of an order version sometimes."""
    tx = ModifyOrderTx(
        **head,
        market_index=market(rng),
        index=between(rng, 1, UINT56),
        base_amount=between(rng, 0, UINT48),
        price=between(rng, 1, UINT32),
        trigger_price=between(rng, 0, UINT32),
    )
    given = order_attributes(rng)
    return tx, given if "1" in given or rng.random() < 0.5 else {**given, "8": between(rng, 1, UINT48)}


def cancel(rng: Random, head: Head) -> tuple[Transaction, dict[str, int]]:
    """Draw a cancel."""
    return CancelOrderTx(**head, market_index=market(rng), index=between(rng, 1, UINT56)), {}


def cancel_all(rng: Random, head: Head) -> tuple[Transaction, dict[str, int]]:
    """Draw a cancel-all of any mode."""
    mode = rng.randint(0, 2)
    tx = CancelAllOrdersTx(**head, time_in_force=mode, time=between(rng, 1, UINT48) if mode == 1 else 0)
    return tx, {"5": rng.randint(0, 255)} if mode == 0 and rng.random() < 0.5 else {}


def leverage(rng: Random, head: Head) -> tuple[Transaction, dict[str, int]]:
    """Draw a change of leverage."""
    fraction = between(rng, 1, 10_000)
    tx = UpdateLeverageTx(
        **head, market_index=between(rng, 0, 254), initial_margin_fraction=fraction, margin_mode=rng.randint(0, 1)
    )
    return tx, {}


KINDS: tuple[Callable[[Random, Head], tuple[Transaction, dict[str, int]]], ...] = (
    create,
    modify,
    cancel,
    cancel_all,
    leverage,
)


def draw(rng: Random, kind: int) -> Transaction:
    """Draw a transaction that breaks no rule, with attributes or without."""
    head: Head = {
        "account_index": between(rng, 0, UINT48 - 1),
        "api_key_index": between(rng, 0, 254),
        "expired_at": between(rng, 0, UINT48),
        "nonce": between(rng, 0, UINT48 - 1),
    }
    tx, given = KINDS[kind](rng, head)
    if rng.random() < 0.3 and len(given) < 4:
        given = given | {"4": rng.randint(0, 1)}
    tx = msgspec.structs.replace(tx, l2_tx_attributes=given or None)
    demand(check(tx) is None, "a transaction breaks a rule", tx)
    return tx


# --- the campaign --------------------------------------------------------------------------------


class Campaign:
    """One secret, three implementations, and how often each pair was compared."""

    def __init__(self, seed: int, *, with_official: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._rng = seeded(seed, "conformance")
        self._scalar = schnorr.draw_scalar(self._rng.randbytes)
        secret = self._scalar.to_bytes(SCALAR_BYTES, "little")
        self._key = _native.SigningKey(secret)
        demand(self._key.public_key == schnorr.public_key(self._scalar), "public keys")
        self._in_c = _native.VerifyingKey(self._key.public_key)
        self._in_python = schnorr.VerifyingKey(self._key.public_key)
        self._official: Signer | None = None
        if with_official:
            self._official = OfficialSigner(Secret(secret.hex()), ACCOUNT_INDEX, API_KEY_INDEX, CHAIN_ID)

    def run(self, transactions: int) -> None:
        """Compare over so many transactions, and their share of everything else."""
        for number in range(transactions):
            tx = draw(self._rng, number % len(KINDS))
            message = self._hash(tx, between(self._rng, 1, UINT32))
            if number % 2:
                self._key.prepare(secret_bytes)
            (signature,) = self._key.sign([message], secret_bytes)
            self._judge(message, signature, number)
            if self._official is not None:
                self._ask_official(tx, number)
            if number % TOKEN_EVERY == 0:
                self._token(number)
            if number % PYTHON_EVERY == 0:
                self._sign_in_python(message)
                self._alter(message, signature)
                self._no_key()
            if number % REPORT_EVERY == REPORT_EVERY - 1:
                print(f"{number + 1} transactions", file=sys.stderr, flush=True)

    def _hash(self, tx: Transaction, chain_id: int) -> list[int]:
        message = transaction_message(tx, chain_id, _native.hash_integers)
        demand(message == transaction_message(tx, chain_id, poseidon2.hash_integers), "hashes", tx, chain_id)
        self.counts[f"hashes equal, {type(tx).__name__}"] += 1
        self.counts["hashes equal, with attributes"] += bool(tx.l2_tx_attributes)
        return message

    def _judge(self, message: list[int], signature: bytes, number: int) -> None:
        demand(self._in_c.verify(message, signature), "C refuses a signature", message, signature)
        self.counts["signatures verified in C"] += 1
        if number % PYTHON_EVERY == 0:
            demand(self._in_python.verify(message, signature), "Python refuses a signature", message, signature)
            self.counts["signatures verified in Python"] += 1

    def _ask_official(self, tx: Transaction, number: int) -> None:
        own = msgspec.structs.replace(tx, account_index=ACCOUNT_INDEX, api_key_index=API_KEY_INDEX)
        demand(self._official is not None, "no official library")
        (signed,) = self._official.sign([own])  # type: ignore[union-attr]
        got = decode(signed.tx_type, signed.tx_info)
        message = self._hash(got, CHAIN_ID)
        demand(signed.tx_hash == to_bytes(message).hex(), "the official hash", got)
        self._judge(message, base64.b64decode(got.sig), number)
        self.counts["official hashes and signatures agreed with"] += 1

    def _token(self, number: int) -> None:
        text = token_text(between(self._rng, 0, 2**40), ACCOUNT_INDEX, API_KEY_INDEX)
        message = token_message(text)
        demand(message == poseidon2.sponge(words(text.encode()), 5), "token hashes", text)
        (signature,) = self._key.sign([message], secret_bytes)
        self._judge(message, signature, number)
        if self._official is not None:
            token = parse_token(self._official.auth_token(between(self._rng, 1, 2**40)))
            self._judge(token_message(token.text), token.signature, number)
            self.counts["official tokens agreed with"] += 1
        self.counts["tokens"] += 1

    def _sign_in_python(self, message: list[int]) -> None:
        k = between(self._rng, 1, 3) if self._rng.random() < 0.1 else schnorr.draw_scalar(self._rng.randbytes)
        theirs = schnorr.sign(message, self._scalar, k)
        other = _native.SigningKey(self._scalar.to_bytes(SCALAR_BYTES, "little"))
        (ours,) = other.sign([message], lambda count: k.to_bytes(count, "little"))
        demand(ours == theirs, "signatures with the same number", message, k)
        demand(self._in_c.verify(message, theirs), "C refuses Python's signature", message, theirs)
        self.counts["signatures equal with the same number"] += 1

    def _alter(self, message: list[int], signature: bytes) -> None:
        s, e = (int.from_bytes(signature[at : at + SCALAR_BYTES], "little") for at in (0, SCALAR_BYTES))
        bit = self._rng.randrange(8 * len(signature))
        flipped = (int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(len(signature), "little")
        twisted = [(message[0] + between(self._rng, 1, P - 1)) % P, *message[1:]]
        spelled = [(x + N).to_bytes(SCALAR_BYTES, "little") for x in (s, e)]
        short = signature[: self._rng.randrange(len(signature))]
        for text, altered in (
            (message, flipped),
            (twisted, signature),
            (message, spelled[0] + signature[SCALAR_BYTES:]),
            (message, signature[:SCALAR_BYTES] + spelled[1]),
            (message, short),
            (message, self._rng.randbytes(len(signature))),
        ):
            demand(not self._in_c.verify(text, altered), "C accepts", text, altered)
            self.counts["altered signatures refused in C"] += 1
        demand(not self._in_python.verify(message, flipped), "Python accepts", message, flipped)

    def _no_key(self) -> None:
        candidate = b"".join(
            self._rng.choice((0, 1, P - 1, P, self._rng.getrandbits(WORD_BITS))).to_bytes(8, "little") for _ in range(5)
        )
        demand(_is_key(_native.VerifyingKey, candidate) == _is_key(schnorr.VerifyingKey, candidate), "a key", candidate)
        self.counts["random keys judged alike"] += 1


def _is_key(read: Callable[[bytes], object], candidate: bytes) -> bool:
    try:
        read(candidate)
    except ValueError:
        return False
    return True


def main() -> int:
    """Run a campaign, off the main thread as the official library asks; return the exit code."""
    parser = argparse.ArgumentParser(description="hold the compiled cryptography against its two equals")
    parser.add_argument("--transactions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-official", action="store_true", help="C against Python alone")
    options = parser.parse_args()
    failures: list[Exception] = []
    counts: Counter[str] = Counter()

    def work() -> None:
        try:
            campaign = Campaign(options.seed, with_official=not options.without_official)
            campaign.run(options.transactions)
            counts.update(campaign.counts)
        except (DisagreementError, SigningError) as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    for name, count in sorted(counts.items()):
        print(f"{count:>9}  {name}")
    for failure in failures:
        print(f"{type(failure).__name__}: {failure}", file=sys.stderr)
    return 1 if failures or not counts else 0


if __name__ == "__main__":
    sys.exit(main())
