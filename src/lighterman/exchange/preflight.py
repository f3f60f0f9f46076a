"""Before anything is sent: venue, account and keys have to fit what we were told.

Law: every mismatch is a PreflightError that names what to mend. Nothing is guessed: a symbol
that fits two markets fits none, and a key that the venue does not show as ours signs nothing.
"""

import contextlib
import difflib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from lighterman.domain.errors import PreflightError, UnitError, VenueError
from lighterman.domain.market import Market
from lighterman.exchange.reads import Reads
from lighterman.exchange.venuetime import VenueTime
from lighterman.protocol import rest
from lighterman.protocol.codes import Code
from lighterman.protocol.objects import MarketFacts
from lighterman.protocol.translate import market_of

QUOTES = ("USDC", "USD")  # what may stand behind a symbol: every perpetual is in USDC


class Checked(msgspec.Struct, frozen=True):
    """What preflight has learnt: all markets, those we trade, the tier, and each key's next nonce."""

    known: list[Market]
    traded: list[Market]
    tier: str
    next_nonces: dict[int, int]


async def check_venue(
    reads: Reads,
    venue_time: VenueTime,
    *,
    symbols: Sequence[str],
    public_keys: Mapping[int, str],
    account_index: int,
    clock_skew_ms_max: int,
) -> Checked:
    """Read and compare; `public_keys` are ours, by api key index. Raises PreflightError."""
    await _check_clock(reads, venue_time, clock_skew_ms_max)
    facts = await reads.markets()
    traded = markets_traded(symbols, facts)
    registered = await _registered_keys(reads, account_index)
    _check_keys(registered, public_keys, account_index)
    tier = await reads.tier()
    shown = {row.api_key_index: row.nonce for row in registered}
    # Either may be told from before what is on its way, and is then the lower one.
    next_nonces = {key: max(shown[key], await reads.next_nonce(key)) for key in public_keys}
    return Checked(markets_known(facts), traded, tier, next_nonces)


def markets_known(facts: Iterable[MarketFacts]) -> list[Market]:
    """Return every market whose numbers can be read; one that cannot is nobody's business unless it is traded."""
    known = []
    for row in facts:
        with contextlib.suppress(UnitError):
            known.append(market_of(row))
    return known


def markets_traded(symbols: Sequence[str], facts: Sequence[MarketFacts]) -> list[Market]:
    """Return the markets that the symbols mean; raises PreflightError."""
    traded = []
    for symbol in symbols:
        row = find_market(symbol, facts)
        try:
            market = market_of(row)
        except UnitError as error:
            raise PreflightError(f"{row.symbol}: the venue's description cannot be read: {error}") from None
        if not market.scales_are_exact:
            raise PreflightError(
                f"{row.symbol}: {row.price_decimals} price and {row.size_decimals} size decimals do not make "
                "micro-USDC; this market is not supported"
            )
        traded.append(market)
    return traded


def markets_described_again(
    symbols: Sequence[str], traded: Sequence[Market], facts: Sequence[MarketFacts]
) -> list[Market]:
    """Return what the venue says now of the markets we trade; one that it no longer describes is closed."""
    described = []
    for symbol, known in zip(symbols, traded, strict=True):
        try:
            market = market_of(find_market(symbol, facts))
        except (PreflightError, UnitError):
            market = None
        is_same = market is not None and market.index == known.index
        described.append(market if market is not None and is_same else replace(known, active=False))
    return described


def find_market(symbol: str, markets: Iterable[MarketFacts]) -> MarketFacts:
    """Return the perpetual a symbol means: the venue's own (`ETH`), or with the quote behind (`ETH-USDC`).

    Raises PreflightError where there is none, or more than one.
    """
    perpetuals = [row for row in markets if row.market_type == "perp"]
    base, _, quote = symbol.replace("/", "-").rpartition("-")
    names = [symbol, base] if base and quote.upper() in QUOTES else [symbol]
    found = [row for row in perpetuals if row.symbol.upper() in [name.upper() for name in names]]
    if len(found) == 1:
        return found[0]
    if found:
        meant = ", ".join(f"{row.symbol} (market {row.market_id})" for row in found)
        raise PreflightError(f"market {symbol!r} is ambiguous on this venue: {meant}")
    close = difflib.get_close_matches(names[-1].upper(), [row.symbol for row in perpetuals], n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise PreflightError(f"the venue has no perpetual {symbol!r} among its {len(perpetuals)}{hint}")


async def _registered_keys(reads: Reads, account_index: int) -> Sequence[rest.ApiKey]:
    try:
        return await reads.keys()
    except VenueError as error:
        if error.code == Code.API_KEY_NOT_FOUND:
            return []
        if error.code in (Code.ACCOUNT_NOT_FOUND, Code.INVALID_ACCOUNT_INDEX, Code.INVALID_ACCOUNT, Code.NOT_FOUND):
            raise PreflightError(
                f"the venue has no account {account_index}: set accountIndex to yours (GET accountsByL1Address "
                "lists the accounts of an Ethereum address)"
            ) from None
        raise


def _check_keys(registered: Iterable[rest.ApiKey], ours: Mapping[int, str], account_index: int) -> None:
    shown = {row.api_key_index: row.public_key.lower().removeprefix("0x") for row in registered}
    for index, public_key in ours.items():
        if index not in shown:
            raise PreflightError(
                f"account {account_index} has no api key {index}: register it, or set apiKeyIndex to one it has "
                f"({', '.join(map(str, shown)) or 'none'})"
            )
        if shown[index] != public_key.lower().removeprefix("0x"):
            raise PreflightError(
                f"api key {index} of account {account_index} is registered with another public key: "
                "set apiKeyPrivateKey to the key registered there, or apiKeyIndex to where yours is"
            )


async def _check_clock(reads: Reads, venue_time: VenueTime, skew_ms_max: int) -> None:
    """Compare clocks: one that is far off is wrong for all else that reads it."""
    behind_ms = await venue_time.measure(reads.venue_time_s)
    if abs(behind_ms) > skew_ms_max:
        which = f"{behind_ms} ms behind" if behind_ms > 0 else f"{-behind_ms} ms ahead of"
        raise PreflightError(f"this machine's clock is {which} the venue's; set it (most systems: switch NTP on)")
