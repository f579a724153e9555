"""Maps of a large request, counted before protobuf builds them.

Four megabytes of small entries take protobuf 0.6 s as one map, and nobody else is served meanwhile; as a list they take
it 15 ms. So a large request is first parsed as if its maps were lists of their entries: on the wire they are.
See docs/decisions/0042-large-maps.md.
"""

from functools import cache
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct

from ingest_grpc.units import KIB
from ingest_grpc.wire.requests.fields import MAX_LABELS, Fields
from ingest_grpc.wire.requests.metadata import MAX_METADATA

LARGE_BYTES = 256 * KIB
"""Maps of smaller requests are built in some 5 ms, whatever they hold."""

MAX_ENTRY_BYTES = 4 * KIB
"""More than any key with its value may take: what is larger holds maps again, or is refused for its length later."""


def check_maps(request_class: type[Message], request: bytes) -> None:
    """Raises INVALID_FIELD for a map that no request may have, and DecodeError as the parsing itself would."""
    descriptor = cast(Descriptor, request_class.DESCRIPTOR)
    if len(request) > LARGE_BYTES and _ways_to_maps(descriptor):
        listed = _listing(descriptor).FromString(request)
        with Fields() as fields:
            _check(fields, descriptor, listed, "")


def _check(fields: Fields, descriptor: Descriptor, listed: Message, path: str) -> None:
    for field, inner in _ways_to_maps(descriptor):
        name, value = f"{path}{field.name}", getattr(listed, field.name)
        if _is_entry(inner):
            most = MAX_LABELS
            if descriptor.full_name == Struct.DESCRIPTOR.full_name:  # which JSON and people know by its own name
                name, most = path.removesuffix("."), MAX_METADATA
            if fields.fits(name, value, most) and any(entry.ByteSize() > MAX_ENTRY_BYTES for entry in value):
                fields.wrong(name, f"has an item of more than {MAX_ENTRY_BYTES:,} bytes")
        elif not field.is_repeated:
            if listed.HasField(field.name):
                _check(fields, inner, value, f"{name}.")
        elif fields.fits(name, value):
            for index, each in enumerate(value):
                _check(fields, inner, each, f"{name}[{index}].")


@cache
def _ways_to_maps(descriptor: Descriptor) -> tuple[tuple[FieldDescriptor, Descriptor], ...]:
    """The fields of a message that are maps or hold some, with the type of what they hold."""
    return tuple(
        (field, field.message_type)
        for field in descriptor.fields
        if field.message_type is not None and _leads_to_maps(field.message_type, frozenset())
    )


def _leads_to_maps(descriptor: Descriptor, passed: frozenset[str]) -> bool:
    """Whether it is the entry of a map, or holds some; `passed` are types that hold it, as some hold themselves."""
    if descriptor.full_name in passed:
        return False
    further = passed | {descriptor.full_name}
    inner = (field.message_type for field in descriptor.fields)
    return _is_entry(descriptor) or any(_leads_to_maps(each, further) for each in inner if each is not None)


def _is_entry(descriptor: Descriptor) -> bool:
    return descriptor.GetOptions().map_entry


@cache
def _listing(descriptor: Descriptor) -> type[Message]:
    """The class of the same messages whose maps are lists."""
    pool = DescriptorPool()
    _add(pool, descriptor.file, set())
    return GetMessageClass(pool.FindMessageTypeByName(descriptor.full_name))


def _add(pool: DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    """A file after those that it depends on."""
    if file.name in added:
        return
    added.add(file.name)
    for dependency in file.dependencies:
        _add(pool, dependency, added)
    listing = FileDescriptorProto()
    file.CopyToProto(listing)
    for message in listing.message_type:
        _maps_to_lists(message)
    pool.Add(listing)


def _maps_to_lists(message: DescriptorProto) -> None:
    message.options.ClearField("map_entry")
    for nested in message.nested_type:
        _maps_to_lists(nested)
