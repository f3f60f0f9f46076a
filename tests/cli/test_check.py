"""`lighterman check`: the answer before anything is risked."""

from decimal import Decimal

import pytest

from helpers.bot_runs import DOCUMENT, MARKET
from helpers.processes import finished, settings_file
from helpers.settings_files import API_KEY, CANCEL_KEY, TESTNET, bent


async def test_what_it_would_do(tmp_path, repository, monkeypatch):
    """A right file gives worst case, message budget and today's quotes with what they are made of; nothing is kept."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ended = await finished("check", "-c", repository / "configs" / "config.json", "--json", cwd=tmp_path)
    answer = ended.result

    assert ended.code == 0
    assert ("20000.00", "200.00") == (answer["total_position_max_usd"], answer["daily_loss_max_usd"])
    assert (4000, 800) == (answer["messages_per_minute"], answer["messages_kept_for_cancels"])
    assert answer["messages_for_one_requote"] == 24
    assert Decimal(answer["worst_value_usd"]) <= Decimal(answer["total_position_max_usd"])
    assert ["ETH-USDC", "BTC-USDC", "SOL-USDC"] == [market["market"] for market in answer["markets"]]
    for market in answer["markets"]:
        assert ("", "") == (market["no_bid"], market["no_ask"])
        bids = [Decimal(quote["price"]) for quote in market["quotes"] if quote["side"] == "bid"]
        asks = [Decimal(quote["price"]) for quote in market["quotes"] if quote["side"] == "ask"]
        assert (4, 4) == (len(bids), len(asks))
        assert max(bids) < min(asks)
        total = sum(Decimal(quote["value_usd"]) for quote in market["quotes"])
        assert abs(total - Decimal(market["ladder_value_usd"])) < Decimal("0.1")
        assert all(quote["made_of_bps"] for quote in market["quotes"])
    assert [] == list(tmp_path.iterdir())


async def test_in_words(tmp_path):
    """Without --json the same stands there in words."""
    ended = await finished("check", "-c", settings_file(tmp_path, DOCUMENT), cwd=tmp_path)

    assert ended.code == 0
    for part in (
        "the settings are right",
        "worst case: positions worth",
        "messages: 4000 a minute",
        "  bid 0: 0.0500 @",
    ):
        assert part in ended.out


async def test_wrong_file(tmp_path):
    """A wrong file ends with 3 and everything that is wrong."""
    document = bent(bent(DOCUMENT, "risk.maxOrderValueUSD", -1), "markets[0].orderLevels", 0)
    ended = await finished("check", "-c", settings_file(tmp_path, document), cwd=tmp_path)

    assert (3, "") == (ended.code, ended.out)
    assert "2 problems" in ended.err


async def test_file_that_does_not_fit_the_venue(tmp_path):
    """A market that the venue does not have ends with 4, and the nearest name."""
    document = DOCUMENT | {"markets": [MARKET | {"symbol": "SOLL-USDC"}]}
    ended = await finished("check", "-c", settings_file(tmp_path, document), cwd=tmp_path)

    assert (4, "") == (ended.code, ended.out)
    assert "did you mean SOL?" in ended.err


@pytest.mark.parametrize("keys", [True, False])
async def test_file_for_a_real_network(tmp_path, monkeypatch, keys):
    """A file for testnet is validated with its keys, and without them refused with 3."""
    if keys:
        monkeypatch.setenv("KEY", API_KEY)
        monkeypatch.setenv("CANCEL_KEY", CANCEL_KEY)
    ended = await finished("check", "-c", settings_file(tmp_path, TESTNET), "--mode", "testnet", cwd=tmp_path)

    assert ended.code == (0 if keys else 3)
    assert API_KEY not in ended.out + ended.err
