"""What a fault may touch: the parts of the world, and levers that go back by themselves."""

from collections.abc import Callable

from lighterman.chance import seeded
from lighterman.domain.chance import Rng
from lighterman.matching.exchange import Exchange
from lighterman.simulation.bot import Process
from lighterman.simulation.disk import SimulatedDisk
from lighterman.simulation.market import SimulatedMarkets
from lighterman.simulation.network import Network
from lighterman.simulation.virtual import NodeClock, outside
from lighterman.simulation.wire import Wire
from lighterman.simulator.app import LocalExchange


class Stage:
    """The parts of one world. `process` is None while no bot runs."""

    network: Network  # in a world of messages
    wire: Wire  # in a world of bytes
    app: LocalExchange
    markets: SimulatedMarkets

    def __init__(self, seed: int, start_us: int, account: int) -> None:
        self.seed = seed
        self.account = account
        self.clock = NodeClock(start_us)  # of everybody but the bot
        self.bot_clock = NodeClock(start_us)
        self.disk = SimulatedDisk()
        self.process: Process | None = None
        self._releases: dict[int, Callable[[], None]] = {}
        self._pulls = 0

    @property
    def exchange(self) -> Exchange:
        """Return the exchange's core."""
        return self.app.exchange

    @property
    def now_ns(self) -> int:
        """Return the nanoseconds since the world began."""
        return self.clock.mono_ns()

    def now_us(self) -> int:
        """Return the exchange's time."""
        return self.clock.wall_us()

    def chance(self, stream: str) -> Rng:
        """Return a stream of chance of this seed."""
        return seeded(self.seed, stream)

    def deposit(self, amount_micro: int) -> None:
        """Have a person put money into the account, or take some out (negative)."""
        self.exchange.deposit(self.account, amount_micro)

    def use_key(self, api_key_index: int) -> None:
        """Take note that somebody else has used a nonce of our key."""

    def refuse(self, tx_type: int, tx_info: bytes) -> None:
        """Take note that a transaction was refused in the venue's place: it has consumed nothing."""

    def rewind_books(self, offset: int) -> None:
        """Take note that from now on the nonces of all books are told lower by so much more."""

    def pull(self, seconds: float, release: Callable[[], None]) -> None:
        """Have a lever that was just turned turn back, at the latest with the end of the faults."""
        self._pulls += 1
        self._releases[self._pulls] = release
        outside(seconds, self._release, self._pulls)

    def switch_on(self, part: object, lever: str, seconds: float) -> None:
        """Set a lever that is a flag, for some time."""
        setattr(part, lever, True)
        self.pull(seconds, lambda: setattr(part, lever, False))

    def release_all(self) -> None:
        """Turn back every lever."""
        for number in list(self._releases):
            self._release(number)

    def _release(self, number: int) -> None:
        release = self._releases.pop(number, None)
        if release is not None:
            release()
