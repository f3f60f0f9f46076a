import asyncio
import json

import pytest

from helpers.memory_venue import json_reply
from helpers.virtual_time import VirtualClock, run
from lighterman.domain.errors import TransportError
from lighterman.exchange.ratelimit import Allowance, RateLimits
from lighterman.exchange.transport import NotSent
from lighterman.exchange.wire import TransactionWire
from lighterman.protocol import messages
from lighterman.protocol.codes import Outcome
from lighterman.protocol.signing import SignedTx

ONE = SignedTx(14, b'{"Nonce":7}', "aa", 0)
TWO = SignedTx(15, b'{"Nonce":8}', "bb", 0)


class _Rest:
    def __init__(self, reply=None):
        self.reply = reply or json_reply('{"code":200,"tx_hash":"aa"}')
        self.forms = []

    async def request(self, method, path, query, form, headers):
        self.forms.append((path, form))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def _talk(batch, *answers, rest=None, is_up=True, down=None):
    """Send a batch while the venue says `answers`; return what is known then, and what was said."""

    async def body():
        changes, said = [], []
        wire = TransactionWire(
            rest or _Rest(), VirtualClock(0), RateLimits(Allowance()), lambda: changes.append(wire.down_because), 5_000
        )
        wire.speak = said.append
        if is_up:
            await wire.become_ready()
        sending = asyncio.create_task(wire.send(batch))
        await asyncio.sleep(0.1)
        for answer in answers:
            wire.heard(messages.decode(answer), 0)
        if down is not None:
            wire.went_down(down)
        return await sending, said

    return run(body())


def test_one_transaction_is_an_object_on_the_socket():
    """`jsonapi/sendtx` carries the signed JSON as an object, under an id of ours."""
    answer, said = _talk([ONE], '{"code":200,"id":"1","tx_hash":"aa","predicted_execution_time_ms":5}')
    frame = json.loads(said[0])

    assert ("jsonapi/sendtx", {"id": "1", "tx_type": 14, "tx_info": {"Nonce": 7}}) == (frame["type"], frame["data"])
    assert (Outcome.ACCEPTED, 5) == (answer.outcome, answer.predicted_execution_ms)


def test_several_are_texts_on_the_socket():
    """`jsonapi/sendtxbatch` carries JSON texts, and answers with a list of hashes (A-5)."""
    answer, said = _talk(
        [ONE, TWO],
        '{"type":"jsonapi/sendtxbatch","code":200,"id":"1","tx_hash":["aa","bb"],"volume_quota_remaining":3}',
    )
    data = json.loads(said[0])["data"]

    assert ([14, 15], ['{"Nonce":7}', '{"Nonce":8}']) == (json.loads(data["tx_types"]), json.loads(data["tx_infos"]))
    assert (Outcome.ACCEPTED, 3) == (answer.outcome, answer.volume_quota)


@pytest.mark.parametrize(
    ("said", "outcome", "code"),
    [
        ('{"error":{"code":21706,"message":"invalid order"},"id":"1"}', Outcome.REFUSED, 21706),
        ('{"type":"jsonapi/sendtx","code":21727,"message":"invalid id","id":"1"}', Outcome.REFUSED, 21727),
        ('{"error":{"code":21706,"message":"without an id"}}', Outcome.REFUSED, 21706),
        ('{"error":{"code":21104,"message":"invalid nonce"},"id":"1"}', Outcome.UNKNOWN, 21104),
        ('{"error":{"code":29501,"message":"process timeout"},"id":"1"}', Outcome.UNKNOWN, 29501),
        ('{"error":{"code":21999,"message":"volume quota is used up"},"id":"1"}', Outcome.RATE_LIMITED, 21999),
        ('{"code":200,"tx_hash":"aa"}', Outcome.ACCEPTED, 200),
        ('{"code":200,"id":"1","tx_hash":"ff"}', Outcome.UNKNOWN, 200),
        ('{"type":"jsonapi/sendtx","id":"1"}', Outcome.UNKNOWN, 0),
        ('{"code":200,"id":"99","tx_hash":"aa"}', Outcome.UNKNOWN, 0),
        ('{"error":{"code":30009,"message":"Too Many Websocket Messages!"}}', Outcome.UNKNOWN, 0),
        ("[]", Outcome.UNKNOWN, 0),
    ],
)
def test_what_an_answer_proves(said, outcome, code):
    """By id, by hash, or as the only open request; another's answer, no code, silence: unknown."""
    answer, _ = _talk([ONE], said)

    assert (outcome, code) == (answer.outcome, answer.code)


def test_an_error_without_id_is_nobody_s_when_two_requests_are_open():
    """It cannot be told whose it is, so both wait on."""

    async def body():
        wire = TransactionWire(_Rest(), VirtualClock(0), RateLimits(Allowance()), lambda: None, 5_000)
        wire.speak = lambda frame: None
        await wire.become_ready()
        both = [asyncio.create_task(wire.send([tx])) for tx in (ONE, TWO)]
        await asyncio.sleep(0.1)
        wire.heard(messages.decode('{"error":{"code":21706,"message":"whose?"}}'), 0)
        wire.heard(messages.decode('{"code":200,"tx_hash":"bb"}'), 0)
        return [(await sending).outcome for sending in both]

    assert [Outcome.UNKNOWN, Outcome.ACCEPTED] == run(body())


def test_a_cut_leaves_what_is_open_unknown():
    """The connection ended before the answer came."""
    answer, _ = _talk([ONE], down="cut")

    assert (Outcome.UNKNOWN, "cut") == (answer.outcome, answer.message)


def test_without_a_socket_rest_is_used():
    """The same transactions as a form."""
    rest = _Rest(json_reply('{"code":200,"tx_hash":["aa","bb"]}'))
    answer, said = _talk([ONE, TWO], rest=rest, is_up=False)

    assert (Outcome.ACCEPTED, []) == (answer.outcome, said)
    assert [
        ("/api/v1/sendTxBatch", {"tx_types": "[14,15]", "tx_infos": r'["{\"Nonce\":7}","{\"Nonce\":8}"]'})
    ] == rest.forms


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (NotSent("refused"), Outcome.REFUSED),
        (TransportError("reset"), Outcome.UNKNOWN),
        (json_reply("<html>", 403), Outcome.UNKNOWN),
        (json_reply('{"code":21706,"message":"x"}', 400), Outcome.REFUSED),
        (json_reply('{"code":21706,"message":"x"}', 502), Outcome.UNKNOWN),
        (json_reply('{"code":23000,"message":"x"}', 429), Outcome.RATE_LIMITED),
    ],
)
def test_what_rest_proves(reply, outcome):
    """Never sent is a refusal; a server's failure is unknown whatever code it carries."""
    answer, _ = _talk([ONE], rest=_Rest(reply), is_up=False)

    assert outcome is answer.outcome


def test_a_socket_that_takes_nothing_has_sent_nothing():
    """If the stream refuses the frame, the transaction certainly never left."""

    async def body():
        wire = TransactionWire(_Rest(), VirtualClock(0), RateLimits(Allowance()), lambda: None, 5_000)

        def refuse(frame):
            raise TransportError("full")

        wire.speak = refuse
        await wire.become_ready()
        return await wire.send([ONE])

    assert Outcome.REFUSED is run(body()).outcome
