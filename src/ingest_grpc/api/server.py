"""The gRPC server: what it serves, in which order calls pass through interceptors, and how it stops."""

import logging
from collections.abc import Mapping, Sequence

import grpc.aio
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health

from ingest_grpc.api.accepting import accept_cheaply
from ingest_grpc.api.exposure import server_credentials
from ingest_grpc.api.interceptors.auth import HEALTH, Authenticate, Gate
from ingest_grpc.api.interceptors.chain import Interceptor
from ingest_grpc.api.interceptors.count import CallCounter
from ingest_grpc.api.interceptors.errors import answer_errors
from ingest_grpc.api.interceptors.in_flight import InFlight
from ingest_grpc.api.interceptors.log import log_calls
from ingest_grpc.api.interceptors.rate import RateLimit
from ingest_grpc.api.interceptors.recheck import Recheck, Refusals
from ingest_grpc.api.metadata_limit import limit_metadata
from ingest_grpc.api.reflection import register_reflection
from ingest_grpc.api.registry import UnknownMethods, register
from ingest_grpc.config import Settings
from ingest_grpc.units import MIB
from ingest_grpc.v1 import (
    file_service_pb2,
    ingestion_service_pb2,
    job_service_pb2,
    knowledge_base_service_pb2,
    server_service_pb2,
)

logger = logging.getLogger(__name__)

_HEALTH = descriptor_pool.Default().FindServiceByName("grpc.health.v1.Health")
SERVICES: Mapping[str, ServiceDescriptor] = {
    name: module.DESCRIPTOR.services_by_name[name]
    for name, module in (
        ("JobService", job_service_pb2),
        ("FileService", file_service_pb2),
        ("IngestionService", ingestion_service_pb2),
        ("KnowledgeBaseService", knowledge_base_service_pb2),
        ("ServerService", server_service_pb2),
    )
}
"""The services of the contract by name: each needs a servicer."""

_CLEAN_UP_SECONDS = 5.0
"""How long cancelled calls may take to clean up before the server does something about them."""


def server_options(settings: Settings) -> Sequence[tuple[str, int]]:
    """Channel arguments of gRPC core. Why each has its value is in docs/decisions/0007-grpc-server.md."""
    options = {
        "max_concurrent_streams": 100,
        "max_allowed_incoming_connections": 2_000,
        "max_receive_message_length": 4 * MIB,
        "max_send_message_length": 4 * MIB,
        "max_metadata_size": 8_192,
        "absolute_max_metadata_size": 16_384,
        "keepalive_time_ms": 20_000,
        "keepalive_timeout_ms": 10_000,
        "keepalive_permit_without_calls": 1,
        "http2.ping_timeout_ms": 10_000,
        "http2.max_pings_without_data": 0,
        "http2.min_ping_interval_without_data_ms": 10_000,
        "http2.max_ping_strikes": 100_000,
        "http2.settings_timeout": 10_000,
        "max_connection_idle_ms": 300_000,
        "max_connection_age_ms": 1_800_000,
        "max_connection_age_grace_ms": 1_800_000,
        "server_handshake_timeout_ms": 10_000,
        "server.max_pending_requests": settings.max_pending_requests,
        "server.max_pending_requests_hard_limit": settings.max_pending_requests,
        "so_reuseport": 0,
        "enable_http_proxy": 0,
    }
    return [(f"grpc.{name}", value) for name, value in options.items()]


def _is_idle(method: str) -> bool:
    """Streams that only their callers end, however long the server drains; those of WatchJob end themselves."""
    return method == f"{HEALTH}Watch" or method.endswith("/ServerReflectionInfo")


class AddressUnavailable(Exception):
    """The address is in use, or is none of this machine's."""

    fix = "Stop what listens there, or choose another address with --address; port 0 picks a free one."


class GrpcServer:
    """Serves the contract, health and reflection on one address.

    `servicers` holds one servicer per name of SERVICES.
    """

    def __init__(
        self,
        settings: Settings,
        authenticate: Authenticate,
        servicers: Mapping[str, object],
        *,
        refusals: Refusals,
        rate: RateLimit,
    ) -> None:
        self._settings = settings
        self.recheck = Recheck(refusals)
        self.in_flight = InFlight()
        self._health = health.HealthServicer()
        counter = CallCounter()
        # The order, outermost first. The gate stands before all of them, as it needs no request to refuse a call.
        interceptors: Sequence[Interceptor] = (
            self.in_flight.track,
            answer_errors,
            self.in_flight.end_idle(_is_idle),
            log_calls,
            counter.intercept,
            self.recheck.intercept,
        )
        self._server = grpc.aio.server(
            interceptors=[Gate(authenticate, rate.admit, interceptors)],
            options=server_options(settings),
            maximum_concurrent_rpcs=settings.max_concurrent_rpcs,
        )
        for name, service in SERVICES.items():
            register(self._server, service, servicers[name], interceptors)
        register(self._server, _HEALTH, self._health, interceptors)
        names = [_HEALTH.full_name, *(service.full_name for service in SERVICES.values())]
        register_reflection(self._server, names, interceptors)
        self._server.add_generic_rpc_handlers([UnknownMethods(interceptors)])
        counter.close()
        self._health_names = ["", *names]

    async def start(self) -> int:
        """Listens and serves; returns the port. Raises AddressUnavailable."""
        port = self._listen(self._settings.address)
        await self.set_serving(True)
        accept_cheaply()
        limit_metadata()
        await self._server.start()
        return port

    def _listen(self, address: str) -> int:
        credentials = server_credentials(self._settings)
        try:
            if credentials is None:
                return self._server.add_insecure_port(address)
            return self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise AddressUnavailable(f"cannot listen on {address}") from error

    async def set_serving(self, serving: bool) -> None:
        """Tells health checks whether the server can do its work."""
        status = health_pb2.HealthCheckResponse
        for name in self._health_names:
            await self._health.set(name, status.SERVING if serving else status.NOT_SERVING)

    async def drain(self) -> None:
        """Tells health checks, for good, that the server goes: load balancers send nobody here any more."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_seconds: float) -> None:
        """Stops: no new calls, running ones have `grace_seconds`, then they are cancelled.

        When it returns no handler runs any more, so that what handlers use can be closed; one that does not
        end within 10 s of its cancellation is reported in the log. Call `drain` earlier to give health checks time.
        """
        await self.drain()
        self.in_flight.drain()
        await self._server.stop(grace_seconds)
        # What ran beyond the grace was cancelled with its call, and is cleaning up.
        if not await self.in_flight.wait(_CLEAN_UP_SECONDS):
            self.in_flight.cancel()
            if not await self.in_flight.wait(_CLEAN_UP_SECONDS):
                logger.warning("calls do not end", extra={"fields": {"calls": len(self.in_flight)}})
