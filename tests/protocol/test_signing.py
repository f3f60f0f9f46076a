"""Auth tokens (reference 5.8) and what every signer refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import vectors
from helpers.transactions import ACCOUNT_INDEX, ALL_KINDS, API_KEY_INDEX, CANCEL, POST_ONLY, changed
from lighterman.domain.errors import LocalProtocolError, RemoteProtocolError
from lighterman.protocol.crypto.goldilocks import to_bytes
from lighterman.protocol.crypto.schnorr import VerifyingKey
from lighterman.protocol.signing import join_token, parse_token, refuse_unsignable, token_message, token_text


def test_golden_token():
    """The published token has the published message hash, and its signature verifies (5.10)."""
    token = parse_token(vectors.AUTH_EXAMPLE)

    assert (1800000000, 12345, 5) == (token.deadline_s, token.account_index, token.api_key_index)
    assert vectors.AUTH_EXAMPLE_HASH == to_bytes(token_message(token.text)).hex()
    assert VerifyingKey(bytes.fromhex(vectors.PUBLIC_KEY)).verify(token_message(token.text), token.signature)


@given(st.integers(0, 10**12), st.integers(0, 2**48), st.integers(0, 255), st.binary(min_size=80, max_size=80))
def test_token_round_trip(deadline_s, account_index, api_key_index, signature):
    """A token taken apart is what it was put together from."""
    text = token_text(deadline_s, account_index, api_key_index)
    token = parse_token(join_token(text, signature))

    assert text == token.text
    assert (deadline_s, account_index, api_key_index) == (token.deadline_s, token.account_index, token.api_key_index)
    assert signature == token.signature


@given(
    st.text(alphabet="0123456789:", min_size=1, max_size=40), st.text(alphabet="0123456789:", min_size=1, max_size=40)
)
def test_token_messages_differ(one, other):
    """Different texts are different messages."""
    assert (one == other) == (token_message(one) == token_message(other))


SIGNATURE = "ab" * 80


@pytest.mark.parametrize(
    "token",
    [
        "",
        "1800000000:12345:5",
        f"1800000000:12345:{SIGNATURE}",
        f"1800000000:12345:5:{SIGNATURE[:-1]}",
        f"1800000000:12345:5:{SIGNATURE}0",
        f"1800000000:12345:5:{SIGNATURE}\n",
        f"01800000000:12345:5:{SIGNATURE}",
        f"1800000000:-5:5:{SIGNATURE}",
        f"1800000000:+5:5:{SIGNATURE}",
        f"1800000000: 5:5:{SIGNATURE}",
        f"1800000000:1_2:5:{SIGNATURE}",
        f"1800000000:٤:5:{SIGNATURE}",
        f"{'9' * 20}:12345:5:{SIGNATURE}",
        f"1800000000:12345:5:{'x' * 160}",
        f"ro:12345:single:1800000000:{SIGNATURE}",
    ],
)
def test_what_is_no_token(token):
    """A token has one spelling: canonical decimals and 160 hex digits."""
    with pytest.raises(RemoteProtocolError):
        parse_token(token)


def test_a_batch_within_the_rules_is_signable():
    """A batch of this key's valid transactions passes."""
    refuse_unsignable(ALL_KINDS, ACCOUNT_INDEX, API_KEY_INDEX)


@pytest.mark.parametrize(
    "wrong",
    [
        changed(CANCEL, account_index=ACCOUNT_INDEX + 1),
        changed(CANCEL, api_key_index=API_KEY_INDEX + 1),
        changed(POST_ONLY, price=0),
        changed(POST_ONLY, l2_tx_attributes={"6": 9}),
    ],
    ids=["account", "key", "field", "attribute"],
)
def test_one_wrong_transaction_refuses_the_batch(wrong):
    """Another account's, another key's or an invalid transaction is our own fault, wherever it stands."""
    with pytest.raises(LocalProtocolError):
        refuse_unsignable([*ALL_KINDS, wrong], ACCOUNT_INDEX, API_KEY_INDEX)
