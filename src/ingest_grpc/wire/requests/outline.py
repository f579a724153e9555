"""Lists and maps of a large request, counted before protobuf builds them.

Four megabytes of small entries take protobuf 0.6 s as one map, and as empty messages 140 MB: nobody else is served
meanwhile, and the limits of each field are looked at only afterwards. So of a large request first the outline is read,
layer by layer: where the messages begin that it holds, as bytes, and how many there are.
See docs/decisions/0042-large-requests.md.
"""

from functools import cache
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct, Value

from ingest_grpc.units import KIB
from ingest_grpc.wire.requests.fields import MAX_ITEMS, MAX_LABELS, Fields
from ingest_grpc.wire.requests.knowledge_bases import MAX_CONDITIONS, MAX_VALUES
from ingest_grpc.wire.requests.metadata import MAX_METADATA

LARGE_BYTES = 256 * KIB
"""Smaller requests are parsed in some 5 ms, whatever they hold."""

_MOST = {
    "google.protobuf.Struct.fields": MAX_METADATA,
    "ingest_grpc.v1.SearchRequest.conditions": MAX_CONDITIONS,
    "ingest_grpc.v1.MetadataCondition.values": MAX_VALUES,
}
"""Most items of lists and maps that have a limit of their own, by their full names."""

SMALL_BYTES = 4 * KIB
"""Parts of up to this size are not looked into: a thousand of them, full of entries, are parsed in 30 ms."""


def check_outline(request_class: type[Message], request: bytes) -> None:
    """Raises INVALID_FIELD for a list or map that no request may have, DecodeError as the parsing itself would."""
    descriptor = cast(Descriptor, request_class.DESCRIPTOR)
    if len(request) > LARGE_BYTES and _holds_many(descriptor, frozenset()):
        with Fields() as fields:
            _check(fields, descriptor, request, "")


def _check(fields: Fields, descriptor: Descriptor, data: bytes, path: str) -> None:
    outline = _outline(descriptor).FromString(data)
    for field, inner in _messages_in(descriptor):
        parts, name = getattr(outline, field.name), f"{path}{field.name}"
        if descriptor.full_name == Struct.DESCRIPTOR.full_name:
            name = path.removesuffix(".")  # JSON and people know its map by its own name
        if not field.is_repeated and len(parts) > 1:  # protobuf makes one message of them; no client sends any so
            fields.wrong(name, f"is given {len(parts):,} times, at most once is allowed")
            continue
        if not fields.fits(name, parts, _MOST.get(field.full_name, MAX_LABELS if _is_entry(inner) else MAX_ITEMS)):
            continue
        for index, part in enumerate(parts):
            if len(part) > SMALL_BYTES:
                place = f"{name}[{index}]" if field.is_repeated and not _is_entry(inner) else name
                _check_large(fields, inner, part, place)


def _check_large(fields: Fields, descriptor: Descriptor, part: bytes, path: str) -> None:
    """What is larger than any text of a scalar holds lists or maps, which neither an entry nor a Value may."""
    if _is_entry(descriptor) or descriptor.full_name == Value.DESCRIPTOR.full_name:
        fields.wrong(path, f"has an item of more than {SMALL_BYTES:,} bytes")
    else:
        _check(fields, descriptor, part, f"{path}.")


@cache
def _outline(descriptor: Descriptor) -> type[Message]:
    """A class that reads a message with those that it holds as bytes, in lists, and nothing else of it."""
    file = FileDescriptorProto(name="outline.proto", syntax="proto3")
    outline = file.message_type.add(name="Outline")
    for field, _ in _messages_in(descriptor):
        kind, label = FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.LABEL_REPEATED
        outline.field.add(name=field.name, number=field.number, type=kind, label=label)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("Outline"))


@cache
def _messages_in(descriptor: Descriptor) -> tuple[tuple[FieldDescriptor, Descriptor], ...]:
    """The fields of a message that hold messages, maps among them, with the type of what they hold."""
    return tuple((field, field.message_type) for field in descriptor.fields if field.message_type is not None)


@cache
def _holds_many(descriptor: Descriptor, passed: frozenset[str]) -> bool:
    """Whether there are lists of messages or maps in it; `passed` are types that hold it, as some hold themselves."""
    if descriptor.full_name in passed:
        return False
    further = passed | {descriptor.full_name}
    return any(field.is_repeated or _holds_many(inner, further) for field, inner in _messages_in(descriptor))


def _is_entry(descriptor: Descriptor) -> bool:
    """Whether it is the entry of a map."""
    return descriptor.GetOptions().map_entry
