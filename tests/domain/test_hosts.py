"""Which hosts are this machine."""

import pytest

from lighterman.domain.hosts import is_loopback


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        *[("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("::", False), ("", False)],
        *[("10.0.0.1", False), ("localhost.example", False), ("127.0.0.1.example", False), ("0.0.0.1", False)],
    ],
)
def test_loopback_is_this_machine_alone(host, answer):
    """Only 127/8, ::1 and localhost count as this machine."""
    assert answer == is_loopback(host)
