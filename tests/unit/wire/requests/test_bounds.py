"""What a request may hold, read off the contract: nothing without a bound, and no work on what is beyond it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from google.api.field_behavior_pb2 import field_behavior
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from ingest_grpc.errors import IngestError
from ingest_grpc.wire.status import MAX_VIOLATIONS, status
from tests.unit.wire.requests.contract import READERS, REQUESTS, Place, is_map, places

LARGEST_REQUEST_BYTES = 4 * 1024 * 1024
MAX_CALLS = 50_000
"""Calls of functions that reading one request may take: some thirty for each of 1,000 elements."""

MAX_SHOWN_CHARACTERS = 512
UNKNOWN_ENUM = 99
UNREAD = {"GetServerInfoRequest"}
"""Requests without fields."""

PLACES = places()
LISTS = [place for place in PLACES if place.field.is_repeated]
TEXTS = [
    place
    for place in PLACES
    if place.field.type == FieldDescriptor.TYPE_STRING
    and place.field.full_name.startswith(("ingest_grpc.v1.", "google.protobuf.FieldMask."))
]


class Calls:
    """How many functions were called."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _frame: FrameType, event: str, _argument: object) -> None:
        self.count += event in {"call", "c_call"}


@contextmanager
def counted() -> Iterator[Calls]:
    calls, before = Calls(), sys.getprofile()
    sys.setprofile(calls)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def filled(place: Place) -> Message:
    """A request whose list or map has as many elements as fit, each as small as it can be."""
    request = place.new_request()
    holder = place.within(request)
    if is_map(place.field):
        entries = getattr(holder, place.field.name)
        for number in range(LARGEST_REQUEST_BYTES // 14):  # a key of six digits, a value, and what frames them
            if place.field.full_name == "google.protobuf.Struct.fields":
                entries.get_or_create(f"{number:06}")
            else:
                entries[f"{number:06}"] = ""
        return request
    one = type(holder)()
    elements = getattr(one, place.field.name)
    if place.field.message_type:
        elements.add()
    else:
        elements.append("" if place.field.type == FieldDescriptor.TYPE_STRING else UNKNOWN_ENUM)
    raw = one.SerializeToString()
    holder.MergeFromString(raw * (LARGEST_REQUEST_BYTES // len(raw)))
    return request


def assert_small(error: IngestError) -> None:
    """What is told of a request is short, whatever the request holds."""
    assert 0 < len(error.violations) <= MAX_VIOLATIONS
    assert len(error.message) <= 3 * MAX_SHOWN_CHARACTERS
    for violation in error.violations:
        assert len(violation.field) <= MAX_SHOWN_CHARACTERS
        assert len(violation.description) <= MAX_SHOWN_CHARACTERS
    status(error)


def test_readers__there_is_one_for_every_request() -> None:
    assert {name.rpartition(".")[2] for name in REQUESTS.keys() - READERS.keys()} == UNREAD


@pytest.mark.parametrize("place", LISTS, ids=str)
def test_lists__of_4_mib_are_answered_without_work_on_each_element(place: Place) -> None:
    request = filled(place)
    with counted() as calls, pytest.raises(IngestError) as raised:
        READERS[place.request.full_name](request)

    assert_small(raised.value)
    assert calls.count <= MAX_CALLS


@pytest.mark.parametrize("place", TEXTS, ids=str)
def test_texts__all_have_a_bound(place: Place) -> None:
    request = place.new_request()
    text = "\x01" * 100_000
    if place.field.is_repeated:
        getattr(place.within(request), place.field.name).append(text)
    else:
        setattr(place.within(request), place.field.name, text)
    with pytest.raises(IngestError) as raised:
        READERS[place.request.full_name](request)

    assert_small(raised.value)
    assert place.violation in {violation.field for violation in raised.value.violations}


def test_fields__say_whether_they_are_required() -> None:
    ours = [place for place in PLACES if place.field.full_name.startswith("ingest_grpc.v1.")]

    assert ours
    assert [str(place) for place in ours if not place.field.GetOptions().Extensions[field_behavior]] == []
