"""IngestionService."""

from ingest_grpc.api.interceptors.auth import caller
from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.api.servicers.replies import in_slices, page_that_fits
from ingest_grpc.service.ingestion import IngestionService
from ingest_grpc.v1 import ingestion_service_pb2 as pb
from ingest_grpc.wire.bounded import full_ingestion_job
from ingest_grpc.wire.ingestion import ingestion_job, record
from ingest_grpc.wire.requests import ingestion as requests


class IngestionServicer:
    """Each method is described in ingestion_service.proto."""

    def __init__(self, ingestion: IngestionService) -> None:
        self._ingestion = ingestion

    async def ListIngestionJobs(
        self, message: pb.ListIngestionJobsRequest, _context: Context
    ) -> pb.ListIngestionJobsResponse:
        asked = requests.list_ingestion_jobs(message)
        ingestion_jobs, page = await page_that_fits(
            lambda size: self._ingestion.list(
                caller(),
                job_id=asked.job_id,
                knowledge_base_id=asked.knowledge_base_id,
                data_source_id=asked.data_source_id,
                statuses=asked.statuses,
                oldest_first=asked.oldest_first,
                after=asked.after,
                page_size=size,
                page_token=asked.page_token,
                include_total=asked.include_total,
            ),
            lambda page: page.items,
            ingestion_job,
            asked.page_size,
        )
        return pb.ListIngestionJobsResponse(
            ingestion_jobs=ingestion_jobs, next_page_token=page.next_page_token, total=page.total
        )

    async def GetIngestionJob(
        self, message: pb.GetIngestionJobRequest, _context: Context
    ) -> pb.GetIngestionJobResponse:
        detail = await self._ingestion.get(caller(), requests.get_ingestion_job(message))
        full = await in_slices(full_ingestion_job(detail.ingestion_job))
        return pb.GetIngestionJobResponse(
            ingestion_job=full.message,
            records_truncated=full.records_truncated or detail.records_truncated,
            records_total=detail.records_total,
        )

    async def GetFileRecord(self, message: pb.GetFileRecordRequest, _context: Context) -> pb.GetFileRecordResponse:
        found = await self._ingestion.get_record(caller(), requests.get_file_record(message))
        return pb.GetFileRecordResponse(record=record(found))

    async def ListFileRecords(
        self, message: pb.ListFileRecordsRequest, _context: Context
    ) -> pb.ListFileRecordsResponse:
        asked = requests.list_file_records(message)
        records, page = await page_that_fits(
            lambda size: self._ingestion.list_records(
                caller(),
                job_id=asked.job_id,
                ingestion_job_id=asked.ingestion_job_id,
                statuses=asked.statuses,
                show_deleted=asked.show_deleted,
                page_size=size,
                page_token=asked.page_token,
                steps=asked.steps,
                include_total=asked.include_total,
            ),
            lambda page: page.items,
            record,
            asked.page_size,
        )
        return pb.ListFileRecordsResponse(records=records, next_page_token=page.next_page_token, total=page.total)
