"""Serves /metrics and /health on a thread of its own, so that no scrape ever holds up a quote.

Law: reading only. On loopback a foreign Host header is refused, so that a web page cannot
read positions through its visitor's browser (DNS rebinding). Requests are bounded in number,
size and time; one too many is closed unanswered.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lighterman.domain.errors import PreflightError
from lighterman.domain.hosts import is_loopback
from lighterman.monitoring.health import HealthReport
from lighterman.monitoring.settings import MonitoringSettings

REQUESTS_MAX = 8  # at a time
TIMEOUT_S = 10  # to read a request and to write its answer (seed reference 2.5)
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"

Answer = tuple[HTTPStatus, str, bytes]


class MonitoringServer:
    """One listening socket; `port` is the real one once it is started."""

    def __init__(
        self, settings: MonitoringSettings, metrics: Callable[[], bytes], health: Callable[[], HealthReport]
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._health = health
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    def start(self) -> None:
        """Begin to listen; raises PreflightError where the address cannot be had."""
        host, port = self._settings.host, self._settings.port
        try:
            self._server = _Server((host, port), self._answer)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise PreflightError(
                f"metrics cannot be served on {host} port {port}: {why}; set monitoring.host or "
                "performance.metricsPort (0 takes any free port)"
            ) from None
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="monitoring", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; a request under way is not waited for."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None

    def _answer(self, path: str, host: str) -> Answer:
        """Return what a GET of a path, sent to a host by name, is answered with."""
        if is_loopback(self._settings.host) and not is_loopback(_without_port(host)):
            return HTTPStatus.FORBIDDEN, TEXT_TYPE, b"this host is not served here\n"
        match path.partition("?")[0]:
            case "/metrics":
                return HTTPStatus.OK, METRICS_TYPE, self._metrics()
            case "/health":
                report = self._health()
                status = HTTPStatus.OK if report.is_healthy else HTTPStatus.SERVICE_UNAVAILABLE
                return status, TEXT_TYPE, report.text().encode()
            case _:
                return HTTPStatus.NOT_FOUND, TEXT_TYPE, b"there are /metrics and /health\n"


class _Server(ThreadingHTTPServer):
    """A thread a request, of which there are only so many."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], answer: Callable[[str, str], Answer]) -> None:
        self.answer = answer
        self._free = threading.BoundedSemaphore(REQUESTS_MAX)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on a new thread, or close at once if too many are at work."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then make room for the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that went away is no event of ours."""


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Server
    timeout = TIMEOUT_S
    server_version = "lighterman"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with head and body."""
        self._reply(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with the head alone."""
        self._reply(with_body=False)

    def _reply(self, *, with_body: bool) -> None:
        status, content_type, body = self.server.answer(self.path, self.headers.get("Host", ""))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  (the library's name)
        """Say nothing: a scrape every few seconds is no news."""


def _without_port(host: str) -> str:
    """Return the name in a Host header: "localhost:9090" is localhost, "[::1]:9090" is ::1."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
