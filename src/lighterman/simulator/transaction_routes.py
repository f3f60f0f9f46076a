"""Sending transactions, asking for them, keys, tokens and tiers: protocol reference 2.4 and 2.5."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from lighterman.domain.errors import RemoteProtocolError
from lighterman.matching.views import AccountView, TransactionRecord
from lighterman.protocol import objects, rest
from lighterman.protocol.codes import OK, Code
from lighterman.protocol.rest import API
from lighterman.simulator import account_rendering as rendering
from lighterman.simulator.calls import Access, Call, Route, Services, own_view, refuse
from lighterman.simulator.forms import invalid
from lighterman.simulator.tokens import SCOPES

PAGE_MAX = 100
TX_TYPE_MAX = 255
SEQUENCE_MAX = 2**53
EXPIRY_S_MAX = 2**40
MAKER_ONLY_FROM = 4  # api keys 0-3 are the venue's own front ends (1.4)
API_KEY_MAX = 254

FREE_WEIGHT = 0  # counted by admission, per owner (6.2)
HEAVY_WEIGHT = 3_000
TOKEN_WEIGHT = 23_000

T = TypeVar("T", int, str)


def _send(services: Services, call: Call) -> msgspec.Struct:
    tx_type = call.form.integer("tx_type", 0, TX_TYPE_MAX)
    receipt = services.admission.send([tx_type], [call.form.text("tx_info")], call.now_us)
    return rest.SendReply(
        code=OK,
        message=receipt.message or None,
        tx_hash=receipt.tx_hashes[0],
        predicted_execution_time_ms=receipt.predicted_ms,
        volume_quota_remaining=receipt.quota_remaining,
    )


def _send_batch(services: Services, call: Call) -> msgspec.Struct:
    tx_types = _json_list(call, "tx_types", list[int])
    tx_infos = _json_list(call, "tx_infos", list[str])
    receipt = services.admission.send(tx_types, tx_infos, call.now_us)
    return rest.SendReply(
        code=OK,
        message=receipt.message or None,
        tx_hash=receipt.tx_hashes,
        predicted_execution_time_ms=receipt.predicted_ms,
        volume_quota_remaining=receipt.quota_remaining,
    )


def _transaction(services: Services, call: Call) -> msgspec.Struct:
    """One transaction by hash or by sequence index; an unknown one is 21500."""
    exchange = services.exchange
    if call.form.choice("by", ("hash", "sequence_index")) == "hash":
        record = exchange.transaction(call.form.text("value").lower().removeprefix("0x"))
    else:
        wanted = call.form.integer("value", 1, SEQUENCE_MAX)
        records = (each for index in exchange.account_indexes() for each in exchange.transactions_of(index))
        record = next((each for each in records if each.sequence_index == wanted), None)
    if record is None:
        raise refuse(Code.TRANSACTION_NOT_FOUND)
    view = exchange.account(record.request.account_index)
    enriched = _enriched(services, record, view)
    return rest.TransactionReply(**msgspec.structs.asdict(enriched))


def _account_transactions(services: Services, call: Call) -> msgspec.Struct:
    """Transactions of an account, ascending, after `index`."""
    call.form.choice("by", ("account_index",))
    view = own_view(services, call, name="value")
    after = call.form.integer("index", 0, SEQUENCE_MAX, 0)
    limit = call.form.integer("limit", 1, PAGE_MAX)
    records = services.exchange.transactions_of(view.index)
    page = [record for record in records if record.sequence_index > after][:limit]
    return rest.AccountTransactions(txs=[_enriched(services, record, view) for record in page])


def _change_tier(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    services.registry.change_tier(view.index, call.form.text("new_tier"), call.now_us)
    return rest.Done()


def _maker_only_keys(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    keys = [key.api_key_index for key in services.exchange.keys(view.index) if key.maker_only]
    return rest.MakerOnlyKeys(api_key_indexes=keys)


def _set_maker_only_keys(services: Services, call: Call) -> msgspec.Struct:
    """Replace the list; premium accounts only, one change an hour (1.4)."""
    view = own_view(services, call)
    indexes = _json_list(call, "api_key_indexes", list[int])
    known = {key.api_key_index for key in services.exchange.keys(view.index)}
    if any(not MAKER_ONLY_FROM <= index <= API_KEY_MAX for index in indexes):
        raise refuse(Code.INVALID_API_KEY_INDEX)
    if not known.issuperset(indexes):
        raise refuse(Code.API_KEY_NOT_FOUND)
    if not view.tier.startswith("premium"):
        raise refuse(Code.INVALID_TIER)
    services.registry.change_maker_only(view.index, indexes, call.now_us)
    return rest.Done()


def _tokens(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    return rest.ApiTokens(api_tokens=services.gatekeeper.issued_to(view.index))


def _create_token(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    wanted = rest.ApiToken(
        token_id=0,
        name=call.form.text("name"),
        account_index=view.index,
        expiry=call.form.integer("expiry", 0, EXPIRY_S_MAX),
        sub_account_access=call.form.flag("sub_account_access"),
        revoked=False,
        scopes=call.form.text("scopes", SCOPES),
    )
    issued = services.gatekeeper.issue(wanted, call.now_us)
    return rest.CreatedToken(code=OK, **msgspec.structs.asdict(issued))


def _revoke_token(services: Services, call: Call) -> msgspec.Struct:
    view = own_view(services, call)
    services.gatekeeper.revoke(view.index, call.form.integer("token_id", 0, SEQUENCE_MAX))
    return rest.Done()


def _enriched(services: Services, record: TransactionRecord, view: AccountView | None) -> objects.EnrichedTransaction:
    info = services.admission.info(record.request.tx_hash)
    return rendering.transaction(record, info, view.l1_address if view else "")


def _json_list(call: Call, name: str, kind: type[list[T]]) -> list[T]:
    """Return a parameter that is a list written as JSON; raises VenueError 20001."""
    try:
        return objects.decode(call.form.text(name), kind)
    except RemoteProtocolError:
        raise invalid(name) from None


ROUTES: Mapping[tuple[str, str], Route] = MappingProxyType(
    {
        ("POST", f"{API}sendTx"): Route(_send, weight=FREE_WEIGHT),
        ("POST", f"{API}sendTxBatch"): Route(_send_batch, weight=FREE_WEIGHT),
        ("GET", f"{API}tx"): Route(_transaction),
        ("GET", f"{API}accountTxs"): Route(_account_transactions, Access.READ),
        ("POST", f"{API}changeAccountTier"): Route(_change_tier, Access.WRITE, HEAVY_WEIGHT),
        ("GET", f"{API}getMakerOnlyApiKeys"): Route(_maker_only_keys, Access.READ),
        ("POST", f"{API}setMakerOnlyApiKeys"): Route(_set_maker_only_keys, Access.WRITE),
        ("GET", f"{API}tokens"): Route(_tokens, Access.READ, HEAVY_WEIGHT),
        ("POST", f"{API}tokens/create"): Route(_create_token, Access.WRITE, TOKEN_WEIGHT),
        ("POST", f"{API}tokens/revoke"): Route(_revoke_token, Access.WRITE, HEAVY_WEIGHT),
    }
)
