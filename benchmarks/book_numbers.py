"""What integers inside the book cost: decode a feed and keep the book, four ways.

    python benchmarks/book_numbers.py

The same frames, interleaved in one process; best of several rounds. Quoted in
docs/decisions/002-integers-inside-the-book.md; trust the ratios, not the microseconds.
"""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from feed import PRICE_DECIMALS, SIZE_DECIMALS, frames

from lighterman.domain.book import OrderBook
from lighterman.domain.units import NumberToUnits, TextToUnits, parse_fixed

MESSAGES, ROUNDS = 5_000, 7
LevelT = TypeVar("LevelT")


class TextLevel(msgspec.Struct, gc=False):
    """A level as the venue writes it."""

    price: str
    size: str


class FloatLevel(msgspec.Struct, gc=False):
    """A level whose texts the decoder turns into floats."""

    price: float
    size: float


class Body(msgspec.Struct, Generic[LevelT], gc=False):
    """The part of a frame that a book needs."""

    nonce: int
    bids: list[LevelT]
    asks: list[LevelT]


class Frame(msgspec.Struct, Generic[LevelT], gc=False):
    """A frame of `order_book`."""

    order_book: Body[LevelT]


def proved(feed: list[bytes]) -> None:
    """Let the decoder make floats, and lead each back to its integer: what the product does."""
    decode = msgspec.json.Decoder(Frame[FloatLevel], strict=False).decode
    book, ticks, lots_per_unit = OrderBook(), NumberToUnits(PRICE_DECIMALS, 2**32 - 1), 10.0**SIZE_DECIMALS
    for data in feed:
        body = decode(data).order_book
        bids, asks = (
            [
                (ticks[level.price], lots)
                for level in side
                if (lots := int(level.size * lots_per_unit + 0.5)) / lots_per_unit == level.size
            ]
            for side in (body.bids, body.asks)
        )
        book.apply(bids, asks, body.nonce)


def remembered(feed: list[bytes]) -> None:
    """Turn texts into ticks and lots through a memo, as the product does off the hot path."""
    decode = msgspec.json.Decoder(Frame[TextLevel]).decode
    book, ticks, lots = OrderBook(), TextToUnits(PRICE_DECIMALS), TextToUnits(SIZE_DECIMALS)
    for data in feed:
        body = decode(data).order_book
        bids = [(ticks[level.price], lots[level.size]) for level in body.bids]
        asks = [(ticks[level.price], lots[level.size]) for level in body.asks]
        book.apply(bids, asks, body.nonce)


def parsed(feed: list[bytes]) -> None:
    """Turn texts into ticks and lots afresh each time."""
    decode = msgspec.json.Decoder(Frame[TextLevel]).decode
    book = OrderBook()
    for data in feed:
        body = decode(data).order_book
        bids, asks = (
            [(parse_fixed(level.price, PRICE_DECIMALS), parse_fixed(level.size, SIZE_DECIMALS)) for level in side]
            for side in (body.bids, body.asks)
        )
        book.apply(bids, asks, body.nonce)


def floats(feed: list[bytes]) -> None:
    """Let the decoder make floats and key the book by them: the rival of the decision."""
    decode = msgspec.json.Decoder(Frame[FloatLevel], strict=False).decode
    book = OrderBook()
    for data in feed:
        body = decode(data).order_book
        bids = [(level.price, level.size) for level in body.bids]
        asks = [(level.price, level.size) for level in body.asks]
        book.apply(bids, asks, body.nonce)  # type: ignore[arg-type]  # the point of the comparison


def cpu_us(variant: Callable[[list[bytes]], None], feed: list[bytes]) -> float:
    """Return thread CPU time per message in microseconds."""
    started = time.thread_time_ns()
    variant(feed)
    return (time.thread_time_ns() - started) / len(feed) / 1000


def main() -> None:
    """Print the best round of each variant and its ratio to the first."""
    feed = list(frames(MESSAGES))
    variants = (proved, remembered, parsed, floats)
    best = {variant.__name__: float("inf") for variant in variants}
    for _ in range(ROUNDS):
        for variant in variants:
            best[variant.__name__] = min(best[variant.__name__], cpu_us(variant, feed))
    for name, us in best.items():
        print(f"{name:12} {us:7.2f} us/message  {us / best['proved']:5.2f}x")


if __name__ == "__main__":
    main()
