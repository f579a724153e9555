"""Documents that come out of archives: below the archive's own, under keys of their own. Parts of units."""

from dataclasses import replace

from ingest_grpc.model import File
from ingest_grpc.service.knowledge_bases.documents import Place, attach, record_added, remove_document
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import NewRecord, RecordRow

SEPARATOR = "!/"
"""Between the key of an archive and the path in it."""


async def add_version(ledger: JobLedger, archive: RecordRow, new: NewRecord, path: str, file: File) -> None:
    """Adds the record of an archive's member; where the archive is a document, so is the member."""
    if archive.document_row is None:
        await ledger.add_record(new)
        return
    parent = await ledger.tx.document_by_row(archive.document_row)
    knowledge_base = await ledger.tx.knowledge_base_by_row(parent.knowledge_base_row)
    place = Place(knowledge_base, parent.data_source_row, parent.row_id)
    key = f"{parent.key}{SEPARATOR}{path.removeprefix(f'{archive.record.filename}/')}"
    document = await attach(ledger.tx, place, key, file.sha256, file, ledger.now)
    record = await ledger.add_record(replace(new, document_row=document.row_id))
    await record_added(ledger.tx, document, record.row_id)


async def remove_former_members(ledger: JobLedger, archive: RecordRow) -> None:
    """Members of an earlier version of an archive that are not in it any more go, as files that are gone do."""
    if archive.document_row is None:
        return
    for member in await ledger.tx.members_of_document(archive.document_row):
        latest = None if member.record_row is None else await ledger.tx.record_by_row(member.record_row)
        if latest is None or latest.record.parent_record_id != archive.record.record_id:
            by = archive.record.record_id
            await remove_document(ledger.tx, member, ledger.now, ledger.actor, by)
