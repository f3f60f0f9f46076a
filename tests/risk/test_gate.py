"""The gate: every limit has a test that drives past it, and intents are judged as a set."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.desk import BTC, ETH, USD, limits
from lighterman.domain.commands import CancelAll, CancelOrder, ModifyOrder, PlaceOrder
from lighterman.domain.market import Market
from lighterman.risk.budget import MessageBudget
from lighterman.risk.gate import Approved, Exposure, Gate, Intent, Refusal, cancel_everything

S = 1_000_000_000
MARK = {ETH.index: 200_000, BTC.index: 600_000}
Reviewed = tuple[list[Approved], list[Refusal]]


def _exposure(market: Market = ETH, **changes: object) -> Exposure:
    mark = MARK[market.index]
    facts: dict[str, object] = {
        "market": market,
        "position_lots": 0,
        "position_max_lots": 10_000,
        "buy_lots": 0,
        "sell_lots": 0,
        "highest_bid_ticks": 0,
        "lowest_ask_ticks": 0,
        "mark_ticks": mark,
        "mid_ticks": float(mark),
        "closed_reason": "",
    }
    return Exposure(**(facts | changes))  # type: ignore[arg-type]


def _place(price: int, size: int, *, is_ask: bool = False, market: Market = ETH) -> Intent:
    return Intent(PlaceOrder(1, market.index, 1, is_ask, price, size), market.index, is_ask, price, size, size)


def _modify(price: int, total: int, added: int, *, is_ask: bool = False, market: Market = ETH) -> Intent:
    return Intent(ModifyOrder(1, market.index, 1, price, total), market.index, is_ask, price, total, added)


def _cancel(market: Market = ETH) -> Intent:
    return Intent(CancelOrder(1, market.index, 1), market.index)


def _review(
    intents: Sequence[Intent], *exposures: Exposure, orders_free: int = 100, messages: int = 100_000, **money: object
) -> Reviewed:
    """Review with the given exposures; all other markets hold nothing."""
    found = {exposure.market.index: exposure for exposure in exposures or (_exposure(),)}
    account = limits(messages_per_minute=messages, **money)
    gate = Gate(account, MessageBudget(messages, account.cancel_reserve_fraction))
    total_micro = sum(exposure.worst_notional_micro() for exposure in found.values())
    return gate.review(list(intents), found, total_micro, orders_free, S)


def _reasons(reviewed: Reviewed) -> list[str]:
    return [refusal.reason for refusal in reviewed[1]]


# -- one test for each limit: what is at it passes, what is past it does not ----------------


@pytest.mark.parametrize(("size", "reasons"), [(1000, []), (1001, ["order_value_limit"])])
def test_order_value(size, reasons):
    """An order is worth at most maxOrderValueUSD (SD3)."""
    assert reasons == _reasons(_review([_place(200_000, size)], order_value_micro_max=200 * USD))


@pytest.mark.parametrize(("total", "reasons"), [(1000, []), (1001, ["order_value_limit"])])
def test_order_value_is_of_what_is_signed(total, reasons):
    """A modify is judged by its total size, of which some may be filled already (I2)."""
    assert reasons == _reasons(_review([_modify(200_000, total, 0)], order_value_micro_max=200 * USD))


def test_order_value_of_the_venue():
    """The venue's own limit on an order's value holds too."""
    small = msgspec.structs.replace(ETH, order_quote_limit_micro=100 * USD)

    assert ["order_value_limit"] == _reasons(_review([_place(200_000, 501)], _exposure(small)))


@pytest.mark.parametrize("is_ask", [False, True])
@pytest.mark.parametrize("reference", ["mark_ticks", "mid_ticks"])
def test_price_collar(reference, is_ask):
    """A price stands at most priceCollarBps from the mark and from the mid (R13, E13)."""
    exposure = _exposure(**{reference: 200_000})
    other = {"mark_ticks": "mid_ticks", "mid_ticks": "mark_ticks"}[reference]
    for sign in (1, -1):
        near, far = 200_000 + sign * 4000, 200_000 + sign * 4001
        exposure = _exposure(**{reference: 200_000, other: near})
        assert [] == _reasons(_review([_place(near, 50, is_ask=is_ask)], exposure, price_collar_bps=200.0))
        exposure = _exposure(**{reference: 200_000, other: far})
        assert ["price_collar"] == _reasons(_review([_place(far, 50, is_ask=is_ask)], exposure, price_collar_bps=200.0))


@pytest.mark.parametrize("is_ask", [False, True])
@pytest.mark.parametrize(("added", "reasons"), [(100, []), (101, ["position_limit"])])
def test_position(is_ask, added, reasons):
    """Position, what rests and what is added stay within maxPosition (R4, SD3)."""
    side = "sell_lots" if is_ask else "buy_lots"
    held = {"position_lots": -6000 if is_ask else 6000, side: 3900}

    assert reasons == _reasons(_review([_place(200_000, added, is_ask=is_ask)], _exposure(**held)))
    assert reasons == _reasons(_review([_modify(200_000, 4000, added, is_ask=is_ask)], _exposure(**held)))


@pytest.mark.parametrize(("size", "reasons"), [(500, []), (501, ["total_position_limit"])])
def test_total_position(size, reasons):
    """The worst-case value over all markets stays within maxTotalPositionUSD (R3, SD3)."""
    exposures = _exposure(), _exposure(BTC, position_lots=-500, sell_lots=1000)  # 900 USD at worst
    reviewed = _review([_place(200_000, size)], *exposures, total_position_micro_max=1000 * USD)

    assert reasons == _reasons(reviewed)


def test_messages_a_minute():
    """When the budget is spent down to its reserve creates and modifies are refused, cancels go out (SD9)."""
    reviewed = _review([_place(199_000, 50)] * 16 + [_modify(199_000, 50, 0)] + [_cancel()] * 5, messages=60)

    assert ["message_budget"] * 4 == _reasons(reviewed)
    assert (14, 4) == tuple(
        sum(isinstance(approved.command, kind) for approved in reviewed[0]) for kind in (PlaceOrder, CancelOrder)
    )


def test_orders_tracked():
    """No more orders are placed than may be tracked; a modify or cancel needs no room (O16)."""
    reviewed = _review([_place(199_000, 50), _modify(199_000, 50, 0), _place(199_000, 50), _cancel()], orders_free=1)

    assert ["too_many_orders"] == _reasons(reviewed)
    assert [PlaceOrder, ModifyOrder, CancelOrder] == [type(approved.command) for approved in reviewed[0]]


def test_a_closed_market_takes_nothing_new():
    """Where quoting has a reason not to be, creates and modifies are refused with it and cancels pass (R10, SD25)."""
    exposure = _exposure(closed_reason="stale_book")
    reviewed = _review([_place(200_000, 50), _modify(200_000, 50, 0), _cancel()], exposure)

    assert ["stale_book", "stale_book"] == _reasons(reviewed)
    assert [CancelOrder] == [type(approved.command) for approved in reviewed[0]]


@pytest.mark.parametrize(("price", "reasons"), [(199_999, []), (200_000, ["self_cross"]), (200_001, ["self_cross"])])
def test_self_cross(price, reasons):
    """No bid reaches an own ask that rests or may come to rest, nor the other way round (I7, E10)."""
    assert reasons == _reasons(_review([_place(price, 50)], _exposure(lowest_ask_ticks=200_000)))
    mirrored = _review([_place(400_000 - price, 50, is_ask=True)], _exposure(highest_bid_ticks=200_000))
    assert reasons == _reasons(mirrored)


def test_cancel_all_always_goes_out():
    """The last resort passes with the budget spent to nothing (P2)."""
    reviewed = _review([_cancel()] * 40 + [Intent(CancelAll(9), -1)], messages=60)

    assert Approved(CancelAll(9)) == reviewed[0][-1]
    assert 18 == len(reviewed[0]) - 1


def test_cancelling_everything_needs_no_review():
    """Outside any decision the one command that may be approved is to cancel all."""
    assert Approved(CancelAll(5)) == cancel_everything(5)


# -- sets -----------------------------------------------------------------------------------


def test_intents_are_judged_together():
    """Orders that each fit the limit do not all pass when together they break it (R5)."""
    reviewed = _review([_place(200_000 - level, 4000) for level in range(3)])

    assert (2, ["position_limit"]) == (len(reviewed[0]), _reasons(reviewed))


def test_a_cancel_frees_nothing_yet():
    """A replacement counts beside the order it replaces until that has ended (O4, SD7)."""
    exposure = _exposure(buy_lots=10_000)

    assert ["position_limit"] == _reasons(_review([_cancel(), _place(200_000, 100)], exposure))


def test_a_bid_approved_bars_the_ask_it_would_meet():
    """Self-crossing is checked against what the same set has let pass."""
    reviewed = _review([_place(200_000, 50), _place(200_000, 50, is_ask=True), _place(200_001, 50, is_ask=True)])

    assert (2, ["self_cross"]) == (len(reviewed[0]), _reasons(reviewed))


@pytest.mark.parametrize("sign", [1, -1])
def test_what_reduces_is_allowed_at_the_cap(sign):
    """With a position at or over both limits an order that reduces it passes, one that adds does not (R3, SD19)."""
    over, at = _exposure(position_lots=sign * 12_000), _exposure(position_lots=sign * 5000)
    reducing, adding = _place(200_001, 12_000, is_ask=sign > 0), _place(200_001, 50, is_ask=sign < 0)
    money = {"total_position_micro_max": 100 * USD}

    assert ["position_limit"] == _reasons(_review([adding], over, **money))
    assert ["total_position_limit"] == _reasons(_review([adding], at, **money))
    assert [] == _reasons(_review([reducing], over, **money))


@st.composite
def _sets(draw: st.DrawFn) -> tuple[list[Intent], list[Exposure]]:
    exposures = [
        _exposure(
            market,
            position_lots=draw(st.integers(-11_000, 11_000)),
            buy_lots=draw(st.integers(0, 9000)),
            sell_lots=draw(st.integers(0, 9000)),
            highest_bid_ticks=MARK[market.index] - draw(st.integers(1, 20)),
            lowest_ask_ticks=MARK[market.index] + draw(st.integers(0, 20)),
        )
        for market in (ETH, BTC)
    ]
    intents = []
    for number in range(draw(st.integers(1, 12))):
        market = draw(st.sampled_from([ETH, BTC]))
        price = MARK[market.index] + draw(st.integers(-20, 20))
        size, is_ask, kind = draw(st.integers(1, 6000)), draw(st.booleans()), draw(st.integers(0, 2))
        if kind == 0:
            intents.append(_cancel(market))
        elif kind == 1:
            intents.append(_modify(price, size, draw(st.integers(0, size)), is_ask=is_ask, market=market))
        else:
            intents.append(_place(price, size, is_ask=is_ask, market=market))
        intents[-1] = msgspec.structs.replace(
            intents[-1], command=msgspec.structs.replace(intents[-1].command, command_id=number)
        )
    return intents, exposures


@given(_sets(), st.integers(0, 30_000))
def test_no_set_takes_the_worst_case_past_a_limit(drawn, total_usd):
    """After any set: position and total are within their limits at worst, or no worse than before (I1)."""
    intents, exposures = drawn
    before = [msgspec.structs.replace(exposure) for exposure in exposures]
    approved, refused = _review(intents, *exposures, total_position_micro_max=total_usd * USD)
    passed = {item.command.command_id for item in approved}

    assert len(intents) == len(approved) + len(refused)
    for old, new in zip(before, exposures, strict=True):
        mine = [i for i in intents if i.market == new.market.index and i.command.command_id in passed]
        assert new.buy_lots == old.buy_lots + sum(i.added_lots for i in mine if not i.is_ask)
        assert new.sell_lots == old.sell_lots + sum(i.added_lots for i in mine if i.is_ask)
        assert new.buy_lots == old.buy_lots or new.position_lots + new.buy_lots <= new.position_max_lots
        assert new.sell_lots == old.sell_lots or new.sell_lots - new.position_lots <= new.position_max_lots
    total_before = sum(exposure.worst_notional_micro() for exposure in before)
    total_after = sum(exposure.worst_notional_micro() for exposure in exposures)
    assert total_after <= max(total_before, total_usd * USD)


@given(_sets())
def test_no_set_lets_own_orders_meet(drawn):
    """Nothing that passes reaches the other side of what rested or passed before it (I7)."""
    intents, exposures = drawn
    asks = {exposure.market.index: exposure.lowest_ask_ticks for exposure in exposures}
    bids = {exposure.market.index: exposure.highest_bid_ticks for exposure in exposures}
    passed = {item.command.command_id for item in _review(intents, *exposures)[0]}
    for intent in intents:
        if intent.price_ticks and intent.command.command_id in passed:
            if intent.is_ask:
                assert intent.price_ticks > bids[intent.market]
                asks[intent.market] = min(asks[intent.market], intent.price_ticks)
            else:
                assert intent.price_ticks < asks[intent.market]
                bids[intent.market] = max(bids[intent.market], intent.price_ticks)
