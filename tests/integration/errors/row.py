"""One row of the table of errors, and the rows that many RPCs have in common."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest_grpc.errors import Reason
from tests.integration.calling import Sent
from tests.integration.world import World

Requests = Callable[[World], Sent | Sequence[Sent]]


@dataclass(frozen=True)
class Row:
    """`rpc` answers `reason` to `condition`; the code is the catalogue's.

    `fields` are the paths of the violations in their order, `metadata` what ErrorInfo holds beside what every
    error has; an empty value stands for any.
    """

    rpc: str
    condition: str
    reason: Reason
    requests: Requests
    fields: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rpc}: {self.condition}"


def new(prefix: str) -> str:
    """A well-formed id of something that does not exist."""
    return f"{prefix}-{uuid.uuid4()}"


def of_one_file(rpc: str, request: Callable[..., Sent]) -> list[Row]:
    return [
        Row(rpc, "no file id", Reason.INVALID_ID, lambda w: request(file_id=""), ["file_id"]),
        Row(rpc, "a malformed file id", Reason.INVALID_ID, lambda w: request(file_id=w.job_id), ["file_id"]),
        Row(rpc, "an unknown file", Reason.FILE_NOT_FOUND, lambda w: request(file_id=new("file")), (), {"file_id": ""}),
        Row(
            rpc,
            "another team's file",
            Reason.FILE_NOT_FOUND,
            lambda w: request(file_id=w.their_file_id),
            (),
            {"file_id": ""},
        ),
    ]


def of_output(rpc: str, request: Callable[..., Sent]) -> Row:
    return Row(
        rpc,
        "the output of a record that is not done",
        Reason.OUTPUT_NOT_READY,
        lambda w: request(file_id=w.pending_output_id),
        (),
        {"file_id": "", "status": "QUEUED"},
    )


def of_one_job(rpc: str, request: Callable[..., Sent]) -> list[Row]:
    return [
        Row(rpc, "no job id", Reason.INVALID_ID, lambda w: request(job_id=""), ["job_id"]),
        Row(rpc, "a malformed job id", Reason.INVALID_ID, lambda w: request(job_id="dj-1"), ["job_id"]),
        Row(rpc, "an unknown job", Reason.JOB_NOT_FOUND, lambda w: request(job_id=new("dj")), (), {"job_id": ""}),
        Row(
            rpc,
            "another team's job",
            Reason.JOB_NOT_FOUND,
            lambda w: request(job_id=w.their_job_id),
            (),
            {"job_id": ""},
        ),
    ]


def of_pages(rpc: str, request: Callable[[World], Any]) -> list[Row]:
    def asked(world: World, **fields: Any) -> Sent:
        message: Sent = request(world)
        assert not isinstance(message, bytes)
        message.MergeFrom(type(message)(**fields))
        return message

    return [
        Row(rpc, "page_size −1", Reason.INVALID_FIELD, lambda w: asked(w, page_size=-1), ["page_size"]),
        Row(rpc, "a made-up page token", Reason.INVALID_PAGE_TOKEN, lambda w: asked(w, page_token="token!")),
        Row(
            rpc,
            "the page token of another team",
            Reason.INVALID_PAGE_TOKEN,
            lambda w: asked(w, page_token=w.their_page_token),
        ),
    ]
