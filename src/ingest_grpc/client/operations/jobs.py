"""Jobs: create, read, change, list."""

from collections.abc import Iterable

from ingest_grpc.client.effects import Feed, Operation
from ingest_grpc.client.messages import (
    AddFilesRequest,
    AddFilesResponse,
    CancelJobRequest,
    CancelJobResponse,
    CreateJobRequest,
    CreateJobResponse,
    EventType,
    File,
    FileToAdd,
    GetJobRequest,
    GetJobResponse,
    Job,
    JobStatus,
    JobType,
    JobView,
    ListJobsRequest,
    ListTimelineEventsRequest,
    Method,
    RemoveFilesRequest,
    RemoveFilesResponse,
    TimelineEvent,
)
from ingest_grpc.client.operations.common import enum_number, enum_numbers, pages
from ingest_grpc.client.retry import Session, call
from ingest_grpc.client.rpcs import (
    ADD_FILES,
    CANCEL_JOB,
    CREATE_JOB,
    GET_JOB,
    LIST_JOBS,
    LIST_TIMELINE_EVENTS,
    REMOVE_FILES,
)


def create_job(
    session: Session,
    name: str,
    *,
    job_type: str | int = "CONTEXT_GROUNDED_FILES",
    files: Iterable[str | File | FileToAdd] = (),
    description: str = "",
    system_prompt: str = "",
    instructions: str = "",
    method: str | int = 0,
    request_id: str | None = None,
) -> Operation[CreateJobResponse]:
    """Create a job, with files (ids, Files, or FileToAdd for details) or without; all in one transaction.

    The response holds the job and what became of each file, in the order given.
    """
    request = CreateJobRequest(
        name=name,
        job_type=enum_number(JobType, job_type),
        files=map(_file_to_add, files),
        description=description,
        system_prompt=system_prompt,
        instructions=instructions,
        method=enum_number(Method, method),
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, CREATE_JOB, request))


def get_job(session: Session, job_id: str, *, view: str | int = "FULL") -> Operation[GetJobResponse]:
    """A job; with the FULL view also its files, ingestion jobs and milestones, as far as 3 MiB hold.

    The response says what was cut; `job_view` has everything.
    """
    return (yield from call(session, GET_JOB, GetJobRequest(job_id=job_id, view=enum_number(JobView, view))))


def list_jobs(session: Session, *, statuses: Iterable[str | int] = (), page_size: int = 0) -> Feed[Job]:
    """The team's jobs in the BASIC view, newest first, of all pages."""
    request = ListJobsRequest(statuses=enum_numbers(JobStatus, statuses), page_size=page_size)
    return pages(session, LIST_JOBS, request, lambda page: page.jobs)


def add_files(
    session: Session,
    job_id: str,
    files: Iterable[str | File | FileToAdd],
    *,
    method: str | int = 0,
    allow_partial: bool = False,
    request_id: str | None = None,
) -> Operation[AddFilesResponse]:
    """Add files to a job: all or none, unless `allow_partial`. The response tells what became of each."""
    request = AddFilesRequest(
        job_id=job_id,
        files=map(_file_to_add, files),
        method=enum_number(Method, method),
        allow_partial=allow_partial,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, ADD_FILES, request))


def remove_files(
    session: Session,
    job_id: str,
    *,
    record_ids: Iterable[str] = (),
    file_ids: Iterable[str] = (),
    request_id: str | None = None,
) -> Operation[RemoveFilesResponse]:
    """Remove records, or files (source or output) with all their records; what runs is stopped."""
    request = RemoveFilesRequest(
        job_id=job_id,
        record_ids=record_ids,
        file_ids=file_ids,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, REMOVE_FILES, request))


def cancel_job(session: Session, job_id: str, *, request_id: str | None = None) -> Operation[CancelJobResponse]:
    """Cancel all that is in flight; finished files keep their results. Repeating it changes nothing."""
    request = CancelJobRequest(job_id=job_id, request_id=request_id or session.new_request_id())
    return (yield from call(session, CANCEL_JOB, request))


def list_events(
    session: Session, job_id: str, *, after_sequence: int = 0, types: Iterable[str | int] = (), page_size: int = 0
) -> Feed[TimelineEvent]:
    """The events of a job after a sequence, oldest first, of all pages."""
    request = ListTimelineEventsRequest(
        job_id=job_id, after_sequence=after_sequence, types=enum_numbers(EventType, types), page_size=page_size
    )
    return pages(session, LIST_TIMELINE_EVENTS, request, lambda page: page.events)


def _file_to_add(file: str | File | FileToAdd) -> FileToAdd:
    if isinstance(file, FileToAdd):
        return file
    return FileToAdd(file_id=file if isinstance(file, str) else file.file_id)
