import msgspec
import pytest

from helpers.markets import BTC, ETH
from lighterman.chance import seeded
from lighterman.domain.commands import CancelAll, CancelOrder, ModifyOrder, PlaceOrder
from lighterman.domain.errors import InvariantBroken
from lighterman.exchange.wiregate import WireGate
from lighterman.protocol import transactions
from lighterman.protocol.signing import SignedTx
from lighterman.protocol.transactions import UpdateLeverageTx
from lighterman.protocol.translate import Envelope, transaction
from lighterman.signing.pure import PureSigner, generate_key

CHAIN, ACCOUNT, KEY = 77, 8, 5
ENVELOPE = Envelope(
    account_index=ACCOUNT, api_key_index=KEY, expired_at_ms=1_795_357_261_946, order_expiry_ms=1_800_000_000_000
)
PLACE = PlaceOrder(1, 0, 123, True, 405_000, 1000)  # 405 USDC
MODIFY = ModifyOrder(2, 0, 123, 405_000, 1000)
CANCEL = CancelOrder(3, 0, 123)
CANCEL_ALL = CancelAll(4)


def _gate(limit_micro=405_000_000):
    gate = WireGate(account_index=ACCOUNT, api_key_indexes=[KEY, 6], chain_id=CHAIN, order_value_micro_max=limit_micro)
    gate.allow({0: ETH})
    return gate


def _signer(chain_id=CHAIN, key=KEY):
    entropy = seeded(1, "gate").randbytes
    return PureSigner(generate_key(entropy)[0], ACCOUNT, key, chain_id, entropy)


def _signed(command, **changes):
    tx = msgspec.structs.replace(transaction(command, 7, ENVELOPE), **changes)
    return SignedTx(tx.tx_type, transactions.encode(tx), transactions.transaction_hash(tx, CHAIN).hex(), tx.expired_at)


@pytest.mark.parametrize("command", [PLACE, MODIFY, CANCEL, CANCEL_ALL])
def test_what_we_send_passes(command):
    """Each of the four transactions we make passes, as a real signer signs it."""
    (signed,) = _signer().sign([transaction(command, 7, ENVELOPE)])

    _gate().check(signed)


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        (_signed(PLACE, time_in_force=1), "post-only"),
        (_signed(PLACE, order_type=1, time_in_force=0, order_expiry=0), "post-only"),
        (_signed(PLACE, market_index=1), "market 1"),
        (_signed(MODIFY, market_index=1), "market 1"),
        (_signed(PLACE, base_amount=1001), "worth 405405000"),
        (_signed(MODIFY, price=405_001), "worth 405001000"),
        (_signed(PLACE, account_index=9), "account 9"),
        (_signed(CANCEL, account_index=9), "account 9"),
        (_signed(PLACE, api_key_index=7), "api key 7"),
        (_signed(PLACE, price=0), "price"),
        (_signed(PLACE, l2_tx_attributes={"4": 1}), "attributes"),
        (_signed(PLACE, l2_tx_attributes={"1": 3, "2": 500}), "attributes"),
        (_signed(CANCEL_ALL, time_in_force=1, time=1_800_000_000_000), "cancel-all"),
        (SignedTx(13, b'{"Amount":5}', "", 0), "unsupported transaction type 13"),
        (SignedTx(14, b"{", "", 0), "invalid tx_info"),
    ],
)
def test_what_must_never_leave_breaks_an_invariant(signed, words):
    """Takers, other markets, too large orders, other accounts and keys, other types: each ends trading."""
    with pytest.raises(InvariantBroken, match=words):
        _gate().check(signed)


def test_no_leverage():
    """Type 20 can be encoded, and does not pass."""
    leverage = UpdateLeverageTx(
        account_index=ACCOUNT,
        api_key_index=KEY,
        market_index=0,
        initial_margin_fraction=500,
        margin_mode=0,
        expired_at=1_795_357_261_946,
        nonce=7,
    )
    tx_hash = transactions.transaction_hash(leverage, CHAIN).hex()

    with pytest.raises(InvariantBroken, match="type 20"):
        _gate().check(SignedTx(20, transactions.encode(leverage), tx_hash, leverage.expired_at))


def test_another_chain_breaks_an_invariant():
    """A signature for another chain id is found by the first hash of each key, though no field shows it."""
    (signed,) = _signer(chain_id=304).sign([transaction(CANCEL, 7, ENVELOPE)])

    with pytest.raises(InvariantBroken, match="chain"):
        _gate().check(signed)


def test_nothing_that_adds_passes_after_the_stop():
    """After the stop cancels pass, creates and modifies do not."""
    gate = _gate()
    gate.stop()
    for harmless in (CANCEL, CANCEL_ALL):
        gate.check(_signed(harmless))
    for command in (PLACE, MODIFY):
        with pytest.raises(InvariantBroken, match="stop"):
            gate.check(_signed(command))


def test_what_has_filled_is_no_part_of_a_modified_order_s_value():
    """A modify names the total size: the part that has filled is taken off."""
    gate = _gate()
    larger = _signed(ModifyOrder(2, 0, 123, 405_000, 1400))
    with pytest.raises(InvariantBroken, match="worth"):
        gate.check(larger)

    gate.filled(123, 300)
    gate.filled(123, 100)
    gate.check(larger)


def test_orders_of_another_market_pass_once_it_is_named():
    """The list of markets is what preflight found."""
    gate = _gate(10**12)
    gate.allow({0: ETH, 1: BTC})

    gate.check(_signed(PlaceOrder(1, 1, 123, True, 405_000, 1000)))
