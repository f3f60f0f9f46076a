"""`lighterman check`: whether the file is right, what it could cost at worst, what it would quote now.

The last answer comes from the bot itself: it is put together as for `run`, listens to a local
exchange until it has decided, and nothing of what it decides is sent.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from lighterman.cli.run import say_problems
from lighterman.clock import SystemClock
from lighterman.config.networks import Mode
from lighterman.config.settings import Settings, load
from lighterman.domain.errors import ConfigError, LightermanError
from lighterman.engine.state import MarketState
from lighterman.monitoring.market import MarketFigures
from lighterman.runtime.bot import Bot, RunPlan
from lighterman.runtime.exits import Exit
from lighterman.runtime.status import usd
from lighterman.runtime.stopping import Stop
from lighterman.runtime.wiring import open_bot
from lighterman.strategy.explain import explain
from lighterman.strategy.quoter import Quotes

LOOK_TRIES = 100
LOOK_EVERY_S = 0.1


class Level(msgspec.Struct, frozen=True):
    """One order it would make."""

    side: str
    level: int
    price: str
    size: str
    value_usd: str
    made_of_bps: dict[str, float]


class MarketCheck(msgspec.Struct, frozen=True):
    """One market: what it could cost, and what it would quote."""

    market: str
    position_max: str
    worst_value_usd: str
    ladder_value_usd: str
    quotes: list[Level]
    no_bid: str
    no_ask: str


class Check(msgspec.Struct, frozen=True):
    """The whole answer."""

    notices: list[str]
    worst_value_usd: str
    total_position_max_usd: str
    daily_loss_max_usd: str
    messages_per_minute: int
    messages_kept_for_cancels: int
    messages_for_one_requote: int
    markets: list[MarketCheck]


def check(options: argparse.Namespace) -> int:
    """Print the answer; 0 when the file is right, 3 or 4 with everything that is wrong."""
    try:
        settings = load(options.config, Mode(options.mode), os.environ)
    except ConfigError as error:
        return say_problems(error, options.config)
    if settings.mode is not Mode.LOCAL:
        print(f"{options.config}: right; what it would quote can be shown for --mode local alone so far")
        return Exit.OK
    try:
        answer = asyncio.run(_look(settings))
    except LightermanError as error:
        print(f"{options.config}: {error}", file=sys.stderr)
        return Exit.PREFLIGHT
    if options.json:
        print(msgspec.json.encode(answer).decode())
    else:
        _print(answer)
    return Exit.OK


async def _look(settings: Settings) -> Check:
    """Let the bot decide once in each market, sending nothing."""
    clock, stop = SystemClock(), Stop()
    with tempfile.TemporaryDirectory() as folder:
        quiet = replace(
            settings,
            journal=replace(settings.journal, directory=folder),
            monitoring=replace(settings.monitoring, port=0),
            logs=replace(settings.logs, level="error", output_path="stderr"),
        )
        plan = RunPlan(
            settings=quiet,
            exchange_arguments=[],
            duration_ns=None,
            started_ns=clock.mono_ns(),
            is_throwaway=True,
            rearm=False,
            submits=False,
        )
        async with contextlib.AsyncExitStack() as stack:
            bot = await open_bot(plan, clock, stop, stack)
            await bot.start()
            for _ in range(LOOK_TRIES):
                if bot.figures.markets and all(market.quotes for market in bot.figures.markets.values()):
                    break
                await asyncio.sleep(LOOK_EVERY_S)
            return _answer(settings, bot)


def _answer(settings: Settings, bot: Bot) -> Check:
    limits, state = settings.engine.limits, bot.engine.state
    markets = [_market(market, bot.figures.markets[index]) for index, market in state.markets.items()]
    worst_micro = sum(
        market.market.notional_micro(market.mark_ticks, market.position_max_lots) for market in state.markets.values()
    )
    return Check(
        notices=settings.notices,
        worst_value_usd=amount(min(worst_micro, limits.total_position_micro_max)),
        total_position_max_usd=amount(limits.total_position_micro_max),
        daily_loss_max_usd=amount(limits.daily_loss_micro_max),
        messages_per_minute=limits.messages_per_minute,
        messages_kept_for_cancels=limits.messages_kept_for_cancels,
        messages_for_one_requote=sum(2 * market.quote.levels for market in settings.engine.markets),
        markets=markets,
    )


def _market(market: MarketState, told: MarketFigures) -> MarketCheck:
    facts = market.market
    levels = list(_levels(market, told.quotes)) if told.quotes is not None else []
    ladder_micro = sum(value_micro for _, value_micro in levels)
    return MarketCheck(
        market=market.params.label,
        position_max=facts.size_text(market.position_max_lots),
        worst_value_usd=amount(facts.notional_micro(market.mark_ticks, market.position_max_lots)),
        ladder_value_usd=amount(ladder_micro),
        quotes=[level for level, _ in levels],
        no_bid=told.why_no_bid(),
        no_ask=told.why_no_ask(),
    )


def _levels(market: MarketState, quotes: Quotes) -> Iterator[tuple[Level, int]]:
    """Yield each order of the ladder, and its value in micro-USDC."""
    facts = market.market
    bid_ticks, bid_lots, ask_ticks, ask_lots = quotes.ladder()
    for is_ask, prices, sizes in ((False, bid_ticks, bid_lots), (True, ask_ticks, ask_lots)):
        for level, (price, size) in enumerate(zip(prices, sizes, strict=True)):
            if size:
                value_micro = facts.notional_micro(price, size)
                waterfall = explain(quotes, market.rules, is_ask=is_ask, level=level)
                yield (
                    Level(
                        side="ask" if is_ask else "bid",
                        level=level,
                        price=facts.price_text(price),
                        size=facts.size_text(size),
                        value_usd=amount(value_micro),
                        made_of_bps={name: round(bps, 3) for name, bps in waterfall},
                    ),
                    value_micro,
                )


def amount(micro: int) -> str:
    """Return an amount of money that has no direction."""
    return usd(micro).removeprefix("+")


def _print(answer: Check) -> None:
    print("the settings are right")
    for notice in answer.notices:
        print(f"  note: {notice}")
    print(
        f"worst case: positions worth {answer.worst_value_usd} USD "
        f"(maxTotalPositionUSD {answer.total_position_max_usd}), everything resting and in flight counted; "
        f"a day's loss stops at {answer.daily_loss_max_usd} USD"
    )
    print(
        f"messages: {answer.messages_per_minute} a minute, {answer.messages_kept_for_cancels} of them kept for "
        f"cancels; one requote of everything takes up to {answer.messages_for_one_requote}"
    )
    for market in answer.markets:
        print(
            f"{market.market}: position up to {market.position_max} ({market.worst_value_usd} USD), "
            f"a full ladder is worth {market.ladder_value_usd} USD"
        )
        for quote in market.quotes:
            parts = ", ".join(f"{name} {bps:+.2f}" for name, bps in quote.made_of_bps.items() if bps)
            print(f"  {quote.side} {quote.level}: {quote.size} @ {quote.price} ({quote.value_usd} USD)   bps: {parts}")
        for side, reason in (("bid", market.no_bid), ("ask", market.no_ask)):
            if reason:
                print(f"  no {side}: {reason}")
