"""Secrets that cannot be shown by accident."""

import copy
import json
import pickle
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighterman.domain.secret import REDACTED, Secret, redact

CANARY = "0x" + "ca11ab1e" * 10


def test_secret_shows_itself_to_nobody():
    """Neither repr, str, format, a container nor a traceback shows what a secret holds."""
    secret = Secret(CANARY)

    error = ValueError(f"{secret} {secret!r} {secret!s:>40} {[secret]} { ({'key': secret}) }")
    shown = "".join(traceback.format_exception(error))

    assert CANARY not in shown
    assert REDACTED in shown
    assert CANARY == secret.reveal()


def test_secret_is_not_written_by_any_encoder():
    """Pickle, copy and the JSON and msgpack encoders refuse a secret."""
    secret = Secret(CANARY)

    for write in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError) as raised:
            write(secret)
        assert CANARY not in str(raised.value)


def test_secret_equals_only_itself():
    """Two secrets of one text are not equal, so no comparison can be timed."""
    secret = Secret(CANARY)

    assert secret == secret  # noqa: PLR0124  (identity is the point)
    assert secret != Secret(CANARY)
    assert secret != CANARY


@given(st.text(max_size=40), st.text("0123456789abcdefABCDEF", min_size=64, max_size=200), st.text(max_size=40))
def test_redact_removes_any_long_hex(before, secret, after):
    """No key, signature or token of hex digits survives, whatever stands around it."""
    assert secret not in redact(f"{before}{secret}{after}")


@pytest.mark.parametrize(
    "text",
    [
        "GET /stream?auth=1784946862:7:4:abcd&x=1",
        '{"apiKeyPrivateKey": "short"}',
        "token=abc",
        '{"Sig":"c2lnbmF0dXJl"}',
    ],
    ids=["query", "json-key", "token", "signature"],
)
def test_redact_removes_named_credentials(text):
    """What is called a token, a signature or a private key is taken out, whatever its form."""
    assert REDACTED in redact(text)
    assert not any(secret in redact(text) for secret in ("1784946862:7:4", "short", "=abc", "c2lnbmF0"))


@given(st.integers(), st.floats(), st.from_regex(r"[a-z ]{0,50}", fullmatch=True))
def test_redact_leaves_ordinary_text(whole, fraction, words):
    """Numbers and words pass unchanged."""
    text = f"{words} {whole % 10**40} {fraction:g}"

    assert text == redact(text)
