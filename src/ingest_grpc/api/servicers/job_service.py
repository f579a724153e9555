"""JobService."""

import hashlib

from ingest_grpc.api.caches import JobCaches
from ingest_grpc.api.interceptors.auth import caller
from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.api.servicers.replies import in_slices, page_that_fits, told
from ingest_grpc.api.watch import WatchStreams
from ingest_grpc.model import Caller
from ingest_grpc.service.alignments import AlignmentService
from ingest_grpc.service.jobs import JobService
from ingest_grpc.service.retries import RetryService
from ingest_grpc.service.settings import SettingsService
from ingest_grpc.service.waits import WaitService
from ingest_grpc.v1 import job_service_pb2 as pb
from ingest_grpc.wire.bounded import full_job
from ingest_grpc.wire.events import event
from ingest_grpc.wire.jobs import add_file_result, basic_job, job_file, remove_file_result, retry_file_result
from ingest_grpc.wire.requests import job_changes as changes
from ingest_grpc.wire.requests import jobs as requests


class JobServicer:
    """Each method is described in job_service.proto."""

    def __init__(
        self,
        jobs: JobService,
        settings: SettingsService,
        retries: RetryService,
        alignments: AlignmentService,
        waits: WaitService,
        streams: WatchStreams,
        caches: JobCaches,
    ) -> None:
        self._jobs = jobs
        self._settings = settings
        self._retries = retries
        self._alignments = alignments
        self._waits = waits
        self._streams = streams
        self._caches = caches

    async def CreateJob(self, message: pb.CreateJobRequest, context: Context) -> pb.CreateJobResponse:
        asked = requests.create_job(message)
        mutation = await self._jobs.create(caller(), asked.new, asked.request, validate_only=asked.validate_only)
        created = told(context, mutation)
        full = await in_slices(full_job(created.job))
        return pb.CreateJobResponse(**full, results=map(add_file_result, created.results))

    async def GetJob(self, message: pb.GetJobRequest, _context: Context) -> pb.GetJobResponse | bytes:
        asked = requests.get_job(message)
        if not asked.full:
            return await self._caches.replies.of_job(caller().team_id, asked.job_id)
        full = await in_slices(full_job(await self._jobs.get_detail(caller(), asked.job_id)))
        return pb.GetJobResponse(**full)

    async def ListJobs(self, message: pb.ListJobsRequest, _context: Context) -> bytes:
        asked = requests.list_jobs(message)
        team = caller().team_id

        async def read() -> tuple[str, bytes]:
            return team, await self._jobs_page(caller(), asked)

        # A digest, for keys to be of one size, whatever the request says.
        key = hashlib.sha256(message.SerializeToString(deterministic=True)).digest()
        return await self._caches.pages.of((team, key), read)

    async def _jobs_page(self, admitted: Caller, asked: requests.ListJobs) -> bytes:
        jobs, page = await page_that_fits(
            lambda size: self._jobs.list(
                admitted,
                asked.wanted,
                page_size=size,
                page_token=asked.page_token,
                include_total=asked.include_total,
            ),
            lambda page: page.items,
            self._caches.listed.encoded,
            asked.page_size,
        )
        rest = pb.ListJobsResponse(next_page_token=page.next_page_token, total=page.total)
        return b"".join((*jobs, rest.SerializeToString()))

    async def UpdateJob(self, message: pb.UpdateJobRequest, context: Context) -> pb.UpdateJobResponse:
        asked = changes.update_job(message)
        mutation = await self._settings.update(caller(), asked.job_id, asked.update, asked.etag, asked.request)
        return pb.UpdateJobResponse(job=basic_job(told(context, mutation)))

    async def DeleteJob(self, message: pb.DeleteJobRequest, context: Context) -> pb.DeleteJobResponse:
        asked = changes.delete_job(message)
        mutation = await self._settings.delete(caller(), asked.job_id, asked.etag, asked.request)
        return pb.DeleteJobResponse(job=basic_job(told(context, mutation)))

    async def UndeleteJob(self, message: pb.UndeleteJobRequest, context: Context) -> pb.UndeleteJobResponse:
        asked = changes.undelete_job(message)
        mutation = await self._settings.undelete(caller(), asked.job_id, asked.request)
        return pb.UndeleteJobResponse(job=basic_job(told(context, mutation)))

    async def CloneJob(self, message: pb.CloneJobRequest, context: Context) -> pb.CloneJobResponse:
        asked = changes.clone_job(message)
        mutation = await self._settings.clone(caller(), asked.job_id, asked.name, asked.external_id, asked.request)
        full = await in_slices(full_job(told(context, mutation)))
        return pb.CloneJobResponse(**full)

    async def AddFiles(self, message: pb.AddFilesRequest, context: Context) -> pb.AddFilesResponse:
        asked = requests.add_files(message)
        mutation = await self._jobs.add_files(
            caller(),
            asked.job_id,
            asked.files,
            method=asked.method,
            allow_partial=asked.allow_partial,
            request=asked.request,
            validate_only=asked.validate_only,
            full=asked.full,
        )
        added = told(context, mutation)
        full = await in_slices(full_job(added.job))
        return pb.AddFilesResponse(
            **full,
            results=map(add_file_result, added.results),
            ingestion_job_id=added.ingestion_job_id,
        )

    async def RemoveFiles(self, message: pb.RemoveFilesRequest, context: Context) -> pb.RemoveFilesResponse:
        asked = requests.remove_files(message)
        mutation = await self._jobs.remove_files(
            caller(),
            asked.job_id,
            record_ids=asked.record_ids,
            file_ids=asked.file_ids,
            request=asked.request,
            full=asked.full,
        )
        removed = told(context, mutation)
        full = await in_slices(full_job(removed.job))
        return pb.RemoveFilesResponse(**full, results=map(remove_file_result, removed.results))

    async def RetryFiles(self, message: pb.RetryFilesRequest, context: Context) -> pb.RetryFilesResponse:
        asked = changes.retry_files(message)
        mutation = await self._retries.retry(caller(), asked.job_id, asked.record_ids, asked.request)
        retried = told(context, mutation)
        full = await in_slices(full_job(retried.job))
        return pb.RetryFilesResponse(
            **full,
            results=map(retry_file_result, retried.results),
            records_retried=retried.records_retried,
        )

    async def StartJob(self, message: pb.StartJobRequest, context: Context) -> pb.StartJobResponse:
        asked = changes.start_job(message)
        mutation = await self._alignments.start(caller(), asked.job_id, asked.expected_files_etag, asked.request)
        full = await in_slices(full_job(told(context, mutation)))
        return pb.StartJobResponse(**full)

    async def CancelJob(self, message: pb.CancelJobRequest, context: Context) -> pb.CancelJobResponse:
        asked = requests.cancel_job(message)
        cancelled = told(context, await self._jobs.cancel(caller(), asked.job_id, asked.request))
        return pb.CancelJobResponse(
            job=basic_job(cancelled.job),
            records_cancelled=cancelled.records_cancelled,
            alignment_cancelled=cancelled.alignment_cancelled,
        )

    async def WatchJob(self, message: pb.WatchJobRequest, context: Context) -> None:
        asked = requests.watch_job(message)
        del message  # ten thousand watches need not keep theirs
        await self._streams.watch(caller(), asked, context)

    async def WatchJobs(self, message: pb.WatchJobsRequest, context: Context) -> None:
        await self._streams.watch_jobs(caller(), requests.watch_jobs(message), context)

    async def WaitJob(self, message: pb.WaitJobRequest, _context: Context) -> pb.WaitJobResponse:
        asked = changes.wait_job(message)
        job, timed_out = await self._waits.wait(
            caller(), asked.job_id, asked.after_sequence, asked.until, asked.timeout_seconds
        )
        return pb.WaitJobResponse(job=basic_job(job), timed_out=timed_out)

    async def ListJobFiles(self, message: pb.ListJobFilesRequest, _context: Context) -> pb.ListJobFilesResponse:
        asked = changes.list_job_files(message)
        files, page = await page_that_fits(
            lambda size: self._jobs.list_files(
                caller(),
                asked.job_id,
                page_size=size,
                page_token=asked.page_token,
                include_total=asked.include_total,
            ),
            lambda page: page.items,
            job_file,
            asked.page_size,
        )
        return pb.ListJobFilesResponse(files=files, next_page_token=page.next_page_token, total=page.total)

    async def ListTimelineEvents(
        self, message: pb.ListTimelineEventsRequest, _context: Context
    ) -> pb.ListTimelineEventsResponse:
        asked = requests.list_timeline_events(message)
        events, page = await page_that_fits(
            lambda size: self._jobs.list_events(
                caller(),
                asked.job_id,
                after_sequence=asked.after_sequence,
                types=asked.types,
                page_size=size,
                page_token=asked.page_token,
                include_total=asked.include_total,
            ),
            lambda page: page.events,
            event,
            asked.page_size,
        )
        return pb.ListTimelineEventsResponse(
            events=events,
            next_page_token=page.next_page_token,
            earliest_sequence=page.earliest_sequence,
            head_sequence=page.head_sequence,
            total=page.total,
        )
