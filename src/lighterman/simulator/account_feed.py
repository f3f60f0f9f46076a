"""What an account is told, at once after each transaction (protocol reference 3.6, 7.2, 9.5).

Everything that happened to an account up to and including a transaction makes one frame on each
of its channels, `account_all` excepted: there the trades come first, then positions, assets and
funding. Frames are partial: what is not in them did not change.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from lighterman.matching.exchange import Exchange
from lighterman.matching.outputs import (
    CollateralChanged,
    FundingPaid,
    OrderChanged,
    OrderRow,
    Output,
    PositionChanged,
    TradeDone,
    TransactionDropped,
    TransactionExecuted,
)
from lighterman.matching.views import AccountView
from lighterman.protocol import messages, objects
from lighterman.simulator import account_rendering as rendering
from lighterman.simulator.hub import Hub
from lighterman.simulator.market_rendering import MS_US, USDC_ASSET

R = TypeVar("R", OrderRow, TradeDone, FundingPaid)


class _Batch:
    """What happened to one account since it was told last."""

    __slots__ = ("fundings", "has_new_collateral", "orders", "positions", "trades", "tx_hashes")

    def __init__(self) -> None:
        self.orders: dict[int, OrderRow] = {}  # by order index: the last row counts
        self.trades: list[TradeDone] = []
        self.positions: dict[int, None] = {}
        self.fundings: list[FundingPaid] = []
        self.tx_hashes: list[str] = []
        self.has_new_collateral = False

    def touches_money(self) -> bool:
        """Tell whether positions or collateral changed."""
        return self.has_new_collateral or bool(self.positions)


class AccountFeed:
    """Turns what happens to accounts into frames of their channels."""

    def __init__(self, exchange: Exchange, hub: Hub, transaction_info: Callable[[str], str]) -> None:
        self._exchange = exchange
        self._hub = hub
        self._transaction_info = transaction_info
        self._batches: defaultdict[int, _Batch] = defaultdict(_Batch)

    def note(self, output: Output, now_us: int) -> None:
        """Note what concerns an account somebody listens to; the end of a transaction tells it all."""
        match output:
            case TradeDone():
                for account_index in (output.ask_account_index, output.bid_account_index):
                    if self._hub.watches(account_index):
                        self._batches[account_index].trades.append(output)
            case OrderChanged(row=row):
                if self._hub.watches(row.account_index):
                    self._batches[row.account_index].orders[row.order_index] = row
            case PositionChanged() | CollateralChanged() | FundingPaid():
                if self._hub.watches(output.account_index):
                    self._note_money(self._batches[output.account_index], output)
            case TransactionExecuted() | TransactionDropped():
                if self._hub.watches(output.account_index):
                    self._batches[output.account_index].tx_hashes.append(output.tx_hash)
                self.tell(now_us)
            case _:
                pass

    def tell(self, now_us: int) -> None:
        """Send everything that was noted."""
        if self._batches:
            batches = dict(self._batches)
            self._batches.clear()
            for account_index, batch in batches.items():
                view = self._exchange.account(account_index)
                if view is not None:
                    _Telling(self._exchange, self._hub, view, batch, self._transaction_info, now_us).send_all()

    @staticmethod
    def _note_money(batch: _Batch, output: PositionChanged | CollateralChanged | FundingPaid) -> None:
        match output:
            case PositionChanged(market=market):
                batch.positions[market] = None
            case CollateralChanged():
                batch.has_new_collateral = True
            case FundingPaid():
                batch.fundings.append(output)


class _Telling:
    """The frames of one account and one batch."""

    def __init__(
        self,
        exchange: Exchange,
        hub: Hub,
        view: AccountView,
        batch: _Batch,
        transaction_info: Callable[[str], str],
        now_us: int,
    ) -> None:
        self._exchange = exchange
        self._markets = exchange.markets
        self._hub = hub
        self._view = view
        self._batch = batch
        self._transaction_info = transaction_info
        self._now_us = now_us

    def send_all(self) -> None:
        """Send what each channel of the account is told."""
        orders = _by_market(self._batch.orders.values())
        trades = _by_market(self._batch.trades)
        account = self._view.index
        own_orders = {m: [rendering.order(self._markets[m], row) for row in rows] for m, rows in orders.items()}
        own_trades = {
            m: [rendering.trade(self._markets[m], each, account) for each in rows] for m, rows in trades.items()
        }
        own_positions = {
            row.market: rendering.position(self._markets[row.market], row)
            for row in self._view.positions
            if row.market in self._batch.positions
        }
        if own_orders:
            self._send_orders(own_orders)
        self._send_markets(own_orders, own_trades, own_positions)
        if own_trades:
            self._send_trades(own_trades)
        self._send_state(own_positions)
        if self._batch.touches_money():
            self._send_money()
        if self._batch.tx_hashes:
            self._send_transactions()

    def _send_orders(self, orders: Mapping[int, Sequence[objects.Order]]) -> None:
        account = self._view.index
        key = f"account_all_orders:{account}"
        self._hub.send(key, messages.OrdersFrame(channel=key, type="update/account_all_orders", orders=orders))
        for market, rows in orders.items():
            frame = messages.MarketOrdersFrame(
                channel=f"account_orders:{market}",
                type="update/account_orders",
                account=account,
                nonce=self._exchange.book(market).nonce,
                orders={market: rows},
            )
            self._hub.send(f"account_orders:{market}:{account}", frame)

    def _send_markets(
        self,
        orders: Mapping[int, Sequence[objects.Order]],
        trades: Mapping[int, Sequence[objects.Trade]],
        positions: Mapping[int, objects.AccountPosition],
    ) -> None:
        for market in dict.fromkeys([*orders, *trades, *positions]):
            key = f"account_market:{market}:{self._view.index}"
            if self._hub.listens(key):
                frame = messages.AccountMarketFrame(
                    channel=key,
                    type="update/account_market",
                    account=self._view.index,
                    assets={},
                    orders=orders.get(market, ()),
                    position=positions.get(market),
                    trades=trades.get(market, ()),
                )
                self._hub.send(key, frame)

    def _send_trades(self, trades: Mapping[int, Sequence[objects.Trade]]) -> None:
        account = self._view.index
        key = f"account_all_trades:{account}"
        self._hub.send(key, messages.AccountTradesFrame(channel=key, type="update/account_all_trades", trades=trades))
        key = f"account_all:{account}"
        self._hub.send(key, account_frame(account, trades=trades))

    def _send_state(self, positions: Mapping[int, objects.AccountPosition]) -> None:
        account, batch = self._view.index, self._batch
        if positions:
            key = f"account_all_positions:{account}"
            frame = messages.PositionsFrame(
                channel=key, type="update/account_all_positions", positions=positions, shares=()
            )
            self._hub.send(key, frame)
        if positions or batch.has_new_collateral or batch.fundings:
            assets = {USDC_ASSET: rendering.collateral_asset(self._view)} if batch.has_new_collateral else None
            fundings = {
                market: [rendering.position_funding(self._markets[market], paid) for paid in rows]
                for market, rows in _by_market(batch.fundings).items()
            }
            frame_all = account_frame(account, assets=assets, fundings=fundings, positions=positions)
            self._hub.send(f"account_all:{account}", frame_all)

    def _send_money(self) -> None:
        account = self._view.index
        if self._batch.has_new_collateral:
            key = f"account_all_assets:{account}"
            assets = {USDC_ASSET: rendering.collateral_asset(self._view)}
            self._hub.send(key, messages.AssetsFrame(channel=key, type="update/account_all_assets", assets=assets))
        key = f"user_stats:{account}"
        if self._hub.listens(key):
            self._hub.send(key, user_stats_frame("update", self._view, self._now_us))

    def _send_transactions(self) -> None:
        key = f"account_tx:{self._view.index}"
        if not self._hub.listens(key):
            return
        txs = []
        for tx_hash in self._batch.tx_hashes:
            record = self._exchange.transaction(tx_hash)
            if record is not None:
                info = self._transaction_info(tx_hash)
                txs.append(rendering.transaction(record, info, self._view.l1_address))
        self._hub.send(key, messages.TransactionsFrame(channel=key, type="update/account_tx", txs=txs))


def account_frame(
    account: int,
    *,
    assets: Mapping[int, objects.AccountAsset] | None = None,
    fundings: Mapping[int, Sequence[objects.PositionFunding]] | None = None,
    positions: Mapping[int, objects.AccountPosition] | None = None,
    trades: Mapping[int, Sequence[objects.Trade]] | None = None,
) -> messages.AccountFrame:
    """Return an update of `account_all`: absent parts are empty, absent assets null (3.6)."""
    return messages.AccountFrame(
        account=account,
        assets=assets,
        channel=f"account_all:{account}",
        funding_histories=fundings or {},
        positions=positions or {},
        shares=(),
        trades=trades or {},
        type="update/account_all",
    )


def user_stats_frame(when: str, view: AccountView, now_us: int) -> messages.UserStatsFrame:
    """Return the money of an account."""
    return messages.UserStatsFrame(
        channel=f"user_stats:{view.index}",
        type=f"{when}/user_stats",
        stats=rendering.user_stats(view),
        timestamp=now_us // MS_US,
    )


def _by_market(rows: Iterable[R]) -> dict[int, list[R]]:
    grouped: dict[int, list[R]] = {}
    for row in rows:
        grouped.setdefault(row.market, []).append(row)
    return grouped
