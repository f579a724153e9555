import json
from importlib import resources
from types import ModuleType

import pytest
from google.protobuf.descriptor import MethodDescriptor

from ingest_grpc.client import AsyncClient, Client, messages, rpcs
from ingest_grpc.v1 import (
    alignment_pb2,
    error_reason_pb2,
    file_pb2,
    file_service_pb2,
    ingestion_pb2,
    ingestion_service_pb2,
    job_pb2,
    job_service_pb2,
    knowledge_base_pb2,
    knowledge_base_service_pb2,
    server_service_pb2,
)

MODULES: list[ModuleType] = [
    alignment_pb2,
    error_reason_pb2,
    file_pb2,
    file_service_pb2,
    ingestion_pb2,
    ingestion_service_pb2,
    job_pb2,
    job_service_pb2,
    knowledge_base_pb2,
    knowledge_base_service_pb2,
    server_service_pb2,
]
METHODS: dict[str, MethodDescriptor] = {
    f"/{service.full_name}/{method.name}": method
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
RPCS: dict[str, rpcs.Rpc[object, object]] = {
    each.path: each for each in vars(rpcs).values() if isinstance(each, rpcs.Rpc)
}


WATCHES = {"WatchJob", "WatchJobs"}


def is_mutation(method: MethodDescriptor) -> bool:
    """Mutations carry a request_id; that of an upload is in its header."""
    return method.name == "UploadFile" or "request_id" in method.input_type.fields_by_name


def test_rpcs__cover_the_contract() -> None:
    assert set(RPCS) == set(METHODS)


@pytest.mark.parametrize("path", METHODS)
def test_rpc__has_the_messages_of_the_contract(path: str) -> None:
    method, rpc = METHODS[path], RPCS[path]
    request = getattr(messages, method.input_type.name)()
    assert rpc.encode(request) == b""
    assert rpc.decode(b"") == getattr(messages, method.output_type.name)()


def test_messages__cover_the_contract() -> None:
    expected = {
        name
        for module in MODULES
        for kind in ("message", "enum")
        for name in getattr(module.DESCRIPTOR, f"{kind}_types_by_name")
    }
    assert set(messages.__all__) == expected
    assert all(hasattr(messages, name) for name in expected)


def test_service_config__retries_every_read_and_nothing_else() -> None:
    text = resources.files("ingest_grpc.client").joinpath("service_config.json").read_text()
    (config,) = json.loads(text)["methodConfig"]
    named = {f"/{each['service']}/{each['method']}" for each in config["name"]}
    # A watch is no plain read: repeated unchanged it would bring events twice. Resuming is up to the client.
    reads = {path for path, method in METHODS.items() if not is_mutation(method) and method.name not in WATCHES}
    assert named == reads
    assert config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]


def test_clients__have_the_same_methods() -> None:
    def public(client: type) -> dict[str, object]:
        return {
            name: getattr(value, "__signature__", None)
            for name, value in vars(client).items()
            if callable(value) and not name.startswith("_") and name not in {"close", "aclose"}
        }

    assert public(Client) == public(AsyncClient)
    assert len(public(Client)) >= 33


def test_methods__show_the_parameters_and_the_documentation_of_their_operation() -> None:
    assert list(AsyncClient.get_file.__signature__.parameters) == ["self", "file_id"]  # type: ignore[attr-defined]
    assert AsyncClient.get_file.__doc__ == "What is known of a file."
