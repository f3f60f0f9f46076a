"""Where the run stands: whether the bot lives, whether a fault may be at work."""


class Phases:
    """A fault counts as at work from its beginning until everything is said to be healed."""

    def __init__(self) -> None:
        self.is_alive = False
        self.life = 0  # processes so far
        self.started_ns = 0
        self.beliefs = 0  # decisions of the present process
        self.fault = ""  # the last kind that began since the last healing
        self.healed_ns = 0
        self.excuses: dict[int, str] = {}

    def started(self, now_ns: int) -> None:
        """A process of the bot begins."""
        self.is_alive = True
        self.life += 1
        self.started_ns = now_ns
        self.beliefs = 0

    def ended(self) -> None:
        """It is no more."""
        self.is_alive = False

    def fault_began(self, kind: str) -> None:
        """Something goes wrong from here."""
        self.fault = kind

    def healed(self, now_ns: int) -> None:
        """Nothing is wrong from here."""
        self.fault = ""
        self.healed_ns = now_ns

    def excuse(self, market: int, reason: str) -> None:
        """A market need not be quoted; without a reason it must be again."""
        if reason:
            self.excuses[market] = reason
        else:
            self.excuses.pop(market, None)

    def is_calm_since(self, then_ns: int) -> bool:
        """Tell whether no fault was at work since a moment."""
        return not self.fault and self.healed_ns <= then_ns
