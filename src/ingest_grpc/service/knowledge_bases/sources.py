"""Data sources: add, read, change, remove."""

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason, Violation, invalid
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import (
    Caller,
    DataSource,
    DataSourceType,
    DataSourceUpdate,
    Method,
    Mutation,
    NewDataSource,
    Page,
    Request,
)
from ingest_grpc.service.attempted import attempted
from ingest_grpc.service.idempotency import once, recall
from ingest_grpc.service.knowledge_bases.documents import remove_document
from ingest_grpc.service.knowledge_bases.finding import (
    find_data_source,
    find_knowledge_base,
    job_if_any,
    reindex_running,
)
from ingest_grpc.service.knowledge_bases.listing import Listing
from ingest_grpc.service.knowledge_bases.syncing import (
    Synced,
    SyncService,
    end_filling,
    next_sync_at,
    shown,
    shown_source,
)
from ingest_grpc.service.paging import MAX_TOTAL, decode_token, encode_token
from ingest_grpc.store.interface import Rows, Store, Tx

REMOVED_AT_ONCE = 200
"""Files per transaction: nobody's commit waits for a whole data source."""


class SourceEffect(BaseModel):
    """Which data source a call made or changed, its first job, and how many files went; kept for its request id."""

    data_source_id: str
    job_id: str | None = None
    files_removed: int = 0


class DataSourceService:
    """Keeps the data sources of knowledge bases."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        listing: Listing,
        syncs: SyncService,
        *,
        default_method: Method,
    ) -> None:
        self._store = store
        self._clock = clock
        self._listing = listing
        self._syncs = syncs
        self._default_method = default_method
        self._removals: dict[int, str] = {}
        """Rows of removed sources that may still have files, and who removed them."""

    async def add(self, caller: Caller, new: NewDataSource, request: Request | None) -> Mutation[Synced]:
        """Adds a data source and begins its first sync.

        Raises KNOWLEDGE_BASE_NOT_FOUND, KNOWLEDGE_BASE_DELETED, REINDEX_RUNNING, EXTERNAL_ID_TAKEN, FILE_NOT_FOUND,
        TEAM_QUEUE_FULL, and what looking at the source raises.
        """
        # What a replay is about may be gone: it looks at nothing.
        earlier = await self._store.write(lambda tx: recall(tx, caller, request, SourceEffect))
        if earlier is not None:
            return Mutation(await self._begun(caller, earlier), replayed=True)
        now = self._clock.now()
        source = self._new(caller, new, now)
        await self._store.read(lambda rows: find_knowledge_base(rows, caller.team_id, new.knowledge_base_id))
        if source.type is DataSourceType.OBJECT_STORE:
            await self._listing.of(source)  # a source that cannot be read is not added

        async def unit(tx: Tx) -> Mutation[SourceEffect]:
            async def effect() -> SourceEffect:
                knowledge_base = await find_knowledge_base(tx, caller.team_id, new.knowledge_base_id)
                if knowledge_base.next is not None:
                    raise reindex_running(knowledge_base)
                await _check_external_id(tx, caller.team_id, new.external_id)
                await _check_files(tx, caller.team_id, new.file_ids)
                await self._syncs.check_room(tx, caller.team_id)
                placed = source.model_copy(update={"knowledge_base_row": knowledge_base.row_id})
                await tx.set_source_files(await tx.insert_data_source(placed), new.file_ids)
                return SourceEffect(data_source_id=source.data_source_id, job_id=new_id(Prefix.JOB))

            return await once(tx, caller, request, now, SourceEffect, effect)

        done = await self._store.write(unit)
        return Mutation(await self._begun(caller, done.value), done.replayed)

    def _new(self, caller: Caller, new: NewDataSource, now: int) -> DataSource:
        source = DataSource(
            data_source_id=new_id(Prefix.DATA_SOURCE),
            knowledge_base_id=new.knowledge_base_id,
            name=new.name or new.url or "Files",
            type=new.type,
            url=new.url,
            include_patterns=new.include_patterns,
            exclude_patterns=new.exclude_patterns,
            method=new.method or self._default_method,
            sync_interval_seconds=new.sync_interval_seconds,
            external_id=new.external_id,
            user_id=caller.user_id,
            team_id=caller.team_id,
            created_at=now,
            updated_at=now,
        )
        return source.model_copy(update={"next_sync_at": next_sync_at(source, now)})

    async def _begun(self, caller: Caller, added: SourceEffect) -> Synced:
        """The source after its first sync began; a replay begins it where the first call was interrupted.

        Without a job if another sync came first.
        """
        source = await self.get(caller, added.data_source_id)
        if added.job_id is not None and not source.synced:
            await self._syncs.begin(caller, source, added.job_id)
            source = await self.get(caller, added.data_source_id)
        return Synced(source, await self._store.read(partial(job_if_any, team=caller.team_id, job_id=added.job_id)))

    async def get(self, caller: Caller, data_source_id: str) -> DataSource:
        """Raises DATA_SOURCE_NOT_FOUND."""
        return await self._store.read(partial(shown_source, team=caller.team_id, id_=data_source_id))

    async def list(
        self, caller: Caller, knowledge_base_id: str, *, page_size: int, page_token: str, include_total: bool = False
    ) -> Page[DataSource]:
        """Those of a knowledge base, newest first. Raises KNOWLEDGE_BASE_NOT_FOUND and INVALID_PAGE_TOKEN."""
        before = decode_token(caller.team_id, "data_sources", knowledge_base_id, page_token)

        async def unit(rows: Rows) -> tuple[Sequence[DataSource], int | None, int | None]:
            found = await find_knowledge_base(rows, caller.team_id, knowledge_base_id, deleted_too=True)
            sources = await rows.data_sources_newest(found.row_id, before, page_size + 1)
            last = sources[page_size - 1].row_id if len(sources) > page_size else None
            total = min(await rows.count_data_sources(found.row_id), MAX_TOTAL) if include_total else None
            return [await shown(rows, source) for source in sources[:page_size]], last, total

        sources, last, total = await self._store.read(unit)
        token = "" if last is None else encode_token(caller.team_id, "data_sources", knowledge_base_id, last)
        return Page(sources, token, total)

    async def update(
        self, caller: Caller, data_source_id: str, update: DataSourceUpdate, request: Request | None
    ) -> Mutation[DataSource]:
        """Changes what is given; the next sync finds out what that means. Raises DATA_SOURCE_NOT_FOUND and others."""

        async def unit(tx: Tx) -> Mutation[SourceEffect]:
            async def effect() -> SourceEffect:
                source, _ = await find_data_source(tx, caller.team_id, data_source_id)
                await self._change(tx, source, update)
                return SourceEffect(data_source_id=data_source_id)

            return await once(tx, caller, request, self._clock.now(), SourceEffect, effect)

        done = await self._store.write(unit)
        return Mutation(await self.get(caller, data_source_id), done.replayed)

    async def _change(self, tx: Tx, source: DataSource, update: DataSourceUpdate) -> None:
        now = self._clock.now()
        changes = update.model_dump(include=update.model_fields_set - {"file_ids"})
        if source.type is DataSourceType.FILES and changes.keys() & {"include_patterns", "exclude_patterns"}:
            raise invalid("update_mask", "a data source of type FILES has no patterns")
        if "file_ids" in update.model_fields_set:
            if source.type is not DataSourceType.FILES:
                raise invalid("update_mask", "a data source of type OBJECT_STORE has no file_ids")
            await _check_files(tx, source.team_id, update.file_ids)
            await tx.set_source_files(source.row_id, update.file_ids)
        changed = source.model_copy(update={**changes, "updated_at": now})
        if "sync_interval_seconds" in changes:
            changed = changed.model_copy(update={"next_sync_at": next_sync_at(changed, now)})
        await tx.update_data_source(changed)

    async def remove(self, caller: Caller, data_source_id: str, request: Request | None) -> Mutation[int]:
        """Stops its sync and removes it with its files; how many those were. Raises DATA_SOURCE_NOT_FOUND.

        The source is gone at once, its files go in slices. What cannot be done now `finish_removals` does later: the
        removal is committed, and nobody needs to ask for it again.
        """
        done, row = await self._store.write(
            partial(self._remove, caller=caller, data_source_id=data_source_id, request=request)
        )
        if row is not None:
            self._removals[row] = caller.user_id
            await attempted("removing the files of a data source", self._remove_files(row))
        return Mutation(done.value.files_removed, done.replayed)

    async def _remove(
        self, tx: Tx, *, caller: Caller, data_source_id: str, request: Request | None
    ) -> tuple[Mutation[SourceEffect], int | None]:
        """Also returns the row of the source, None if this is a replay."""
        row: int | None = None

        async def effect() -> SourceEffect:
            nonlocal row
            source, _ = await find_data_source(tx, caller.team_id, data_source_id)
            now, row = self._clock.now(), source.row_id
            await end_filling(tx, source.team_id, source.sync_job_id, now)
            await tx.update_data_source(source.model_copy(update={"removed_at": now, "updated_at": now}))
            files = await tx.count_known_keys(source.row_id)
            return SourceEffect(data_source_id=data_source_id, files_removed=files)

        return await once(tx, caller, request, self._clock.now(), SourceEffect, effect), row

    async def recover(self) -> None:
        """At start: what the last server left of sources that were removed is removed by the next `finish_removals`."""
        for source in await self._store.read(lambda rows: rows.data_sources_being_removed()):
            self._removals[source.row_id] = source.user_id

    async def finish_removals(self) -> None:
        """Removes the files that removals left behind."""
        for row in tuple(self._removals):
            await attempted("removing the files of a data source", self._remove_files(row))

    async def _remove_files(self, source_row: int) -> None:
        while await self._store.write(partial(self._remove_slice, source_row=source_row)):
            continue
        self._removals.pop(source_row, None)

    async def _remove_slice(self, tx: Tx, *, source_row: int) -> bool:
        """Whether there may be more."""
        known = await tx.known_keys(source_row, 0, REMOVED_AT_ONCE)
        if not known:
            return False
        source, now = await tx.data_source_by_row(source_row), self._clock.now()
        actor, removed = self._removals.get(source_row, source.user_id), 0
        for each in known:
            document = await tx.document_by_row(each.row_id)
            removed += await remove_document(tx, document, now, actor, source.data_source_id)
            if removed >= REMOVED_AT_ONCE:  # members of archives count, too
                break
        return True


async def _check_files(tx: Tx, team: str, file_ids: tuple[str, ...]) -> None:
    """Raises FILE_NOT_FOUND, naming each."""
    missing = []
    for index, file_id in enumerate(file_ids):
        file = await tx.file(team, file_id)
        if file is None or file.deleted_at is not None:
            missing.append(Violation(f"file_ids[{index}]", f"no such file: {file_id}"))
    if missing:
        first = missing[0].description.removeprefix("no such file: ")
        about = {"file_id": first, "rejected": str(len(missing))}
        raise IngestError(Reason.FILE_NOT_FOUND, about, missing, resource=("File", first))


async def _check_external_id(tx: Tx, team: str, external_id: str | None) -> None:
    if external_id is None:
        return
    taken = await tx.data_source_by_external_id(team, external_id)
    if taken is not None:
        raise IngestError(
            Reason.EXTERNAL_ID_TAKEN,
            {"external_id": external_id, "resource_id": taken.data_source_id},
            resource=("DataSource", taken.data_source_id),
        )
