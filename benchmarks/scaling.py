"""How the cost of a tick grows: with the levels quoted, the levels that change, and the markets traded.

    python benchmarks/scaling.py [--rounds 5] [--json]

Each is varied alone, from the shape that `decide.py` times: one market, two times five levels, about ten
changed levels a message. How it grows with the rate of messages is seen in whole bots (load.py).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import clockwork
import decide
import feed
from msgspec.structs import replace

from lighterman.domain.market import Market

UPDATES = 600
EVERY_MS = decide.FRAME_NS // 1_000_000  # between two ticks, whichever market they are of
QUOTED = (1, 5, 10, 20)  # levels a side
CHANGES = (2, 5, 10, 20, 50, 100)  # levels a message, about
MARKETS = (1, 5, 20)


def messages(markets: Sequence[Market], changes: float = 10.0) -> list[bytes]:
    """Return snapshots of all markets, and then their updates in turn."""
    feeds = []
    for market in markets:
        recipe = feed.Recipe(
            market=market.index, seed=7 + market.index, changes_mean=changes, every_ms=EVERY_MS * len(markets)
        )
        feeds.append(feed.frames(UPDATES // len(markets), recipe))
    return list(chain.from_iterable(zip(*feeds, strict=True)))


def maker(markets: Sequence[Market], levels: int = 5) -> decide.OurMaker:
    """Return a maker of equal sizes on every level."""
    return decide.OurMaker(replace(decide.QUOTING, levels=levels, size_multiplier=1.0), markets)


def changed(frames: list[bytes]) -> float:
    """Return how many levels a message changes."""
    books = [json.loads(frame)["order_book"] for frame in frames[1:]]
    return sum(len(book["bids"]) + len(book["asks"]) for book in books) / len(books)


def markets_of(count: int) -> list[Market]:
    """Return so many markets, alike but for their names."""
    return [replace(decide.MARKET, index=index, symbol=f"M{index}") for index in range(count)]


def measure(rounds: int) -> dict[str, Any]:
    """Return a row for each shape."""
    frames = {count: messages([decide.MARKET], count) for count in CHANGES}
    several = {count: markets_of(count) for count in MARKETS}
    fed = {count: messages(markets) for count, markets in several.items()}

    def run(made: decide.OurMaker, data: list[bytes]) -> clockwork.Samples:
        return clockwork.run_ticks(made, made.on_message, data)

    took = clockwork.in_turn(
        {f"levels {count}": lambda count=count: run(maker([decide.MARKET], count), frames[10]) for count in QUOTED}
        | {f"changes {count}": lambda count=count: run(maker([decide.MARKET]), frames[count]) for count in CHANGES}
        | {f"markets {count}": lambda count=count: run(maker(several[count]), fed[count]) for count in MARKETS},
        rounds,
    )
    figures = {name: clockwork.figures(each) for name, each in took.items()}
    return {
        "levels": {count: figures[f"levels {count}"] for count in QUOTED},
        "changes": {
            count: {"levels_changed": changed(frames[count]), **figures[f"changes {count}"]} for count in CHANGES
        },
        "markets": {count: figures[f"markets {count}"] for count in MARKETS},
    }


def report(result: dict[str, Any]) -> None:
    """Print the rows for people."""
    titles = {"levels": "levels quoted a side", "changes": "levels changed", "markets": "markets"}
    for kind, title in titles.items():
        print(f"{title:24} {'best':>8} {'median':>8} {'mean':>8}   CPU us an update")
        for count, row in result[kind].items():
            shown = f"{row['levels_changed']:.1f}" if "levels_changed" in row else count
            print(f"{shown:>24} " + " ".join(f"{row[f'cpu_us_{name}']:8.2f}" for name in ("min", "p50", "mean")))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="how the cost of a tick grows")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.rounds)
    if options.json:
        print(json.dumps(result))
    else:
        report(result)


if __name__ == "__main__":
    main()
