"""Exact conversion between the venue's decimal texts and integers; the only place it happens.

Prices are whole ticks (10^-price_decimals USDC), sizes whole lots (10^-size_decimals of the
base asset), money whole micro-USDC (10^-6), and the venue's collateral whole pico-USDC
(10^-12). Lighter scales every number it signs in this way (protocol reference, 4.5), and its
ledger keeps twelve decimals (8.3). Nothing here rounds: a text that is not an exact multiple
of the unit is refused.
"""

import math

from lighterman.domain.errors import UnitError

MICRO = 1_000_000
PICO = 1_000_000_000_000
PICO_PER_MICRO = PICO // MICRO
MICRO_DECIMALS = 6
PICO_DECIMALS = 12
BPS = 10_000
MAX_DIGITS = 30  # far above any amount that exists; stops absurd texts before int() works on them
MAX_CHARACTERS = 2 * MAX_DIGITS  # bounds trailing zeros too, so that no absurd text is ever remembered
MEMO_ENTRIES_MAX = 8_192  # to empty one takes 0.4 ms, in the middle of a tick; of 50 000 it took 2.5


def parse_fixed(text: str, decimals: int) -> int:
    """Return the integer number of 10^-decimals units in an unsigned decimal text.

    Raises UnitError for signs, exponents, separators, missing digits, non-ASCII digits and
    for non-zero digits beyond `decimals` (trailing zeros are accepted).
    """
    if len(text) > MAX_CHARACTERS:
        raise UnitError(f"{text[:40]!r}... is longer than any number that exists")
    whole, _, fraction = text.partition(".")
    if len(fraction) > decimals:
        if fraction[decimals:].strip("0"):
            raise UnitError(f"{text[:40]!r} has more than {decimals} decimals")
        fraction = fraction[:decimals]
    digits = whole + fraction.ljust(decimals, "0")
    plain = whole and digits.isascii() and digits.isdigit() and not text.endswith(".")
    if not plain or len(digits) > MAX_DIGITS:
        raise UnitError(f"{text[:40]!r} is not a plain decimal number")
    return int(digits)


def parse_signed(text: str, decimals: int) -> int:
    """Return what `parse_fixed` returns, for a text that may begin with a minus sign."""
    return -parse_fixed(text[1:], decimals) if text.startswith("-") else parse_fixed(text, decimals)


def format_fixed(value: int, decimals: int) -> str:
    """Return the text of `value` units of 10^-decimals, padded to exactly `decimals` digits."""
    sign = "-" if value < 0 else ""
    if decimals == 0:
        return f"{sign}{abs(value)}"
    whole, fraction = divmod(abs(value), 10**decimals)
    return f"{sign}{whole}.{fraction:0{decimals}d}"


# Round what was computed to a tick or a lot, the direction said aloud: bids and sizes go down, asks go up.
price_floor = math.floor
price_ceil = math.ceil
size_floor = math.floor


def divide_floor(numerator: int, denominator: int) -> int:
    """Divide money or size and round toward minus infinity, said aloud."""
    return numerator // denominator


def divide_ceil(numerator: int, denominator: int) -> int:
    """Divide money or size and round toward plus infinity, said aloud."""
    return -(-numerator // denominator)


class TextToUnits(dict[str, int]):
    """Text -> integer with a memory: the texts of a market repeat, and a look-up is cheaper.

    `table[text]` is `parse_fixed(text, decimals)`, by a shortcut where the text has exactly the
    market's decimals, as the venue writes them. Raises UnitError for what is above `maximum`.
    Bounded: emptied when it is full.
    """

    __slots__ = ("_tail", "decimals", "maximum")

    def __init__(self, decimals: int, maximum: int = 10**MAX_DIGITS) -> None:
        super().__init__()
        self.decimals = decimals
        self.maximum = maximum
        self._tail = decimals + 1 if decimals else 0  # length of the point and the decimals

    def __missing__(self, text: str) -> int:
        digits = text.replace(".", "", 1)
        padded = 0 < text.find(".") == len(text) - self._tail
        if padded and len(digits) <= MAX_DIGITS and digits.isdigit() and digits.isascii():
            value = int(digits)
        else:
            value = parse_fixed(text, self.decimals)
        if value > self.maximum:
            raise UnitError(f"{text[:40]!r} is more than can exist")
        if len(self) >= MEMO_ENTRIES_MAX:
            self.clear()
        self[text] = value
        return value


class NumberToUnits(dict[float, int]):
    """Number -> integer with a memory, for numbers that were read from decimal texts as the nearest float.

    `table[number]` is exact: units are the n for which n / 10^decimals is again that float. Division
    rounds to the nearest, as reading does, so the text that a whole number of units is written as always
    passes, and no other text does, unless it differs beyond the seventeenth digit. Raises UnitError for
    what is no whole number of units, negative, not finite, or above `maximum`, which must be at most 2^48.
    Bounded: emptied when it is full.
    """

    __slots__ = ("_highest", "_per_one")

    def __init__(self, decimals: int, maximum: int) -> None:
        super().__init__()
        self._per_one = float(10**decimals)
        self._highest = maximum / self._per_one

    def __missing__(self, number: float) -> int:
        per_one = self._per_one
        if not 0 <= number <= self._highest:
            raise UnitError(f"{number!r} is less or more than can exist")
        value = int(number * per_one + 0.5)
        if value / per_one != number:
            raise UnitError(f"{number!r} is no whole number of units of 1 / {per_one:.0f}")
        if len(self) >= MEMO_ENTRIES_MAX:
            self.clear()
        self[number] = value
        return value
