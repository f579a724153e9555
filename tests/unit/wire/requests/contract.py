"""The contract's requests as their descriptors tell them, and the functions that read them."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_args, get_type_hints

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ingest_grpc.api.server import SERVICES
from ingest_grpc.wire.requests import (
    data_sources,
    file_changes,
    files,
    ingestion,
    job_changes,
    jobs,
    knowledge_bases,
    uploads,
)

Read = Callable[[Any], object]

REQUESTS = {
    method.input_type.full_name: method.input_type for service in SERVICES.values() for method in service.methods
}
"""The request of every RPC, by its full name."""

_MODULES = (data_sources, file_changes, files, ingestion, job_changes, jobs, knowledge_bases, uploads)


def _readers(module: ModuleType) -> Iterator[tuple[type, Read]]:
    """The functions of a module that take one request, each with the class of the request."""
    for _, function in inspect.getmembers(module, inspect.isfunction):
        if list(inspect.signature(function).parameters) == ["message"]:
            hint = get_type_hints(function)["message"]
            yield (get_args(hint) or (hint,))[0], function


READERS: dict[str, Read] = {
    request.DESCRIPTOR.full_name: read  # type: ignore[attr-defined]  # every message has one
    for module in _MODULES
    for request, read in _readers(module)
}


@dataclass(frozen=True)
class Place:
    """A field of a request, behind the fields that lead to it."""

    request: Descriptor
    path: tuple[FieldDescriptor, ...]

    def __str__(self) -> str:
        return f"{self.request.name}.{'.'.join(field.name for field in self.path)}"

    @property
    def field(self) -> FieldDescriptor:
        return self.path[-1]

    @property
    def violation(self) -> str:
        """How a violation names the field, or its first element."""
        return ".".join(f"{field.name}[0]" if field.is_repeated else field.name for field in self.path)

    def within(self, message: Message) -> Message:
        """The message that has the field; those on the way to it are made, one of each."""
        for field in self.path[:-1]:
            inner = getattr(message, field.name)
            message = inner.add() if field.is_repeated else inner
            message.SetInParent()
        return message

    def new_request(self) -> Message:
        return GetMessageClass(self.request)()


def places() -> Sequence[Place]:
    """Every field of every request, at every depth; what maps hold is no place of its own."""
    return [Place(request, path) for request in REQUESTS.values() for path in _paths(request, ())]


def _paths(message: Descriptor, before: tuple[FieldDescriptor, ...]) -> Iterator[tuple[FieldDescriptor, ...]]:
    for field in message.fields:
        path = (*before, field)
        yield path
        inner = field.message_type
        recurs = inner in {each.containing_type for each in path}  # a google.protobuf.Value may hold others
        if inner is not None and not recurs and not is_map(field):
            yield from _paths(inner, path)


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
