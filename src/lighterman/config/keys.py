"""The configuration file, one row per key. Reading, help and documentation all come from here.

`into` names the field a value becomes: the owning room's parameters, never a second list. What
goes into "ignored" has no effect, which is said at the start.
"""

import enum

import msgspec

from lighterman.domain.secret import Secret

Value = None | bool | int | float | str | Secret


class Kind(enum.Enum):
    """How a value is written, and (in brackets) what it becomes."""

    TEXT = "text"
    CHOICE = "choice"
    FLAG = "true or false"
    WHOLE = "whole number"
    NUMBER = "number"  # [float]
    PERCENT = "percentage"  # [float: a fraction]
    MONEY = "amount of USD"  # [int: micro-USDC]
    DECIMAL = "decimal text"  # [str: exact, in base or quote units]
    SECRET = "secret"  # [Secret]  # noqa: S105  (the name of a kind, not a password)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key. `low` and `high` are inclusive unless `above` says that `low` itself is not allowed."""

    path: str
    kind: Kind
    into: str
    meaning: str
    default: bool | int | float | str | None = None
    required: bool = False
    otherwise: str = ""  # what happens without it, where `default` cannot say it
    unit: str = ""
    low: float | None = None
    high: float | None = None
    above: bool = False
    choices: tuple[str, ...] = ()

    @property
    def section(self) -> str:
        """Return the part before the dot: "risk", "markets[]"."""
        return self.path.partition(".")[0]

    @property
    def name(self) -> str:
        """Return the part after the dot."""
        return self.path.partition(".")[2]

    def allowed(self) -> str:
        """Say in words which values are accepted."""
        if self.kind is Kind.CHOICE:
            return "one of " + ", ".join(self.choices)
        if self.kind is Kind.SECRET:
            return "env:NAME, or file:PATH of a file only you can read"
        words = "decimal text in quotes" if self.kind is Kind.DECIMAL else self.kind.value
        if self.low is not None:
            words += f" {'above' if self.above else 'from'} {self.low:.15g}"
        if self.high is not None:
            words += f" {'up to' if self.above or self.low is None else 'to'} {self.high:.15g}"
        return f"{words} ({self.unit})" if self.unit else words


ACCOUNT_INDEX_MAX = 2**48 - 2  # protocol reference 1.3
API_KEY_INDEX_MAX = 254
REFERENCES = ("env:", "file:")  # how a secret is named without being written down
USD_MAX = 1e12
BASE_MAX = 1e12

_LIGHTER = (
    Key(
        path="lighter.baseURL",
        kind=Kind.TEXT,
        into="venue.base_url",
        otherwise="the host of the chosen mode",
        meaning="Where the venue's REST API is; fixes the network. In mode `local`: a loopback address of a local "
        "exchange that runs already, else one is started.",
    ),
    Key(
        path="lighter.wsURL",
        kind=Kind.TEXT,
        into="venue.stream_url",
        otherwise="`baseURL` with `/stream`",
        meaning="Where the venue's stream is. A trailing `/ws` is read as `/stream`, which is the venue's path.",
    ),
    Key(
        path="lighter.chainId",
        kind=Kind.WHOLE,
        into="venue.chain_id",
        low=1,
        high=2**32 - 1,
        otherwise="the network's own",
        meaning="The chain id inside every signature; must be that of the host (mainnet 304, testnet 300).",
    ),
    Key(
        path="lighter.accountIndex",
        kind=Kind.WHOLE,
        into="venue.account_index",
        low=0,
        high=ACCOUNT_INDEX_MAX,
        otherwise="required outside mode `local`",
        meaning="The account that trades. 0 and 1 are the venue's own.",
    ),
    Key(
        path="lighter.apiKeyIndex",
        kind=Kind.WHOLE,
        into="venue.api_key_index",
        default=4,
        low=0,
        high=API_KEY_INDEX_MAX,
        meaning="The API key that creates and modifies orders. 0 to 3 are reserved by the venue: use 4 to 254.",
    ),
    Key(
        path="lighter.apiKeyPrivateKey",
        kind=Kind.SECRET,
        into="venue.api_key",
        otherwise="required outside mode `local`, which makes keys for the occasion",
        meaning="Its private key, 80 hexadecimal digits, as `env:NAME` or `file:PATH` (mode 0600 or 0400). Written out "
        "it is accepted on testnet alone, from a file only you can read, with a warning.",
    ),
    Key(
        path="lighter.cancelApiKeyIndex",
        kind=Kind.WHOLE,
        into="venue.cancel_api_key_index",
        low=0,
        high=API_KEY_INDEX_MAX,
        otherwise="one key does both; in mode `local` a second one is made",
        meaning="A second API key for cancels alone, so that a failed create cannot strand the cancels behind it.",
    ),
    Key(
        path="lighter.cancelApiKeyPrivateKey",
        kind=Kind.SECRET,
        into="venue.cancel_api_key",
        otherwise="as `cancelApiKeyIndex`",
        meaning="The private key of `cancelApiKeyIndex`.",
    ),
    Key(
        path="lighter.signer",
        kind=Kind.CHOICE,
        into="venue.signer",
        choices=("auto", "native", "official", "pure"),
        default="auto",
        meaning=(
            "Who signs: our own C, the official library, our own Python, or `auto`: the first of these that is there."
        ),
    ),
    Key(
        path="lighter.tier",
        kind=Kind.CHOICE,
        into="venue.tier",
        choices=("standard", "plus", "premium"),
        otherwise="`standard`; `premium` in mode `local`",
        meaning="The account's tier at the venue; bounds `risk.messagesPerMinute`.",
    ),
)

_MARKETS = (
    Key(
        path="markets[].symbol",
        kind=Kind.TEXT,
        into="market.label",
        required=True,
        meaning="The market: `ETH`, or `ETH-USDC` as the seed writes it. The base part is looked up at the venue; "
        "the name as written labels metrics and logs.",
    ),
    Key(
        path="markets[].enabled",
        kind=Kind.FLAG,
        into="market.enabled",
        default=True,
        meaning="Whether this market is quoted at all.",
    ),
    Key(
        path="markets[].baseDecimals",
        kind=Kind.WHOLE,
        into="declared.base_decimals",
        low=0,
        high=36,
        otherwise="the venue's",
        meaning="Accepted from seed files, compared with the venue and reported; the venue's counts.",
    ),
    Key(
        path="markets[].quoteDecimals",
        kind=Kind.WHOLE,
        into="declared.quote_decimals",
        low=0,
        high=36,
        otherwise="the venue's",
        meaning="Accepted from seed files, compared with the venue and reported; the venue's counts.",
    ),
    Key(
        path="markets[].tickSize",
        kind=Kind.DECIMAL,
        into="declared.tick_size",
        low=0,
        above=True,
        high=BASE_MAX,
        unit="USDC",
        otherwise="the venue's",
        meaning="Compared with the venue's, which counts: another whole multiple is a warning, anything else an error.",
    ),
    Key(
        path="markets[].minOrderSize",
        kind=Kind.DECIMAL,
        into="quote.order_size",
        required=True,
        low=0,
        above=True,
        high=BASE_MAX,
        unit="base units",
        meaning="Size of level 0, not only a minimum; a whole number of the venue's lots, at least its smallest order.",
    ),
    Key(
        path="markets[].minSpreadBps",
        kind=Kind.NUMBER,
        into="quote.half_spread_min_bps",
        default=10,
        low=0,
        above=True,
        high=5000,
        unit="bps",
        meaning="Least distance from the fair price to each side: a half-spread, so the whole spread is twice this.",
    ),
    Key(
        path="markets[].maxSpreadBps",
        kind=Kind.NUMBER,
        into="quote.half_spread_max_bps",
        default=100,
        low=0,
        above=True,
        high=5000,
        unit="bps",
        meaning="Greatest such distance of level 0, before inventory skew and level step. More than `minSpreadBps`.",
    ),
    Key(
        path="markets[].minEdgeBps",
        kind=Kind.NUMBER,
        into="quote.edge_min_bps",
        default=0,
        low=0,
        high=5000,
        unit="bps",
        meaning="No quote stands nearer to the fair price than this, whatever the skew; the maker fee is the floor.",
    ),
    Key(
        path="markets[].orderLevels",
        kind=Kind.WHOLE,
        into="quote.levels",
        default=3,
        low=1,
        high=50,
        meaning="Price levels per side.",
    ),
    Key(
        path="markets[].levelStep",
        kind=Kind.NUMBER,
        into="quote.level_step",
        default=0.5,
        low=0,
        high=100,
        meaning="Level i stands (1 + levelStep x i) times as far away as level 0.",
    ),
    Key(
        path="markets[].orderSizeMultiplier",
        kind=Kind.NUMBER,
        into="quote.size_multiplier",
        default=1.5,
        low=0,
        above=True,
        high=100,
        meaning="Level i is minOrderSize x orderSizeMultiplier^i large, rounded down to a lot.",
    ),
    Key(
        path="markets[].maxPosition",
        kind=Kind.DECIMAL,
        into="limits.position_max",
        required=True,
        low=0,
        above=True,
        high=BASE_MAX,
        unit="base units",
        meaning="Hard cap of the position, long or short, at worst case: resting and in-flight orders included. Also "
        "the position at which the skew is full. No default: a money limit is stated.",
    ),
    Key(
        path="markets[].skewFactor",
        kind=Kind.NUMBER,
        into="quote.skew_factor",
        default=0.3,
        low=0,
        high=1,
        meaning="How strongly inventory moves the quotes: long lowers both, short raises both; 0 not at all.",
    ),
    Key(
        path="markets[].fairPrice",
        kind=Kind.CHOICE,
        into="quote.fair_price",
        choices=("mid", "micro"),
        default="mid",
        meaning="The price quotes are measured from: the mid, or the mid weighted by the sizes at the touch.",
    ),
    Key(
        path="markets[].volatilityFactor",
        kind=Kind.NUMBER,
        into="quote.volatility_factor",
        default=1,
        low=0,
        high=100,
        meaning="Half-spread in bps added per bps of volatility over the horizon.",
    ),
    Key(
        path="markets[].volatilityHorizonSeconds",
        kind=Kind.NUMBER,
        into="quote.volatility_horizon_s",
        default=10,
        low=0.1,
        high=86_400,
        unit="s",
        meaning="The time over which volatility is stated: how long a quote is thought to be exposed.",
    ),
    Key(
        path="markets[].volatilitySampleSeconds",
        kind=Kind.NUMBER,
        into="quote.volatility_sample_s",
        default=1,
        low=0.05,
        high=3600,
        unit="s",
        meaning="Distance between two samples of the fair price.",
    ),
    Key(
        path="markets[].volatilityWindow",
        kind=Kind.WHOLE,
        into="quote.volatility_window",
        default=60,
        low=2,
        high=10_000,
        meaning="Samples kept.",
    ),
    Key(
        path="markets[].volatilityMinSamples",
        kind=Kind.WHOLE,
        into="quote.volatility_samples_min",
        default=20,
        low=2,
        high=10_000,
        meaning="Samples needed before volatility is believed; until then quotes stand at `maxSpreadBps`.",
    ),
    Key(
        path="markets[].imbalanceFactorBps",
        kind=Kind.NUMBER,
        into="quote.imbalance_factor_bps",
        default=20,
        low=0,
        high=5000,
        unit="bps",
        meaning="Half-spread added at full book imbalance, in proportion below.",
    ),
    Key(
        path="markets[].imbalanceLevels",
        kind=Kind.WHOLE,
        into="quote.imbalance_levels",
        default=5,
        low=1,
        high=100,
        meaning="Levels of each side that count for the imbalance; own orders are taken out first.",
    ),
    Key(
        path="markets[].repriceThresholdBps",
        kind=Kind.NUMBER,
        into="quote.reprice_threshold_bps",
        default=1,
        low=0,
        high=1000,
        unit="bps",
        meaning="An order nearer to its wished price than this is kept, and with it its place in the queue.",
    ),
    Key(
        path="markets[].resizeThresholdPct",
        kind=Kind.PERCENT,
        into="quote.resize_threshold_fraction",
        default=25,
        low=0,
        high=100,
        unit="%",
        meaning="An order whose remaining size differs from the wished one by less than this is kept.",
    ),
    Key(
        path="markets[].maxOrderAgeSeconds",
        kind=Kind.NUMBER,
        into="quote.order_age_max_s",
        default=0,
        low=0,
        high=86_400 * 30,
        unit="s",
        meaning="An order older than this is cancelled and placed anew; 0 sets no limit.",
    ),
)

_RISK = (
    Key(
        path="risk.maxTotalPositionUSD",
        kind=Kind.MONEY,
        into="limits.total_position_micro_max",
        required=True,
        low=0,
        above=True,
        high=USD_MAX,
        unit="USD",
        meaning="Cap of the summed worst-case position values of all markets. No default: a money limit is stated.",
    ),
    Key(
        path="risk.maxOrderValueUSD",
        kind=Kind.MONEY,
        into="limits.order_value_micro_max",
        required=True,
        low=0,
        above=True,
        high=USD_MAX,
        unit="USD",
        meaning="Cap of price x size of one order. No default: a money limit is stated.",
    ),
    Key(
        path="risk.dailyLossLimitUSD",
        kind=Kind.MONEY,
        into="limits.daily_loss_micro_max",
        required=True,
        low=0,
        above=True,
        high=USD_MAX,
        unit="USD",
        meaning="A greater loss since 00:00 UTC (realised, unrealised, fees, funding) stops new risk, over restarts "
        "too. No default: a money limit is stated.",
    ),
    Key(
        path="risk.positionCheckIntervalMs",
        kind=Kind.WHOLE,
        into="engine.position_check_interval_ms",
        default=100,
        low=10,
        high=60_000,
        unit="ms",
        meaning="PnL and limits are looked at this often even when nothing happens.",
    ),
    Key(
        path="risk.priceCollarBps",
        kind=Kind.NUMBER,
        into="limits.price_collar_bps",
        default=200,
        low=0,
        above=True,
        high=5000,
        unit="bps",
        meaning="No order stands farther than this from the mark price or from the mid.",
    ),
    Key(
        path="risk.staleDataMs",
        kind=Kind.WHOLE,
        into="limits.data_age_ms_max",
        default=2000,
        low=100,
        high=60_000,
        unit="ms",
        meaning="Market data older than this is no data: quotes are pulled.",
    ),
    Key(
        path="risk.messagesPerMinute",
        kind=Kind.WHOLE,
        into="limits.messages_per_minute",
        low=5,
        high=40_000,
        unit="per minute",
        otherwise="what the tier allows: standard 60, premium 4000, plus 8000",
        meaning="Transactions of all kinds per minute, those that are sent again included.",
    ),
    Key(
        path="risk.cancelReservePct",
        kind=Kind.PERCENT,
        into="limits.cancel_reserve_fraction",
        default=20,
        low=5,
        high=90,
        unit="%",
        meaning="Part of that budget kept for cancels alone.",
    ),
)

_OTHERS = (
    Key(
        path="performance.metricsPort",
        kind=Kind.WHOLE,
        into="monitoring.port",
        default=9090,
        low=0,
        high=65_535,
        meaning="Port of `/metrics` and `/health`; 0 takes any free one and says which.",
    ),
    Key(
        path="performance.updateIntervalMs",
        kind=Kind.WHOLE,
        into="engine.requote_interval_ms",
        default=100,
        low=1,
        high=60_000,
        unit="ms",
        meaning="The orders of a market are not changed more often than this.",
    ),
    Key(
        path="performance.busyPollMs",
        kind=Kind.WHOLE,
        into="loop.busy_poll_ms",
        default=0,
        low=0,
        high=60_000,
        unit="ms",
        meaning="For so long after each turn the bot looks at its sockets without sleeping: what comes meanwhile is "
        "not delayed by waking up, and a core is busy. 0 sleeps, as is right unless cores are to spare.",
    ),
    Key(
        path="performance.orderPoolSize",
        kind=Kind.WHOLE,
        into="engine.orders_tracked_max",
        default=1000,
        low=10,
        high=100_000,
        unit="orders",
        meaning="Bound of the orders tracked at once, resting and in flight.",
    ),
    Key(
        path="performance.websocketBufferSize",
        kind=Kind.WHOLE,
        into="ignored.websocket_buffer_size",
        default=10_000,
        low=100,
        high=1_000_000,
        unit="messages",
        meaning="Accepted from seed files and without effect: all that has arrived is taken in before each decision, "
        "so no queue of messages builds up that would need a bound.",
    ),
    Key(
        path="performance.answerTimeoutMs",
        kind=Kind.WHOLE,
        into="engine.answer_timeout_ms",
        default=5000,
        low=500,
        high=60_000,
        unit="ms",
        meaning="A command without an answer for this long has an unknown outcome, and is asked about.",
    ),
    Key(
        path="performance.transactionLifetimeMs",
        kind=Kind.WHOLE,
        into="engine.transaction_lifetime_ms",
        default=10_000,
        low=2000,
        high=600_000,
        unit="ms",
        meaning="After this time the venue refuses a transaction of ours that it has not yet run.",
    ),
    Key(
        path="performance.reconcileIntervalMs",
        kind=Kind.WHOLE,
        into="engine.reconcile_interval_ms",
        default=30_000,
        low=1000,
        high=600_000,
        unit="ms",
        meaning="Orders, positions and collateral are compared with the venue's this often.",
    ),
    Key(
        path="logging.level",
        kind=Kind.CHOICE,
        into="logs.level",
        choices=("debug", "info", "warn", "error"),
        default="info",
        meaning="The least level that is written.",
    ),
    Key(
        path="logging.outputPath",
        kind=Kind.TEXT,
        into="logs.output_path",
        default="stdout",
        meaning="Where log lines go: `stdout`, `stderr` or the path of a file.",
    ),
    Key(
        path="logging.errorOutputPath",
        kind=Kind.TEXT,
        into="logs.error_output_path",
        default="stderr",
        meaning="Where the logger's own troubles go.",
    ),
    Key(
        path="journal.directory",
        kind=Kind.TEXT,
        into="journal.directory",
        default="runs",
        meaning="Session folders and the state that survives a restart are kept here.",
    ),
    Key(
        path="journal.maxBytes",
        kind=Kind.WHOLE,
        into="journal.bytes_max",
        default=1 << 30,
        low=1 << 16,
        high=1 << 40,
        unit="bytes",
        meaning="Bound of one session's journal. When it is full no order is created any more.",
    ),
    Key(
        path="journal.fsyncIntervalMs",
        kind=Kind.WHOLE,
        into="journal.fsync_interval_ms",
        default=1000,
        low=10,
        high=60_000,
        unit="ms",
        meaning="What was recorded longer ago than this is on the disk.",
    ),
    Key(
        path="monitoring.host",
        kind=Kind.TEXT,
        into="monitoring.host",
        default="127.0.0.1",
        meaning="Address of `/metrics` and `/health`. Anything but loopback shows positions to the network.",
    ),
)

KEYS: tuple[Key, ...] = _LIGHTER + _MARKETS + _RISK + _OTHERS
