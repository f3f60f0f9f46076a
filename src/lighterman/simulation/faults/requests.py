"""Faults of requests and of transactions: lost either way, refused, answered by something else (N6-N9, E1-E4)."""

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from lighterman.domain.chance import Rng
from lighterman.exchange.transport import HttpReply
from lighterman.protocol.codes import Code
from lighterman.protocol.rest import API, JSON
from lighterman.protocol.transactions import TxType
from lighterman.simulation.ear import REST, TRANSACTIONS, transactions_in, transactions_of
from lighterman.simulation.faults.kind import Args, FaultKind, kind
from lighterman.simulation.network import Fate, MemoryStream, Passage
from lighterman.simulation.stage import Stage
from lighterman.simulation.virtual import outside
from lighterman.simulator.calls import HttpRequest

LASTS_S = 20.0
HTML = "text/html"
PAGES = {  # status: body
    "405": b"<html><body>Method Not Allowed</body></html>",
    "500": b"<html><body>Internal Server Error</body></html>",
    "502": b"<html><body>Bad Gateway</body></html>",
    "503": b"",
}
USES_QUOTA = (TxType.CREATE_ORDER, TxType.MODIFY_ORDER, TxType.CANCEL_ALL_ORDERS)
PRIVATE_READS = ("accountActiveOrders", "accountInactiveOrders", "accountOrders", "trades", "positionFunding")

Form = Mapping[str, str] | None
Chooser = Callable[[HttpRequest, Form], Fate | None]


def _judge(stage: Stage, seconds: float, choose: Chooser, count: int = 1_000_000) -> bool:
    """Decide the fate of the next requests that concern us, for some time."""
    judges, left = stage.network.weather[REST].judges, count

    def judge(request: HttpRequest, form: Form) -> Fate | None:
        nonlocal left
        fate = choose(request, form) if left else None
        if fate is not None:
            left -= 1
        return fate

    judges[judge] = None
    stage.pull(seconds, lambda: judges.pop(judge, None))
    return True


def _refusal(code: int, message: str, status: int = 400) -> HttpReply:
    return HttpReply(status, JSON, msgspec.json.encode({"code": code, "message": message}))


def _page(status: str) -> HttpReply:
    return HttpReply(int(status), HTML, PAGES[status])


def _lost_request(stage: Stage, args: Args, _: Rng) -> bool:
    return _judge(stage, LASTS_S, lambda *_: Fate(is_lost=True, is_reply_lost=True), args["count"])


def _lost_reply(stage: Stage, args: Args, _: Rng) -> bool:
    return _judge(stage, LASTS_S, lambda *_: Fate(is_reply_lost=True), args["count"])


def _slow_replies(stage: Stage, args: Args, _: Rng) -> bool:
    return _judge(stage, args["seconds"], lambda *_: Fate(late_s=args["late_s"]))


def _rate_limited(stage: Stage, args: Args, _: Rng) -> bool:
    reply = _refusal(Code.TOO_MANY_REQUESTS, Code.TOO_MANY_REQUESTS.text, 429)
    _refuse(stage, args["seconds"], Code.TOO_MANY_REQUESTS, Code.TOO_MANY_REQUESTS.text)

    def choose(_: HttpRequest, form: Form) -> Fate:
        for tx_type, tx_info in transactions_of(form) if form is not None else ():
            stage.refuse(tx_type, tx_info)
        return Fate(is_lost=True, reply=reply)

    return _judge(stage, args["seconds"], choose)


def _server_errors(stage: Stage, args: Args, rng: Rng) -> bool:
    def choose(_: HttpRequest, __: Form) -> Fate | None:
        return Fate(is_lost=rng.random() < 0.5, reply=_page(args["status"])) if rng.random() < 0.8 else None

    return _judge(stage, args["seconds"], choose)


def _truncated_body(stage: Stage, args: Args, _: Rng) -> bool:
    return _judge(
        stage, LASTS_S, lambda *_: Fate(reply=HttpReply(200, JSON, b'{"code":200,"orders":[{')), args["count"]
    )


def _token_refused(stage: Stage, args: Args, _: Rng) -> bool:
    """The venue does not know the token any more."""
    reply = _refusal(Code.INVALID_AUTH, Code.INVALID_AUTH.text, 401)

    def choose(request: HttpRequest, _: Form) -> Fate | None:
        return Fate(is_lost=True, reply=reply) if request.path.removeprefix(API) in PRIVATE_READS else None

    return _judge(stage, LASTS_S, choose, args["count"])


def _stale_nonce(stage: Stage, args: Args, _: Rng) -> bool:
    """`nextNonce` is told from before what is on its way, once."""
    stale = {key.api_key_index: max(0, key.next_nonce - args["behind"]) for key in stage.exchange.keys(stage.account)}

    def choose(request: HttpRequest, _: Form) -> Fate | None:
        asked = re.search(r"api_key_index=(\d+)", request.query)
        if request.path != API + "nextNonce" or asked is None:
            return None
        return Fate(is_lost=True, reply=HttpReply(200, JSON, b'{"code":200,"nonce":%d}' % stale[int(asked[1])]))

    return _judge(stage, args["seconds"], choose, 1)


# -- transactions over the socket --------------------------------------------------------------


def _trap_sent(
    stage: Stage, seconds: float, count: int, change: Callable[[MemoryStream, bytes], Sequence[Passage] | None]
) -> bool:
    """Have something done to the next transactions that leave over the socket."""
    tampers, left = stage.network.weather[TRANSACTIONS].tampers_out, count

    def tamper(stream: MemoryStream, data: bytes) -> Sequence[Passage] | None:
        nonlocal left
        if not left or b"jsonapi/" not in data:
            return None
        passages = change(stream, data)
        if passages is not None:
            left -= 1
        return passages

    tampers[tamper] = None
    stage.pull(seconds, lambda: tampers.pop(tamper, None))
    return True


def answer(stream: MemoryStream, request: bytes, code: int, message: str) -> None:
    """Answer a transaction in the venue's place."""
    request_id = msgspec.json.decode(request)["data"]["id"]
    stream.inject(msgspec.json.encode({"id": request_id, "error": {"code": code, "message": message}}))


def _refuse(
    stage: Stage, seconds: float, code: int, message: str, *, kinds: Sequence[int] = (), count: int = 10**6
) -> bool:
    """Refuse transactions (of some types) that leave over the socket; the exchange never sees them."""

    def refuse(stream: MemoryStream, data: bytes) -> Sequence[Passage] | None:
        if kinds and not any(tx_type in kinds for tx_type, _ in transactions_in(data)):
            return None
        answer(stream, data, code, message)
        for tx_type, tx_info in transactions_in(data):
            stage.refuse(tx_type, tx_info)
        return ()

    return _trap_sent(stage, seconds, count, refuse)


def _lost_transaction(stage: Stage, args: Args, _: Rng) -> bool:
    return _trap_sent(stage, LASTS_S, args["count"], lambda *_: ())


def _late_transaction(stage: Stage, args: Args, _: Rng) -> bool:
    return _trap_sent(stage, LASTS_S, args["count"], lambda _, data: (Passage(data, args["late_s"]),))


def _lost_acknowledgement(stage: Stage, args: Args, _: Rng) -> bool:
    tampers, left = stage.network.weather[TRANSACTIONS].tampers_in, int(args["count"])

    def tamper(_: MemoryStream, data: bytes) -> Sequence[Passage] | None:
        nonlocal left
        if not left or b'"jsonapi/' not in data:
            return None
        left -= 1
        return ()

    tampers[tamper] = None
    stage.pull(LASTS_S, lambda: tampers.pop(tamper, None))
    return True


def _ran_and_timed_out(stage: Stage, args: Args, _: Rng) -> bool:
    """The transaction is queued, and its sender is told that the process timed out."""

    def both(stream: MemoryStream, data: bytes) -> Sequence[Passage]:
        answer(stream, data, Code.PROCESS_TIMEOUT, Code.PROCESS_TIMEOUT.text)
        return (Passage(data),)

    return _trap_sent(stage, LASTS_S, args["count"], both)


def _invalid_nonce(stage: Stage, args: Args, _: Rng) -> bool:
    return _refuse(stage, LASTS_S, Code.INVALID_NONCE, Code.INVALID_NONCE.text, count=args["count"])


def _too_many_pending(stage: Stage, args: Args, _: Rng) -> bool:
    return _refuse(stage, LASTS_S, Code.TOO_MANY_PENDING, Code.TOO_MANY_PENDING.text, count=args["count"])


def _quota_exhausted(stage: Stage, args: Args, _: Rng) -> bool:
    """What costs volume quota is refused; plain cancels are free."""
    words = "not enough volume quota remaining"
    return _refuse(stage, args["seconds"], Code.TOO_MANY_REQUESTS, words, kinds=USES_QUOTA)


def _silent_post_only(stage: Stage, args: Args, rng: Rng) -> bool:
    """Orders arrive late, when the market has moved through them: accepted with 200, cancelled in silence."""
    bps = args["bps"] if rng.random() < 0.5 else -args["bps"]

    def late(_: MemoryStream, data: bytes) -> Sequence[Passage] | None:
        if not any(tx_type in (TxType.CREATE_ORDER, TxType.MODIFY_ORDER) for tx_type, _ in transactions_in(data)):
            return None
        for market in stage.exchange.markets:
            stage.markets.jump(market, bps)
        return (Passage(data, args["late_s"]),)

    return _trap_sent(stage, LASTS_S, 1, late)


def _sequencer_reject(stage: Stage, args: Args, _: Rng) -> bool:
    """The market is paused between the 200 and the execution, where the tier has a speed bump between them."""

    def behind(_: MemoryStream, data: bytes) -> Sequence[Passage] | None:
        if not any(tx_type == TxType.CREATE_ORDER for tx_type, _ in transactions_in(data)):
            return None
        outside(args["after_s"], pause_markets, stage, args["seconds"])
        return (Passage(data),)

    return _trap_sent(stage, LASTS_S, 1, behind)


def pause_markets(stage: Stage, seconds: float) -> None:
    """Have every market closed for a while."""
    exchange = stage.exchange
    paused = [market for market in exchange.markets.values() if market.active]
    for market in paused:
        exchange.set_market(replace(market, active=False))

    def release() -> None:
        for market in paused:
            exchange.set_market(replace(exchange.markets[market.index], active=True))

    stage.pull(seconds, release)


REQUEST_FAULTS: dict[str, FaultKind] = {
    "lost_request": kind("N6", "requests vanish", _lost_request, count=(1, 3), per_minute=2),
    "lost_reply": kind("N7", "replies vanish", _lost_reply, count=(1, 3), per_minute=2),
    "slow_replies": kind("N8", "requests take seconds", _slow_replies, seconds=(2.0, 15.0), late_s=(0.5, 8.0)),
    "rate_limited": kind("E3", "429 for everything", _rate_limited, seconds=(1.0, 12.0)),
    "server_errors": kind("N9", "pages instead of answers", _server_errors, seconds=(1.0, 15.0), status=list(PAGES)),
    "truncated_body": kind("N9", "half an answer", _truncated_body, count=(1, 4)),
    "token_refused": kind("N12", "the token is not known any more", _token_refused, count=(1, 4)),
    "stale_nonce": kind("E2", "the next nonce is one of before", _stale_nonce, seconds=(5.0, 20.0), behind=(1, 3)),
    "lost_transaction": kind("N6", "transactions vanish", _lost_transaction, count=(1, 3), per_minute=2),
    "late_transaction": kind(
        "N8",
        "transactions come late, and behind later ones",
        _late_transaction,
        count=(1, 3),
        late_s=(0.05, 8.0),
        per_minute=2,
    ),
    "lost_acknowledgement": kind("N7", "answers vanish", _lost_acknowledgement, count=(1, 4), per_minute=2),
    "ran_and_timed_out": kind("E4", "done, and 29501 is said", _ran_and_timed_out, count=(1, 3), per_minute=2),
    "invalid_nonce": kind("E2", "21104", _invalid_nonce, count=(1, 2)),
    "too_many_pending": kind("E3", "21506", _too_many_pending, count=(1, 6)),
    "quota_exhausted": kind("E3", "no volume quota", _quota_exhausted, seconds=(3.0, 30.0)),
    "sequencer_reject": kind(
        "E1",
        "200, then rejected by the sequencer",
        _sequencer_reject,
        after_s=(0.02, 0.15),
        seconds=(0.2, 1.0),
        per_minute=3,
    ),
    "silent_post_only": kind(
        "E1", "200, then cancelled in silence", _silent_post_only, late_s=(0.3, 2.0), bps=(5.0, 30.0), per_minute=3
    ),
}
