"""The house rules of every test: repeatable examples, no network, no silent skip."""

import os
import sys
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

REPOSITORY = Path(__file__).parents[1]
LOOPBACK = ("127.", "localhost", "::1")
NETWORK_EVENTS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}

# `make test` repeats the same examples on every machine, however slow; plain pytest goes on searching.
SLOW = (hypothesis.HealthCheck.too_slow,)
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, database=None, deadline=None, suppress_health_check=SLOW
)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile("search")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded markets, or skip: it may not be redistributed with the source."""
    folder = Path(os.environ.get("LIGHTERMAN_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"shared data absent: no folder {folder} (LIGHTERMAN_DATA names another)")
    return folder


def _refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    if event not in NETWORK_EVENTS:
        return
    address = arguments[NETWORK_EVENTS[event]]
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(host, bytes):
        host = host.decode()
    if isinstance(host, str) and host and not host.startswith(("/", *LOOPBACK)):
        raise PermissionError(f"a test reached for the network: {event} {host}")


sys.addaudithook(_refuse_network)


def _refuse_silent_skip(report: pytest.CollectReport | pytest.TestReport) -> None:
    """Under `make test` (LIGHTERMAN_REQUIRE is set) only recorded markets and what a C compiler makes may lack."""
    excused = hasattr(report, "wasxfail") or any(
        absence in str(report.longrepr) for absence in ("shared data", "no C compiler", "no compiled build")
    )
    if report.skipped and os.environ.get("LIGHTERMAN_REQUIRE") and not excused:
        report.outcome = "failed"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where everything was promised to be installed."""
    report = yield
    _refuse_silent_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a whole file that skips itself."""
    report = yield
    _refuse_silent_skip(report)
    return report
