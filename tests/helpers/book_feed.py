"""A market's true book, its history, and the frames that tell it (protocol reference 3.4)."""

from lighterman.domain.book import OrderBook


class BookFeed:
    """Moves a book at random, never crossed, and writes its frames as the venue does."""

    def __init__(self, rng, market=0, price_decimals=2, size_decimals=4):
        self.rng = rng
        self.market = market
        self.decimals = price_decimals, size_decimals
        self.middle = 300_000
        self.sides = {True: {}, False: {}}
        self.nonce = rng.randrange(1, 1000)
        self.history = {self.nonce: self._levels()}
        for _ in range(5):
            self.update()

    def _levels(self):
        return dict(self.sides[False]), dict(self.sides[True])

    def _text(self, value, decimals):
        return f"{value // 10**decimals}.{value % 10**decimals:0{decimals}d}"

    def _rows(self, levels):
        price_decimals, size_decimals = self.decimals
        rows = [
            f'{{"price":"{self._text(price, price_decimals)}","size":"{self._text(size, size_decimals)}"}}'
            for price, size in levels
        ]
        return f"[{','.join(rows)}]"

    def _frame(self, kind, bids, asks, begin_nonce):
        return (
            f'{{"channel":"order_book:{self.market}","last_updated_at":1774884082309144,"offset":{self.nonce},'
            f'"order_book":{{"code":0,"asks":{self._rows(asks)},"bids":{self._rows(bids)},"offset":{self.nonce},'
            f'"nonce":{self.nonce},"last_updated_at":1774884082309144,"begin_nonce":{begin_nonce}}},'
            f'"timestamp":1774884082326,"type":"{kind}/order_book"}}'
        ).encode()

    def snapshot(self):
        return self._frame("subscribed", self.sides[False].items(), self.sides[True].items(), 0)

    def update(self):
        rng, changes = self.rng, {True: {}, False: {}}
        self.middle += rng.randrange(-3, 4)
        for is_ask, side in self.sides.items():
            crossed = [price for price in side if (price <= self.middle if is_ask else price >= self.middle)]
            changes[is_ask] = dict.fromkeys(crossed, 0)
        for _ in range(rng.randrange(1, 8)):
            is_ask, away = rng.random() < 0.5, rng.randrange(1, 30)
            price = self.middle + away if is_ask else self.middle - away
            changes[is_ask][price] = rng.choice((0, rng.randrange(1, 400_000)))
        for is_ask, side in self.sides.items():
            for price, size in changes[is_ask].items():
                side[price] = size
                if not size:
                    del side[price]
        begin_nonce = self.nonce
        self.nonce += rng.randrange(1, 40)
        self.history[self.nonce] = self._levels()
        return self._frame("update", changes[False].items(), changes[True].items(), begin_nonce)

    def is_true(self, book: OrderBook):
        return self.history[book.nonce] == (book.bids, book.asks)
