"""From what happened to frames: outputs of the exchange go to the feeds, and the grids are kept.

Rules (protocol reference 9.5): what is private and best levels are told at once, books every
50 ms, statistics each second, the block's number each half second. The first frame of a channel
is its snapshot, and no update of it comes before.
"""

import msgspec

from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import LevelChanged, StatsChanged, TradeDone
from lighterman.matching.rules import Rules
from lighterman.simulator.account_feed import AccountFeed
from lighterman.simulator.admission import Admission
from lighterman.simulator.channels import Channel
from lighterman.simulator.history import History
from lighterman.simulator.hub import Hub
from lighterman.simulator.listening import Listener
from lighterman.simulator.market_feed import BOOK_GRID_US, HEIGHT_GRID_US, STATS_GRID_US, MarketFeed
from lighterman.simulator.sessions import Session
from lighterman.simulator.snapshots import Snapshots


class Publication:
    """The one reader of the exchange's outputs."""

    def __init__(
        self,
        exchange: Exchange,
        rules: Rules,
        admission: Admission,
        history: History,
        now_us: int,
        listener: Listener | None,
    ) -> None:
        self.hub = Hub()
        self._listener = listener
        self._exchange = exchange
        self._history = history
        self._markets = MarketFeed(exchange, self.hub, rules)
        self._accounts = AccountFeed(exchange, self.hub, admission.info)
        self._snapshots = Snapshots(exchange, self._markets)
        self._grids = {
            grid_us: (now_us // grid_us + 1) * grid_us for grid_us in (BOOK_GRID_US, HEIGHT_GRID_US, STATS_GRID_US)
        }

    def next_due_us(self) -> int:
        """Return when the next grid point is."""
        return min(self._grids.values())

    def publish(self, now_us: int) -> None:
        """Tell what happened since the last call, then what is due on a grid."""
        outputs = self._exchange.take_outputs()
        if outputs:
            if self._listener is not None:
                self._listener.happened(outputs, self._exchange)
            for output in outputs:
                if isinstance(output, LevelChanged):
                    self._markets.level_changed(output)
                elif not isinstance(output, StatsChanged):
                    if isinstance(output, TradeDone):
                        self._markets.trade_done(output)
                        self._history.add(output)
                    self._accounts.note(output, now_us)
            self._accounts.tell(now_us)
            self._markets.tell(now_us)
        self._keep_grids(now_us)

    def subscribe(self, session: Session, channel: Channel, now_us: int) -> None:
        """Send a channel's snapshot to a session, and from now on its updates."""
        session.reply(msgspec.json.encode(self._snapshots.make(channel, now_us)))
        self.hub.add(session, channel)

    def _keep_grids(self, now_us: int) -> None:
        for grid_us, due_us in self._grids.items():
            if due_us <= now_us:
                self._grids[grid_us] = (now_us // grid_us + 1) * grid_us
                if grid_us == BOOK_GRID_US:
                    self._markets.flush_books(now_us)
                elif grid_us == STATS_GRID_US:
                    self._markets.publish_stats(now_us)
                else:
                    self._markets.publish_height(now_us)
