from lighterman.simulator.sessions import OUTBOX_BYTES_MAX, SLOW_READER, Session


def session(ready):
    return Session("id", "127.0.0.1", is_read_only=False, now_us=0, ready=ready)


def test_frames_leave_in_order_and_once():
    """What was pushed is taken in the same order, and not again; the session asks to be served."""
    ready = {}
    it = session(ready)
    it.push(b"1")
    it.reply(b"2")

    assert list(ready) == [it]
    assert (it.unsent_replies, it.take(), it.take(), it.unsent_replies) == (1, [b"1", b"2"], [], 0)


def test_a_client_that_does_not_read_is_cut_off():
    """A full outbox closes the connection and is thrown away; nothing more is queued."""
    it = session({})
    for _ in range(OUTBOX_BYTES_MAX // 2**20 + 1):
        it.push(bytes(2**20))
    it.push(b"more")

    assert it.closing is not None
    assert it.closing.code == SLOW_READER
    assert it.take() == []


def test_the_first_reason_to_close_stands():
    """Closing twice keeps the first reason, and what was pushed before is still delivered."""
    it = session({})
    it.push(b"last words")
    it.close(1000, "silence")
    it.close(1008, "other")

    assert it.closing is not None
    assert it.closing.reason == "silence"
