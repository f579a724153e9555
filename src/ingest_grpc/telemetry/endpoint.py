"""The metrics as a page that Prometheus scrapes."""

import threading
from wsgiref.simple_server import WSGIServer

from prometheus_client import start_http_server

from ingest_grpc.addresses import split_address
from ingest_grpc.telemetry.instruments import REGISTRY


class MetricsAddressUnavailable(Exception):
    """The address of the metrics is in use, or is none of this machine's."""

    fix = "Choose another metrics_address, or unset it: the service itself does not need it."


class MetricsEndpoint:
    """Serves `GET /metrics` on an address of its own, in a thread of its own: a scrape keeps no call waiting."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Listens; returns host:port as bound. Raises MetricsAddressUnavailable."""
        host, port = split_address(self._address)
        try:
            self._server, self._thread = start_http_server(port, host, REGISTRY)
        except OSError as error:
            raise MetricsAddressUnavailable(f"cannot serve metrics on {self._address}: {error}") from error
        return f"{self._address.rpartition(':')[0]}:{self._server.server_port}"

    def stop(self) -> None:
        """Ends; blocks for at most half a second. Idempotent."""
        server, self._server = self._server, None
        if server is not None and self._thread is not None:
            server.shutdown()
            server.server_close()
            self._thread.join()
