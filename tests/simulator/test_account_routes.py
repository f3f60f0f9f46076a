import pytest

from helpers.golden import golden_object, shape
from helpers.local_venue import Venue, crowd
from lighterman.protocol.transactions import CancelAllMode


def scene():
    """Return an exchange whose account 100 has a position, an open order and three ended ones."""
    venue = Venue()
    trader = venue.trader()
    trader.send(trader.take(size=900))
    venue.go(2)
    for price in (290_000, 291_000, 292_000):
        trader.send(trader.create(price=price))
        venue.go(1)
    trader.send(trader.cancel(5002))
    venue.go(1)
    trader.send(trader.cancel(5003))
    return venue, trader


def client_indexes(reply):
    return [row["client_order_index"] for row in reply["orders"]]


def test_an_account_is_told_as_the_venue_does():
    """GET account has every key of the captured account and position (protocol reference 2.7.5)."""
    venue, _ = scene()
    _, reply = venue.get("account", by="index", value=100)
    (account,), captured = reply["accounts"], golden_object("detailed_account")

    assert set(captured) == set(account)
    assert set(captured["positions"][0]) <= set(account["positions"][0])
    assert set(captured["assets"][0]) == set(account["assets"][0])
    types = shape(account)
    assert all(types[key] == kind for key, kind in shape(captured).items() if key not in {"positions", "assets"})
    assert (reply["total"], account["total_order_count"], account["positions"][0]["position"]) == (1, 1, "0.0900")


def test_money_has_twelve_decimals_where_six_would_lose_some():
    """The exact collateral can be read from GET account (docs/decisions)."""
    venue, _ = scene()
    _, reply = venue.get("account", by="index", value=100)
    pico = venue.ledger(100)[1]["collateral_pico"]
    whole, _, digits = reply["accounts"][0]["collateral"].partition(".")

    assert int(whole + digits.ljust(12, "0")) == pico
    assert reply["accounts"][0]["assets"][0]["margin_balance"] == f"{pico // 10**12}.{pico % 10**12:012d}"


def test_flat_markets_can_be_hidden():
    """A market once traded stays in the list with size zero unless active_only is asked."""
    venue = Venue()
    trader = venue.trader()
    for is_ask in (False, True):
        trader.send(trader.take(size=100, is_ask=is_ask))
    venue.go(1)
    rows = [
        venue.get("account", by="index", value=100, active_only=flag)[1]["accounts"][0]["positions"]
        for flag in ("false", "true")
    ]

    assert [row["position"] for row in rows[0]] == ["0.0000"]
    assert rows[1] == []


def test_short_positions_have_a_sign():
    """The size is absolute, the sign tells the side (protocol reference 2.7.5)."""
    venue = Venue()
    trader = venue.trader()
    trader.send(trader.take(size=500, is_ask=True))
    venue.go(1)
    (row,) = venue.get("account", by="index", value=100)[1]["accounts"][0]["positions"]

    assert (row["sign"], row["position"], row["avg_entry_price"], row["position_value"]) == (
        -1, "0.0500", "2999.00", "150.000000",
    )  # fmt: skip


def test_unknown_accounts_are_not_found():
    """GET account is 29404 for an unknown account, the others 21100 (protocol reference 2.2)."""
    venue = Venue()

    assert venue.get("account", by="index", value=9) == (400, {"code": 29404, "message": "not found"})
    assert venue.get("account", by="l1_address", value="0x0")[1]["code"] == 29404
    assert venue.get("accountsByL1Address", l1_address="0x0")[1]["code"] == 21100
    assert venue.get("nextNonce", account_index=9, api_key_index=5)[1]["code"] == 21100
    assert venue.get("apikeys", account_index=9)[1]["code"] == 21100


def test_accounts_are_found_by_their_owner():
    """An owner's address, in any case, leads to its accounts."""
    venue, _ = scene()
    address = venue.get("account", by="index", value=100)[1]["accounts"][0]["l1_address"]

    assert venue.get("account", by="l1_address", value=address.upper().replace("X", "x"))[1]["total"] == 1
    assert [row["index"] for row in venue.get("accountsByL1Address", l1_address=address)[1]["sub_accounts"]] == [100]


def test_keys_show_their_next_nonce():
    """`apikeys` and nextNonce count what is queued; an unknown key is 21109."""
    venue, trader = scene()
    (key,) = venue.get("apikeys", account_index=100, api_key_index=5)[1]["api_keys"]

    assert (key["public_key"], key["nonce"]) == (trader.public_key, 6)
    assert venue.get("nextNonce", account_index=100, api_key_index=5)[1] == {"code": 200, "nonce": 6}
    assert venue.get("apikeys", account_index=100, api_key_index=6)[1]["code"] == 21109
    assert venue.get("nextNonce", account_index=100, api_key_index=6)[1]["code"] == 21109


@pytest.mark.parametrize(
    ("tier", "user_tier", "maker", "taker"),
    [("premium", "premium", 40, 280), ("premium-500k", "premium", 28, 196), ("standard", "standard", 0, 0)],
)
def test_the_tier_is_told_by_its_limits(tier, user_tier, maker, taker):
    """`accountLimits` is where tier and fees in ppm are read (protocol reference 1.5)."""
    venue = Venue()
    trader = venue.trader(tier=tier)
    _, reply = venue.get("accountLimits", trader.token(), account_index=100)

    assert (reply["user_tier"], reply["user_tier_name"]) == (user_tier, tier)
    assert (reply["current_maker_fee_tick"], reply["current_taker_fee_tick"]) == (maker, taker)


def test_orders_are_told_active_and_ended():
    """Active and ended orders are lists apart, newest first, with the keys of the captured order."""
    venue, trader = scene()
    token = trader.token()
    active = venue.get("accountActiveOrders", token, account_index=100)[1]
    ended = venue.get("accountInactiveOrders", token, account_index=100, limit=10)[1]

    assert client_indexes(active) == [5004]
    assert client_indexes(ended) == [5003, 5002, 5001]
    assert set(golden_object("order")) <= set(active["orders"][0])
    assert client_indexes(venue.get("accountActiveOrders", token, account_index=100, market_id=1)[1]) == []
    assert client_indexes(venue.get("accountActiveOrders", token, account_index=100, market_type="spot")[1]) == []


def test_ended_orders_are_walked_and_filtered():
    """A cursor leads through them once; side and time choose among them."""
    venue, trader = scene()
    token = trader.token()
    seen, cursor = [], {}
    while True:
        reply = venue.get("accountInactiveOrders", token, account_index=100, limit=1, **cursor)[1]
        seen += client_indexes(reply)
        if "next_cursor" not in reply:
            break
        cursor = {"cursor": reply["next_cursor"]}

    def chosen(**parameters):
        return client_indexes(venue.get("accountInactiveOrders", token, account_index=100, limit=9, **parameters)[1])

    assert seen == [5003, 5002, 5001]
    assert chosen(ask_filter=1) == []
    assert chosen(ask_filter=0) == seen
    assert chosen(between_timestamps=f"{venue.now_s}-{venue.now_s + 9}") == [5003]
    for parameters in ({"cursor": "1"}, {"cursor": "a-b"}):
        assert venue.get("accountInactiveOrders", token, account_index=100, limit=1, **parameters)[1]["code"] == 20009
    assert (
        venue.get("accountInactiveOrders", token, account_index=100, limit=1, between_timestamps="5")[1]["code"]
        == 20001
    )


def test_orders_are_found_by_their_client_index():
    """`accountOrders` finds active and recently ended orders of the token's account (protocol reference 2.3)."""
    venue, trader = scene()
    token = trader.token()

    def found(text, **parameters):
        return sorted(client_indexes(venue.get("accountOrders", token, client_order_indexes=text, **parameters)[1]))

    assert found("5001,5004,77") == [5001, 5004]
    assert found("5003", account_index=100) == [5003]
    assert found("77") == []
    venue.go(86_500)
    assert client_indexes(venue.get("accountOrders", trader.token(), client_order_indexes="5001,5002")[1]) == []


@pytest.mark.parametrize("text", ["", "x", "1,", ",".join(map(str, range(1, 22)))])
def test_odd_client_indexes_are_refused(text):
    """Anything but up to twenty numbers is 20001."""
    venue, trader = scene()

    assert venue.get("accountOrders", trader.token(), client_order_indexes=text)[1]["code"] == 20001


def test_funding_payments_are_told():
    """`positionFunding` lists payments newest first, with sides and pages."""
    venue, trader = scene()
    venue.go(2 * 3_600 + 60)
    token = trader.token()
    reply = venue.get("positionFunding", token, account_index=100, limit=1)[1]
    (row,) = reply["position_fundings"]

    assert row["position_side"] == "long"
    assert row["market_id"] == 0
    rest = venue.get("positionFunding", token, account_index=100, limit=9, cursor=reply["next_cursor"])[1]
    assert len(rest["position_fundings"]) == len(venue.exchange.fundings_of(100)) - 1
    assert venue.get("positionFunding", token, account_index=100, limit=9, side="short")[1]["position_fundings"] == []


def test_a_liquidation_is_told():
    """`liquidations` lists the forced trades of an account."""
    venue = Venue()
    trader = venue.trader(collateral_usdc="160")
    trader.send(trader.take(size=10_000))
    venue.go(1)
    assert venue.get("liquidations", trader.token(), account_index=100, limit=9)[1]["liquidations"] == []
    crowd(venue.exchange, 0, is_ask=False, price_ticks=291_000, size_lots=50_000)
    venue.exchange.set_index(0, 285_000, venue.now_us)
    venue.go(60)
    reply = venue.get("liquidations", trader.token(), account_index=100, limit=9)[1]

    assert reply["liquidations"]
    assert reply["liquidations"][0]["type"] in {"partial", "deleverage"}
    assert venue.exchange.total_value_pico() == venue.exchange.deposited_pico()


def test_pnl_is_what_the_account_is_worth_beyond_its_deposits():
    """`pnl` has one live row; documented but unsupported resolutions are 22402."""
    venue, _ = scene()
    parameters = {"by": "index", "value": 100, "start_timestamp": 0, "end_timestamp": 1, "count_back": 1}
    (row,) = venue.get("pnl", resolution="1h", **parameters)[1]["pnl"]
    view = venue.exchange.account(100)

    assert row["trade_pnl"] == pytest.approx(view.value_pico / 1e12 - 10_000)
    assert (row["inflow"], row["volume"]) == (10_000.0, 270.09)
    assert venue.get("pnl", resolution="5m", **parameters)[1]["code"] == 22402


def test_an_armed_switch_is_shown():
    """cancel_all_time of the account is the dead man's switch in epoch ms (protocol reference 4.10)."""
    venue, trader = scene()
    at_ms = venue.now_ms + 400_000
    trader.send(trader.cancel_all(CancelAllMode.SCHEDULED, at_ms))
    assert venue.get("account", by="index", value=100)[1]["accounts"][0]["cancel_all_time"] == at_ms
    venue.go(401)

    assert venue.get("account", by="index", value=100)[1]["accounts"][0]["cancel_all_time"] == 0
    assert venue.exchange.open_orders(100) == []


@pytest.mark.parametrize(
    "name", ["accountActiveOrders", "accountInactiveOrders", "accountLimits", "positionFunding", "liquidations"]
)
def test_foreign_accounts_stay_closed(name):
    """A token opens its own account only: 20013 with HTTP 401."""
    venue, trader = scene()
    venue.trader(200)
    status, reply = venue.get(name, trader.token(), account_index=200, limit=1)

    assert (status, reply["code"]) == (401, 20013)
    assert "not from given account" in reply["message"]
