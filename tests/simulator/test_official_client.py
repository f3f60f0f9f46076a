"""The unmodified official client against our exchange, over real sockets (protocol reference 12)."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from helpers.local_server import running
from lighterman.chance import secret_bytes
from lighterman.signing.pure import generate_key

ACCOUNT, KEY = 77, 6
SCRIPT = Path(__file__).with_name("official_client.py")
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def official_python(repository):
    """Return the interpreter that has the official client, or skip."""
    named = os.environ.get("LIGHTERMAN_SDK_PYTHON")
    python = Path(named) if named else repository / ".venv-sdk" / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"the official client is not installed: no {python} (make .venv-sdk/.installed)")
    return python


async def converse(python):
    """Serve a quiet market, let the official client trade on it, and return its report and our ledger."""
    secret, public_key = generate_key(secret_bytes)
    async with running() as (http, ready):
        url = ready["url"]
        body = {"account_index": ACCOUNT, "api_key_index": KEY, "public_key": public_key}
        async with http.post(f"{url}/local/v1/accounts", json=body) as reply:
            assert (await reply.json())["created"]
        client = await asyncio.create_subprocess_exec(
            *(str(python), str(SCRIPT), url, str(ACCOUNT), str(KEY)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "NO_PROXY": "*"},
        )
        out, err = await asyncio.wait_for(client.communicate(secret.reveal().encode() + b"\n"), PATIENCE_S)
        assert client.returncode == 0, err.decode()[-4_000:]
        async with http.get(f"{url}/local/v1/accounts/{ACCOUNT}/ledger") as reply:
            return json.loads(out), await reply.json()


async def test_the_official_client_trades_here_unmodified(official_python):
    """It checks its key, creates, modifies, cancels, takes, reads and listens, and agrees with our ledger."""
    report, ledger = await converse(official_python)
    steps, answers = report["steps"], report["answers"]

    assert report["check"] is None
    assert list(steps) == ["create", "modify", "cancel", "again", "cancel_all", "take"]
    assert {step["code"] for step in steps.values()} == {200}
    assert len({step["tx_hash"] for step in steps.values()}) == 6
    assert answers["position"] == "0.1000"
    assert ledger["positions"] == {"0": [1_000, 300_100_000]}
    assert answers["collateral"] == "9999.915972"
    assert answers["decimals"] == [4, 2]
    assert (answers["active"], answers["ended"]) == ([], {"11": "canceled", "12": "canceled", "13": "filled"})
    assert answers["trades"] == [["0.1000", "3001.00"]]
    assert answers["nonce"] == 6
    assert "21603" in report["refused"]
