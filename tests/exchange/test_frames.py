import base64
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.websockets import KEY, UPGRADED, accept, server_frame
from lighterman.exchange import frames
from lighterman.exchange.frames import CloseCode, FrameFault, FrameReader, Opcode, encode
from lighterman.exchange.transport import FRAME_BYTES_MAX

ACCEPT = accept()


def fault(data):
    with pytest.raises(FrameFault) as caught:
        list(FrameReader().feed(data))
    return caught.value.code


def test_the_request_names_what_it_wants():
    """Host, path and query of the URL, our name, and a key that the server has to prove it has read."""
    text = frames.request(urlsplit("wss://host:8443/stream?readonly=true"), "lighterman/1", KEY).decode()

    assert text.startswith("GET /stream?readonly=true HTTP/1.1\r\nHost: host:8443\r\n")
    assert text.endswith("\r\n\r\n")
    assert f"Sec-WebSocket-Key: {base64.b64encode(KEY).decode()}\r\n" in text
    assert "User-Agent: lighterman/1\r\n" in text
    assert "Extensions" not in text


def test_a_reply_to_our_request_is_taken():
    """Names of fields and their values are compared as HTTP has it: without regard to case."""
    assert frames.why_refused(f"{UPGRADED}\r\nSec-WebSocket-Accept: {ACCEPT}".encode(), KEY) == ""
    loud = f"HTTP/1.1 101 OK\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, upgrade\r\nsec-websocket-accept: {ACCEPT}"
    assert frames.why_refused(loud.encode(), KEY) == ""


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("HTTP/1.1 302 Found\r\nLocation: /other", "302 Found"),
        ("HTTP/1.1 403 Forbidden", "403 Forbidden"),
        ("HTTP/1.0 101 Switching Protocols", "HTTP/1.0"),
        ("", "no WebSocket"),
        ("\xff\xfe", "no WebSocket"),
        (UPGRADED, "answers another"),
        (f"{UPGRADED}\r\nSec-WebSocket-Accept: AAAA", "answers another"),
        (f"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: {ACCEPT}", "answers another"),
        (f"{UPGRADED}\r\nSec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Extensions: permessage-deflate", "extensions"),
        (f"{UPGRADED}\r\nSec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: chat", "protocol"),
    ],
)
def test_any_other_reply_is_refused(head, reason):
    """A redirect, a firewall's page, another's handshake and what was not asked for open nothing."""
    assert reason in frames.why_refused(head.encode("latin-1"), KEY)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_001])
def test_what_we_send_is_masked_and_whole(size):
    """One frame with its length in the shortest form, and a payload that its mask gives back."""
    payload, mask = bytes(number % 251 for number in range(size)), b"\x01\x80\xff\x7f"
    data = encode(Opcode.TEXT, payload, mask)
    head = 2 if size <= 125 else 4 if size < 1 << 16 else 10

    assert data[0] == 0x81
    assert data[1] & 0x80
    assert mask == data[head : head + 4]
    assert payload == bytes(byte ^ mask[at % 4] for at, byte in enumerate(data[head + 4 :]))
    assert server_frame(0x81, payload)[1:head] == bytes((data[1] & 0x7F,)) + data[2:head]


messages = st.lists(
    st.tuples(st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG]), st.integers(0, 125))
    | st.tuples(st.just(Opcode.TEXT), st.sampled_from([126, 200, 65_535, 65_536, 66_000])),
    max_size=8,
)


@given(messages, st.lists(st.integers(1, 70_000), max_size=30), st.integers(0, 3))
def test_messages_come_out_as_they_went_in_however_they_are_cut(sent, cuts, joints):
    """The pieces in which bytes arrive, and the frames in which a text is sent, change nothing."""
    expected, data = [], b""
    for opcode, size in sent:
        payload = bytes(number % 253 for number in range(size))
        expected.append((opcode, payload))
        if opcode >= Opcode.CLOSE or not joints:
            data += server_frame(0x80 | opcode, payload)
            continue
        step = max(1, size // (joints + 1))
        parts = [payload[at : at + step] for at in range(0, size, step)] or [b""]
        for number, part in enumerate(parts):
            first = (0x80 if number == len(parts) - 1 else 0) | (opcode if number == 0 else 0)
            data += server_frame(first, part)
    reader, heard, at = FrameReader(), [], 0
    for cut in cuts:
        heard += reader.feed(data[at : at + cut])
        at += cut
    heard += reader.feed(data[at:])

    assert expected == heard


def test_a_message_byte_by_byte():
    """Nothing is handed over before the last byte has come."""
    data, reader = server_frame(0x81, b"x" * 300), FrameReader()
    heard = [list(reader.feed(data[at : at + 1])) for at in range(len(data))]

    assert [[]] * (len(data) - 1) + [[(Opcode.TEXT, b"x" * 300)]] == heard


def test_a_control_frame_may_stand_within_a_message():
    """A ping between two pieces of a text is told first, and the text is whole."""
    data = server_frame(0x01, b"ab") + server_frame(0x89, b"?") + server_frame(0x80, b"cd")

    assert [(Opcode.PING, b"?"), (Opcode.TEXT, b"abcd")] == list(FrameReader().feed(data))


@pytest.mark.parametrize(
    "data",
    [
        server_frame(0xC1, b"compressed"),
        server_frame(0x83, b"no such opcode"),
        server_frame(0x09, b"half a ping"),
        server_frame(0x89, b"x" * 126),
        server_frame(0x80, b"the end of nothing"),
        server_frame(0x01, b"a") + server_frame(0x81, b"b"),
        b"\x81\x82\x00\x00\x00\x00ab",
    ],
)
def test_what_breaks_the_protocol_is_a_fault(data):
    """Reserved bits, unknown opcodes, control frames in pieces, texts within texts and masks."""
    assert fault(data) is CloseCode.PROTOCOL_ERROR


def test_no_message_is_larger_than_the_cap():
    """The head alone is enough to see it; and many small frames do not get around it."""
    assert fault(b"\x81\x7f" + (FRAME_BYTES_MAX + 1).to_bytes(8, "big")) is CloseCode.TOO_BIG
    part = server_frame(0x00, bytes(FRAME_BYTES_MAX // 2))
    assert fault(server_frame(0x01, b"x") + part + part) is CloseCode.TOO_BIG
    whole = server_frame(0x81, bytes(FRAME_BYTES_MAX))
    assert len(next(FrameReader().feed(whole))[1]) == FRAME_BYTES_MAX


def test_what_came_before_a_fault_counts():
    """Messages that ended before the fault are handed over first."""
    messages = FrameReader().feed(server_frame(0x81, b"good") + server_frame(0x83, b""))

    assert next(messages) == (Opcode.TEXT, b"good")
    with pytest.raises(FrameFault):
        next(messages)


def test_a_goodbye_carries_its_code():
    """The payload of the close frame is the code, masked like everything."""
    assert frames.goodbye(CloseCode.NORMAL, bytes(4)) == b"\x88\x82\0\0\0\0\x03\xe8"
