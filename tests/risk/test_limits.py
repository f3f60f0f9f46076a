"""Limits in the operator's texts."""

import msgspec
import pytest

from helpers.desk import BTC, ETH
from lighterman.domain.errors import UnitError
from lighterman.risk.limits import AccountLimits, MarketLimits


def test_a_cap_is_lots_of_its_market():
    """The same text is another number of lots in another market (O11)."""
    limits = MarketLimits(position_max="1.5")

    assert (15_000, 150_000) == (limits.position_max_lots(ETH), limits.position_max_lots(BTC))


@pytest.mark.parametrize("text", ["0.00001", "-1", "1e2", ""])
def test_a_cap_that_is_no_number_of_lots_is_refused(text):
    """A cap off the lot, signed or in another form is refused, not rounded."""
    with pytest.raises(UnitError):
        MarketLimits(position_max=text).position_max_lots(ETH)


def test_no_money_limit_has_a_default():
    """A limit of money must be stated: nothing is assumed (reliability reference O1)."""
    with pytest.raises(msgspec.ValidationError, match="missing required field"):
        msgspec.convert({}, AccountLimits)
    needed = {field.name for field in msgspec.structs.fields(AccountLimits) if field.required}

    assert {"total_position_micro_max", "order_value_micro_max", "daily_loss_micro_max"} == needed
    assert ["position_max"] == [field.name for field in msgspec.structs.fields(MarketLimits) if field.required]
