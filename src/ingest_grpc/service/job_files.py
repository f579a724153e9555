"""Adding files to a job and removing them: what becomes of each one, inside one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from ingest_grpc.errors import IngestError, Reason, Violation
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import IN_FLIGHT, IngestionJobStatus, RecordStatus, Trigger
from ingest_grpc.model import (
    AddFileOutcome,
    AddFileResult,
    Document,
    File,
    FileRecord,
    FileToAdd,
    IngestionJob,
    JobFile,
    KnowledgeBase,
    Method,
    RemoveFileOutcome,
    RemoveFileResult,
)
from ingest_grpc.service.knowledge_bases import documents
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.new_records import (
    Intended,
    IsCurrent,
    as_reused,
    earlier_conversion,
    never,
    new_record,
    resolve,
    unresolved_named,
)
from ingest_grpc.service.queue import QueueTail, exceeds_queue
from ingest_grpc.store.interface import RecordRow, Tx

REJECTED = frozenset({AddFileOutcome.NOT_FOUND, AddFileOutcome.NOT_REPLACEABLE})
QUEUE_FULL_RETRY_SECONDS = 30.0


class FilesAddedEffect(BaseModel):
    """What a CreateJob or AddFiles call did; kept for its request id."""

    job_id: str
    ingestion_job_id: str | None = None
    results: tuple[AddFileResult, ...] = ()


class FilesRemovedEffect(BaseModel):
    """What a RemoveFiles call did; kept for its request id."""

    job_id: str
    results: tuple[RemoveFileResult, ...] = ()


@dataclass(slots=True)
class _Plan:
    """What is to be done with one file of the call."""

    item: FileToAdd
    outcome: AddFileOutcome
    file: File | None = None
    replaces: RecordRow | None = None
    present: AddFileResult | None = None
    reused: RecordRow | None = None


@dataclass(frozen=True, slots=True)
class AddRules:
    """What limits an AddFiles call: records per job, files of one team in the queue (None = any number); and
    whether what an engine made earlier is reused."""

    max_records: int
    max_queued: int | None = None
    is_current: IsCurrent = never


@dataclass(slots=True)
class AddFiles:
    """One AddFiles call on an open job ledger.

    `method` applies to files that name none. Unless `allow_partial`, one rejected file rejects the call.
    """

    ledger: JobLedger
    user_id: str
    method: Method
    allow_partial: bool
    rules: AddRules
    knowledge_base: KnowledgeBase | None = None
    """Where the files are to be found: all of them, Markdown too, become records then."""
    _seen: dict[str, _Plan] = field(default_factory=dict)

    async def run(self, items: Sequence[FileToAdd]) -> FilesAddedEffect:
        """Raises JOB_STARTED, FILE_NOT_FOUND, RECORD_NOT_REPLACEABLE, TOO_MANY_RECORDS and TEAM_QUEUE_FULL."""
        self.ledger.check_files_open()
        plans = [await self._plan(item) for item in items]
        await self._refuse(plans)
        await self._match_names(plans)
        await self._match_content(plans)
        self.ledger.cancel_requested(False)
        await self._add_markdown([plan for plan in plans if plan.outcome is AddFileOutcome.MARKDOWN_READY])
        ingestion_job_id, records = await self._add_records(
            [plan for plan in plans if plan.outcome in (AddFileOutcome.ADDED, AddFileOutcome.REUSED)]
        )
        queued = sum(record.status is RecordStatus.QUEUED for record in records.values())
        await check_queue_cap(self.ledger.tx, self.ledger.job.team_id, queued, self.rules.max_queued)
        results = tuple(self._result(plan, records) for plan in plans)
        return FilesAddedEffect(job_id=self.ledger.job.job_id, ingestion_job_id=ingestion_job_id, results=results)

    async def _plan(self, item: FileToAdd) -> _Plan:
        tx, job = self.ledger.tx, self.ledger.job
        file = await tx.file(job.team_id, item.file_id)
        if file is None or file.deleted_at is not None:
            return _Plan(item, AddFileOutcome.NOT_FOUND)
        if item.file_id in self._seen:
            return _Plan(item, AddFileOutcome.ALREADY_PRESENT, file)
        rows = await _live_records(self.ledger, file.row_id, file.file_id)
        replaces = _failed_by_another_method(rows, item.method or self.method)
        if replaces is None and (present := await self._present(file, rows)) is not None:
            return _Plan(item, AddFileOutcome.ALREADY_PRESENT, file, present=present)
        if item.replaces_record_id is not None:
            replaces = await tx.record(job.row_id, item.replaces_record_id)
            if replaces is None or not replaces.record.unresolved:
                return _Plan(item, AddFileOutcome.NOT_REPLACEABLE, file)
        ready = file.markdown and self.knowledge_base is None
        outcome = AddFileOutcome.MARKDOWN_READY if ready else AddFileOutcome.ADDED
        plan = self._seen[item.file_id] = _Plan(item, outcome, file, replaces)
        return plan

    async def _present(self, file: File, rows: Sequence[RecordRow]) -> AddFileResult | None:
        """How the job has this file already, or its knowledge base has."""
        tx, job = self.ledger.tx, self.ledger.job
        entry = await tx.markdown_file(job.row_id, file.file_id) if job.ever_active else None
        if entry is not None and entry[2]:
            return AddFileResult(
                file_id=file.file_id, outcome=AddFileOutcome.ALREADY_PRESENT, output_file_id=file.file_id
            )
        # One whose output has expired is no longer of use: the file is converted anew.
        kept = [row for row in rows if row.record.output_expired_at is None]
        if self.knowledge_base is not None and (row := await documents.present(tx, self.knowledge_base, file)):
            kept.append(row)
        return _present_as(file.file_id, kept[0].record) if kept else None

    async def _refuse(self, plans: Sequence[_Plan]) -> None:
        rejected = [(index, plan) for index, plan in enumerate(plans) if plan.outcome in REJECTED]
        if rejected and not self.allow_partial:
            raise _rejection(rejected)
        added = sum(plan.outcome is AddFileOutcome.ADDED for plan in plans)
        if self.ledger.job.tally.total + added > self.rules.max_records:
            raise IngestError(Reason.TOO_MANY_RECORDS, {"max_records": str(self.rules.max_records)})

    async def _match_names(self, plans: Sequence[_Plan]) -> None:
        """A file under the name of exactly one unresolved record resolves it; ambiguous names resolve nothing."""
        if not self.ledger.job.tally.unresolved:
            return
        names = Counter(plan.file.filename for plan in self._seen.values() if plan.file is not None)
        for plan in plans:
            if plan.file is None or plan.replaces is not None or self._seen.get(plan.item.file_id) is not plan:
                continue
            if names[plan.file.filename] == 1:
                plan.replaces = await unresolved_named(self.ledger.tx, self.ledger.job.row_id, plan.file.filename)

    async def _match_content(self, plans: Sequence[_Plan]) -> None:
        """A file whose bytes this team had converted before, by the same method and engine, needs no work.

        For a knowledge base it is still to be cut and embedded: the worker finds the conversion.
        """
        if self.knowledge_base is not None:
            return
        for plan in plans:
            if plan.outcome is AddFileOutcome.ADDED and plan.file is not None:
                method = plan.item.method or self.method
                plan.reused = await earlier_conversion(self.ledger.tx, plan.file, method, self.rules.is_current)
                if plan.reused is not None:
                    plan.outcome = AddFileOutcome.REUSED

    async def _add_markdown(self, plans: Sequence[_Plan]) -> None:
        entries = []
        for plan in plans:
            assert plan.file is not None
            await self.ledger.tx.add_markdown_file(self.ledger.job.row_id, plan.file.row_id, self.ledger.now)
            entries.append(markdown_entry(plan.file, self.ledger.now))
            if plan.replaces is not None:
                await resolve(self.ledger, plan.replaces, plan.file.file_id)
        self.ledger.files_changed(added=entries)

    async def _add_records(self, plans: Sequence[_Plan]) -> tuple[str | None, dict[str, FileRecord]]:
        """(ingestion job, record by file id); no ingestion job when no file needs one."""
        if not plans:
            return None, {}
        ingestion_job = await self.ledger.add_ingestion_job(
            IngestionJob(
                ingestion_job_id=new_id(Prefix.INGESTION_JOB),
                job_id=self.ledger.job.job_id,
                status=IngestionJobStatus.QUEUED,
                knowledge_base_id=self.knowledge_base and self.knowledge_base.knowledge_base_id,
                created_at=self.ledger.now,
            )
        )
        tail = await QueueTail.of(self.ledger.tx, self.ledger.job.team_id, self.ledger.job.priority)
        records = {}
        for plan in plans:
            fair_tag = tail.last if plan.reused else tail.next()
            assert plan.file is not None
            item = plan.item
            intended = Intended(plan.file, item.method or self.method, self.user_id, plan.replaces, item.metadata)
            new = new_record(self.ledger, intended, ingestion_job, fair_tag)
            document = await self._document(plan.file)
            if document is not None:
                new = replace(new, document_row=document.row_id)
            if plan.reused is not None:
                new = await as_reused(self.ledger, new, plan.reused.record)
            record = records[plan.item.file_id] = await self.ledger.add_record(new)
            if document is not None:
                await documents.record_added(self.ledger.tx, document, record.row_id)
            if plan.reused is not None and plan.replaces is not None:
                await resolve(self.ledger, plan.replaces, new.record.record_id)
        return ingestion_job.ingestion_job_id, records

    async def _document(self, file: File) -> Document | None:
        """What of the knowledge base the file becomes."""
        if self.knowledge_base is None:
            return None
        tx, place = self.ledger.tx, documents.Place(self.knowledge_base)
        return await documents.attach(tx, place, file.file_id, file.sha256, file, self.ledger.now)

    def _result(self, plan: _Plan, records: dict[str, FileRecord]) -> AddFileResult:
        if plan.present is not None:
            return plan.present
        file_id, record = plan.item.file_id, records.get(plan.item.file_id)
        if plan.outcome is AddFileOutcome.ALREADY_PRESENT and record is not None:
            return _present_as(file_id, record)
        is_markdown = plan.file is not None and plan.file.markdown and plan.outcome not in REJECTED
        return AddFileResult(
            file_id=file_id,
            outcome=plan.outcome,
            record_id=record.record_id if record else None,
            output_file_id=record.output_file_id if record else (file_id if is_markdown else None),
            supersedes_record_id=plan.replaces.record.record_id if plan.replaces else None,
        )


async def _live_records(ledger: JobLedger, file_row: int, file_id: str) -> Sequence[RecordRow]:
    """Live records of the job that read a file, or whose output it is; nothing is looked for where none is live."""
    if not ledger.job.tally.total:
        return ()
    return await ledger.tx.live_records_of_file(ledger.job.row_id, file_row, file_id)


def _failed_by_another_method(rows: Sequence[RecordRow], method: Method) -> RecordRow | None:
    """A file's record in the job, if it is unresolved and was to be converted by another method: this one may succeed,
    and then resolves it. None if there is no such record, or any other."""
    hopeful = [row for row in rows if row.record.unresolved and row.record.method is not method]
    return hopeful[0] if hopeful and len(hopeful) == len(rows) else None


async def check_queue_cap(tx: Tx, team: str, queued: int, max_queued: int | None) -> None:
    """Raises TEAM_QUEUE_FULL where `exceeds_queue` says so."""
    if await exceeds_queue(tx, team, queued, max_queued):
        raise _queue_full(team, max_queued)


async def check_queue_room(tx: Tx, team: str, max_queued: int | None) -> None:
    """Raises TEAM_QUEUE_FULL where not even one more file fits: for work that, once begun, is written whole."""
    if max_queued is not None and await tx.count_queued(team, max_queued) >= max_queued:
        raise _queue_full(team, max_queued)


def _queue_full(team: str, max_queued: int | None) -> IngestError:
    return IngestError(
        Reason.TEAM_QUEUE_FULL,
        {"max_queued": str(max_queued)},
        retry_after_seconds=QUEUE_FULL_RETRY_SECONDS,
        resource=("Team", team),
    )


def markdown_entry(file: File, added_at: int) -> JobFile:
    """Uploaded Markdown as a line of a job's file list."""
    return JobFile(
        file_id=file.file_id,
        name=file.filename,
        content_type=file.content_type,
        created_at=added_at,
        status=RecordStatus.COMPLETED,
    )


def _present_as(file_id: str, record: FileRecord) -> AddFileResult:
    return AddFileResult(
        file_id=file_id,
        outcome=AddFileOutcome.ALREADY_PRESENT,
        record_id=record.record_id,
        output_file_id=record.output_file_id,
    )


def _rejection(rejected: Sequence[tuple[int, _Plan]]) -> IngestError:
    """One error for all rejected files; a missing file outweighs a record that cannot be replaced."""
    missing = [pair for pair in rejected if pair[1].outcome is AddFileOutcome.NOT_FOUND]
    if missing:
        violations = [
            Violation(f"files[{index}].file_id", f"no such file: {plan.item.file_id}") for index, plan in missing
        ]
        first = missing[0][1].item.file_id
        return IngestError(
            Reason.FILE_NOT_FOUND,
            {"file_id": first, "rejected": str(len(rejected))},
            violations,
            resource=("File", first),
        )
    record_id = rejected[0][1].item.replaces_record_id or ""
    violations = [
        Violation(f"files[{index}].replaces_record_id", "is not an unresolved record of this job")
        for index, _ in rejected
    ]
    return IngestError(
        Reason.RECORD_NOT_REPLACEABLE, {"record_id": record_id, "rejected": str(len(rejected))}, violations
    )


# ── removing ───────────────────────────────────────────────────────────────────────────────────────────────


async def remove_record(ledger: JobLedger, row: RecordRow) -> list[str]:
    """Removes a live record, stopped first if it is in flight, and what came out of it if it is an archive.

    Returns the ids of all that were removed, its own first.
    """
    if row.record.status in IN_FLIGHT:
        row = await cancel_record(ledger, row)
    await ledger.mark(row, Trigger.REMOVED)
    await documents.record_removed(ledger, row)
    removed = [row.record.record_id]
    if row.record.is_archive:
        for member in await ledger.tx.live_members(row.record.record_id):
            removed += await remove_record(ledger, member)
    return removed


async def cancel_record(ledger: JobLedger, row: RecordRow) -> RecordRow:
    """Cancels a record in flight; a running conversion is killed after the commit."""
    await ledger.apply(
        row,
        Trigger.CANCELLED,
        cancelled_at=ledger.now,
        step=None,
        worker_id=None,
        next_attempt_at=None,
        wait_reason=None,
    )
    return await ledger.tx.record_by_row(row.record.row_id)


async def remove_by_record_id(ledger: JobLedger, record_id: str) -> RemoveFileResult:
    """Removes one record of the job."""
    row = await ledger.tx.record(ledger.job.row_id, record_id)
    if row is None:
        return RemoveFileResult(id=record_id, outcome=RemoveFileOutcome.NOT_FOUND)
    if row.record.deleted:
        return RemoveFileResult(id=record_id, outcome=RemoveFileOutcome.ALREADY_REMOVED)
    removed = await remove_record(ledger, row)
    return RemoveFileResult(id=record_id, outcome=RemoveFileOutcome.REMOVED, record_ids=tuple(removed))


async def remove_by_file_id(ledger: JobLedger, file_id: str) -> RemoveFileResult:
    """Removes all live records of the job that read or make this file, and its Markdown entry."""
    tx, job = ledger.tx, ledger.job
    file = await tx.file(job.team_id, file_id)
    file_row = file.row_id if file is not None else -1  # an output that does not exist yet still has its record
    removed: list[str] = []
    for row in await _live_records(ledger, file_row, file_id):
        if row.record.record_id not in removed:  # it may have come out of another one of them
            removed += await remove_record(ledger, row)
    entry = await tx.markdown_file(job.row_id, file_id)
    if entry is not None and entry[2]:
        await tx.remove_markdown_file(entry[0], ledger.now)
        ledger.files_changed(removed=[entry[1]])
    elif not removed:
        once_there = entry is not None or await tx.removed_record_of_file(job.row_id, file_row, file_id)
        outcome = RemoveFileOutcome.ALREADY_REMOVED if once_there else RemoveFileOutcome.NOT_FOUND
        return RemoveFileResult(id=file_id, outcome=outcome)
    return RemoveFileResult(id=file_id, outcome=RemoveFileOutcome.REMOVED, record_ids=tuple(removed))
