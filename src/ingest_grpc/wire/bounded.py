"""Replies of unbounded content, cut by bytes.

Making thousands of messages takes tens of milliseconds. So each function here is a generator that stops after every
slice of them, for the caller to let others run in between, and returns its result at the end.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, TypedDict, TypeVar

from google.protobuf.message import Message

from ingest_grpc import model
from ingest_grpc.v1 import ingestion_pb2, job_pb2
from ingest_grpc.wire.alignments import alignment_job
from ingest_grpc.wire.events import event
from ingest_grpc.wire.ingestion import ingestion_job, record
from ingest_grpc.wire.jobs import basic_job, job_file

T = TypeVar("T")
R = TypeVar("R")
M = TypeVar("M", bound=Message | bytes)

MAX_REPLY_BYTES = 3 * 1024 * 1024
"""Most bytes of the resources in a reply; below the 4 MiB that gRPC clients accept by default."""

_MAX_TIMELINE_BYTES = 512 * 1024
_OVERHEAD = 8
"""Bytes that a repeated message takes beside its own, at most, and its parent's length with it."""

_SLICE = 100
"""Messages between two stops: about a millisecond of work."""

Sliced = Generator[None, None, R]
"""Work in slices with a result."""


class Room:
    """How many bytes may still be filled. `full` once something did not fit: nothing fits from then on."""

    def __init__(self, size_bytes: int) -> None:
        self._left = size_bytes
        self.full = False

    def take(self, message: Message | bytes) -> bool:
        """Whether the message, encoded or not, fits; if so its room is taken."""
        size = (len(message) if isinstance(message, bytes) else message.ByteSize()) + _OVERHEAD
        self.full = self.full or size > self._left
        if not self.full:
            self._left -= size
        return not self.full


def messages(values: Sequence[T], make: Callable[[T], M]) -> Sliced[list[M]]:
    """As many of the first values as fit into a reply, as messages; at least one, as any single one fits."""
    made: list[M] = []
    room = Room(MAX_REPLY_BYTES)
    for index, value in enumerate(values):
        message = make(value)
        if not room.take(message) and made:
            break
        made.append(message)
        if index % _SLICE == _SLICE - 1:
            yield
    return made


class FullJob(TypedDict):
    """A job in the FULL view as far as it fits, and what is missing: fields that every response with one has."""

    job: job_pb2.Job
    records_truncated: bool
    records_total: int
    timeline_truncated: bool


def full_job(detail: model.JobDetail) -> Sliced[FullJob]:
    """Milestones first, then the ingestion jobs, then records and files side by side, oldest first."""
    job = basic_job(detail.job)
    if detail.alignment is not None:
        job.alignment_job.CopyFrom(alignment_job(detail.alignment))
    milestones = Room(_MAX_TIMELINE_BYTES)
    yield from _fill(milestones, ((job.timeline, event(value)) for value in detail.timeline))
    room = Room(MAX_REPLY_BYTES - job.ByteSize())
    yield from _fill(room, ((job.ingestion_jobs, ingestion_job(value)) for value in detail.ingestion_jobs))
    yield from _fill(room, _records_and_files(job, detail))
    return FullJob(
        job=job,
        records_truncated=detail.records_truncated or room.full,
        records_total=detail.records_total,
        timeline_truncated=detail.timeline_truncated or milestones.full,
    )


Part = tuple[Any, Message]
"""A repeated field and a message to append to it."""


def _records_and_files(job: job_pb2.Job, detail: model.JobDetail) -> Iterator[Part]:
    """Alternately, so that neither crowds the other out."""
    # Each ingestion job's records go into its own message; those whose message did not fit never come to be asked.
    records = (
        (made.records, record(value))
        for made, run in zip(job.ingestion_jobs, detail.ingestion_jobs, strict=False)
        for value in run.records
    )
    files = ((job.files, job_file(value)) for value in detail.files)
    return (part for part in chain.from_iterable(zip_longest(records, files)) if part is not None)


@dataclass(frozen=True, slots=True)
class FullIngestionJob:
    """An ingestion job with its records as far as they fit, and whether some are missing."""

    message: ingestion_pb2.IngestionJob
    records_truncated: bool


def full_ingestion_job(value: model.IngestionJob) -> Sliced[FullIngestionJob]:
    """Records in the order given."""
    message = ingestion_job(value)
    room = Room(MAX_REPLY_BYTES - message.ByteSize())
    yield from _fill(room, ((message.records, record(entry)) for entry in value.records))
    return FullIngestionJob(message, room.full)


def _fill(room: Room, parts: Iterable[Part]) -> Sliced[None]:
    """Appends parts until one does not fit."""
    for index, (field, message) in enumerate(parts):
        if not room.take(message):
            return
        field.append(message)
        if index % _SLICE == _SLICE - 1:
            yield
