"""What the operations share: enum arguments, times and paging."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc.client.effects import Emit, Feed, T
from ingest_grpc.client.retry import Session, call
from ingest_grpc.client.rpcs import Rpc

Number = TypeVar("Number", bound=int)


class Enum(Protocol[Number]):
    """A generated enum."""

    def keys(self) -> list[str]: ...

    def values(self) -> list[Number]: ...


class PageRequest(Protocol):
    """A request of a list RPC."""

    page_token: str


class PageResponse(Protocol):
    """A response of a list RPC."""

    next_page_token: str


PagedRequest = TypeVar("PagedRequest", bound=PageRequest)
PagedResponse = TypeVar("PagedResponse", bound=PageResponse)


def enum_number(enum: Enum[Number], value: str | int) -> Number:
    """The number of an enum value that is given by number, by its full name, or by its name without the prefix.

    enum_number(JobView, "BASIC") == JobView.JOB_VIEW_BASIC. Raises ValueError naming the choices.
    """
    names = enum.keys()
    prefix = names[0].removesuffix("UNSPECIFIED")
    for name, number in zip(names, enum.values(), strict=True):
        if value in {number, name, name.removeprefix(prefix)}:
            return number
    choices = ", ".join(name.removeprefix(prefix) for name in names[1:])
    raise ValueError(f"{value!r} is none of {choices}")


def enum_numbers(enum: Enum[Number], values: Iterable[str | int]) -> list[Number]:
    """enum_number for each of `values`."""
    return [enum_number(enum, value) for value in values]


def timestamp(moment: datetime | None) -> Timestamp | None:
    """A point in time as a message. Raises ValueError for one without a time zone, which nobody can place."""
    if moment is None:
        return None
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def pages(
    session: Session,
    rpc: Rpc[PagedRequest, PagedResponse],
    request: PagedRequest,
    items: Callable[[PagedResponse], Iterable[T]],
) -> Feed[T]:
    """The items of all pages, each page fetched once the one before is used up. Changes `request`."""
    while True:
        response = yield from call(session, rpc, request)
        for item in items(response):
            yield Emit(item)
        if not response.next_page_token:
            return
        request.page_token = response.next_page_token
