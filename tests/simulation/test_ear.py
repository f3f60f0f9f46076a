"""The ear at the transport's door: every transaction that leaves, every frame and reply that comes."""

import asyncio

import pytest

from lighterman.exchange.transport import HttpReply, NotSent
from lighterman.protocol import messages
from lighterman.protocol.rest import API
from lighterman.simulation.ear import (
    PRIVATE,
    PUBLIC,
    REST,
    TRANSACTIONS,
    OverheardTransport,
    kind_of,
    transactions_in,
    transactions_of,
)

INFO, OTHER = b'{"Nonce":1,"Sig":"a=="}', b'{"Nonce":2}'


class Ear:
    """Writes down what it hears."""

    def __init__(self):
        self.left, self.refused, self.reached = [], [], []

    def transaction_left(self, tx_type, tx_info):
        self.left.append((tx_type, tx_info))

    def transaction_refused(self, tx_type, tx_info):
        self.refused.append((tx_type, tx_info))

    def frame_reached_bot(self, kind, data):
        self.reached.append((kind, data))


class Inner:
    """A transport that keeps what it is given."""

    def __init__(self):
        self.sent, self.is_closed = [], False

    async def open_stream(self, url, on_text, on_close):
        self.on_text = on_text
        return self

    def send(self, data):
        self.sent.append(data)

    def close(self):
        self.is_closed = True

    async def request(self, method, path, query, form, headers):
        return HttpReply(200, "application/json", b"{}")


def test_transactions_are_read_as_they_were_signed():
    """One transaction or a batch, over the socket or as a form: the signed bytes are found unchanged."""
    single, batch = messages.send_transaction("1", 14, INFO), messages.send_batch("2", [14, 15], [INFO, OTHER])

    assert [(14, INFO)] == transactions_in(single)
    assert [(14, INFO), (15, OTHER)] == transactions_in(batch)
    assert [] == transactions_in(b'{"type":"ping"}')
    assert [(14, INFO)] == transactions_of({"tx_type": "14", "tx_info": INFO.decode()})
    both = {"tx_types": "[14,15]", "tx_infos": '["{\\"Nonce\\":1,\\"Sig\\":\\"a==\\"}","{\\"Nonce\\":2}"]'}
    assert [(14, INFO), (15, OTHER)] == transactions_of(both)


@pytest.mark.parametrize(
    ("frame", "kind"),
    [(b'"order_book/0"', PUBLIC), (b'"market_stats/1"', PUBLIC), (b'"account_all/1"', PRIVATE), (b"{}", TRANSACTIONS)],
)
def test_a_stream_is_known_by_what_is_asked_of_it(frame, kind):
    """What the client subscribes to says what the stream carries."""
    assert kind == kind_of(frame)


def test_the_ear_hears_both_ways():
    """What the bot sends is heard when the transport was handed it, what it is told before it knows."""
    ear, inner, told = Ear(), Inner(), []
    transport = OverheardTransport(inner, ear)

    async def converse():
        stream = await transport.open_stream("ws://x", told.append, told.append)
        stream.send(messages.send_transaction("1", 14, INFO))
        inner.on_text(b"frame")
        await transport.request("POST", API + "sendTx", {}, {"tx_type": "15", "tx_info": OTHER.decode()}, {})
        await transport.request("GET", "/", {}, None, {})
        stream.close()

    asyncio.run(converse())
    assert [(14, INFO), (15, OTHER)] == ear.left
    assert [(TRANSACTIONS, b"frame"), (REST, b"{}"), (REST, b"{}")] == ear.reached
    assert ([b"frame"], True) == (told, inner.is_closed)


def test_what_could_not_be_sent_is_heard_as_refused():
    """A transport that is certain that nothing left lets the transaction count as never sent."""
    ear, inner = Ear(), Inner()

    async def refuse(*_):
        raise NotSent("refused")

    vars(inner)["request"] = refuse
    form = {"tx_type": "15", "tx_info": OTHER.decode()}
    with pytest.raises(NotSent):
        asyncio.run(OverheardTransport(inner, ear).request("POST", API + "sendTx", {}, form, {}))

    assert [(15, OTHER)] == ear.left == ear.refused
