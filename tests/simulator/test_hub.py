import msgspec

from lighterman.protocol.messages import HeightFrame
from lighterman.simulator.channels import Channel
from lighterman.simulator.hub import Hub
from lighterman.simulator.sessions import Session

FRAME = HeightFrame(channel="height", type="update/height", height=1)


def session(name):
    return Session(name, "127.0.0.1", is_read_only=False, now_us=0, ready={})


def test_a_frame_reaches_those_who_listen():
    """Everybody who listens gets the same bytes, nobody else gets any."""
    hub, one, two, other = Hub(), session("1"), session("2"), session("3")
    for each in (one, two):
        hub.add(each, Channel("height"))
    hub.send("height", FRAME)

    (first,), (second,) = one.take(), two.take()
    assert first is second
    assert first == msgspec.json.encode(FRAME)
    assert other.take() == []


def test_accounts_are_watched_while_anybody_listens():
    """An account is watched from its first listener to its last."""
    hub, one = Hub(), session("1")
    channels = [Channel("account_all", account=7), Channel("account_orders", 0, 7)]
    for channel in channels:
        hub.add(one, channel)
    hub.remove(one, channels[0])

    assert hub.watches(7)
    assert not hub.listens("account_all:7")
    hub.remove(one, channels[1])
    assert not hub.watches(7)
    assert not hub.listens("account_orders:0:7")
