"""Markets for the simulation: a driver that costs little and does what a fault plan asks.

It is no model of a market (that is `matching/flow.py`, at ten times the cost). It offers what a
market maker's code must go through: a book that moves, fills whole and in part, bursts through
several levels, jumps. Each market has three makers with six levels a side and one taker.

Law: every draw comes from a stream named after its market and purpose, and how often a stream is
drawn from depends on itself alone: a lever never moves what would have been drawn without it.
A lever acts at the market's next beat, in a frozen market after it. Without levers both sides of
a book have orders whenever this driver has done its part.
"""

import math
from collections.abc import Callable, Mapping
from heapq import heapify, heapreplace

from lighterman.domain.book import Level
from lighterman.domain.chance import Rng
from lighterman.domain.market import Market
from lighterman.domain.units import price_ceil, price_floor
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow import COLLATERAL_MICRO, PARTICIPANTS_FROM, PARTICIPANTS_PER_MARKET
from lighterman.matching.flow_desk import BP, Actor, Desk
from lighterman.matching.requests import DropOrder
from lighterman.simulator.markets import markets_named
from lighterman.simulator.scenarios import SCALES, SMALL_MARKET
from lighterman.simulator.synthetic import SMALL_MARKET_TICKS

SECOND_US = 1_000_000
INDEX_EVERY_US = SECOND_US
MS_US = 1_000

MAKERS = 3
LEVELS_BP = (1.0, 2.0, 3.5, 5.5, 9.0, 15.0)  # from the fair price, times the market's spread
LEVEL_USD = 1_500.0  # at the touch, times the market's size; each further level shows a half more
SIGMA_BP = 1.0  # of the fair price, per square root of a second, times the market's volatility
JUMPS_PER_S = 1 / 90
JUMP_BP = 8.0  # mean
STALE_BP = 1.0  # a quote that the fair price has left by so much is taken
STALE_USD = 200_000.0  # at most, at a time
TAKER_WAIT_S = 3.0  # mean, between groups of takers
FOLLOWERS = 0.4  # the chance that another one follows at once, on the same side
FOLLOW_S = 0.05  # mean
LEVELS_TAKEN_MAX = 5
BURST_PER_BEAT = 3
MARK_ZERO_S = 5.0
FAIR_MIN = 100.0  # ticks: a price that has a bid and an ask below and above it


class SimulatedMarkets:
    """A MarketDriver of cheap actors. `tempo_ms` says for each symbol how often its book changes, on average."""

    def __init__(self, tempo_ms: Mapping[str, int], chance: Callable[[str], Rng]) -> None:
        self.markets = markets_named(tempo_ms)
        self._tempo_ms = dict(tempo_ms)
        self._chance = chance
        self._places: dict[int, _Place] = {}
        self._actors: list[Actor] = []
        self._wakings: list[tuple[int, int]] = []  # (due, position in _actors): a heap

    @property
    def note(self) -> str:
        """Return which markets are simulated."""
        return f"SIMULATED: {', '.join(market.symbol for market in self.markets)} in virtual time"

    def start(self, exchange: Exchange, now_us: int) -> None:
        """Open the participants' accounts and stand the books."""
        for market in self.markets:
            place = _Place(exchange, market, self._tempo_ms[market.symbol] * MS_US, self._chance)
            place.open(now_us)
            self._places[market.index] = place
            self._actors += [place.beat, place.trade]
        self._wakings = [(now_us, number) for number in range(len(self._actors))]
        heapify(self._wakings)

    def next_due_us(self) -> int | None:
        """Return when the next actor of any market wakes."""
        return self._wakings[0][0] if self._wakings else None

    def advance(self, exchange: Exchange, now_us: int) -> None:  # noqa: ARG002  (the actors hold it since the start)
        """Wake every actor who is due, in order."""
        wakings = self._wakings
        while wakings[0][0] <= now_us:
            number = wakings[0][1]
            heapreplace(wakings, (self._actors[number](now_us), number))

    # -- levers: what a fault plan may do; `market` is an index, `is_ask` names the side of the book -----

    def jump(self, market: int, bps: float) -> None:
        """Move the fair price at once; everything that stands in its way is taken."""
        self._places[market].jump(bps)

    def one_sided(self, market: int, is_ask: bool, seconds: float) -> None:
        """Take this side of the participants' orders away for a while."""
        self._places[market].empty_side(is_ask, seconds)

    def burst(self, market: int, is_ask: bool, count: int) -> None:
        """Send so many takers, within a few beats, who take from this side, all through several levels."""
        self._places[market].burst(is_ask, count)

    def mark_zero(self, market: int, seconds: float = MARK_ZERO_S) -> None:
        """Have the oracle publish 0 for a while."""
        self._places[market].mute_oracle(seconds)

    def freeze(self, market: int, seconds: float) -> None:
        """Have nobody do anything in this market for a while, not even the oracle."""
        self._places[market].freeze(seconds)


class _Place:
    """All that happens in one market: `beat` changes the book, `trade` takes from it."""

    def __init__(self, exchange: Exchange, market: Market, tempo_us: int, chance: Callable[[str], Rng]) -> None:
        scale = SCALES.get(market.symbol, SMALL_MARKET)
        first = PARTICIPANTS_FROM + market.index * PARTICIPANTS_PER_MARKET
        self._exchange = exchange
        self._market = market
        self._accounts = range(first, first + MAKERS + 1)
        *self._desks, self._taker = (Desk(exchange, market, account_index) for account_index in self._accounts)
        self._walk, self._making, self._taking, self._bursting = (
            chance(f"{market.symbol}/{purpose}") for purpose in ("walk", "makers", "takers", "burst")
        )
        self._tempo_us = tempo_us
        self._spread, self._size_usd = scale.spread * BP, scale.size * LEVEL_USD
        self._move = SIGMA_BP * BP * scale.volatility * math.sqrt(tempo_us / SECOND_US)
        self._jump_chance = JUMPS_PER_S * tempo_us / SECOND_US
        self._jump_bp = JUMP_BP * scale.volatility
        self._fair = scale.price_usd * market.ticks_per_unit or float(SMALL_MARKET_TICKS)  # in ticks, a float
        self._has_jumped = False
        self._slots = ([0] * len(LEVELS_BP), [0] * len(LEVELS_BP))  # client order index, by side and level
        self._followed = -1  # the side that the last taker took from, where another one follows
        self._burst = [0, 0]  # takers still to come, by side
        self._levers: list[Callable[[int], None]] = []  # what waits for the next beat
        self._empty_until_us = [0, 0]  # by side
        self._mute_until_us = self._frozen_until_us = self._index_due_us = 0

    def open(self, now_us: int) -> None:
        """Open the participants' accounts and let them stand their first orders."""
        for account_index in self._accounts:
            self._exchange.open_account(
                account_index,
                collateral_micro=COLLATERAL_MICRO,
                tier="standard",
                l1_address=f"0x{account_index:040x}",
                free_of_limits=True,
            )
        self._publish_index(now_us)
        self._stand(now_us)

    # -- levers

    def jump(self, bps: float) -> None:
        self._fair = max(FAIR_MIN, self._fair * (1.0 + bps * BP))
        self._has_jumped = True

    def burst(self, is_ask: bool, count: int) -> None:
        self._burst[is_ask] += count

    def empty_side(self, is_ask: bool, seconds: float) -> None:
        def empty(now_us: int) -> None:
            self._empty_until_us[is_ask] = now_us + round(seconds * SECOND_US)
            for level in range(len(LEVELS_BP)):
                self._drop(is_ask, level, now_us)

        self._levers.append(empty)

    def mute_oracle(self, seconds: float) -> None:
        def mute(now_us: int) -> None:
            self._mute_until_us = now_us + round(seconds * SECOND_US)
            self._publish_index(now_us)

        self._levers.append(mute)

    def freeze(self, seconds: float) -> None:
        def stop(now_us: int) -> None:
            self._frozen_until_us = now_us + round(seconds * SECOND_US)

        self._levers.append(stop)

    # -- the actors

    def beat(self, now_us: int) -> int:
        """Move the fair price and one maker's order, and take what has become stale."""
        making = self._making
        due_us = now_us + round(self._tempo_us * making.uniform(0.5, 1.5))
        slot, stretch, swelling = making.randrange(0, 2 * len(LEVELS_BP)), making.random(), making.random()
        self._walk_on()
        if self._is_still(now_us):
            return due_us
        while self._levers:
            self._levers.pop(0)(now_us)
        self._take_stale(now_us)
        if self._has_jumped:
            self._has_jumped = False
            self._stand(now_us)
        self._place(bool(slot % 2), slot // 2, now_us, stretch=0.8 + 0.4 * stretch, swelling=0.4 + 1.2 * swelling)
        self._keep_two_sides(now_us)
        self._do_bursts(now_us)
        if now_us >= self._index_due_us:
            self._publish_index(now_us)
        return due_us

    def trade(self, now_us: int) -> int:
        """Let one taker take, and draw when the next one comes."""
        taking = self._taking
        draw, depth, share = taking.random(), _depth(taking.random()), taking.random()
        is_ask = bool(self._followed) if self._followed >= 0 else draw < 0.5
        has_follower = taking.random() < FOLLOWERS
        self._followed = is_ask if has_follower else -1
        wait_s = taking.expovariate(1 / (FOLLOW_S if has_follower else TAKER_WAIT_S))
        if not self._is_still(now_us):
            self._take(is_ask, depth, share, now_us)
        return now_us + max(1, round(wait_s * SECOND_US))

    def _walk_on(self) -> None:
        """Move the fair price: a little, and sometimes a jump."""
        walk = self._walk
        self._fair = max(FAIR_MIN, self._fair * (1.0 + walk.gauss(0.0, self._move)))
        if walk.random() < self._jump_chance:
            bps = walk.expovariate(1.0 / self._jump_bp)
            self.jump(bps if walk.random() < 0.5 else -bps)

    def _is_still(self, now_us: int) -> bool:
        """Tell whether nobody may act: the market is frozen, or the venue has paused it."""
        return now_us < self._frozen_until_us or not self._exchange.markets[self._market.index].active

    def _take_stale(self, now_us: int) -> None:
        """Take what the fair price has left behind, whoever's it is."""
        book, fair = self._taker.book(), self._fair
        ask, bid = book.best_ask(), book.best_bid()
        if ask is not None and ask[0] < fair * (1.0 - STALE_BP * BP):
            is_ask, limit = False, price_floor(fair)
        elif bid is not None and bid[0] > fair * (1.0 + STALE_BP * BP):
            is_ask, limit = True, price_ceil(fair)
        else:
            return
        self._taker.take(is_ask=is_ask, price_ticks=limit, size_lots=self._taker.lots(STALE_USD, fair), now_us=now_us)

    def _do_bursts(self, now_us: int) -> None:
        for is_ask in (False, True):
            for _ in range(min(BURST_PER_BEAT, self._burst[is_ask])):
                self._burst[is_ask] -= 1
                self._take(is_ask, 1 + _depth(self._bursting.random()), self._bursting.random(), now_us)

    def _take(self, is_ask: bool, depth: int, share: float, now_us: int) -> None:
        """Take the best levels of a side, the last of them in part."""
        book = self._taker.book()
        levels: list[Level] = book.top_asks(depth) if is_ask else book.top_bids(depth)
        if levels:
            price_ticks, last_lots = levels.pop()
            size_lots = sum(size for _, size in levels) + math.ceil(share * last_lots)
            self._taker.take(is_ask=not is_ask, price_ticks=price_ticks, size_lots=max(1, size_lots), now_us=now_us)
            self._keep_two_sides(now_us)

    # -- the makers' orders

    def _stand(self, now_us: int) -> None:
        """Place every order anew at its usual distance and size."""
        for is_ask in (False, True):
            self._stand_side(is_ask, now_us)

    def _stand_side(self, is_ask: bool, now_us: int) -> None:
        for level in range(len(LEVELS_BP)):
            self._place(is_ask, level, now_us)

    def _keep_two_sides(self, now_us: int) -> None:
        """Stand a side anew that has no order left, unless a lever wants it so."""
        book = self._taker.book()
        if book.best_bid() is None:
            self._stand_side(False, now_us)
        if book.best_ask() is None:
            self._stand_side(True, now_us)

    def _place(self, is_ask: bool, level: int, now_us: int, *, stretch: float = 1.0, swelling: float = 1.0) -> None:
        """Replace one order, inside the other side's best at the most."""
        self._drop(is_ask, level, now_us)
        if now_us < self._empty_until_us[is_ask]:
            return
        desk, fair = self._desks[level % MAKERS], self._fair
        distance = max(1.0, fair * LEVELS_BP[level] * self._spread * stretch)
        if is_ask:
            price, best = price_ceil(fair + distance), desk.book().best_bid()
            price = price if best is None else max(price, best[0] + 1)
        else:
            price, best = price_floor(fair - distance), desk.book().best_ask()
            price = max(1, price if best is None else min(price, best[0] - 1))
        size_lots = desk.lots(self._size_usd * (1.0 + level / 2) * swelling, fair)
        self._slots[is_ask][level] = desk.rest(is_ask=is_ask, price_ticks=price, size_lots=size_lots, now_us=now_us)

    def _drop(self, is_ask: bool, level: int, now_us: int) -> None:
        """Cancel an order if it is still there."""
        index = self._slots[is_ask][level]
        if index:
            account_index = self._accounts[level % MAKERS]
            self._exchange.act(DropOrder(account_index=account_index, market=self._market.index, index=index), now_us)
            self._slots[is_ask][level] = 0

    def _publish_index(self, now_us: int) -> None:
        self._index_due_us = now_us + INDEX_EVERY_US
        index_ticks = 0 if now_us < self._mute_until_us else round(self._fair)
        self._exchange.set_index(self._market.index, index_ticks, now_us)


def _depth(draw: float) -> int:
    """Return how many levels a taker reaches into: one in half of all cases, two in a quarter, and so on."""
    return min(LEVELS_TAKEN_MAX, 1 + int(-math.log2(1.0 - draw)))
