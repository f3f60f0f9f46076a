"""Who listens to what: a frame is encoded once for a channel, however many listen.

Nothing is rendered for a channel without listeners: ask `listens` first.
"""

from collections import Counter

import msgspec

from lighterman.simulator.channels import Channel
from lighterman.simulator.sessions import Session

_encode = msgspec.json.Encoder().encode


class Hub:
    """The listeners of each channel, in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: dict[str, dict[Session, None]] = {}
        self._accounts: Counter[int] = Counter()

    def add(self, session: Session, channel: Channel) -> None:
        """Let a session listen to a channel."""
        self._listeners.setdefault(channel.key, {})[session] = None
        if channel.account is not None:
            self._accounts[channel.account] += 1

    def remove(self, session: Session, channel: Channel) -> None:
        """Undo `add`."""
        listeners = self._listeners[channel.key]
        del listeners[session]
        if not listeners:
            del self._listeners[channel.key]
        if channel.account is not None:
            self._accounts[channel.account] -= 1
            if not self._accounts[channel.account]:
                del self._accounts[channel.account]

    def listens(self, key: str) -> bool:
        """Tell whether anybody listens to a channel."""
        return key in self._listeners

    def watches(self, account_index: int) -> bool:
        """Tell whether anybody listens to anything of an account."""
        return account_index in self._accounts

    def send(self, key: str, frame: msgspec.Struct) -> None:
        """Send a frame to everybody who listens to a channel."""
        listeners = self._listeners.get(key)
        if listeners:
            data = _encode(frame)
            for session in tuple(listeners):
                session.push(data)
