"""Why the exchange refuses, by meaning; the server finds the venue's code by the member's name.

The value is the text that appears as `ae` (application error) when the same fault is found at
execution instead of at admission (protocol reference 2.7.7, 9.2). The venue's own wording is
only known for some of them, so that a client must never parse it.
"""

import enum


class Reject(enum.Enum):
    """A reason; the comment is the venue's code (protocol reference 2.8)."""

    ACCOUNT_NOT_FOUND = "account not found"  # 21100
    API_KEY_NOT_FOUND = "api key not found"  # 21109
    INVALID_NONCE = "invalid nonce"  # 21104
    NONCE_NOT_INCREASING = "batch transaction nonce is not increasing"  # 21105
    BATCH_MIXED_KEYS = "batch must use one account and api key"  # 21121
    TOO_MANY_PENDING = "too many pending txs, try again later"  # 21506
    TRANSACTION_EXPIRED = "transaction is expired"  # 21501 [G]
    MAKER_ONLY_KEY = "maker-only key restriction"  # 62007
    DEAD_MANS_SWITCH_DUE = "dead man's switch should be triggered"  # 21122
    IN_LIQUIDATION = "account is in liquidation"  # 21112
    INVALID_MARKET = "invalid market index"  # 21602
    MARKET_INACTIVE = "invalid market status"  # 21605
    PRICE_UNAVAILABLE = "index or mark price is zero"  # no code known
    BOOK_FULL = "order book is full"  # 21601
    UNSUPPORTED_ORDER_TYPE = "unsupported order type"  # 21710
    INVALID_BASE_AMOUNT = "invalid base amount"  # 21701
    INVALID_PRICE = "invalid price"  # 21702
    INVALID_TIME_IN_FORCE = "invalid time in force"  # 21705
    BELOW_MINIMUM = "invalid min amounts for market"  # 21603
    ABOVE_QUOTE_LIMIT = "invalid base or quote amount"  # 21706
    INVALID_EXPIRY = "invalid order expiry"  # 21711
    INVALID_CANCEL_ALL_TIME = "invalid cancel all time"  # 21714
    INVALID_CLIENT_ORDER_INDEX = "invalid client order index"  # 21727
    CLIENT_ORDER_INDEX_EXISTS = "client order index already exists"  # 21728
    TOO_MANY_ORDERS_ACCOUNT = "maximum active orders per account reached"  # 21717
    TOO_MANY_ORDERS_MARKET = "maximum active orders per market reached"  # 21718
    PRICE_ACCIDENTAL = "order price flagged as an accidental price"  # 21733
    PRICE_TOO_FAR = "limit order price is too far from the mark price"  # 21734
    REDUCE_ONLY_INCREASES = "reduce only increases position"  # 21732
    REDUCE_ONLY_WRONG_DIRECTION = "wrong reduce only direction"  # 21738
    NOT_ENOUGH_MARGIN = "not enough margin to create the order"  # 21739
    ORDER_NOT_ACTIVE = "given order is not an active limit order"  # 21600
    ORDER_VERSION_MISMATCH = "order version mismatch"  # no code known: found at execution only
    INVALID_MARGIN_FRACTION = "invalid initial margin fraction"  # 21113
    ISOLATED_MARGIN_UNSUPPORTED = "invalid margin mode"  # 21613
    INVALID_RISK_CHANGE = "invalid risk change"  # 21133
    INVALID_TIER = "invalid tier"  # 62002
    SAME_TIER = "same tier"  # 62003
    TIER_OPEN_POSITIONS = "account has open positions"  # 62004
    TIER_OPEN_ORDERS = "account has open orders"  # 62005
