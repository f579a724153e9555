"""Knowledge bases as a whole: create, read, change, delete."""

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel

from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.model import (
    Caller,
    Indexing,
    Job,
    KnowledgeBase,
    KnowledgeBaseUpdate,
    KnowledgeBaseView,
    Mutation,
    NewKnowledgeBase,
    Page,
    Request,
)
from ingest_grpc.pipeline.index.interface import Index
from ingest_grpc.service.attempted import attempted
from ingest_grpc.service.idempotency import once, recall
from ingest_grpc.service.jobs import JobService
from ingest_grpc.service.knowledge_bases.embedding import Embedders
from ingest_grpc.service.knowledge_bases.finding import find_knowledge_base, job_if_any, reindex_running
from ingest_grpc.service.knowledge_bases.reindexing import Reindexer
from ingest_grpc.service.paging import MAX_TOTAL, decode_token, encode_token
from ingest_grpc.store.interface import Rows, Store, Tx

DAY = 86_400 * MICROSECONDS
JOBS_AT_ONCE = 100


class BaseEffect(BaseModel):
    """Which knowledge base a call made or changed, and the job that it started; kept for its request id."""

    knowledge_base_id: str
    job_id: str | None = None


class KnowledgeBaseService:
    """Creates, reads and changes knowledge bases."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        index: Index,
        embedders: Embedders,
        jobs: JobService,
        reindexer: Reindexer,
        *,
        purge_after_days: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._index = index
        self._embedders = embedders
        self._jobs = jobs
        self._reindexer = reindexer
        self._purge_after = round(purge_after_days * DAY)

    async def create(
        self, caller: Caller, new: NewKnowledgeBase, request: Request | None
    ) -> Mutation[KnowledgeBaseView]:
        """An empty knowledge base. Raises EMBEDDER_UNAVAILABLE, INVALID_FIELD and EXTERNAL_ID_TAKEN."""
        earlier = await self._recalled(caller, request)
        if earlier is not None:
            return Mutation(await self.get(caller, earlier.knowledge_base_id), replayed=True)
        indexing = await self._embedders.chosen(new.embedder, new.max_tokens, new.overlap_tokens, 1)
        now = self._clock.now()
        knowledge_base = KnowledgeBase(
            knowledge_base_id=new_id(Prefix.KNOWLEDGE_BASE),
            name=new.name,
            description=new.description,
            external_id=new.external_id,
            indexing=indexing,
            user_id=caller.user_id,
            team_id=caller.team_id,
            created_at=now,
            updated_at=now,
        )

        async def unit(tx: Tx) -> Mutation[BaseEffect]:
            async def effect() -> BaseEffect:
                await _check_external_id(tx, caller.team_id, new.external_id)
                await tx.insert_knowledge_base(knowledge_base)
                return BaseEffect(knowledge_base_id=knowledge_base.knowledge_base_id)

            return await once(tx, caller, request, now, BaseEffect, effect)

        done = await self._store.write(unit)
        return Mutation(await self.get(caller, done.value.knowledge_base_id), done.replayed)

    async def get(self, caller: Caller, knowledge_base_id: str) -> KnowledgeBaseView:
        """A knowledge base, deleted or not. Raises KNOWLEDGE_BASE_NOT_FOUND."""

        async def unit(rows: Rows) -> KnowledgeBaseView:
            found = await find_knowledge_base(rows, caller.team_id, knowledge_base_id, deleted_too=True)
            return await view(rows, found)

        return await self._store.read(unit)

    async def list(
        self,
        caller: Caller,
        *,
        external_id: str | None,
        show_deleted: bool,
        page_size: int,
        page_token: str,
        include_total: bool = False,
    ) -> Page[KnowledgeBaseView]:
        """The team's knowledge bases, newest first. Raises INVALID_PAGE_TOKEN."""
        filters = [external_id, show_deleted]
        before = decode_token(caller.team_id, "knowledge_bases", filters, page_token)

        async def unit(rows: Rows) -> tuple[Sequence[KnowledgeBaseView], int | None, int]:
            if external_id is not None:
                one = await rows.knowledge_base_by_external_id(caller.team_id, external_id)
                shown = one is not None and (show_deleted or one.deleted_at is None)
                found = [one] if one is not None and shown else []
                return [await view(rows, each) for each in found], None, len(found)
            found = await rows.knowledge_bases_newest(caller.team_id, before, page_size + 1, show_deleted=show_deleted)
            last = found[page_size - 1].row_id if len(found) > page_size else None
            total = 0
            if include_total:
                total = await rows.count_knowledge_bases(caller.team_id, MAX_TOTAL, show_deleted=show_deleted)
            return [await view(rows, each) for each in found[:page_size]], last, total

        views, last, total = await self._store.read(unit)
        token = "" if last is None else encode_token(caller.team_id, "knowledge_bases", filters, last)
        return Page(views, token, total if include_total else None)

    async def update(
        self,
        caller: Caller,
        knowledge_base_id: str,
        update: KnowledgeBaseUpdate,
        *,
        reindex: bool,
        etag: str,
        request: Request | None,
    ) -> Mutation[tuple[KnowledgeBaseView, Job | None]]:
        """Changes what is given; where that cuts or embeds otherwise, a job does so with all its files.

        Raises KNOWLEDGE_BASE_NOT_FOUND, KNOWLEDGE_BASE_DELETED, ETAG_MISMATCH, REINDEX_REQUIRED, REINDEX_RUNNING,
        KNOWLEDGE_BASE_BUSY, TEAM_QUEUE_FULL, EMBEDDER_UNAVAILABLE and INVALID_FIELD.
        """
        earlier = await self._recalled(caller, request)
        if earlier is not None:
            return Mutation(await self._changed(caller, earlier), replayed=True)
        now = await self._store.read(lambda rows: find_knowledge_base(rows, caller.team_id, knowledge_base_id))
        indexing = await self._embedders.chosen(
            update.embedder or now.indexing.embedder,
            update.max_tokens or now.indexing.max_tokens,
            now.indexing.overlap_tokens if update.overlap_tokens is None else update.overlap_tokens,
            now.generations + 1,
        )

        async def unit(tx: Tx) -> Mutation[BaseEffect]:
            async def effect() -> BaseEffect:
                found = await find_knowledge_base(tx, caller.team_id, knowledge_base_id)
                _check_etag(found, etag)
                named = found.model_copy(update=update.model_dump(exclude_none=True, include={"name", "description"}))
                named = named.model_copy(update={"updated_at": self._clock.now()})
                await tx.update_knowledge_base(named)
                if _same(found, indexing):
                    return BaseEffect(knowledge_base_id=knowledge_base_id)
                await _check_reindexable(tx, found, reindex=reindex)
                job_id = await self._reindexer.begin(tx, caller, named, indexing)
                return BaseEffect(knowledge_base_id=knowledge_base_id, job_id=job_id)

            return await once(tx, caller, request, self._clock.now(), BaseEffect, effect)

        done = await self._store.write(unit)
        return Mutation(await self._changed(caller, done.value), done.replayed)

    async def _changed(self, caller: Caller, effect: BaseEffect) -> tuple[KnowledgeBaseView, Job | None]:
        job = await self._store.read(partial(job_if_any, team=caller.team_id, job_id=effect.job_id))
        return await self.get(caller, effect.knowledge_base_id), job

    async def _recalled(self, caller: Caller, request: Request | None) -> BaseEffect | None:
        """What a call did before. To be asked first: what a replay is about may be gone or changed."""
        return await self._store.write(lambda tx: recall(tx, caller, request, BaseEffect))

    async def delete(
        self, caller: Caller, knowledge_base_id: str, request: Request | None
    ) -> Mutation[KnowledgeBaseView]:
        """Cancels its jobs and hides it. Deleting it again changes nothing. Raises KNOWLEDGE_BASE_NOT_FOUND."""

        async def unit(tx: Tx) -> Mutation[BaseEffect]:
            async def effect() -> BaseEffect:
                found = await find_knowledge_base(tx, caller.team_id, knowledge_base_id, deleted_too=True)
                if found.deleted_at is None:
                    now = self._clock.now()
                    times = {"deleted_at": now, "purge_at": now + self._purge_after}
                    await tx.update_knowledge_base(found.model_copy(update=times))
                return BaseEffect(knowledge_base_id=knowledge_base_id)

            return await once(tx, caller, request, self._clock.now(), BaseEffect, effect)

        done = await self._store.write(unit)
        # Nothing new is added to it from here on; what was in flight is cancelled job by job, large ones in slices.
        while jobs := await self._store.read(partial(_left_to_cancel, team=caller.team_id, id_=knowledge_base_id)):
            for job in jobs:
                await self._jobs.cancel(caller, job.job_id, None)
        return Mutation(await self.get(caller, knowledge_base_id), done.replayed)

    async def undelete(
        self, caller: Caller, knowledge_base_id: str, request: Request | None
    ) -> Mutation[KnowledgeBaseView]:
        """Takes a deletion back. Raises KNOWLEDGE_BASE_NOT_FOUND."""

        async def unit(tx: Tx) -> Mutation[BaseEffect]:
            async def effect() -> BaseEffect:
                found = await find_knowledge_base(tx, caller.team_id, knowledge_base_id, deleted_too=True)
                await tx.update_knowledge_base(found.model_copy(update={"deleted_at": None, "purge_at": None}))
                return BaseEffect(knowledge_base_id=knowledge_base_id)

            return await once(tx, caller, request, self._clock.now(), BaseEffect, effect)

        done = await self._store.write(unit)
        return Mutation(await self.get(caller, knowledge_base_id), done.replayed)

    async def purge(self, limit: int) -> None:
        """Drops the chunks of knowledge bases whose deletion is old enough, then lets go of all they held."""
        now = self._clock.now()
        for each in await self._store.write(lambda tx: tx.begin_knowledge_base_purges(now, limit)):
            await attempted(f"purging {each.knowledge_base_id}", self._purge_one(each, now, limit))

    async def _purge_one(self, knowledge_base: KnowledgeBase, now: int, limit: int) -> None:
        for generation in range(1, knowledge_base.generations + 1):
            await self._index.drop(f"{knowledge_base.knowledge_base_id}/{generation}")
        slice_ = partial(_purge_slice, knowledge_base=knowledge_base, now=now, limit=limit)
        while not await self._store.write(slice_):
            continue


async def _left_to_cancel(rows: Rows, *, team: str, id_: str) -> Sequence[Job]:
    """Jobs in flight of a knowledge base that is deleted: a replay may come after it was taken back."""
    found = await find_knowledge_base(rows, team, id_, deleted_too=True)
    return () if found.deleted_at is None else await rows.jobs_feeding(id_, JOBS_AT_ONCE)


async def _purge_slice(tx: Tx, *, knowledge_base: KnowledgeBase, now: int, limit: int) -> bool:
    return await tx.purge_knowledge_base_slice(knowledge_base, now, limit)


async def view(rows: Rows, knowledge_base: KnowledgeBase) -> KnowledgeBaseView:
    """A knowledge base with its counts."""
    counts = await rows.document_counts(knowledge_base.row_id, None)
    by_status = dict.fromkeys(RecordStatus, 0)
    for count in counts:
        by_status[count.status] += count.documents
    return KnowledgeBaseView(
        knowledge_base=knowledge_base,
        counts=by_status,
        partial=sum(count.partial for count in counts),
        searchable=sum(count.searchable for count in counts),
        chunks=sum(count.chunks for count in counts),
        data_sources=await rows.count_data_sources(knowledge_base.row_id),
    )


def _same(knowledge_base: KnowledgeBase, wanted: Indexing) -> bool:
    """Whether it is cut and embedded so already, or is about to be."""
    now = knowledge_base.next.indexing if knowledge_base.next is not None else knowledge_base.indexing
    return now.model_copy(update={"generation": wanted.generation}) == wanted


async def _check_reindexable(tx: Tx, knowledge_base: KnowledgeBase, *, reindex: bool) -> None:
    about = {"knowledge_base_id": knowledge_base.knowledge_base_id}
    resource = ("KnowledgeBase", knowledge_base.knowledge_base_id)
    if not reindex:
        raise IngestError(Reason.REINDEX_REQUIRED, about, resource=resource)
    if await tx.jobs_feeding(knowledge_base.knowledge_base_id, 1):
        if knowledge_base.next is not None:
            raise reindex_running(knowledge_base)
        raise IngestError(Reason.KNOWLEDGE_BASE_BUSY, about, resource=resource)


def _check_etag(knowledge_base: KnowledgeBase, etag: str) -> None:
    if etag and etag != knowledge_base.etag:
        raise IngestError(
            Reason.ETAG_MISMATCH,
            {"expected_etag": etag, "actual_etag": knowledge_base.etag},
            resource=("KnowledgeBase", knowledge_base.knowledge_base_id),
        )


async def _check_external_id(tx: Tx, team: str, external_id: str | None) -> None:
    if external_id is None:
        return
    taken = await tx.knowledge_base_by_external_id(team, external_id)
    if taken is not None:
        raise IngestError(
            Reason.EXTERNAL_ID_TAKEN,
            {"external_id": external_id, "resource_id": taken.knowledge_base_id},
            resource=("KnowledgeBase", taken.knowledge_base_id),
        )
