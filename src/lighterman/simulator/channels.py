"""The channels of the stream: how they are named, whom they concern, and who may listen.

A request names a channel with slashes (`account_orders/0/7`), answers name it with colons, and
two families echo it in a form of their own (A-10). Which channels need a token is as captured
in protocol reference 3.6.
"""

import enum
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

import msgspec

ALL = "all"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)


class Scope(enum.Enum):
    """What stands behind the family's name."""

    NOTHING = ()
    MARKET = ("market",)
    MARKET_OR_ALL = ("market or all",)
    ACCOUNT = ("account",)
    MARKET_AND_ACCOUNT = ("market", "account")


class Family(msgspec.Struct, frozen=True):
    """A kind of channel."""

    scope: Scope
    needs_token: bool = False


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "height": Family(Scope.NOTHING),
        "order_book": Family(Scope.MARKET),
        "ticker": Family(Scope.MARKET),
        "trade": Family(Scope.MARKET),
        "market_stats": Family(Scope.MARKET_OR_ALL),
        "account_all": Family(Scope.ACCOUNT),
        "account_all_trades": Family(Scope.ACCOUNT),
        "account_all_positions": Family(Scope.ACCOUNT),
        "user_stats": Family(Scope.ACCOUNT),
        "account_all_orders": Family(Scope.ACCOUNT, needs_token=True),
        "account_all_assets": Family(Scope.ACCOUNT, needs_token=True),
        "account_tx": Family(Scope.ACCOUNT, needs_token=True),
        "account_orders": Family(Scope.MARKET_AND_ACCOUNT, needs_token=True),
        "account_market": Family(Scope.MARKET_AND_ACCOUNT, needs_token=True),
    }
)


class Channel(msgspec.Struct, frozen=True):
    """One channel; `market` is None for all markets and for families without markets."""

    family: str
    market: int | None = None
    account: int | None = None

    @property
    def key(self) -> str:
        """Return the full name in colon form, by which subscriptions are kept and errors speak."""
        names = [self.family]
        if self.market is not None:
            names.append(str(self.market))
        elif FAMILIES[self.family].scope is Scope.MARKET_OR_ALL:
            names.append(ALL)
        if self.account is not None:
            names.append(str(self.account))
        return ":".join(names)

    @property
    def echo(self) -> str:
        """Return the name that frames carry: `account_orders` leaves the account out (A-10)."""
        return f"{self.family}:{self.market}" if self.family == "account_orders" else self.key

    @property
    def needs_token(self) -> bool:
        """Tell whether a subscription must carry a token."""
        return FAMILIES[self.family].needs_token


def parse_channel(text: str, markets: Collection[int]) -> Channel | None:
    """Return the channel of a request (`order_book/0`), or None when there is none of that name."""
    name, *numbers = text.split("/")
    family = FAMILIES.get(name)
    if family is None or len(numbers) != len(family.scope.value):
        return None
    if family.scope is Scope.MARKET_OR_ALL and numbers == [ALL]:
        return Channel(name)
    if not all(_NUMBER.fullmatch(number) for number in numbers):
        return None
    values = dict(zip(family.scope.value, map(int, numbers), strict=True))
    market = values.get("market", values.get("market or all"))
    if market is not None and market not in markets:
        return None
    return Channel(name, market, values.get("account"))
