import asyncio

import msgspec
import pytest

from helpers.memory_venue import CANCEL_KEY, CREATE_KEY, World, in_both_worlds, in_world, json_reply
from helpers.virtual_time import run
from lighterman.domain.commands import CancelAll, CancelOrder, ModifyOrder, PlaceOrder
from lighterman.domain.errors import SigningError
from lighterman.domain.events import (
    CommandAcked,
    CommandExecuted,
    CommandRefused,
    CommandUnknown,
    Link,
    LinkReport,
    OrderReport,
    QuotaReport,
    StopRequested,
)
from lighterman.protocol.translate import Envelope, transaction
from lighterman.signing.pure import PureSigner

LIFETIME_S = 10


def bid(command_id, client=None, price=290_000, size=1000, market=0):
    return PlaceOrder(command_id, market, client or 1000 + command_id, False, price, size)


def transactions_link(world):
    return [(report.up, report.reason) for report in world.of(LinkReport) if report.link is Link.TRANSACTIONS]


@in_both_worlds()
async def test_creates_and_cancels_have_their_own_keys(world):
    """Creates and modifies use the first key's nonces, cancels the last one's."""
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1])
    world.submit(ModifyOrder(2, 0, 1001, 289_000, 900), CancelOrder(3, 0, 1001), CancelAll(4))
    await world.until(lambda: len(world.outcomes(CommandExecuted)) == 4)

    assert (2, 2) == (world.network.nonce(CREATE_KEY), world.network.nonce(CANCEL_KEY))


@in_both_worlds()
async def test_every_command_is_acknowledged_and_executed(world):
    """Code 200 is an acknowledgement with the time of execution; the sequencer's word comes from account_tx."""
    world.submit(bid(1), bid(2), bid(3))
    await world.until(lambda: len(world.outcomes(CommandExecuted)) == 3)

    assert [1, 2, 3] == world.outcomes(CommandAcked) == world.outcomes(CommandExecuted)
    assert all(event.predicted_execution_ms > 10**12 for event in world.of(CommandAcked))
    assert world.of(QuotaReport)


@in_both_worlds(symbols=["ETH"])
async def test_batches_hold_at_most_fifteen_in_order(world):
    """What was asked for while a request was open goes out in batches of fifteen, in nonce order."""
    world.submit(*(bid(number) for number in range(1, 41)))
    await world.until(lambda: len(world.outcomes(CommandExecuted)) == 40)

    assert [15, 15, 10] == world.signers[CREATE_KEY].batches
    assert list(range(1, 41)) == world.outcomes(CommandExecuted)


@in_both_worlds()
async def test_a_refused_batch_is_sent_again_one_by_one(world):
    """The venue says one outcome for a whole batch: only the guilty command is refused, with its code."""
    world.submit(bid(1), bid(2, size=1), bid(3))
    await world.until(lambda: len(world.outcomes(CommandExecuted)) == 2)

    assert [1, 3] == world.outcomes(CommandExecuted)
    (refused,) = world.of(CommandRefused)
    assert (2, 21706) == (refused.command_id, refused.code) or refused.code in (21603, 21624)
    assert world.network.nonce(CREATE_KEY) == 2


@in_both_worlds()
async def test_what_the_sequencer_finds_without_effect_says_why(world):
    """A cancel of an order that does not exist is acknowledged or refused, and told apart from success."""
    world.submit(CancelOrder(1, 0, 999))
    await world.until(lambda: world.outcomes(CommandExecuted) + world.outcomes(CommandRefused) == [1])

    assert not any(event.error == "" for event in world.of(CommandExecuted))


@in_both_worlds()
async def test_a_lost_answer_is_found_out(world):
    """The transaction arrived, its answer did not: unknown, then executed, and the key works again."""
    world.network.stream_of("").drops_inbound = lambda frame: b"jsonapi" in frame
    private = world.network.stream_of("account_tx")
    private.drops_inbound = lambda frame: b"account_tx" in frame
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandUnknown) == [1])
    await world.until(lambda: world.outcomes(CommandExecuted) == [1])
    await world.until(lambda: transactions_link(world)[-1][0])

    assert "key 5 frozen" in transactions_link(world)[-2][1]
    assert not world.of(CommandRefused)
    private.drops_inbound = world.network.stream_of("").drops_inbound = lambda frame: False
    world.submit(bid(2))
    await world.until(lambda: 2 in world.outcomes(CommandExecuted))


@in_both_worlds()
async def test_a_lost_request_is_refused_only_when_it_cannot_arrive_any_more(world):
    """Unknown until its ExpiredAt has passed; meanwhile no create leaves, and cancels go over the other key."""
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1])
    world.network.stream_of("").drops_outbound = lambda frame: b'"tx_type":14' in frame
    world.network.loses_request = lambda endpoint: endpoint == "sendTx"
    sent_ns = world.clock.mono_ns()
    world.submit(bid(2))
    await world.until(lambda: world.outcomes(CommandUnknown) == [2])
    world.submit(bid(3), CancelOrder(4, 0, 1001))
    await world.until(lambda: 4 in world.outcomes(CommandExecuted), seconds=2)
    assert [3] == world.outcomes(CommandRefused)

    await world.until(lambda: world.outcomes(CommandRefused) == [3, 2])
    assert world.clock.mono_ns() - sent_ns > LIFETIME_S * 10**9
    world.network.stream_of("").drops_outbound = world.network.loses_request = lambda _: False
    await world.until(lambda: transactions_link(world)[-1][0])
    world.submit(bid(5))
    await world.until(lambda: 5 in world.outcomes(CommandExecuted))


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_that_is_set_ends_no_transaction_and_keeps_none_alive(hours):
    """Whatever our wall shows: a lost transaction is refused when it is dead, and the next one is not born dead."""

    async def body():
        async with World() as world:
            await _work_while_the_wall_is_off(world, hours)

    run(body())


async def _work_while_the_wall_is_off(world, hours):
    sent_ns = world.clock.mono_ns()
    world.network.stream_of("").drops_outbound = lambda frame: b"jsonapi" in frame
    world.network.loses_request = lambda endpoint: endpoint == "sendTx"
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandUnknown) == [1])
    world.clock.skew_us = hours * 3_600_000_000
    await world.until(lambda: world.outcomes(CommandRefused) == [1])
    assert LIFETIME_S < (world.clock.mono_ns() - sent_ns) / 1e9 < 2 * LIFETIME_S

    world.network.stream_of("").drops_outbound = world.network.loses_request = lambda _: False
    world.submit(bid(2))
    await world.until(lambda: world.outcomes(CommandExecuted) == [2], seconds=1)


@in_both_worlds()
async def test_a_broken_socket_leaves_outcomes_unknown_and_rest_takes_over(world):
    """Cut in mid-send: what was open is unknown; the next cancel goes over REST at once."""
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1])
    world.network.stream_of("").drops_inbound = lambda frame: True
    world.submit(bid(2))
    await asyncio.sleep(0.05)
    world.network.stream_of("").cut()
    await world.until(lambda: not transactions_link(world)[-1][0], seconds=0.05)
    world.submit(CancelOrder(3, 0, 1001))
    await world.until(lambda: 3 in world.outcomes(CommandExecuted), seconds=1)

    assert [2] == world.outcomes(CommandUnknown)
    assert ("POST", "sendTx") in world.network.requests
    await world.until(lambda: 2 in world.outcomes(CommandExecuted))


@in_both_worlds()
async def test_batches_go_over_rest_too(world):
    """With the socket down a batch is a sendTxBatch."""
    world.network.stream_of("").cut()
    await world.until(lambda: not transactions_link(world)[-1][0], seconds=0.05)
    world.submit(bid(1), bid(2))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1, 2])

    assert ("POST", "sendTxBatch") in world.network.requests


@pytest.mark.parametrize("reply", [json_reply('{"code":29500,"message":"internal"}', 500), json_reply("<html>", 403)])
def test_what_proves_nothing_over_rest_is_unknown(reply):
    """A server's failure, even with a code, and a page that is not the venue's: nobody knows."""

    async def body():
        async with World() as world:
            world.network.stream_of("").cut()
            world.network.instead["sendTx"] = reply
            world.submit(bid(1))
            await world.until(lambda: world.outcomes(CommandUnknown) == [1])
            await world.until(lambda: world.outcomes(CommandExecuted) == [1])

    run(body())


@in_both_worlds()
async def test_a_lost_transaction_is_sent_again(world):
    """The same bytes over the other way, as soon as no answer came: late instead of lost, and the key goes on."""
    world.network.stream_of("").drops_outbound = lambda frame: b"jsonapi" in frame
    world.submit(bid(1), bid(2))
    await world.until(lambda: world.outcomes(CommandUnknown) == [1, 2])
    await world.until(lambda: world.outcomes(CommandExecuted) == [1, 2], seconds=0.1)

    assert world.network.nonce(CREATE_KEY) == 2
    assert transactions_link(world)[-1][0]
    assert [2] == world.signers[CREATE_KEY].batches


@in_both_worlds(messages_per_minute=5, asking_per_minute=3)
async def test_copies_count_as_messages_of_the_operator_s_limit(world):
    """Two lost orders are not sent again where three a minute may be asked for; nor does one too many leave."""
    world.network.stream_of("").drops_outbound = lambda frame: b"jsonapi" in frame
    world.submit(bid(1), bid(2))
    await world.until(lambda: world.outcomes(CommandRefused) == [1, 2], seconds=20)
    world.network.stream_of("").drops_outbound = lambda _: False
    world.submit(bid(3))
    await world.until(lambda: world.outcomes(CommandExecuted) == [3])
    world.submit(bid(4))
    await world.until(lambda: world.outcomes(CommandRefused) == [1, 2, 4])
    world.submit(CancelOrder(5, 0, 1003))
    await world.until(lambda: 5 in world.outcomes(CommandExecuted))

    assert ("POST", "sendTx") not in world.network.requests
    assert "message limit" in world.of(CommandRefused)[-1].message


@in_both_worlds()
async def test_what_ran_unheard_does_not_run_again(world):
    """Neither answer nor execution was heard: the copy is told 21104, and the venue is asked what became of it."""
    world.network.stream_of("").drops_inbound = lambda frame: b"jsonapi" in frame
    world.network.stream_of("account_tx").drops_inbound = lambda frame: b"account_tx" in frame
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandUnknown) == [1])
    await world.until(lambda: world.outcomes(CommandExecuted) == [1], seconds=2)

    assert ("POST", "sendTx") in world.network.requests
    assert world.network.nonce(CREATE_KEY) == 1


@in_both_worlds()
async def test_after_the_stop_lost_cancels_are_sent_again_and_lost_creates_are_not(world):
    """No order may leave after the stop, not even one that has left before."""
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1])
    world.network.stream_of("").drops_outbound = lambda frame: b"jsonapi" in frame
    world.submit(bid(2))
    world.submit(CancelOrder(3, 0, 1001))
    await asyncio.sleep(1)
    world.venue.stop_creates()
    await world.until(lambda: 3 in world.outcomes(CommandExecuted), seconds=5)
    await world.until(lambda: world.outcomes(CommandRefused) == [2], seconds=20)

    assert world.network.nonce(CREATE_KEY) == 1
    assert await world.venue.open_order_count() == 0


@in_both_worlds()
async def test_nothing_is_sent_again_for_ever(world):
    """A batch that stays without answer leaves a few times in its life, and then no more."""
    world.network.stream_of("").drops_outbound = lambda frame: b"jsonapi" in frame
    world.network.loses_request = lambda endpoint: endpoint == "sendTx"
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandRefused) == [1])
    socket = sum(b"jsonapi" in frame for frame in world.network.stream_of("").said)

    assert socket + world.network.requests.count(("POST", "sendTx")) <= 4


@in_both_worlds()
async def test_a_command_that_cannot_be_sent_at_all_is_refused(world):
    """No connection either way: it certainly never left us, and its nonce is used for the next."""
    world.network.is_refusing = True
    world.network.stream_of("").cut()
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandRefused) == [1])
    world.network.is_refusing = False
    world.submit(bid(2))
    await world.until(lambda: 2 in world.outcomes(CommandExecuted))

    assert world.network.nonce(CREATE_KEY) == 1


@in_both_worlds()
async def test_a_signer_that_fails_refuses_its_batch(world):
    """Nothing was sent: code 0, and the nonces are used again."""
    world.signers[CREATE_KEY].failure = SigningError("broken")
    world.submit(bid(1), bid(2))
    await world.until(lambda: world.outcomes(CommandRefused) == [1, 2])
    world.signers[CREATE_KEY].failure = None
    world.submit(bid(3))
    await world.until(lambda: world.outcomes(CommandExecuted) == [3])

    assert {0} == {event.code for event in world.of(CommandRefused)}


@in_world()
async def test_a_create_that_waited_too_long_is_not_sent(world):
    """A create that grew stale while it was signed, or behind one that did, is refused, and leaves no nonce behind."""
    world.signers[CREATE_KEY].delay_s = 1.5
    world.submit(bid(1))
    await asyncio.sleep(0.01)
    world.submit(bid(2))
    await world.until(lambda: world.outcomes(CommandRefused) == [1, 2])
    world.signers[CREATE_KEY].delay_s = 0.0
    world.submit(bid(3))
    await world.until(lambda: world.outcomes(CommandExecuted) == [3])

    assert all("too long" in refused.message for refused in world.of(CommandRefused))
    assert world.network.nonce(CREATE_KEY) == 1


@in_world()
async def test_after_the_stop_only_cancels_leave(world):
    """A create that is being signed when the stop comes does not leave either."""
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1])
    world.signers[CREATE_KEY].delay_s = 0.5
    world.submit(bid(2), ModifyOrder(3, 0, 1001, 280_000, 1000))
    await asyncio.sleep(0.1)
    world.venue.stop_creates()
    world.submit(bid(4), CancelAll(5))
    await world.until(lambda: 5 in world.outcomes(CommandExecuted))
    await world.until(lambda: len(world.outcomes(CommandRefused)) == 3)

    assert [4, 2, 3] == world.outcomes(CommandRefused)
    assert await world.venue.open_order_count() == 0
    assert world.network.nonce(CREATE_KEY) == 1


@in_both_worlds()
async def test_being_asked_to_slow_down_makes_it_wait(world):
    """23000 refuses the command; creates are refused and cancels wait until the pause is over."""
    stream = world.network.stream_of("")
    stream.answers.append('{"error":{"code":23000,"message":"Too Many Requests!"},"id":"{id}"}')
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandRefused) == [1])
    world.submit(bid(2))
    assert [1, 2] == world.outcomes(CommandRefused)
    assert (23000, 0) == tuple(event.code for event in world.of(CommandRefused))

    await asyncio.sleep(1)
    world.submit(bid(3))
    await world.until(lambda: world.outcomes(CommandExecuted) == [3])


@in_both_worlds()
async def test_a_refused_signature_stops_everything(world):
    """21120 will not get better by trying: the command is refused and a stop is asked for."""
    world.network.stream_of("").answers.append('{"error":{"code":21120,"message":"invalid signature"},"id":"{id}"}')
    world.submit(bid(1), bid(2))
    await world.until(lambda: world.outcomes(CommandRefused) == [1, 2])

    assert "21120" in world.of(StopRequested)[0].reason


@in_both_worlds()
async def test_another_writer_on_our_key_stops_everything(world):
    """A nonce that we never gave out, on a key that was ours: another program or a person uses it."""
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1])
    await _send_as_stranger(world)
    await world.until(lambda: world.of(StopRequested))

    assert "another program" in world.of(StopRequested)[0].reason


@pytest.mark.parametrize("is_told", [True, False])
def test_what_a_killed_predecessor_left_in_the_air_stops_nobody(is_told):
    """Its last transaction runs after our start, whether we hear of it or not: we count on behind it."""

    async def body():
        async with World() as world:
            world.network.stream_of("account_tx").drops_inbound = lambda frame: not is_told and b"account_tx" in frame
            await _send_as_stranger(world)
            await asyncio.sleep(0.1 if is_told else 60)
            world.submit(bid(1))
            await world.until(lambda: world.outcomes(CommandRefused) == [1] or world.outcomes(CommandUnknown) == [1])
            await world.until(lambda: transactions_link(world)[-1][0])
            world.submit(bid(2))
            await world.until(lambda: 2 in world.outcomes(CommandAcked))
            assert not world.of(StopRequested)
            for client in (4712, 4713):
                await _send_as_stranger(world, client)
            world.submit(bid(3))
            await world.until(lambda: world.of(StopRequested))

    run(body())


@in_both_worlds()
async def test_a_transaction_that_the_venue_dropped_has_used_no_nonce(world):
    """It is told as failed, late and with a nonce that another has now: neither used up nor a stranger's."""
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1])
    for nonce in (0, 1, 9):
        facts = {"hash": f"{nonce:080x}", "type": 14, "status": 0, "account_index": world.params.account_index}
        facts |= {"api_key_index": CREATE_KEY, "nonce": nonce, "event_info": '{"ae":"invalid nonce"}'}
        frame = {"type": "update/account_tx", "channel": f"account_tx:{world.params.account_index}", "txs": [facts]}
        world.network.stream_of("account_tx").on_text(msgspec.json.encode(frame))
    world.submit(bid(2))
    await world.until(lambda: 2 in world.outcomes(CommandExecuted), seconds=1)

    assert not world.of(StopRequested)


@in_both_worlds()
async def test_one_stale_next_nonce_is_not_believed(world):
    """`nextNonce` of before what was executed: no nonce goes out twice."""
    world.submit(bid(1), bid(2))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1, 2])
    world.network.stream_of("").answers.append('{"error":{"code":21104,"message":"invalid nonce"},"id":"{id}"}')
    world.network.instead["nextNonce"] = json_reply('{"code":200,"nonce":0}')
    world.submit(bid(3))
    await world.until(lambda: world.outcomes(CommandRefused) == [3])
    world.submit(bid(4))
    await world.until(lambda: 4 in world.outcomes(CommandExecuted), seconds=1)

    assert [3] == world.outcomes(CommandUnknown)


@in_both_worlds()
async def test_a_nonce_taken_by_another_is_settled(world):
    """Our transaction is denied (21104): unknown, then refused, and the key goes on behind the stranger's."""
    world.network.stream_of("account_tx").drops_inbound = lambda frame: b"account_tx" in frame
    await _send_as_stranger(world)
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandUnknown) == [1])
    await world.until(lambda: transactions_link(world)[-1][0])
    world.submit(bid(2))
    await world.until(lambda: 2 in world.outcomes(CommandAcked))


@in_world()
async def test_a_nonce_taken_by_another_while_we_sign_is_not_sent(world):
    """What was signed with it could never run: a create is refused, a cancel takes the nonce behind the stranger's."""
    for key, command in ((CREATE_KEY, bid(1)), (CANCEL_KEY, CancelOrder(2, 0, 4711))):
        world.signers[key].delay_s = 0.3
        world.submit(command)
        await asyncio.sleep(0.01)
        await _send_as_stranger(world, client=4711 + key, key=key)
    await world.until(lambda: 2 in world.outcomes(CommandExecuted) + world.outcomes(CommandRefused), seconds=20)

    assert not world.failures
    assert [1] == [refused.command_id for refused in world.of(CommandRefused) if "used before" in refused.message]
    assert not world.of(CommandUnknown)


async def _send_as_stranger(world, client=4711, key=CREATE_KEY):
    """Let somebody else sign with our key, as a second program with the same configuration would."""
    signer: PureSigner = world.signers[key].signer
    now_ms = world.clock.wall_us() // 1000
    envelope = Envelope(
        account_index=world.params.account_index,
        api_key_index=key,
        expired_at_ms=now_ms + 30_000,
        order_expiry_ms=now_ms + 10**6,
    )
    (signed,) = signer.sign([transaction(bid(0, client=client), world.network.nonce(key), envelope)])
    form = {"tx_type": "14", "tx_info": signed.tx_info.decode()}
    assert (await world.network.request("POST", "/api/v1/sendTx", {}, form, {})).status == 200


@in_both_worlds(keys=(CREATE_KEY,))
async def test_one_key_works_and_says_what_it_costs(world):
    """With one key cancels wait while an outcome is unknown; the client says so beforehand."""
    assert "cancels wait" in world.venue.notes[0]
    world.submit(bid(1))
    await world.until(lambda: world.outcomes(CommandExecuted) == [1])
    world.network.stream_of("").drops_inbound = lambda frame: b"jsonapi" in frame
    world.submit(bid(2))
    await world.until(lambda: world.outcomes(CommandUnknown) == [2])
    world.network.stream_of("").drops_inbound = lambda frame: False
    world.submit(CancelAll(3))
    await world.until(lambda: 3 in world.outcomes(CommandExecuted))

    assert {1001, 1002} == {report.client_order_index for report in world.of(OrderReport) if report.is_terminal}


@in_both_worlds(tier="standard")
async def test_creates_beyond_the_venue_s_limit_are_refused_and_cancels_are_not(world):
    """A standard account has 60 transactions a minute: creates stop before that, cancels have a reserve."""
    for number in range(1, 31):
        world.submit(bid(number))
        await asyncio.sleep(0.3)
    refused = world.of(CommandRefused)
    assert "transaction limit" in refused[0].message

    world.submit(CancelAll(100))
    await world.until(lambda: 100 in world.outcomes(CommandExecuted), seconds=5)
    assert all(event.code == 0 for event in refused)


@in_both_worlds(tier="standard")
async def test_cancels_beyond_the_venue_s_limit_go_one_by_one_and_cancel_all_goes_first(world):
    """As many as may go leave at once; of those that wait, one for the same order is asked for once."""
    world.submit(*(CancelOrder(number, 0, 1000 + number) for number in range(1, 31)))
    await asyncio.sleep(2)
    early = world.outcomes(CommandExecuted) + world.outcomes(CommandRefused)
    assert 18 <= len(early) <= 20

    world.submit(*(CancelOrder(100 + number, 0, 1000 + number) for number in range(21, 31)), CancelAll(200))
    assert [21, 22, 23, 24, 25, 26, 27, 28, 29, 30] == [
        event.command_id for event in world.of(CommandRefused) if event.message == "asked for again"
    ]
    await world.until(lambda: 200 in world.outcomes(CommandExecuted), seconds=4)


@in_both_worlds(tier="standard")
async def test_a_key_that_freezes_while_a_cancel_waits_for_the_limit_sends_it_afterwards(world):
    """A predecessor's transaction is told meanwhile: the cancel takes the nonce behind it."""
    world.submit(*(CancelOrder(number, 0, 1000 + number) for number in range(1, 25)))
    await asyncio.sleep(0.5)
    await _send_as_stranger(world, key=CANCEL_KEY)
    await world.until(lambda: len(world.outcomes(CommandExecuted) + world.outcomes(CommandRefused)) == 24)

    assert not world.failures
