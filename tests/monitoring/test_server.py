"""The server: two pages, on loopback, out of the way."""

import contextlib
import http.client
import socket
import threading

import pytest

from lighterman.domain.errors import PreflightError
from lighterman.monitoring.health import HealthReport
from lighterman.monitoring.server import REQUESTS_MAX, MonitoringServer
from lighterman.monitoring.settings import MonitoringSettings


class Bench:
    """A server with answers that can be changed."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.reasons: list[str] = []
        self.hold = threading.Event()
        self.hold.set()
        self.server = MonitoringServer(MonitoringSettings(host=host, port=port), self.metrics, self.health)

    def metrics(self) -> bytes:
        self.hold.wait(10)
        return b"marketmaker_position 1\n"

    def health(self) -> HealthReport:
        return HealthReport(self.reasons)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read(), dict(response.getheaders())
        finally:
            connection.close()


@pytest.fixture
def bench():
    """Return a running server."""
    bench = Bench()
    bench.server.start()
    yield bench
    bench.hold.set()
    bench.server.stop()


def test_metrics_are_served(bench):
    """/metrics gives the exposition text under its type."""
    status, body, headers = bench.ask("/metrics")

    assert (200, b"marketmaker_position 1\n") == (status, body)
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_health_tells_the_truth(bench):
    """/health is 200 and OK only when healthy, else 503 with the reasons (defect M2)."""
    assert (200, b"OK\n") == bench.ask("/health")[:2]
    bench.reasons = ["link public: down", "journal: full"]
    assert (503, b"link public: down\njournal: full\n") == bench.ask("/health")[:2]
    bench.reasons = []
    assert (200, b"OK\n") == bench.ask("/health")[:2]


def test_heads_have_no_body(bench):
    """HEAD is answered like GET, without the body."""
    status, body, headers = bench.ask("/metrics", "HEAD")

    assert (200, b"", "23") == (status, body, headers["Content-Length"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/metrics/x", 404), ("GET", "/metrics?x=1", 200), ("POST", "/metrics", 501)],
)
def test_there_is_nothing_else(bench, method, path, status):
    """Other paths are not found, and nothing can be written."""
    assert status == bench.ask(path, method)[0]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *[("localhost:9090", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("[evil]", 403), ("", 403)],
        *[("evil.example", 403), ("evil.example:9090", 403), ("127.0.0.1.evil.example", 403)],
    ],
)
def test_foreign_hosts_are_refused(bench, host, status):
    """On loopback only names of this machine are answered, so that no web page can read along."""
    for path in ("/metrics", "/health"):
        assert status == bench.ask(path, Host=host)[0]


def test_an_explicit_address_answers_to_any_name():
    """Bound to an address on purpose, as in a container, the server answers whatever name it was called by."""
    bench = Bench(host="0.0.0.0")
    bench.server.start()
    try:
        assert 200 == bench.ask("/health", Host="marketmaker:9090")[0]
    finally:
        bench.server.stop()


def test_a_taken_port_is_named():
    """A port in use is a clear refusal to start that says what to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        bench = Bench(port=port)
        with pytest.raises(PreflightError, match=rf"127\.0\.0\.1 port {port}: Address already in use; set monitoring"):
            bench.server.start()
        bench.server.stop()


def test_an_impossible_address_is_named():
    """An address this machine does not have is the same kind of refusal."""
    with pytest.raises(PreflightError, match=r"metrics cannot be served on 127\.0\.0\.256"):
        Bench(host="127.0.0.256").server.start()


def test_a_slow_reader_does_not_hold_up_others(bench):
    """While one request hangs, another is answered; a stop does not wait for it (reliability P11)."""
    bench.hold.clear()
    hanging = threading.Thread(target=bench.ask, args=("/metrics",))
    hanging.start()

    assert (200, b"OK\n") == bench.ask("/health")[:2]
    bench.server.stop()
    bench.hold.set()
    hanging.join()


def test_too_many_requests_are_closed(bench):
    """Beyond its bound a connection is closed unanswered; once there is room again, answers come."""
    sockets = [socket.create_connection(("127.0.0.1", bench.server.port)) for _ in range(REQUESTS_MAX)]
    for connection in sockets:
        connection.sendall(b"GET /health HTTP/1.1\r\n")
    refused = socket.create_connection(("127.0.0.1", bench.server.port), timeout=10)
    assert b"" == refused.recv(10)
    refused.close()
    for connection in sockets:
        connection.sendall(b"Host: localhost\r\n\r\n")
        assert connection.makefile("rb").read().endswith(b"OK\n")
        connection.close()

    assert 200 == bench.ask("/health")[0]


def test_noise_is_harmless(bench):
    """Bytes that are no request do not hurt the next one."""
    for noise in (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n", b"X" * 70_000):
        with (
            contextlib.suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", bench.server.port), timeout=10) as connection,
        ):
            connection.sendall(noise)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1000)

    assert 200 == bench.ask("/health")[0]


def test_start_and_stop_leave_nothing():
    """A stopped server frees its port and its thread, and stopping twice does no harm."""
    bench = Bench()
    bench.server.start()
    port = bench.server.port
    bench.server.stop()
    bench.server.stop()

    again = Bench(port=port)
    again.server.start()
    again.server.stop()
    assert not any(thread.name == "monitoring" for thread in threading.enumerate())
