"""Reflection, versions 1 and 1alpha: lets grpcurl and its like call the server without the proto files."""

from collections.abc import Iterable, Sequence

import grpc.aio
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2 as v1alpha
from grpc_reflection.v1alpha.reflection import aio

from ingest_grpc.api.interceptors.chain import Interceptor
from ingest_grpc.api.registry import register
from ingest_grpc.reflection_v1 import reflection_pb2 as v1

_POOL = descriptor_pool.Default()
_V1ALPHA = _POOL.FindServiceByName("grpc.reflection.v1alpha.ServerReflection")
_V1 = v1.DESCRIPTOR.services_by_name["ServerReflection"]


class ReflectionServicer(aio.ReflectionServicer):
    """grpcio's implementation, and names of methods beside those of services and messages."""

    def _file_containing_symbol(
        self, request: v1alpha.ServerReflectionRequest, fully_qualified_name: str
    ) -> v1alpha.ServerReflectionResponse:
        service, _, method = fully_qualified_name.rpartition(".")
        try:
            descriptor = _POOL.FindServiceByName(service)
        except KeyError:
            descriptor = None
        if descriptor is not None and method in descriptor.methods_by_name:
            fully_qualified_name = service
        answer = super()._file_containing_symbol  # type: ignore[misc]  # the stubs omit it
        response: v1alpha.ServerReflectionResponse = answer(request, fully_qualified_name)
        return response


def register_reflection(
    server: grpc.aio.Server, service_names: Iterable[str], interceptors: Sequence[Interceptor]
) -> None:
    """Registers both versions. They differ in nothing but the package, so one implementation serves both."""
    servicer = ReflectionServicer([*service_names, _V1.full_name, _V1ALPHA.full_name])
    register(server, _V1ALPHA, servicer, interceptors)
    register(server, _V1ALPHA, servicer, interceptors, name=_V1.full_name)
