"""Synthetic traders of one market: seeded, event-driven, pure.

The law of these files (`flow.py`, `flow_*.py`):
1. Every actor has an account without limits, trades through `Exchange.act` like anybody, and
   is matched by price and time with everybody's orders. Nothing is made up: a fill has a
   counterparty, and all actors' profits and losses add up to zero.
2. Every actor draws from a stream of chance of its own, named after it; the efficient price
   too. One actor's draws never move another's.
3. Actors wake when they are due and not on a common step; a quiet market costs little.
4. What is private: the efficient price, which makers see late by their latency, and the
   informed at once. What is public: the index, which is that price late and noisy.

In all parameters distances and moves are in basis points (bp) of the price, volatilities in bp
per square root of a second, sizes in USD, rates per second unless named otherwise.

Design and figures: market-making reference 8.1 and 8.2; left for later are liquidations of
actors with margin and the profile of the day.
"""

from collections.abc import Callable
from heapq import heapify, heapreplace

import msgspec

from lighterman.domain.chance import Rng
from lighterman.domain.market import Market
from lighterman.matching.exchange import Exchange
from lighterman.matching.flow_desk import BP, Actor, Desk
from lighterman.matching.flow_makers import Maker, MakerParams
from lighterman.matching.flow_price import EfficientPrice, PriceParams
from lighterman.matching.flow_takers import (
    Arbitrageur,
    DriftTaker,
    InformedParams,
    NoiseParams,
    NoiseTaker,
    SlicedTaker,
    TrendTaker,
)

PARTICIPANTS_FROM = 2**46  # account indexes of the markets' own participants (masters end at 2^47 - 1)
PARTICIPANTS_PER_MARKET = 256
COLLATERAL_MICRO = 10**15  # a billion USDC: never the reason why an actor stops
INDEX_EVERY_US = 500_000
INDEX_LAG_US = 300_000
INDEX_NOISE_BP = 0.1


class FlowParams(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Everything that trades in one market; `patient` makers stand far out, so that no sweep empties a side."""

    price: PriceParams
    makers: MakerParams
    patient: MakerParams
    noise: NoiseParams
    informed: InformedParams


class Flow:
    """All actors of one market. `accounts` tells who is who, by account index."""

    def __init__(self, market: Market, params: FlowParams, start_ticks: int, chance: Callable[[str], Rng]) -> None:
        self._market = market
        self._params = params
        self._start_ticks = start_ticks
        self._chance = chance
        self._wakings: list[tuple[int, int]] = []  # (due, position in _actors): a heap
        self._actors: list[Actor] = []
        self.accounts: dict[int, str] = {}

    def start(self, exchange: Exchange, now_us: int) -> None:
        """Open the accounts, publish the index, and let every maker stand its first ladder."""
        params, rng = self._params, self._rng
        price = EfficientPrice(params.price, self._start_ticks, rng("price"), now_us)
        exchange.set_index(self._market.index, self._start_ticks, now_us)
        for kind, group in (("maker", params.makers), ("patient", params.patient)):
            for number, latency_ms in enumerate(group.latencies_ms):
                name = f"{kind} {number}"
                self._actors.append(Maker(self._seat(exchange, name), group, latency_ms, price, rng(name)).wake)
        makers = len(self._actors)
        self._actors += [
            NoiseTaker(self._seat(exchange, "noise"), params.noise, rng("noise"), now_us).wake,
            SlicedTaker(self._seat(exchange, "sliced"), params.noise, rng("sliced")).wake,
            Arbitrageur(self._seat(exchange, "arbitrage"), params.informed, price, rng("arbitrage")).wake,
            DriftTaker(self._seat(exchange, "drift"), params.informed, price, params.price.drift_bp, rng("drift")).wake,
            TrendTaker(self._seat(exchange, "trend"), params.informed, price, rng("trend")).wake,
            IndexFeed(exchange, self._market, price, rng("index")).wake,
        ]
        for number, wake in enumerate(self._actors):
            self._wakings.append((wake(now_us) if number < makers else now_us, number))
        heapify(self._wakings)

    def next_due_us(self) -> int | None:
        """Return when the next actor wakes, or None before the start."""
        return self._wakings[0][0] if self._wakings else None

    def advance(self, now_us: int) -> None:
        """Wake everybody who is due, in order; a late host makes them act late, never twice."""
        wakings = self._wakings
        while wakings[0][0] <= now_us:
            number = wakings[0][1]
            heapreplace(wakings, (self._actors[number](now_us), number))

    def _rng(self, name: str) -> Rng:
        return self._chance(f"{self._market.symbol}/{name}")

    def _seat(self, exchange: Exchange, name: str) -> Desk:
        """Open the next account and return its desk."""
        account_index = PARTICIPANTS_FROM + self._market.index * PARTICIPANTS_PER_MARKET + len(self.accounts)
        exchange.open_account(
            account_index,
            collateral_micro=COLLATERAL_MICRO,
            tier="standard",
            l1_address=f"0x{account_index:040x}",
            free_of_limits=True,
        )
        self.accounts[account_index] = name
        return Desk(exchange, self._market, account_index)


class IndexFeed:
    """The oracle: publishes the efficient price late and noisily."""

    __slots__ = ("_exchange", "_market", "_price", "_rng")

    def __init__(self, exchange: Exchange, market: Market, price: EfficientPrice, rng: Rng) -> None:
        self._exchange = exchange
        self._market = market
        self._price = price
        self._rng = rng

    def wake(self, now_us: int) -> int:
        """Publish the index."""
        noisy = self._price.ticks(now_us, INDEX_LAG_US) * (1.0 + self._rng.gauss(0.0, INDEX_NOISE_BP * BP))
        self._exchange.set_index(self._market.index, max(1, round(noisy)), now_us)
        return now_us + INDEX_EVERY_US
