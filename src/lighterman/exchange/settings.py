"""Which venue, which account, which keys."""

import msgspec

from lighterman.domain.secret import Secret


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One venue and our place on it. Chain id, host and environment agree: the configuration saw to that.

    `base_url` is empty where a local exchange has to be started first; its address is known
    only then. A missing key means that one is made for the occasion, which only a local
    exchange accepts.
    """

    base_url: str
    stream_url: str
    chain_id: int
    account_index: int
    api_key_index: int
    cancel_api_key_index: int  # equal to `api_key_index` where one key does both
    tier: str  # "standard", "plus" or "premium"
    signer: str = "auto"  # "auto", "native", "official" or "pure"
    api_key: Secret | None = None
    cancel_api_key: Secret | None = None
