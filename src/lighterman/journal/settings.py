"""Where sessions are recorded, and how much of them."""

import msgspec


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One journal per session; when it is full, no new orders are created."""

    directory: str = "runs"
    bytes_max: int = 1 << 30
    fsync_interval_ms: int = 1000
