"""Frames and replies that are wrong by construction: each is a good one with one thing spoilt that a client needs."""

import msgspec

WRONG_NUMBERS = (None, "x", "", [], {}, 1.5, "1e400", "NaN", [1])
WRONG_INTEGERS = (*WRONG_NUMBERS, 10**30, -(10**30), -1)
WRONG_TEXTS = (
    *(
        "",
        "-1.00",
        "1e5",
        "nan",
        "inf",
        "1,5",
        "0x10",
        " 1.00",
        "1.00 ",
        "1_0.00",
        "+1.00",
        "..",
        "1.0.0",
        "-inf",
        "-1e17",
        "-1000000000000",
    ),
    *("1.000000000000001", "9" * 60, "٣.٠٠", "\u0000", None, 5, 5.5, True, [], {}, ["1.00"]),
)
UNUSUAL_NUMBERS = ("1e5", 5, 5.5)  # a level's price or size may be written so: each is one number
WRONG_LEVEL_NUMBERS = tuple(text for text in WRONG_TEXTS if text not in UNUSUAL_NUMBERS)
WRONG_LISTS = (5, "x", True, [5], [None], ["x"], [[]], [{}])
GARBAGE = (
    *(b"", b"\x00", b"\xff\xfe", b"{", b"}", b"[[", b'"', b"nul", b"{}{}", b"<html></html>", b"{'a':1}", b'{"a":1,}'),
    *(b"[" * 100_000, b'{"a":' * 50_000, b'{"type":"\xff"}', b"1" * 10_000 + b"x", b"NaN", b"-", b"\xef\xbb\xbf{}"),
)
STRANGE = (
    *(b"null", b"true", b"5", b"1e308", b"[]", b'"connected"', b"{}", b'{"type":7}', b'{"type":null}'),
    *(
        b'{"type":"update/nothing"}',
        b'{"type":"subscribed/"}',
        b'{"channel":"order_book:0"}',
        b'{"type":"x","error":5}',
    ),
    *(b'{"type":"update/trade","channel":"trade:0","trades":[]}', b'{"type":["update/order_book"]}'),
    *(b'{"error":{"code":30003,"message":"Already Subscribed to : x"}}', b'{"error":{"code":"x"}}', b'{"error":null}'),
)


def spoil(rng, good, wrong):
    """Return a good object with one needed thing wrong; `wrong` names paths and the values that spoil them."""
    value = msgspec.json.decode(msgspec.json.encode(good))
    path, values = rng.choice(wrong)
    *parents, last = path
    place = value
    for key in parents:
        place = place[key]
    if values is MISSING:
        del place[last]
    else:
        place[last] = rng.choice(values)
    return msgspec.json.encode(value)


MISSING = object()


def truncated(rng, good):
    """Return the beginning of a good object."""
    data = msgspec.json.encode(good)
    return data[: rng.randrange(1, len(data) - 1)]


def corrupted(rng, good):
    """Return a good object with bytes in it that are no text."""
    data = bytearray(msgspec.json.encode(good))
    data[rng.randrange(len(data))] = rng.choice((0x80, 0xFF, 0xC0))
    return bytes(data)
