"""The files of a knowledge base: added by hand, listed, removed, and where each stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from ingest_grpc.clock import Clock
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import (
    AddFileResult,
    Caller,
    DocumentView,
    FileToAdd,
    Job,
    Method,
    Mutation,
    Page,
    RemoveFileOutcome,
    RemoveFileResult,
    Request,
)
from ingest_grpc.service.idempotency import once
from ingest_grpc.service.job_files import AddFiles, AddRules, FilesAddedEffect
from ingest_grpc.service.jobs import JobService
from ingest_grpc.service.knowledge_bases.documents import remove_document
from ingest_grpc.service.knowledge_bases.feeding import feeding_job
from ingest_grpc.service.knowledge_bases.finding import (
    find_document,
    find_knowledge_base,
    find_source_row,
    reindex_running,
)
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.paging import MAX_TOTAL, decode_token, encode_token
from ingest_grpc.store.interface import Rows, Store, Tx


class FilesRemovedEffect(BaseModel):
    """What a RemoveKnowledgeBaseFiles call did; kept for its request id."""

    results: tuple[RemoveFileResult, ...]


@dataclass(frozen=True, slots=True)
class FilesAdded:
    """The job that ingests added files, and what became of each."""

    job: Job
    results: Sequence[AddFileResult]


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """Files by the status of their latest record, every status present; `partial` completed with losses."""

    counts: Mapping[RecordStatus, int]
    partial: int


class KnowledgeFileService:
    """Reads and changes what a knowledge base holds."""

    def __init__(
        self, store: Store, clock: Clock, jobs: JobService, *, default_method: Method, rules: AddRules
    ) -> None:
        self._store = store
        self._clock = clock
        self._jobs = jobs
        self._default_method = default_method
        self._rules = rules

    async def add(
        self,
        caller: Caller,
        knowledge_base_id: str,
        files: Sequence[FileToAdd],
        *,
        method: Method | None,
        allow_partial: bool,
        name: str,
        request: Request | None,
    ) -> Mutation[FilesAdded]:
        """Adds uploaded files by a job of their own. Raises what AddFiles raises, and REINDEX_RUNNING."""

        async def unit(tx: Tx) -> Mutation[FilesAddedEffect]:
            async def effect() -> FilesAddedEffect:
                knowledge_base = await find_knowledge_base(tx, caller.team_id, knowledge_base_id)
                if knowledge_base.next is not None:
                    raise reindex_running(knowledge_base)
                chosen = method or self._default_method
                title = name or f"Files added to {knowledge_base.name}"
                job = feeding_job(caller, knowledge_base, title, chosen, self._clock.now())
                ledger = await JobLedger.create(tx, job, caller.user_id)
                adding = AddFiles(ledger, caller.user_id, chosen, allow_partial, self._rules, knowledge_base)
                added = await adding.run(files)
                ledger.filled()
                await ledger.close()
                return added

            return await once(tx, caller, request, self._clock.now(), FilesAddedEffect, effect)

        done = await self._store.write(unit)
        job = await self._jobs.get(caller, done.value.job_id)
        return Mutation(FilesAdded(job, done.value.results), done.replayed)

    async def remove(
        self, caller: Caller, knowledge_base_id: str, file_ids: Sequence[str], request: Request | None
    ) -> Mutation[Sequence[RemoveFileResult]]:
        """Removes files in whatever version they are named. Raises KNOWLEDGE_BASE_NOT_FOUND."""

        async def unit(tx: Tx) -> Mutation[FilesRemovedEffect]:
            async def effect() -> FilesRemovedEffect:
                found = await find_knowledge_base(tx, caller.team_id, knowledge_base_id)
                results = []
                for file_id in file_ids:
                    file = await tx.file(caller.team_id, file_id)
                    documents = [] if file is None else await tx.documents_of_file(found.row_id, file.row_id)
                    for document in documents:
                        await remove_document(tx, document, self._clock.now(), caller.user_id, knowledge_base_id)
                    outcome = RemoveFileOutcome.REMOVED if documents else RemoveFileOutcome.NOT_FOUND
                    results.append(RemoveFileResult(id=file_id, outcome=outcome))
                return FilesRemovedEffect(results=tuple(results))

            return await once(tx, caller, request, self._clock.now(), FilesRemovedEffect, effect)

        done = await self._store.write(unit)
        return Mutation(done.value.results, done.replayed)

    async def list(
        self,
        caller: Caller,
        knowledge_base_id: str,
        *,
        statuses: Sequence[RecordStatus],
        data_source_id: str | None,
        page_size: int,
        page_token: str,
        include_total: bool = False,
    ) -> Page[DocumentView]:
        """Newest first. Raises KNOWLEDGE_BASE_NOT_FOUND, DATA_SOURCE_NOT_FOUND and INVALID_PAGE_TOKEN."""
        filters = [knowledge_base_id, sorted(statuses), data_source_id]
        before = decode_token(caller.team_id, "documents", filters, page_token)

        async def unit(rows: Rows) -> tuple[Sequence[DocumentView], int | None, int | None]:
            found = await find_knowledge_base(rows, caller.team_id, knowledge_base_id)
            source = await find_source_row(rows, found, data_source_id)
            total = None
            if include_total:
                counts = await rows.document_counts(found.row_id, source)
                passing = sum(count.documents for count in counts if not statuses or count.status in statuses)
                total = min(passing, MAX_TOTAL)
            views, cursor = await rows.document_views(found.row_id, source, statuses, before, page_size + 1)
            return views, cursor, total

        views, cursor, total = await self._store.read(unit)
        if len(views) > page_size:
            views, cursor = views[:page_size], views[page_size - 1].document.row_id
        return Page(views, "" if cursor is None else encode_token(caller.team_id, "documents", filters, cursor), total)

    async def status(self, caller: Caller, knowledge_base_id: str, file_id: str) -> DocumentView:
        """Where a file stands. Raises KNOWLEDGE_BASE_NOT_FOUND and NOT_IN_KNOWLEDGE_BASE."""

        async def unit(rows: Rows) -> DocumentView:
            found = await find_knowledge_base(rows, caller.team_id, knowledge_base_id)
            return await rows.document_view((await find_document(rows, found, file_id)).row_id)

        return await self._store.read(unit)

    async def counts(self, caller: Caller, knowledge_base_id: str, data_source_id: str | None) -> StatusCounts:
        """How many files have each status. Raises KNOWLEDGE_BASE_NOT_FOUND and DATA_SOURCE_NOT_FOUND."""

        async def unit(rows: Rows) -> StatusCounts:
            found = await find_knowledge_base(rows, caller.team_id, knowledge_base_id)
            source = await find_source_row(rows, found, data_source_id)
            counts = await rows.document_counts(found.row_id, source)
            by_status = dict.fromkeys(RecordStatus, 0)
            for count in counts:
                by_status[count.status] += count.documents
            return StatusCounts(by_status, sum(count.partial for count in counts))

        return await self._store.read(unit)
