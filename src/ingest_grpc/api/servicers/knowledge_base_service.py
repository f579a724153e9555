"""KnowledgeBaseService."""

from ingest_grpc.api.interceptors.auth import caller
from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.api.servicers.replies import page_that_fits, told
from ingest_grpc.service.knowledge_bases.services import KnowledgeServices
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.wire import jobs, knowledge_bases
from ingest_grpc.wire.requests import data_sources as source_requests
from ingest_grpc.wire.requests import knowledge_bases as requests


class KnowledgeBaseServicer:
    """Each method is described in knowledge_base_service.proto."""

    def __init__(self, services: KnowledgeServices) -> None:
        self._bases = services.bases
        self._sources = services.sources
        self._syncs = services.syncs
        self._files = services.files
        self._search = services.search

    # ── knowledge bases ────────────────────────────────────────────────────────────────────────────────

    async def CreateKnowledgeBase(
        self, message: pb.CreateKnowledgeBaseRequest, context: Context
    ) -> pb.CreateKnowledgeBaseResponse:
        asked = requests.create_knowledge_base(message)
        created = told(context, await self._bases.create(caller(), asked.new, asked.request))
        return pb.CreateKnowledgeBaseResponse(knowledge_base=knowledge_bases.knowledge_base(created))

    async def GetKnowledgeBase(
        self, message: pb.GetKnowledgeBaseRequest, _context: Context
    ) -> pb.GetKnowledgeBaseResponse:
        found = await self._bases.get(caller(), requests.get_knowledge_base(message))
        return pb.GetKnowledgeBaseResponse(knowledge_base=knowledge_bases.knowledge_base(found))

    async def ListKnowledgeBases(
        self, message: pb.ListKnowledgeBasesRequest, _context: Context
    ) -> pb.ListKnowledgeBasesResponse:
        asked = requests.list_knowledge_bases(message)
        found, page = await page_that_fits(
            lambda size: self._bases.list(
                caller(),
                external_id=asked.external_id,
                show_deleted=asked.show_deleted,
                page_size=size,
                page_token=asked.page_token,
                include_total=asked.include_total,
            ),
            lambda page: page.items,
            knowledge_bases.knowledge_base,
            asked.page_size,
        )
        return pb.ListKnowledgeBasesResponse(
            knowledge_bases=found, next_page_token=page.next_page_token, total=page.total
        )

    async def UpdateKnowledgeBase(
        self, message: pb.UpdateKnowledgeBaseRequest, context: Context
    ) -> pb.UpdateKnowledgeBaseResponse:
        asked = requests.update_knowledge_base(message)
        mutation = await self._bases.update(
            caller(),
            asked.knowledge_base_id,
            asked.update,
            reindex=asked.reindex,
            etag=asked.etag,
            request=asked.request,
        )
        changed, job = told(context, mutation)
        return pb.UpdateKnowledgeBaseResponse(
            knowledge_base=knowledge_bases.knowledge_base(changed), job=None if job is None else jobs.basic_job(job)
        )

    async def DeleteKnowledgeBase(
        self, message: pb.DeleteKnowledgeBaseRequest, context: Context
    ) -> pb.DeleteKnowledgeBaseResponse:
        asked = requests.delete_knowledge_base(message)
        deleted = told(context, await self._bases.delete(caller(), asked.knowledge_base_id, asked.request))
        return pb.DeleteKnowledgeBaseResponse(knowledge_base=knowledge_bases.knowledge_base(deleted))

    async def UndeleteKnowledgeBase(
        self, message: pb.UndeleteKnowledgeBaseRequest, context: Context
    ) -> pb.UndeleteKnowledgeBaseResponse:
        asked = requests.undelete_knowledge_base(message)
        back = told(context, await self._bases.undelete(caller(), asked.knowledge_base_id, asked.request))
        return pb.UndeleteKnowledgeBaseResponse(knowledge_base=knowledge_bases.knowledge_base(back))

    # ── data sources ───────────────────────────────────────────────────────────────────────────────────

    async def AddDataSource(self, message: pb.AddDataSourceRequest, context: Context) -> pb.AddDataSourceResponse:
        asked = source_requests.add_data_source(message)
        added = told(context, await self._sources.add(caller(), asked.new, asked.request))
        return pb.AddDataSourceResponse(
            data_source=knowledge_bases.data_source(added.source),
            job=None if added.job is None else jobs.basic_job(added.job),
        )

    async def GetDataSource(self, message: pb.GetDataSourceRequest, _context: Context) -> pb.GetDataSourceResponse:
        found = await self._sources.get(caller(), source_requests.get_data_source(message))
        return pb.GetDataSourceResponse(data_source=knowledge_bases.data_source(found))

    async def ListDataSources(
        self, message: pb.ListDataSourcesRequest, _context: Context
    ) -> pb.ListDataSourcesResponse:
        asked = source_requests.list_data_sources(message)
        found, page = await page_that_fits(
            lambda size: self._sources.list(
                caller(),
                asked.knowledge_base_id,
                page_size=size,
                page_token=asked.page_token,
                include_total=asked.include_total,
            ),
            lambda page: page.items,
            knowledge_bases.data_source,
            asked.page_size,
        )
        return pb.ListDataSourcesResponse(data_sources=found, next_page_token=page.next_page_token, total=page.total)

    async def UpdateDataSource(
        self, message: pb.UpdateDataSourceRequest, context: Context
    ) -> pb.UpdateDataSourceResponse:
        asked = source_requests.update_data_source(message)
        mutation = await self._sources.update(caller(), asked.data_source_id, asked.update, asked.request)
        return pb.UpdateDataSourceResponse(data_source=knowledge_bases.data_source(told(context, mutation)))

    async def RemoveDataSource(
        self, message: pb.RemoveDataSourceRequest, context: Context
    ) -> pb.RemoveDataSourceResponse:
        asked = source_requests.remove_data_source(message)
        removed = told(context, await self._sources.remove(caller(), asked.data_source_id, asked.request))
        return pb.RemoveDataSourceResponse(files_removed=removed)

    async def SyncDataSource(self, message: pb.SyncDataSourceRequest, context: Context) -> pb.SyncDataSourceResponse:
        asked = source_requests.sync_data_source(message)
        mutation = await self._syncs.sync(caller(), asked.data_source_id, asked.keys, asked.request)
        synced = told(context, mutation)
        return pb.SyncDataSourceResponse(
            data_source=knowledge_bases.data_source(synced.source),
            job=None if synced.job is None else jobs.basic_job(synced.job),
        )

    async def CancelSync(self, message: pb.CancelSyncRequest, context: Context) -> pb.CancelSyncResponse:
        asked = source_requests.cancel_sync(message)
        done = told(context, await self._syncs.cancel(caller(), asked.data_source_id, asked.request))
        return pb.CancelSyncResponse(job=jobs.basic_job(done.job), records_cancelled=done.records_cancelled)

    # ── files ──────────────────────────────────────────────────────────────────────────────────────────

    async def AddKnowledgeBaseFiles(
        self, message: pb.AddKnowledgeBaseFilesRequest, context: Context
    ) -> pb.AddKnowledgeBaseFilesResponse:
        asked = requests.add_knowledge_base_files(message)
        mutation = await self._files.add(
            caller(),
            asked.knowledge_base_id,
            asked.files,
            method=asked.method,
            allow_partial=asked.allow_partial,
            name=asked.name,
            request=asked.request,
        )
        added = told(context, mutation)
        results = [jobs.add_file_result(result) for result in added.results]
        return pb.AddKnowledgeBaseFilesResponse(job=jobs.basic_job(added.job), results=results)

    async def ListKnowledgeBaseFiles(
        self, message: pb.ListKnowledgeBaseFilesRequest, _context: Context
    ) -> pb.ListKnowledgeBaseFilesResponse:
        asked = requests.list_knowledge_base_files(message)
        files, page = await page_that_fits(
            lambda size: self._files.list(
                caller(),
                asked.knowledge_base_id,
                statuses=asked.statuses,
                data_source_id=asked.data_source_id,
                page_size=size,
                page_token=asked.page_token,
                include_total=asked.include_total,
            ),
            lambda page: page.items,
            knowledge_bases.knowledge_base_file,
            asked.page_size,
        )
        return pb.ListKnowledgeBaseFilesResponse(files=files, next_page_token=page.next_page_token, total=page.total)

    async def RemoveKnowledgeBaseFiles(
        self, message: pb.RemoveKnowledgeBaseFilesRequest, context: Context
    ) -> pb.RemoveKnowledgeBaseFilesResponse:
        asked = requests.remove_knowledge_base_files(message)
        mutation = await self._files.remove(caller(), asked.knowledge_base_id, asked.file_ids, asked.request)
        results = [jobs.remove_file_result(result) for result in told(context, mutation)]
        return pb.RemoveKnowledgeBaseFilesResponse(results=results)

    async def GetFileStatus(self, message: pb.GetFileStatusRequest, _context: Context) -> pb.GetFileStatusResponse:
        asked = requests.get_file_status(message)
        found = await self._files.status(caller(), asked.knowledge_base_id, asked.file_id)
        return pb.GetFileStatusResponse(status=knowledge_bases.file_status(asked.file_id, found))

    async def GetFileStatusCounts(
        self, message: pb.GetFileStatusCountsRequest, _context: Context
    ) -> pb.GetFileStatusCountsResponse:
        asked = requests.get_file_status_counts(message)
        found = await self._files.counts(caller(), asked.knowledge_base_id, asked.data_source_id)
        return pb.GetFileStatusCountsResponse(
            counts=knowledge_bases.status_counts(found.counts),
            total_count=sum(found.counts.values()),
            partial_count=found.partial,
        )

    # ── chunks ─────────────────────────────────────────────────────────────────────────────────────────

    async def ListChunks(self, message: pb.ListChunksRequest, _context: Context) -> pb.ListChunksResponse:
        asked = requests.list_chunks(message)
        chunks, page = await page_that_fits(
            lambda size: self._search.chunks(
                caller(),
                asked.knowledge_base_id,
                asked.file_id,
                page_size=size,
                page_token=asked.page_token,
                include_total=asked.include_total,
            ),
            lambda page: page.items,
            knowledge_bases.chunk,
            asked.page_size,
        )
        return pb.ListChunksResponse(chunks=chunks, next_page_token=page.next_page_token, total=page.total)

    async def Search(self, message: pb.SearchRequest, _context: Context) -> pb.SearchResponse:
        found = await self._search.search(caller(), requests.search(message))
        return pb.SearchResponse(results=[knowledge_bases.search_result(result) for result in found])
