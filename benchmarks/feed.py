"""The order-book feed of the benchmarks: synthetic, deterministic, true to itself.

The recipe is the project's own (performance reference 2.2, feed F1): an ETH-like market with
about 700 levels a side; per message the mid may step, levels it passes are removed, and on
average 9.5 levels change; about 550 bytes a message in the venue's wire form. Other recipes differ
in one number each: how often the mid steps, how many levels change, whose market it is.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

MID_TICKS = 333_880
PRICE_DECIMALS, SIZE_DECIMALS = 2, 4


STEPS = (-3, -2, -1, 1, 2, 3)


@dataclass(frozen=True)
class Recipe:
    """What a feed is like; the defaults are F1."""

    market: int = 0
    price_decimals: int = PRICE_DECIMALS
    size_decimals: int = SIZE_DECIMALS
    seed: int = 7
    step_share: float = 0.3  # of the messages that move the mid
    steps: tuple[int, ...] = STEPS
    changes_mean: float = 10.0
    every_ms: int = 50  # between two updates, by the venue's clock
    nearest: int = 0  # how many ticks from the touch levels change at least; 1: the middle only steps


F1 = Recipe()


def _text(value: int, decimals: int) -> str:
    if not decimals:
        return str(value)
    whole, fraction = divmod(value, 10**decimals)
    return f"{whole}.{fraction:0{decimals}d}"


def _levels(recipe: Recipe, changes: dict[int, int]) -> str:
    return ",".join(
        f'{{"price":"{_text(price, recipe.price_decimals)}","size":"{_text(size, recipe.size_decimals)}"}}'
        for price, size in changes.items()
    )


def _frame(
    recipe: Recipe, number: int, nonce: int, begin_nonce: int, bids: dict[int, int], asks: dict[int, int]
) -> bytes:
    timestamp = 1_766_434_222_633 + recipe.every_ms * number
    kind = "update" if number else "subscribed"
    return (
        f'{{"channel":"order_book:{recipe.market}","last_updated_at":{timestamp * 1000},"offset":{41_692_865 + number},'
        f'"order_book":{{"code":0,"asks":[{_levels(recipe, asks)}],"bids":[{_levels(recipe, bids)}],'
        f'"offset":{41_692_865 + number},'
        f'"nonce":{nonce},"last_updated_at":{timestamp * 1000},"begin_nonce":{begin_nonce}}},'
        f'"timestamp":{timestamp},"type":"{kind}/order_book"}}'
    ).encode()


def frames(count: int, recipe: Recipe = F1) -> Iterator[bytes]:
    """Yield a snapshot frame and then `count` update frames."""
    rng = random.Random(recipe.seed)
    mid, nonce = MID_TICKS, 4_037_957_053
    bids = {mid - 5 - i: rng.randint(100, 400_000) for i in range(800) if i < 3 or rng.random() < 0.85}
    asks = {mid + 5 + i: rng.randint(100, 400_000) for i in range(800) if i < 3 or rng.random() < 0.85}
    yield _frame(recipe, 0, nonce, 0, bids, asks)
    for number in range(1, count + 1):
        bid_changes: dict[int, int] = {}
        ask_changes: dict[int, int] = {}
        if rng.random() < recipe.step_share:
            mid += rng.choice(recipe.steps)
            for price in [price for price in asks if price < mid + 3]:
                del asks[price]
                ask_changes[price] = 0
            for price in [price for price in bids if price > mid - 3]:
                del bids[price]
                bid_changes[price] = 0
            asks[mid + 3] = ask_changes[mid + 3] = rng.randint(100, 400_000)
            bids[mid - 3] = bid_changes[mid - 3] = rng.randint(100, 400_000)
        for _ in range(max(1, int(rng.expovariate(1 / recipe.changes_mean)))):
            is_ask = rng.random() < 0.5
            away = int(rng.expovariate(1 / 25)) + recipe.nearest
            book, changes = (asks, ask_changes) if is_ask else (bids, bid_changes)
            price = mid + 3 + away if is_ask else mid - 3 - away
            if rng.random() < 0.3 and price in book and len(book) > 50:
                del book[price]
                changes[price] = 0
            elif price not in changes or changes[price]:
                book[price] = changes[price] = rng.randint(100, 400_000)
        previous, nonce = nonce, nonce + rng.randint(5, 40)
        yield _frame(recipe, number, nonce, previous, bid_changes, ask_changes)
