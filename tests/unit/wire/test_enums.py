"""Every enum of the contract has exactly the names of the domain's."""

from enum import StrEnum

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.model import EventKind, Method
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
from ingest_grpc.wire import enums
from ingest_grpc.wire.enums import EnumTable, WatchKind

MODULES = (
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
TABLES = {name: table for name, table in vars(enums).items() if isinstance(table, EnumTable)}


def test_tables__one_for_every_enum_of_the_contract() -> None:
    contract = [enum for module in MODULES for enum in module.DESCRIPTOR.enum_types_by_name]

    assert sorted(name.replace("_", "").lower() for name in TABLES) == sorted(name.lower() for name in contract)


@pytest.mark.parametrize("name", TABLES)
def test_table__maps_both_ways(name: str) -> None:
    table = TABLES[name]
    numbers = {member: number for member, number in table.numbers.items() if member is not None}

    assert table.numbers[None] == 0
    assert {number: member for member, number in numbers.items()} == table.members


def test_table__names_are_those_of_the_contract_behind_their_prefix() -> None:
    for member, number in enums.ERROR_REASON.numbers.items():
        assert error_reason_pb2.ErrorReason.Name(number) == f"ERROR_REASON_{member or 'UNSPECIFIED'}"


def test_error_reason__is_the_catalogue() -> None:
    assert set(enums.ERROR_REASON.members.values()) == set(Reason)


def test_watch_kind__is_the_event_kinds_and_progress() -> None:
    assert {kind.value for kind in WatchKind} == {kind.value for kind in EventKind} | {"PROGRESS"}


def test_table__different_names_are_refused() -> None:
    class Other(StrEnum):
        QUEUED = "QUEUED"

    with pytest.raises(ValueError, match="different names"):
        EnumTable(Other, ingestion_pb2.RecordStatus.DESCRIPTOR)


def test_table__enum_without_unspecified_is_refused() -> None:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto

    with pytest.raises(ValueError, match="UNSPECIFIED"):
        EnumTable(Method, FieldDescriptorProto.Type.DESCRIPTOR)
