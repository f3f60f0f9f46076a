"""Settings files to begin from: the seed's fixture, a testnet file, and how to bend them."""

import copy
import json
from pathlib import Path

from lighterman.config.networks import Mode
from lighterman.config.settings import Settings, assemble
from lighterman.domain.errors import ConfigError

API_KEY = "c0ffee" * 13 + "42"
CANCEL_KEY = "0x" + "deadbeef" * 10
ETHEREUM_KEY = "0x" + "5ec2e7" * 10 + "5ec2"

SEED = json.loads("""
{"lighter":{"baseURL":"https://mainnet.zklighter.elliot.ai","wsURL":"wss://mainnet.zklighter.elliot.ai/ws","apiKeyPrivateKey":"YOUR_PRIVATE_KEY","accountIndex":7,"apiKeyIndex":3},
 "markets":[{"symbol":"ETH-USDC","baseDecimals":18,"quoteDecimals":6,"minOrderSize":"0.02","tickSize":"0.01","minSpreadBps":8,"maxSpreadBps":80,"orderLevels":2,"maxPosition":"1.5","orderSizeMultiplier":1.25,"skewFactor":0.4},
            {"symbol":"BTC-USDC","baseDecimals":8,"quoteDecimals":6,"minOrderSize":"0.0005","tickSize":"0.1","minSpreadBps":5,"maxSpreadBps":60,"orderLevels":4,"maxPosition":"0.05","orderSizeMultiplier":1.1,"skewFactor":0.5}],
 "risk":{"maxTotalPositionUSD":9000,"maxOrderValueUSD":800,"dailyLossLimitUSD":90,"positionCheckIntervalMs":250},
 "performance":{"metricsPort":9090,"updateIntervalMs":100,"orderPoolSize":1000,"websocketBufferSize":10000},
 "logging":{"level":"info","outputPath":"stdout","errorOutputPath":"stderr"}}
""")  # seed reference 2.2, as it stands there

TESTNET = SEED | {
    "lighter": {
        "baseURL": "https://testnet.zklighter.elliot.ai",
        "wsURL": "wss://testnet.zklighter.elliot.ai/stream",
        "accountIndex": 7,
        "apiKeyIndex": 4,
        "apiKeyPrivateKey": "env:KEY",
        "cancelApiKeyIndex": 5,
        "cancelApiKeyPrivateKey": "env:CANCEL_KEY",
    }
}
ENVIRON = {"KEY": API_KEY, "CANCEL_KEY": CANCEL_KEY}


def bent(base: dict, path: str, value: object) -> dict:
    """Return a copy of a document with the value at "section.key" or "section[0].key" replaced."""
    document = copy.deepcopy(base)
    section, _, name = path.partition(".")
    if not name:
        document[section] = value
    elif section.endswith("]"):
        document[section[: section.index("[")]][int(section[section.index("[") + 1 : -1])][name] = value
    else:
        document.setdefault(section, {})[name] = value
    return document


def settings(
    document: dict | bytes, mode: Mode = Mode.LOCAL, *, environ=ENVIRON, folder=Path(), private=True
) -> Settings:
    """Assemble settings from a document or from the bytes of one."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return assemble(data, mode, environ=environ, folder=folder, is_private=private)


def problems(document: dict | bytes, mode: Mode = Mode.LOCAL, **options) -> list[str]:
    """Return what is wrong with a document; empty where it loads."""
    try:
        settings(document, mode, **options)
    except ConfigError as error:
        return error.problems
    return []
