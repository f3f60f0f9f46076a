import pytest

from lighterman.simulator.channels import FAMILIES, Channel, parse_channel

MARKETS = {0: None, 1: None}


@pytest.mark.parametrize(
    ("text", "key", "echo"),
    [
        ("height", "height", "height"),
        ("order_book/0", "order_book:0", "order_book:0"),
        ("market_stats/all", "market_stats:all", "market_stats:all"),
        ("market_stats/1", "market_stats:1", "market_stats:1"),
        ("account_all/7", "account_all:7", "account_all:7"),
        ("account_orders/0/7", "account_orders:0:7", "account_orders:0"),
        ("account_market/1/7", "account_market:1:7", "account_market:1:7"),
    ],
)
def test_slashes_become_colons(text, key, echo):
    """Requests use slashes, answers colons; `account_orders` echoes without the account (A-10)."""
    channel = parse_channel(text, MARKETS)

    assert channel is not None
    assert (channel.key, channel.echo) == (key, echo)


NO_CHANNELS = """
nothing order_book order_book/ order_book/2 order_book/00 order_book/-1 order_book/0/1 order_book:0 ticker/all height/0
account_all account_all/x account_all/٣ account_orders/0 / account_all/99999999999999999999
"""


@pytest.mark.parametrize("text", ["", *NO_CHANNELS.split()])
def test_what_is_no_channel_is_none(text):
    """An unknown family, market or shape is no channel."""
    assert parse_channel(text, MARKETS) is None


def test_tokens_are_needed_as_captured():
    """Private channels need a token, the four that the venue leaves open do not (A-11)."""
    private = {name for name, family in FAMILIES.items() if family.needs_token}

    assert private == {
        "account_all_orders", "account_all_assets", "account_tx", "account_orders", "account_market",
    }  # fmt: skip
    assert Channel("account_tx", account=7).needs_token
