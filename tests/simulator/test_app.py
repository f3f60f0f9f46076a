from helpers.local_venue import START_US, QuietMarket, Venue, crowd


class Metronome(QuietMarket):
    """A driver that sends one order at each of its beats and notes when it was called."""

    def __init__(self, beat_us):
        super().__init__()
        self.beat_us = beat_us
        self.due_us = START_US + beat_us
        self.called_us = []

    def next_due_us(self):
        return self.due_us

    def advance(self, exchange, now_us):
        assert exchange.now_us == now_us
        self.called_us.append(now_us)
        price = 290_000 + len(self.called_us)
        crowd(exchange, 0, is_ask=False, price_ticks=price, size_lots=100)
        self.due_us += self.beat_us


def test_the_driver_acts_at_its_own_times():
    """However late the host is, each step of the market happens at the moment it was due."""
    driver = Metronome(70_000)
    venue = Venue(driver=driver)
    venue.go(0.5)

    assert driver.called_us == [START_US + 70_000 * beat for beat in range(1, 8)]


def test_the_host_is_told_when_to_come_back():
    """The next due time is that of whoever is next: market, sequencer, grids."""
    venue = Venue(driver=Metronome(7_000))
    assert venue.app.next_due_us() == START_US + 7_000
    quiet = Venue()
    assert quiet.app.next_due_us() == START_US + 50_000
    trader = quiet.trader(tier="standard")
    quiet.go(0.41)
    trader.send(trader.create())
    quiet.go(0.18)

    assert quiet.app.next_due_us() == quiet.now_us + 10_000


def test_time_does_not_go_back():
    """A host whose clock stepped back is served at the time already reached."""
    venue = Venue()
    venue.go(10)
    venue.now_us -= 5_000_000

    assert venue.http("GET", "/")[1]["timestamp"] == START_US // 10**6 + 10


def run(seed_frames):
    venue = Venue(driver=Metronome(30_000))
    trader = venue.trader()
    listener = venue.listen("order_book/0", "account_all/100", "account_tx/100", token=trader.token())
    for _ in range(20):
        seed_frames.append(trader.send(trader.create(price=280_000 + len(seed_frames))))
        venue.go(0.033)
        seed_frames += listener.session.take()
    return seed_frames


def test_the_same_calls_give_the_same_bytes():
    """Hosted by the same calls at the same times the exchange says the same again, byte for byte."""
    assert run([]) == run([])
