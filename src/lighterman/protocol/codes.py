"""Lighter's error codes, and what an answer to a transaction proves.

Law of this file: a code is a number, a name and the venue's text; nothing else in the package
types a code as a literal. `matching` refuses by meaning, under the same names as here, so that
the exchange server maps `Reject.INVALID_NONCE` to `Code.INVALID_NONCE` by name. A code that is
not listed stays a number: unknown codes surface intact (protocol reference 2.8).
"""

import enum
from typing import Self

OK = 200


class Code(enum.IntEnum):
    """Codes that this exchange sends or that a client acts upon; `text` is the venue's wording."""

    text: str

    def __new__(cls, number: int, text: str = "") -> Self:
        """Make a member that equals its number and carries its text."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.text = text
        return member

    INVALID_PARAM = 20001, "invalid param "
    INVALID_CURSOR = 20009, "invalid cursor"
    INVALID_AUTH = 20013, "invalid auth"
    RESTRICTED_JURISDICTION = 20558, "You are accessing Lighter from a restricted jurisdiction."

    ACCOUNT_NOT_FOUND = 21100, "account not found"
    NONCE_NOT_FOUND = 21101, "account nonce not found"
    INVALID_ACCOUNT_INDEX = 21102, "invalid account index"
    INVALID_NONCE = 21104, "invalid nonce"
    NONCE_NOT_INCREASING = 21105, "batch transaction nonce is not increasing"
    INVALID_ACCOUNT = 21107, "invalid account"
    INVALID_PUBLIC_KEY = 21108, "invalid PublicKey, run changePubKey"
    API_KEY_NOT_FOUND = 21109, "api key not found"
    INVALID_API_KEY_INDEX = 21110, "invalid api key index"
    PRE_LIQUIDATION = 21111, "account is in pre-liquidation and the transaction does not increase its health"
    IN_LIQUIDATION = 21112, "account is in liquidation"
    INVALID_MARGIN_FRACTION = 21113, "invalid initial margin fraction"
    INVALID_SIGNATURE = 21120, "invalid signature"
    BATCH_MIXED_KEYS = 21121, "batch transactions must use one account and api key"
    DEAD_MANS_SWITCH_DUE = 21122, "dead man's switch should be triggered"
    MARGIN_MODE_LOCKED = 21132, "margin mode cannot change with a position or open orders"
    INVALID_RISK_CHANGE = 21133, "invalid risk change"
    INTEGRATOR_NOT_APPROVED = 21149, "integrator is not approved"
    NOT_ENOUGH_COLLATERAL = 21301, "not enough collateral"

    TRANSACTION_NOT_FOUND = 21500, "transaction not found"
    INVALID_TX_INFO = 21501, "invalid tx info"
    TRANSACTION_EXPIRED = 21501  # [guess] the reference names no code of its own
    UNSUPPORTED_TX_TYPE = 21505, "unsupported tx type"
    TOO_MANY_PENDING = 21506, "too many pending txs, try again later"
    BELOW_MAINTENANCE_MARGIN = 21507, "account is below maintenance margin"
    BELOW_INITIAL_MARGIN = 21508, "account is below initial margin"
    TX_NOT_ALLOWED_FOR_ACCOUNT = 21511, "invalid tx type for account"
    BATCH_LENGTHS_DIFFER = 21513, "tx_infos and tx_types lengths differ"
    BATCH_TOO_LARGE = 21514, "too many transactions in a batch"

    ORDER_NOT_ACTIVE = 21600, "given order is not an active limit order"
    BOOK_FULL = 21601, "order book is full"
    INVALID_MARKET = 21602, "invalid market index"
    MARKET_INACTIVE = 21605, "invalid market status"
    PRICE_UNAVAILABLE = 21605  # [guess] a market without an oracle price
    ISOLATED_MARGIN_UNSUPPORTED = 21613, "invalid margin mode"
    BELOW_MINIMUM = 21603, "invalid order base or quote amount for the market"
    NO_POSITION_FOUND = 21614, "no position found"
    INVALID_MARKET_TYPE = 21619, "invalid market type"
    INVALID_PERPS_MARKET_INDEX = 21621, "invalid perps market index"

    INVALID_ORDER_INDEX = 21700, "invalid order index"
    INVALID_BASE_AMOUNT = 21701, "invalid base amount"
    INVALID_PRICE = 21702, "invalid price"
    INVALID_IS_ASK = 21703, "invalid isAsk"
    INVALID_ORDER_TYPE = 21704, "invalid order type"
    INVALID_TIME_IN_FORCE = 21705, "invalid time in force"
    ABOVE_QUOTE_LIMIT = 21706, "invalid order base or quote amount"
    NOT_ORDER_OWNER = 21707, "account is not the owner of the order"
    ORDER_EMPTY = 21708, "order is empty"
    ORDER_INACTIVE = 21709, "order is inactive"
    UNSUPPORTED_ORDER_TYPE = 21710, "unsupported order type"
    INVALID_EXPIRY = 21711, "invalid expiry"
    CANCEL_ALL_QUEUED = 21712, "account has a queued cancel-all request"
    INVALID_CANCEL_ALL_TIME_IN_FORCE = 21713, "invalid cancel-all time in force"
    INVALID_CANCEL_ALL_TIME = 21714, "invalid cancel-all time"
    ORDER_NOT_PENDING_OR_OPEN = 21715, "order is not an active order"
    TOO_MANY_ORDERS_ACCOUNT = 21717, "maximum active orders of the account reached"
    TOO_MANY_ORDERS_MARKET = 21718, "maximum active orders of the account in the market reached"
    TOO_MANY_PENDING_ORDERS = 21719, "maximum pending orders of the account reached"
    TOO_MANY_PENDING_ORDERS_IN_MARKET = 21720, "maximum pending orders of the account in the market reached"
    INVALID_CLIENT_ORDER_INDEX = 21727, "invalid client order index"
    CLIENT_ORDER_INDEX_EXISTS = 21728, "client order index already exists"
    INVALID_TRIGGER_PRICE = 21729, "invalid trigger price"
    REDUCE_ONLY_INCREASES = 21732, "reduce-only order increases the position"
    PRICE_ACCIDENTAL = 21733, "order price flagged as an accidental price"
    PRICE_TOO_FAR = 21734, "limit order price is too far from the mark price"
    ORDER_VERSION_MISMATCH = 21737, "invalid order status"  # [guess] A-20
    REDUCE_ONLY_WRONG_DIRECTION = 21738, "invalid reduce-only direction"
    NOT_ENOUGH_MARGIN = 21739, "not enough margin to create the order"
    INVALID_REDUCE_ONLY = 21740, "invalid reduce-only mode"

    INVALID_CANDLE_RESOLUTION = 22402, "invalid resolution"
    INVALID_CANDLE_RANGE = 22403, "invalid range"

    TOO_MANY_REQUESTS = 23000, "Too Many Requests!"
    TOO_MANY_SUBSCRIPTIONS = 23001, "Too Many Subscriptions!"
    TOO_MANY_ACCOUNTS = 23002, "Too Many Different Accounts!"
    TOO_MANY_CONNECTIONS = 23003, "Too Many Connections!"

    NOT_FOUND = 29404, "not found"
    INTERNAL_SERVER_ERROR = 29500, "internal server error"
    PROCESS_TIMEOUT = 29501, "process timeout"

    WS_INVALID_JSON = 30000, "Invalid Json"
    WS_INVALID_TYPE = 30001, "Invalid Type"
    WS_NOT_SUBSCRIBED = 30002, "Not Subscribed to"
    WS_ALREADY_SUBSCRIBED = 30003, "Already Subscribed to"
    WS_INVALID_CHANNEL = 30005, "Invalid Channel"
    WS_NOT_SUPPORTED = 30006, "Operation isn't supported"
    WS_INVALID_DATA = 30007, "Invalid Data"
    WS_TOO_MANY_MESSAGES = 30009, "Too Many Websocket Messages!"
    WS_TOO_MANY_INFLIGHT = 30010, "Too Many Inflight Messages!"

    TOKEN_EXPIRY_TOO_SOON = 61001, "token expiry is before the minimum"
    TOKEN_EXPIRY_TOO_LATE = 61002, "token expiry is after 10 years"
    TOO_MANY_TOKENS = 61003, "maximum 10 tokens per account"
    TOKEN_SCOPE_UNSUPPORTED = 61004, "custom scopes are not supported"
    TOKEN_NOT_FOUND = 61005, "token not found"
    TOKEN_REVOKED = 61006, "token is revoked"
    TOKEN_NAME_EMPTY = 61007, "token name is empty"
    TOKEN_NAME_TOO_LONG = 61008, "token name is longer than 50 characters"

    TIER_CHANGE_IN_PROGRESS = 62001, "tier change is in progress"
    INVALID_TIER = 62002, "invalid tier"
    SAME_TIER = 62003, "account has this tier already"
    TIER_OPEN_POSITIONS = 62004, "account has open positions"
    TIER_OPEN_ORDERS = 62005, "account has open orders"
    TIER_CHANGE_TOO_SOON = 62006, "tier was changed too recently"
    MAKER_ONLY_KEY = 62007, "api key may only send maker orders"


def text_of(number: int) -> str:
    """Return the venue's text of a code, or an empty text when we do not know the code."""
    try:
        return Code(number).text
    except ValueError:
        return ""


class Outcome(enum.Enum):
    """What is known about a transaction after its answer, or after none."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    UNKNOWN = "unknown"


_PROVES_NOTHING = frozenset({Code.INVALID_NONCE, Code.INTERNAL_SERVER_ERROR, Code.PROCESS_TIMEOUT})
_SLOW_DOWN = frozenset(
    {
        Code.TOO_MANY_PENDING,
        Code.TOO_MANY_REQUESTS,
        Code.TOO_MANY_SUBSCRIPTIONS,
        Code.TOO_MANY_ACCOUNTS,
        Code.TOO_MANY_CONNECTIONS,
        Code.WS_TOO_MANY_MESSAGES,
        Code.WS_TOO_MANY_INFLIGHT,
    }
)
_HTTP_SERVER_ERROR = 500


def classify(code: int | None, message: str = "", http_status: int = OK) -> Outcome:
    """Tell what an answer to a transaction proves (protocol reference 2.8, last paragraph).

    ACCEPTED: queued. REFUSED: certainly without effect and its nonce unused. RATE_LIMITED: refused,
    and the sender must slow down (the code of an exhausted volume quota is undocumented, so its
    text decides: A-3). UNKNOWN: everything else, in particular 21104, 5xx even with a code, and
    an answer without a code (`None`), which is how a reply that is not JSON is passed here.
    """
    if code is None or http_status >= _HTTP_SERVER_ERROR or code in _PROVES_NOTHING:
        return Outcome.UNKNOWN
    if code == OK:
        return Outcome.ACCEPTED
    if code in _SLOW_DOWN or "quota" in message.lower():
        return Outcome.RATE_LIMITED
    return Outcome.REFUSED
