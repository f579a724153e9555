"""Lists and maps of large requests, which are counted before they are built."""

from collections.abc import Callable

import pytest
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import NULL_VALUE, Value

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.v1.file_service_pb2 import CreateFileRequest, UpdateFileRequest
from ingest_grpc.v1.job_service_pb2 import AddFilesRequest, CreateJobRequest, FileToAdd, UpdateJobRequest
from ingest_grpc.v1.knowledge_base_pb2 import MetadataCondition
from ingest_grpc.v1.knowledge_base_service_pb2 import SearchRequest
from ingest_grpc.wire.requests.outline import LARGE_BYTES, SMALL_BYTES, check_outline

MANY = 40_000
"""Entries that make a large request."""


def labels() -> Message:
    return CreateJobRequest(labels={f"{number:08x}": "" for number in range(MANY)})


def metadata_in_a_condition() -> Message:
    request = SearchRequest()
    inner = request.conditions.add(key="year").values.add().struct_value
    inner.update({f"{number:08x}": 1 for number in range(MANY)})
    return request


def metadata() -> Message:
    request = CreateJobRequest()
    request.files.add(file_id="good").metadata.update({"fine": 1})
    request.files.add(file_id="bad").metadata.update({f"{number:08x}": 1 for number in range(MANY)})
    return request


def metadata_in_metadata() -> Message:
    request = AddFilesRequest()
    inner = request.files.add().metadata.get_or_create_struct("inner")
    inner.update({f"{number:08x}": 1 for number in range(MANY)})
    return request


def metadata_in_a_list() -> Message:
    request = AddFilesRequest()
    inner = request.files.add().metadata.get_or_create_list("list").add_struct()
    inner.update({f"{number:08x}": 1 for number in range(MANY)})
    return request


def lists_in_a_condition() -> Message:
    """A thousand lists in each of a thousand: a million values, in lists that are no longer than others may be."""
    request = SearchRequest()
    outer = request.conditions.add(key="year").values.add().list_value
    inner = outer.values.add()
    inner.list_value.extend([None] * 1_000)
    outer.values.extend([inner] * 999)
    return request


def too_many_values() -> Message:
    request = SearchRequest()
    request.conditions.add(key="year").values.extend([Value(null_value=NULL_VALUE)] * 100_001)
    return request


def too_many_conditions() -> Message:
    return SearchRequest(conditions=[MetadataCondition(key="k")] * 100_001)


def empty_files() -> Message:
    """Two bytes each, and some seventy once they are built."""
    return AddFilesRequest(files=[FileToAdd()] * 200_000)


def too_many_files() -> Message:
    return AddFilesRequest(files=[{"file_id": "x" * 300}] * 1_001)  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("make", "field", "description"),
    [
        (labels, "labels", "has 40,000 items, at most 64 are allowed"),
        (metadata_in_a_condition, "conditions[0].values[0]", f"has an item of more than {SMALL_BYTES:,} bytes"),
        (lists_in_a_condition, "conditions[0].values[0]", f"has an item of more than {SMALL_BYTES:,} bytes"),
        (too_many_values, "conditions[0].values", "has 100,001 items, at most 100 are allowed"),
        (too_many_conditions, "conditions", "has 100,001 items, at most 20 are allowed"),
        (empty_files, "files", "has 200,000 items, at most 1,000 are allowed"),
        (metadata, "files[1].metadata", "has 40,000 items, at most 50 are allowed"),
        (metadata_in_metadata, "files[0].metadata", f"has an item of more than {SMALL_BYTES:,} bytes"),
        (metadata_in_a_list, "files[0].metadata", f"has an item of more than {SMALL_BYTES:,} bytes"),
        (too_many_files, "files", "has 1,001 items, at most 1,000 are allowed"),
    ],
)
def test_large_map__is_refused_by_its_name(make: Callable[[], Message], field: str, description: str) -> None:
    request = make()
    with pytest.raises(IngestError) as caught:
        check_outline(type(request), request.SerializeToString())
    assert caught.value.reason is Reason.INVALID_FIELD
    assert [(wrong.field, wrong.description) for wrong in caught.value.violations] == [(field, description)]


def test_large_message__in_many_small_pieces_is_refused() -> None:
    """Protobuf makes one of them all: each map is as small as it may be, and the one of all has 40,000 entries."""
    pieces = []
    for first in range(0, MANY, 50):
        piece = UpdateFileRequest()
        piece.metadata.update({f"{number:08x}": 1 for number in range(first, first + 50)})
        pieces.append(piece.SerializeToString())
    with pytest.raises(IngestError) as caught:
        check_outline(UpdateFileRequest, b"".join(pieces))
    assert [(wrong.field, wrong.description) for wrong in caught.value.violations] == [
        ("metadata", "is given 800 times, at most once is allowed")
    ]


def test_large_request__whose_maps_are_as_they_may_be_passes() -> None:
    request = AddFilesRequest()
    for number in range(1_000):
        file = request.files.add(file_id=f"{number}")
        file.metadata.update({f"key-{key}": "x" * 8 for key in range(50)})
    encoded = request.SerializeToString()
    assert len(encoded) > LARGE_BYTES
    check_outline(AddFilesRequest, encoded)


def test_small_request__is_left_to_the_checks_of_its_fields() -> None:
    check_outline(
        CreateJobRequest, CreateJobRequest(labels={str(number): "" for number in range(65)}).SerializeToString()
    )


def test_large_request__without_maps_is_not_looked_at() -> None:
    check_outline(CreateFileRequest, b"\xff" * (LARGE_BYTES + 1))


@pytest.mark.parametrize("request_class", [CreateJobRequest, UpdateJobRequest, SearchRequest])
def test_large_request__that_is_none_is_malformed(request_class: type[Message]) -> None:
    with pytest.raises(DecodeError):
        check_outline(request_class, b"\xff" * (LARGE_BYTES + 1))
