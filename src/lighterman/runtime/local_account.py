"""Our account on a local exchange: opened for the occasion, and its ledger read back.

Both use the exchange's own local interface, which no real venue has; the bot's trading path
never comes here.
"""

from typing import TypeVar

import aiohttp
import msgspec

from lighterman.domain.errors import TransportError, VenueError
from lighterman.protocol.rest import Ledger, OpenAccount, OpenedAccount

TIMEOUT = aiohttp.ClientTimeout(total=5)
HTTP_OK = 200

R = TypeVar("R", bound=msgspec.Struct)


class LocalAccount:
    """One account of the local exchange at `url`."""

    def __init__(self, url: str, account_index: int) -> None:
        self._url = url
        self._account_index = account_index

    async def add_key(self, api_key_index: int, public_key: str, tier: str) -> OpenedAccount:
        """Open the account, or add a key to it; doing it twice does no harm."""
        wanted = OpenAccount(
            account_index=self._account_index, api_key_index=api_key_index, public_key=public_key, tier=tier
        )
        data = await self._call("POST", "/local/v1/accounts", msgspec.json.encode(wanted))
        return _read(data, OpenedAccount)

    async def ledger(self) -> Ledger:
        """Return what the exchange's ledger says of the account."""
        data = await self._call("GET", f"/local/v1/accounts/{self._account_index}/ledger", None)
        return _read(data, Ledger)

    async def _call(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {"Content-Type": "application/json"}
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as session,
                session.request(method, self._url + path, data=body) as response,
            ):
                data = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransportError(f"{method} {self._url}{path}: {error or type(error).__name__}") from None
        if response.status != HTTP_OK:
            raise VenueError(response.status, f"{method} {path}: {data[:200].decode(errors='replace')}")
        return data


def _read(data: bytes, kind: type[R]) -> R:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise VenueError(0, f"what the local exchange says cannot be read: {error}") from None
