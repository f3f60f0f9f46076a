from helpers.local_venue import START_US, Venue

MINUTE = 60


def candles(venue, resolution="1m", start=0, end=10**13, count_back=0):
    _, reply = venue.get(
        "candles", market_id=0, resolution=resolution, start_timestamp=start, end_timestamp=end, count_back=count_back
    )
    return reply["c"]


def traded(minutes):
    """Return an exchange where one trade of growing size was done in each of these minutes."""
    venue = Venue()
    trader = venue.trader()
    for number in minutes:
        venue.go(START_US / 1e6 + number * MINUTE + 1 - venue.now_us / 1e6)
        trader.send(trader.take(size=1_000 * (1 + number % 2), is_ask=bool(number % 2)))
        venue.go(1)
    return venue


def test_a_candle_sums_its_minute():
    """Prices, volumes and the last trade's id are those of the minute's trades."""
    (candle,) = candles(traded([0]))

    assert candle == {
        "t": START_US // 1000, "o": 3001.0, "h": 3001.0, "l": 3001.0, "c": 3001.0, "v": 0.1, "V": 300.1, "i": 1,
    }  # fmt: skip


def test_minutes_add_up_to_longer_candles():
    """A five-minute candle is made of its minutes; a minute without a trade has no candle."""
    venue = traded([0, 1, 4, 6])

    assert [candle["v"] for candle in candles(venue)] == [0.1, 0.2, 0.1, 0.1]
    assert [candle["v"] for candle in candles(venue, "5m")] == [0.4, 0.1]


def test_the_range_is_open_at_its_end_and_reaches_back():
    """Start is inclusive, end exclusive, count_back a minimum that reaches before the start."""
    venue = traded([0, 1, 2])
    start_ms = START_US // 1000
    at = [start_ms + number * 60_000 for number in range(3)]

    assert [each["t"] for each in candles(venue, start=at[1], end=at[2])] == [at[1]]
    assert [each["t"] for each in candles(venue, start=at[2], end=at[2] + 1, count_back=2)] == at[1:]
    assert [each["t"] for each in candles(venue, start=at[1] // 1000, end=at[2] // 1000)] == [at[1]]
    assert candles(venue, start=at[2] + 60_000) is None


def test_unknown_resolutions_are_refused():
    """A resolution that does not exist is 22402."""
    status, reply = Venue().get(
        "candles", market_id=0, resolution="2m", start_timestamp=0, end_timestamp=1, count_back=1
    )

    assert (status, reply["code"]) == (400, 22402)
