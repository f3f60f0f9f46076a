"""The judge of a simulated run, written without looking at the bot: what must hold, and whether it does.

The law of this room:

* It learns from the exchange's outputs, from bytes on the wire, and from what the bot says it
  believes; it judges by the reference alone. It imports no `engine`, `exchange`, `runtime` or gate.
* `venue_model` is the account as it truly is, `wire_model` what the bot sent and what became of
  it. Each other file holds one family of invariants, and states at its top what it allows.
* What a bot cannot know yet is not held against it; how long that may be stands in `slack`.
* Nothing is judged twice as broken that did not mend in between, and every judgement is counted.

The world calls the methods in the order in which things happen. `registry` lists the invariants.
"""

from collections.abc import Mapping

from lighterman.domain.units import PICO_PER_MICRO
from lighterman.matching.outputs import (
    FundingPaid,
    LevelChanged,
    OrderChanged,
    OrderRow,
    Output,
    TradeDone,
    TransactionDropped,
    TransactionExecuted,
)
from lighterman.protocol.transactions import CreateOrderTx, ModifyOrderTx
from lighterman.simulation.oracle import registry, slack
from lighterman.simulation.oracle.books import Books
from lighterman.simulation.oracle.bounds import judge_bounds
from lighterman.simulation.oracle.delivery import Delivery
from lighterman.simulation.oracle.exposure import Exposure
from lighterman.simulation.oracle.ledger import Ledger
from lighterman.simulation.oracle.liveness import Liveness
from lighterman.simulation.oracle.loss import Loss
from lighterman.simulation.oracle.phases import Phases
from lighterman.simulation.oracle.records import Belief, Terms, Violation
from lighterman.simulation.oracle.registry import Record
from lighterman.simulation.oracle.stop import Stop
from lighterman.simulation.oracle.tracking import Tracking
from lighterman.simulation.oracle.venue_model import OwnTrade, VenueModel
from lighterman.simulation.oracle.wire import Wire
from lighterman.simulation.oracle.wire_model import Sent, WireModel


class Oracle:
    """The only door. All times are nanoseconds since the world began."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._record = record = Record()
        self._phases = phases = Phases()
        self._sent = WireModel(terms)
        self._venue = VenueModel(terms, self._sent.life_of)
        self._delivery = Delivery(phases)
        self._exposure = Exposure(terms, self._venue, self._sent, record)
        self._wire = Wire(terms, self._sent, record)
        self._books = Books(terms, self._sent, phases, record)
        self._stop = Stop(terms, self._venue, phases, record)
        self._ledger = Ledger(self._venue, self._delivery, phases, record)
        self._tracking = Tracking(self._venue, self._delivery, phases, record)
        self._loss = Loss(terms, self._venue, self._sent, phases, record)
        self._liveness = Liveness(terms, self._venue, phases, record)

    @property
    def violations(self) -> list[Violation]:
        """Return what did not hold, the first few of each invariant."""
        return self._record.violations

    @property
    def counters(self) -> dict[str, int]:
        """Return how often each invariant was judged: one that never was proves nothing."""
        return self._record.judged

    @property
    def broken(self) -> dict[str, int]:
        """Return how often each invariant was found broken, the unreported ones included."""
        return self._record.broken

    def status(self) -> dict[str, str]:
        """Return of every invariant "on", or why it is not judged."""
        return registry.status(self._terms, self._record.judged)

    def quoted_ppm(self, now_ns: int) -> Mapping[int, int]:
        """Return for each market the share of time with quotes on both sides."""
        return {each.market.index: self._liveness.quoted_ppm(each.market.index, now_ns) for each in self._terms.markets}

    # The exchange

    def venue_did(self, output: Output, now_ns: int) -> None:
        """Take what the exchange says happened, in order."""
        if isinstance(output, LevelChanged):
            book = self._books.on_level(output, now_ns)
            if book is not None:
                self._exposure.on_mid(output.market, book, now_ns)
            return
        own = self._terms.account_index
        match output:
            case TradeDone(ask_account_index=ask, bid_account_index=bid) if own in (ask, bid):
                self._on_trade(output, now_ns)
            case OrderChanged(row=row) if row.account_index == own:
                self._on_row(row, now_ns)
            case TransactionExecuted(account_index=account) if account == own:
                self._on_executed(output, now_ns)
            case TransactionDropped(account_index=account) if account == own:
                self._sent.dropped(output)
            case FundingPaid(account_index=account) if account == own:
                self._venue.on_funding(output, now_ns)
                self._loss.look(now_ns)
            case _:
                pass
        self._poll(now_ns)

    def _on_row(self, row: OrderRow, now_ns: int) -> None:
        self._wire.on_row(row, now_ns)
        self._sent.began(row)
        gone = self._venue.live.get(row.order_index)
        new = self._venue.on_row(row, now_ns)
        order = self._venue.live.get(row.order_index)
        if order is None and gone is not None:
            self._delivery.forget_order(gone)
        if new is not None:
            self._stop.on_order(new, now_ns)
            if new.life != self._phases.life:
                self._delivery.await_order(new)
        if order is not None:
            self._exposure.judge_book(order, now_ns)
        self._exposure.judge_market(row.market, now_ns)
        self._liveness.on_orders(row.market, now_ns)

    def _on_trade(self, trade: TradeDone, now_ns: int) -> None:
        account = self._terms.account_index
        self._exposure.on_trade(trade, account, now_ns)
        for is_ask in (True, False):
            if account != (trade.ask_account_index if is_ask else trade.bid_account_index):
                continue
            client = trade.ask_client_order_index if is_ask else trade.bid_client_order_index
            order = self._venue.live.get(trade.ask_order_index if is_ask else trade.bid_order_index)
            is_bots = order.is_bots if order is not None else client in self._sent.creates
            if order is None:
                self._sent.traded(client, trade.size_lots)
            own = self._venue.on_trade(trade, is_ask=is_ask, is_bots=is_bots, now_ns=now_ns)
            self._note_trade(own)
            if order is not None and order.reduce_only:
                self._exposure.on_reduced(own, order, self._venue.position(trade.market), now_ns)
        self._loss.traded(trade.market, now_ns)
        self._exposure.judge_market(trade.market, now_ns)
        self._liveness.on_orders(trade.market, now_ns)

    def _note_trade(self, own: OwnTrade) -> None:
        self._delivery.await_trade(own)
        self._ledger.on_trade(own)
        if not own.is_bots:
            self._exposure.on_foreign_trade(own)

    def _on_executed(self, output: TransactionExecuted, now_ns: int) -> None:
        sent = self._sent.executed(output)
        if sent is None:
            return
        if isinstance(sent.tx, CreateOrderTx | ModifyOrderTx):
            self._exposure.judge_market(sent.tx.market_index, now_ns)
        if self._terms.canary:
            self._record.judged["CANARY"] += 1
            self._record.breach("CANARY", f"{sent!r} was executed", now_ns)

    def mark_told(self, market: int, mark_ticks: int, now_ns: int) -> None:
        """A market's mark is this from now on (0: there is none); the first is told before anybody trades."""
        if market in self._exposure.marks:
            self._exposure.marks[market].add(mark_ticks, now_ns)
            self._loss.mark_told(market, mark_ticks, now_ns)

    def deposited(self, amount_micro: int, now_ns: int) -> None:
        """Money entered the account, or left it (negative)."""
        self._venue.deposited(amount_micro * PICO_PER_MICRO, now_ns)
        self._loss.deposited(amount_micro * PICO_PER_MICRO)

    def key_used(self, api_key_index: int) -> None:
        """Somebody else's transaction with one of the bot's keys was queued: its nonce is gone from now on."""
        self._sent.key_used(api_key_index)

    def venue_restarted(self, nonce_offset: int, now_ns: int) -> None:
        """From now on the book nonces that are told are the exchange's own plus an offset."""
        self._books.restarted(nonce_offset)
        self._poll(now_ns)

    # The wire

    def transaction_left(self, tx_type: int, tx_info: bytes, now_ns: int) -> None:
        """The bot's transport was given a transaction, to send once."""
        sent, is_copy = self._sent.left(tx_type, tx_info, now_ns)
        if sent is None:
            self._record.breach("I2", f"a transaction of type {tx_type} cannot be read: {tx_info[:200]!r}", now_ns)
            return
        if sent.tx.account_index != self._terms.account_index:
            self._record.breach("I2", f"{sent!r} is for account {sent.tx.account_index}", now_ns)
        self._wire.judge(sent, is_copy, now_ns)
        self._stop.judge_sent(sent, now_ns)
        if not is_copy and (sent.is_create or sent.is_modify):
            self._judge_order(sent, now_ns)
        self._poll(now_ns)

    def _judge_order(self, sent: Sent, now_ns: int) -> None:
        self._tracking.on_added(now_ns)
        self._exposure.judge_order(sent, now_ns)
        self._loss.judge_sent(sent, now_ns)
        if isinstance(sent.tx, CreateOrderTx | ModifyOrderTx):
            self._books.judge_sent(sent, sent.tx.market_index, now_ns)

    def transaction_arrived(self, tx_type: int, tx_info: bytes, sent_ns: int, now_ns: int) -> None:
        """A transaction of the account is at the exchange's door, before it is looked at."""
        sent = self._sent.arrived(tx_type, tx_info, sent_ns)
        if sent is not None and isinstance(sent.tx, CreateOrderTx | ModifyOrderTx):
            self._exposure.judge_market(sent.tx.market_index, now_ns)
        self._poll(now_ns)

    def transaction_refused(self, tx_type: int, tx_info: bytes, now_ns: int) -> None:
        """A copy of a transaction is certainly dead, and consumed nothing.

        The exchange's door has refused it for a reason of business, or the transport has said that it could
        not send it. Not for what nobody can know. Until this is said, a refused create counts as in flight.
        """
        sent = self._sent.refused(tx_info)
        if sent is not None and sent.tx.tx_type == tx_type and isinstance(sent.tx, CreateOrderTx | ModifyOrderTx):
            self._exposure.judge_market(sent.tx.market_index, now_ns)
        self._poll(now_ns)

    def frame_reached_bot(self, stream: str, data: bytes, now_ns: int) -> None:
        """A frame ("public", "private", "transactions") or the body of a reply ("rest") was handed to the bot."""
        if stream == "public":
            self._books.on_public(data, now_ns)
        elif stream == "private":
            self._books.on_private(now_ns)
            self._delivery.on_frame(data, now_ns)
        elif stream == "rest":
            self._delivery.on_frame(data, now_ns + slack.REREAD_NS)
        self._poll(now_ns)

    # The bot

    def bot_started(self, now_ns: int) -> None:
        """A process of the bot begins."""
        self._phases.started(now_ns)
        self._sent.started()
        self._wire.started()
        self._books.started(now_ns)
        self._stop.started()
        self._delivery.started(self._venue.live)
        self._ledger.started()
        self._tracking.started()
        self._liveness.started()
        self._loss.look(now_ns)
        self._poll(now_ns)

    def rearmed(self) -> None:
        """The process that begins was told by a person to forget the day's loss."""
        self._loss.rearmed()

    def bot_stop_asked(self, now_ns: int) -> None:
        """The bot is asked to stop, or has decided to."""
        self._stop.asked(now_ns)
        self._liveness.stopped(now_ns)
        self._poll(now_ns)

    def bot_ended(self, exit_code: int, open_orders: int | None, now_ns: int) -> None:
        """The process ended and said how many orders are open (None: it does not know)."""
        self._poll(now_ns)
        self._stop.ended(exit_code, open_orders, now_ns)
        self._phases.ended()

    def bot_killed(self, now_ns: int) -> None:
        """The process is gone without a word."""
        self._stop.killed()
        self._phases.ended()
        self._poll(now_ns)

    def bot_believes(self, belief: Belief, now_ns: int) -> None:
        """Take what the bot believes after a step in which it decided something."""
        self._phases.beliefs += 1
        if belief.cash_pico is not None:
            self._loss.account_read(now_ns)
        self._books.on_belief(belief, now_ns)
        self._ledger.on_belief(belief, now_ns)
        self._tracking.on_belief(belief, now_ns)
        self._liveness.on_belief(belief, self._ledger, self._tracking)
        judge_bounds(self._terms, belief, self._record, now_ns)
        self._poll(now_ns)

    # The phases

    def fault_began(self, kind: str, now_ns: int) -> None:
        """A fault of some kind is at work from here until everything is healed."""
        self._phases.fault_began(kind)
        self._liveness.called_off()
        self._poll(now_ns)

    def healed(self, now_ns: int) -> None:
        """Nothing is wrong from here on."""
        self._phases.healed(now_ns)
        self._liveness.healed(now_ns)
        self._poll(now_ns)

    def excused(self, market: int, reason: str, now_ns: int) -> None:
        """A market may stay without quotes (a daily loss, a halt that only a person may lift); "" ends it."""
        self._phases.excuse(market, reason)
        self._poll(now_ns)

    def quiet(self, belief: Belief | None, now_ns: int) -> None:
        """Nothing is on the wire any more; the belief is that of a running bot, else None."""
        self._poll(now_ns)
        if belief is not None:
            self._ledger.quiet(belief, now_ns)

    def finished(self, now_ns: int) -> None:
        """The run is over."""
        self._poll(now_ns)
        self._liveness.finished(now_ns)

    def _poll(self, now_ns: int) -> None:
        """Judge what is due, and whether the venue is still to be believed."""
        self._stop.poll(now_ns)
        self._liveness.poll(now_ns)
        self._ledger.poll(now_ns)
