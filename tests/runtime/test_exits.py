"""The exit codes are an interface: scripts of others depend on them."""

from lighterman.runtime.exits import Exit


def test_codes_never_change():
    """Each way to end has the code it was published with."""
    assert {
        "OK": 0,
        "USAGE": 2,
        "CONFIG": 3,
        "PREFLIGHT": 4,
        "RISK_HALT": 5,
        "VENUE": 6,
        "ORDERS_UNKNOWN": 7,
        "BROKEN": 70,
        "FAIL_SAFE": 75,
    } == {code.name: code.value for code in Exit}
