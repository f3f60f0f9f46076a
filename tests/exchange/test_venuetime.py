import asyncio

from lighterman.exchange.venuetime import VenueTime


class _Clock:
    def __init__(self, wall_s):
        self.mono_s = 100.0
        self.wall_s = wall_s

    def mono_ns(self):
        return round(self.mono_s * 1e9)

    def wall_us(self):
        return round(self.wall_s * 1e6)


def _measure(time, clock, shown_s, takes_s=0.1):
    async def ask():
        clock.mono_s += takes_s
        return shown_s

    return asyncio.run(time.measure(ask))


def test_a_wall_that_is_set_moves_nothing():
    """The wall is read once; then the monotonic clock counts."""
    clock = _Clock(5_000.0)
    time = VenueTime(clock)
    clock.mono_s, clock.wall_s = 103.5, 8_600.0

    assert time.now_ms() == 5_003_500


def test_an_answer_that_fits_changes_nothing():
    """The venue shows whole seconds, of some moment between question and answer."""
    clock = _Clock(5_000.0)
    time = VenueTime(clock)

    assert [0, 0] == [_measure(time, clock, 5_000), _measure(time, clock, 5_000, 0.8)]
    assert time.now_ms() == 5_000_900


def test_a_clock_that_is_off_is_put_right():
    """As far as the answer proves: behind, ahead, and after a sleep in which the monotonic clock stood still."""
    for wall_s, moved_ms in ((4_998.0, 1_900), (5_003.0, -2_000)):
        clock = _Clock(wall_s)
        time = VenueTime(clock)
        assert _measure(time, clock, 5_000) == moved_ms
        assert 5_000_000 <= time.now_ms() <= 5_001_100

    assert 3_598_000 < _measure(time, clock, 8_600) <= 3_600_000
    assert 8_600_000 <= time.now_ms() <= 8_601_000
