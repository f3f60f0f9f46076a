"""The exception tree, and the check that stops trading when a truth of the program breaks.

LightermanError
├── ConfigError            the operator's file or flags are wrong (exit 3)
├── PreflightError         the venue, key or account does not fit the settings (exit 4)
├── UnitError              a text is not an exact number of ticks, lots or micro-USDC
├── LocalProtocolError     we said something the protocol forbids
├── RemoteProtocolError    the other side did
├── TransportError         the network failed; the outcome of what was sent is unknown
├── VenueError             the venue answered with an error code (exit 6)
├── SigningError           a signer backend failed or disagrees with its self-test
├── JournalError           the journal is unreadable, corrupt or unwritable
└── InvariantBroken        a bug: cancel everything and stop (exit 70)
"""


class LightermanError(Exception):
    """Whatever this package raises on purpose."""


class ConfigError(LightermanError):
    """Settings that cannot be used; carries every problem found, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PreflightError(LightermanError):
    """The venue, the key or the account does not fit the settings."""


class UnitError(LightermanError, ValueError):
    """A text that is not an exact number of the unit asked for."""


class LocalProtocolError(LightermanError):
    """We were about to say something the protocol forbids."""


class RemoteProtocolError(LightermanError):
    """The other side said something the protocol forbids."""


class TransportError(LightermanError):
    """The network failed: what was sent may or may not have arrived."""


class VenueError(LightermanError):
    """The venue answered, and its answer is an error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"venue error {code}: {message.strip()}")
        self.code = code
        self.message = message


class SigningError(LightermanError):
    """A signer backend failed, or disagrees with its own self-test."""


class JournalError(LightermanError):
    """The journal cannot be read, is corrupt, or cannot be written."""


class InvariantBroken(LightermanError):  # noqa: N818  (it is a statement, not an "error")
    """Something that must always hold does not: trading stops."""


def invariant(condition: object, message: str) -> None:
    """Raise InvariantBroken unless the condition holds; unlike `assert` it survives -O."""
    if not condition:
        raise InvariantBroken(message)
