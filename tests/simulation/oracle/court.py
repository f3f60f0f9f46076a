"""A venue and a bot on paper: each call is one thing that happens, told to the oracle as the world would."""

from collections import Counter

from helpers import markets, transactions
from lighterman.domain.position import Position, apply_fill
from lighterman.matching.outputs import (
    FundingPaid,
    LevelChanged,
    OrderChanged,
    OrderRow,
    OrderStatus,
    TradeDone,
    TradeType,
    TransactionDropped,
    TransactionExecuted,
)
from lighterman.matching.rejects import Reject
from lighterman.matching.requests import OrderKind, TimeInForce
from lighterman.protocol.transactions import encode
from lighterman.risk.limits import AccountLimits
from lighterman.simulation.oracle import Belief, MarketTerms, Oracle, Terms, book_digest

MS = 1_000_000
S = 1_000 * MS
BEGAN_US = 1_790_000_000_000_000
LIFETIME_MS = 30_000
ACCOUNT, KEY, CANCEL_KEY, OTHER_KEY, STRANGER = 77, 4, 5, 9, 1_000
MARK = 200_000  # ticks: 2000.00
LIMIT = 1_000  # lots
COLLATERAL_PICO = 10_000 * 10**12

LIMITS = AccountLimits(
    total_position_micro_max=1_000_000_000,
    order_value_micro_max=150_000_000,
    daily_loss_micro_max=5_000_000,
    messages_per_minute=100,
    cancel_reserve_fraction=0.2,
)
MARKETS = (
    MarketTerms(market=markets.ETH, position_max_lots=LIMIT, quote_lots=100),
    MarketTerms(market=markets.BTC, position_max_lots=LIMIT, quote_lots=100),
)
TERMS = Terms(
    began_us=BEGAN_US,
    account_index=ACCOUNT,
    api_key_indexes=(KEY, CANCEL_KEY),
    markets=MARKETS[:1],
    limits=LIMITS,
    collateral_pico=COLLATERAL_PICO,
)


class Court:
    """The truth as the test means it: positions and cash are worked out with `domain.position`."""

    def __init__(self, terms=TERMS, *, is_started=True):
        self.terms = terms
        self.oracle = Oracle(terms)
        self.now_ns = 0
        self.indexes = [each.market.index for each in terms.markets]
        self.positions = dict.fromkeys(self.indexes, Position())
        self.cash_pico = terms.collateral_pico
        self.rows = {}
        self.nonces = Counter()
        self.book_nonces = Counter()
        self.counts = Counter()
        for market in self.indexes:
            self.mark(MARK, market)
            self.level(MARK - 100, 5_000, market=market)
            self.level(MARK + 100, 5_000, is_ask=True, market=market)
        if is_started:
            self.start()

    # Time and data

    def start(self):
        self.oracle.bot_started(self.now_ns)
        self.hear()

    def wait(self, span_ns):
        """Let time pass with fresh data and a bot that believes the truth all along."""
        end_ns = self.now_ns + span_ns
        while self.now_ns < end_ns:
            self.now_ns = min(end_ns, self.now_ns + S)
            self.hear()
            self.believe()
        return self

    def skip(self, span_ns):
        """Let time pass in silence."""
        self.now_ns += span_ns
        return self

    def hear(self):
        for market in self.indexes:
            self.public(f"market_stats:{market}")
        self.private(b'{"type":"pong"}')

    def public(self, channel, *, delay_ns=0, kind="update/market_stats", book=None):
        sent_ms = (BEGAN_US + (self.now_ns - delay_ns) // 1_000) // 1_000
        body = f',"order_book":{{"begin_nonce":{book[0]},"nonce":{book[1]}}}' if book else ""
        frame = f'{{"type":"{kind}","channel":"{channel}","timestamp":{sent_ms}{body}}}'
        self.oracle.frame_reached_bot("public", frame.encode(), self.now_ns)

    def private(self, data):
        self.oracle.frame_reached_bot("private", data, self.now_ns)

    def mark(self, ticks, market=0):
        self.oracle.mark_told(market, ticks, self.now_ns)

    def did(self, output):
        self.oracle.venue_did(output, self.now_ns)

    @property
    def us(self):
        return BEGAN_US + self.now_ns // 1_000

    def level(self, price, lots, *, is_ask=False, market=0):
        self.book_nonces[market] += 1
        nonce = self.book_nonces[market]
        self.did(
            LevelChanged(market=market, is_ask=is_ask, price_ticks=price, size_lots=lots, nonce=nonce, at_us=self.us)
        )

    # What the bot sends

    def tx(self, base, *, key=KEY, nonce=None, life_ms=LIFETIME_MS, **fields):
        """Return a transaction with the next nonce of its key."""
        if nonce is None:
            nonce = self.nonces[key]
        self.nonces[key] = nonce + 1
        head = {"account_index": ACCOUNT, "api_key_index": key, "nonce": nonce}
        return transactions.changed(base, expired_at=self.us // 1_000 + life_ms, **head, **fields)

    def a_create(self, name, *, is_ask=False, price=None, lots=100, market=0, **fields):
        price = (MARK + 200 if is_ask else MARK - 200) if price is None else price
        return self.tx(
            transactions.POST_ONLY,
            client_order_index=name,
            is_ask=int(is_ask),
            price=price,
            base_amount=lots,
            market_index=market,
            **fields,
        )

    def a_modify(self, name, *, lots, price=MARK - 200, **fields):
        return self.tx(transactions.MODIFY, index=name, base_amount=lots, price=price, **fields)

    def a_cancel(self, name, **fields):
        return self.tx(transactions.CANCEL, index=name, **fields)

    def leave(self, tx):
        self.oracle.transaction_left(tx.tx_type, encode(tx), self.now_ns)
        return tx

    def arrive(self, tx):
        self.oracle.transaction_arrived(tx.tx_type, encode(tx), self.now_ns, self.now_ns)
        return tx

    def refuse(self, tx):
        self.oracle.transaction_refused(tx.tx_type, encode(tx), self.now_ns)
        return tx

    # What the venue does

    def executed(self, tx, error=""):
        self.did(
            TransactionExecuted(
                account_index=ACCOUNT,
                api_key_index=tx.api_key_index,
                nonce=tx.nonce,
                tx_hash="",
                tx_type=tx.tx_type,
                error=error,
                row=None,
                at_us=self.us,
            )
        )

    def dropped(self, tx):
        self.did(
            TransactionDropped(
                account_index=ACCOUNT,
                api_key_index=tx.api_key_index,
                nonce=tx.nonce,
                tx_hash="",
                tx_type=tx.tx_type,
                reason=Reject.MARKET_INACTIVE,
                at_us=self.us,
            )
        )

    def row(self, name, *, is_ask=False, price=None, lots=100, filled=0, status="open", market=0, order=None, **also):
        """Tell an order's row; what is not given stays as it was."""
        status = OrderStatus(status)
        side_bit = 1 << 20 if is_ask else 0
        row = OrderRow(
            order_index=((market + 1) << 48) + side_bit + name if order is None else order,
            client_order_index=name,
            market=market,
            account_index=ACCOUNT,
            is_ask=is_ask,
            price_ticks=(MARK + 200 if is_ask else MARK - 200) if price is None else price,
            size_lots=lots,
            remaining_lots=lots - filled if status is OrderStatus.OPEN else 0,
            filled_lots=filled,
            filled_quote_micro=0,
            kind=OrderKind.LIMIT,
            time_in_force=TimeInForce.POST_ONLY,
            reduce_only=also.get("reduce_only", False),
            expiry_ms=0,
            status=status,
            queue_nonce=1,
            order_version=0,
            created_us=self.us,
            updated_us=self.us,
            block_height=1,
        )
        self.rows[name] = row
        if status is not OrderStatus.OPEN:
            del self.rows[name]
        self.did(OrderChanged(row=row))
        return row

    def end(self, name, status="canceled"):
        row = self.rows[name]
        self.row(
            name,
            is_ask=row.is_ask,
            price=row.price_ticks,
            lots=row.size_lots,
            filled=row.filled_lots,
            status=status,
            market=row.market,
            order=row.order_index,
        )

    def place(self, name, **wish):
        """Create an order all the way into the book."""
        tx = self.arrive(self.leave(self.a_create(name, **wish)))
        known = {key: wish[key] for key in ("is_ask", "price", "lots", "market") if key in wish}
        self.row(name, **known)
        self.executed(tx)
        return tx

    def cancel(self, name):
        tx = self.arrive(self.leave(self.a_cancel(name, key=CANCEL_KEY)))
        self.end(name)
        self.executed(tx)

    def foreign(self, name, **wish):
        """Somebody else puts an order on our account."""
        return self.row(name, **wish)

    def fill(self, name, lots):
        """A resting order is filled, in part or wholly."""
        row = self.rows[name]
        trade = self.trade(
            row.market, lots, row.price_ticks, is_ask=row.is_ask, order=row.order_index, client=row.client_order_index
        )
        filled = row.filled_lots + lots
        if filled == row.size_lots:
            self.end(name, "filled")
        else:
            self.row(
                name,
                is_ask=row.is_ask,
                price=row.price_ticks,
                lots=row.size_lots,
                filled=filled,
                market=row.market,
                order=row.order_index,
                reduce_only=row.reduce_only,
            )
        return trade

    def trade(
        self, market, lots, price, *, is_ask, order=0, client=0, fee_ppm=40, kind=TradeType.TRADE, other=STRANGER
    ):
        """The account trades as maker (`is_ask`: it sells)."""
        self.counts["trade"] += 1
        details = next(each.market for each in self.terms.markets if each.market.index == market)
        before = self.positions[market]
        after, realised = apply_fill(before, delta_lots=-lots if is_ask else lots, price_ticks=price, market=details)
        self.positions[market] = after
        quote = details.notional_micro(price, lots)
        self.cash_pico += realised * 1_000_000 - quote * fee_ppm
        self.did(
            TradeDone(
                trade_id=self.counts["trade"],
                trade_type=kind,
                market=market,
                price_ticks=price,
                size_lots=lots,
                quote_micro=quote,
                is_maker_ask=is_ask,
                ask_account_index=ACCOUNT if is_ask else other,
                bid_account_index=other if is_ask else ACCOUNT,
                ask_order_index=order if is_ask else 0,
                bid_order_index=0 if is_ask else order,
                ask_client_order_index=client if is_ask else 0,
                bid_client_order_index=0 if is_ask else client,
                ask_order_version=0,
                bid_order_version=0,
                ask_realised_micro=realised if is_ask else 0,
                bid_realised_micro=0 if is_ask else realised,
                taker_fee_ppm=280,
                maker_fee_ppm=fee_ppm,
                taker_size_before_lots=0,
                maker_size_before_lots=before.size_lots,
                taker_entry_quote_before_micro=0,
                maker_entry_quote_before_micro=before.entry_quote_micro,
                taker_margin_fraction_before=500,
                maker_margin_fraction_before=500,
                taker_sign_changed=False,
                maker_sign_changed=False,
                tx_hash="",
                block_height=1,
                block_ms=0,
                at_us=self.us,
            )
        )
        return self.counts["trade"]

    def funding(self, amount_pico, market=0):
        self.cash_pico += amount_pico
        self.did(
            FundingPaid(
                account_index=ACCOUNT,
                market=market,
                funding_id=1,
                amount_pico=amount_pico,
                rate_ppm=1,
                size_lots=self.positions[market].size_lots,
                at_us=self.us,
            )
        )

    # What the bot is told and believes

    def tell_trade(self, trade_id, channel="account_all_trades"):
        self.private(f'{{"channel":"{channel}:77","trades":{{"0":[{{"trade_id":{trade_id}}}]}}}}'.encode())

    def tell_order(self, name):
        self.private(f'{{"type":"update/account_all_orders","orders":[{{"client_order_index":{name}}}]}}'.encode())

    def truth(self, **changes):
        """Return the belief of a bot that knows everything."""
        known = {
            "positions": {market: position.size_lots for market, position in self.positions.items()},
            "cash_pico": self.cash_pico,
            "tracked": frozenset(self.rows),
            "is_quoting": dict.fromkeys(self.indexes, True),
        }
        return Belief(**(known | changes))

    def believe(self, **changes):
        self.oracle.bot_believes(self.truth(**changes), self.now_ns)
        return self

    @property
    def verdict(self):
        """Return the broken invariants, once each, in order."""
        return list(dict.fromkeys(violation.id for violation in self.oracle.violations))

    @property
    def texts(self):
        return [f"{each.id} {each.text}" for each in self.oracle.violations]


def digest_of(bids, asks):
    return book_digest(dict(bids), dict(asks))
