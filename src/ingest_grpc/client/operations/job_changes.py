"""Jobs as a whole: update, delete, clone, retry, start."""

from collections.abc import Iterable, Mapping

from google.protobuf.field_mask_pb2 import FieldMask

from ingest_grpc.client.effects import Operation
from ingest_grpc.client.messages import (
    CloneJobRequest,
    DeleteJobRequest,
    Job,
    RecordIds,
    RetryFilesRequest,
    RetryFilesResponse,
    StartJobRequest,
    UndeleteJobRequest,
    UnresolvedRecords,
    UpdateJobRequest,
)
from ingest_grpc.client.retry import Session, call
from ingest_grpc.client.rpcs import CLONE_JOB, DELETE_JOB, RETRY_FILES, START_JOB, UNDELETE_JOB, UPDATE_JOB


def retry_files(
    session: Session,
    job_id: str,
    record_ids: Iterable[str] = (),
    *,
    all_unresolved: bool = False,
    request_id: str | None = None,
) -> Operation[RetryFilesResponse]:
    """Queue failed and cancelled records again: those named, or all that nothing has resolved.

    Nothing needs to be uploaded. The response tells what became of each record that was named.
    Raises ValueError unless it is one of the two.
    """
    records = list(record_ids)
    if bool(records) == all_unresolved:
        raise ValueError("give either record_ids or all_unresolved")
    request = RetryFilesRequest(
        job_id=job_id,
        records=RecordIds(record_ids=records) if records else None,
        all_unresolved=UnresolvedRecords() if all_unresolved else None,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, RETRY_FILES, request))


def start_job(
    session: Session, job_id: str, *, expected_files_etag: str = "", request_id: str | None = None
) -> Operation[Job]:
    """Make a dataset of the job's files, which are frozen meanwhile; the job's status is that of the alignment then.

    With the `files_etag` of a job that was reviewed it is refused (FILES_ETAG_MISMATCH) if a file changed since.
    Returns the job in the FULL view, as far as 3 MiB hold.
    """
    request = StartJobRequest(
        job_id=job_id,
        expected_files_etag=expected_files_etag,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, START_JOB, request)).job


def update_job(
    session: Session,
    job_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    system_prompt: str | None = None,
    instructions: str | None = None,
    labels: Mapping[str, str] | None = None,
    knowledge_base_id: str | None = None,
    etag: str = "",
    request_id: str | None = None,
) -> Operation[Job]:
    """Change what is given: None leaves a field as it is, "" clears it; `labels` replaces all of them.

    With the `etag` of a job that was read the change is refused (ETAG_MISMATCH) if somebody else made one since.
    Returns the job in the BASIC view.
    """
    changes = {
        "name": name,
        "description": description,
        "system_prompt": system_prompt,
        "instructions": instructions,
        "labels": labels,
        "knowledge_base_id": knowledge_base_id,
    }
    request = UpdateJobRequest(
        job_id=job_id,
        # Always a mask: an empty map of labels cannot be told from none without it.
        update_mask=FieldMask(paths=[field for field, value in changes.items() if value is not None]),
        name=name,
        description=description,
        system_prompt=system_prompt,
        instructions=instructions,
        labels=labels,
        knowledge_base_id=knowledge_base_id,
        etag=etag,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, UPDATE_JOB, request)).job


def delete_job(session: Session, job_id: str, *, etag: str = "", request_id: str | None = None) -> Operation[Job]:
    """Cancel what is in flight and hide the job; `purge_at` of the job returned says until when it can come back."""
    request = DeleteJobRequest(job_id=job_id, etag=etag, request_id=request_id or session.new_request_id())
    return (yield from call(session, DELETE_JOB, request)).job


def undelete_job(session: Session, job_id: str, *, request_id: str | None = None) -> Operation[Job]:
    """Take a deletion back; what it cancelled stays cancelled. Returns the job in the BASIC view."""
    request = UndeleteJobRequest(job_id=job_id, request_id=request_id or session.new_request_id())
    return (yield from call(session, UNDELETE_JOB, request)).job


def clone_job(
    session: Session, job_id: str, *, name: str = "", external_id: str = "", request_id: str | None = None
) -> Operation[Job]:
    """Create a job with the same settings and the viable files of another; without a name it has the same one.

    Returns the new job in the FULL view, as far as 3 MiB hold.
    """
    request = CloneJobRequest(
        job_id=job_id, name=name, external_id=external_id, request_id=request_id or session.new_request_id()
    )
    return (yield from call(session, CLONE_JOB, request)).job
