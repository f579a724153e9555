"""Jobs: create, read, list, and change their files."""

from collections.abc import Iterable, Mapping
from datetime import datetime

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
    JobFile,
    JobStatus,
    JobType,
    JobView,
    ListJobFilesRequest,
    ListJobsOrder,
    ListJobsRequest,
    ListTimelineEventsRequest,
    Method,
    RemoveFilesRequest,
    RemoveFilesResponse,
    TimelineEvent,
)
from ingest_grpc.client.operations.common import enum_number, enum_numbers, pages, timestamp
from ingest_grpc.client.retry import Session, call
from ingest_grpc.client.rpcs import (
    ADD_FILES,
    CANCEL_JOB,
    CREATE_JOB,
    GET_JOB,
    LIST_JOB_FILES,
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
    priority: int = 0,
    external_id: str = "",
    labels: Mapping[str, str] | None = None,
    knowledge_base_id: str = "",
    validate_only: bool = False,
    request_id: str | None = None,
) -> Operation[CreateJobResponse]:
    """Create a job, with files (ids, Files, or FileToAdd for details) or without; all in one transaction.

    `priority` is 0 to 9: the files of a greater one go first. `external_id` is a key of your own, unique in the
    team. `knowledge_base_id` is what a job of the type CONTEXT_GROUNDED_VECTOR_DB is grounded in. With
    `validate_only` everything is checked and answered, and nothing is changed. The response holds the job and what
    became of each file, in the order given.
    """
    request = CreateJobRequest(
        name=name,
        job_type=enum_number(JobType, job_type),
        files=map(_file_to_add, files),
        description=description,
        system_prompt=system_prompt,
        instructions=instructions,
        method=enum_number(Method, method),
        priority=priority,
        external_id=external_id,
        labels=labels,
        knowledge_base_id=knowledge_base_id,
        validate_only=validate_only,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, CREATE_JOB, request))


def get_job(session: Session, job_id: str, *, view: str | int = "FULL") -> Operation[GetJobResponse]:
    """A job; with the FULL view also its files, ingestion jobs and milestones, as far as 3 MiB hold.

    The response says what was cut; `whole_job` and `job_view` have everything.
    """
    return (yield from call(session, GET_JOB, GetJobRequest(job_id=job_id, view=enum_number(JobView, view))))


def list_jobs(
    session: Session,
    *,
    statuses: Iterable[str | int] = (),
    job_types: Iterable[str | int] = (),
    external_id: str = "",
    name_contains: str = "",
    labels: Mapping[str, str] | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    show_deleted: bool = False,
    order_by: str | int = "CREATED_AT",
    ascending: bool = False,
    page_size: int = 0,
) -> Feed[Job]:
    """The team's jobs that pass every filter, in the BASIC view, of all pages; the newest first unless told.

    `created_after` is inclusive, `created_before` is not; both need a time zone. `order_by` is CREATED_AT, NAME,
    UPDATED_AT or JOB_TYPE.
    """
    request = ListJobsRequest(
        statuses=enum_numbers(JobStatus, statuses),
        job_types=enum_numbers(JobType, job_types),
        external_id=external_id,
        name_contains=name_contains,
        labels=labels,
        created_after=timestamp(created_after),
        created_before=timestamp(created_before),
        show_deleted=show_deleted,
        order_by=enum_number(ListJobsOrder, order_by),
        ascending=ascending,
        page_size=page_size,
    )
    return pages(session, LIST_JOBS, request, lambda page: page.jobs)


def count_jobs(
    session: Session,
    *,
    statuses: Iterable[str | int] = (),
    job_types: Iterable[str | int] = (),
    name_contains: str = "",
    labels: Mapping[str, str] | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    show_deleted: bool = False,
) -> Operation[int]:
    """How many jobs pass every filter of `list_jobs`; it counts no further than 10,000.

    With a filter other than statuses it looks at the newest 20,000 jobs: there may be more.
    """
    request = ListJobsRequest(
        statuses=enum_numbers(JobStatus, statuses),
        job_types=enum_numbers(JobType, job_types),
        name_contains=name_contains,
        labels=labels,
        created_after=timestamp(created_after),
        created_before=timestamp(created_before),
        show_deleted=show_deleted,
        include_total=True,
        page_size=1,
    )
    return (yield from call(session, LIST_JOBS, request)).total


def list_job_files(session: Session, job_id: str, *, page_size: int = 0) -> Feed[JobFile]:
    """The file list of a job, of all pages: Markdown that needed no ingestion, then outputs; each oldest first."""
    request = ListJobFilesRequest(job_id=job_id, page_size=page_size)
    return pages(session, LIST_JOB_FILES, request, lambda page: page.files)


def add_files(
    session: Session,
    job_id: str,
    files: Iterable[str | File | FileToAdd],
    *,
    method: str | int = 0,
    allow_partial: bool = False,
    validate_only: bool = False,
    view: str | int = "FULL",
    request_id: str | None = None,
) -> Operation[AddFilesResponse]:
    """Add files to a job: all or none, unless `allow_partial`. The response tells what became of each.

    With `validate_only` everything is checked and answered, and nothing is changed. The response's job is in the FULL
    view, which costs more the larger it is; `view="BASIC"` spares that.
    """
    request = AddFilesRequest(
        job_id=job_id,
        files=map(_file_to_add, files),
        method=enum_number(Method, method),
        allow_partial=allow_partial,
        validate_only=validate_only,
        view=enum_number(JobView, view),
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, ADD_FILES, request))


def remove_files(
    session: Session,
    job_id: str,
    *,
    record_ids: Iterable[str] = (),
    file_ids: Iterable[str] = (),
    view: str | int = "FULL",
    request_id: str | None = None,
) -> Operation[RemoveFilesResponse]:
    """Remove records, or files (source or output) with all their records; what runs is stopped.

    The response's job is in the FULL view unless `view` is BASIC.
    """
    request = RemoveFilesRequest(
        job_id=job_id,
        record_ids=record_ids,
        file_ids=file_ids,
        view=enum_number(JobView, view),
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
