"""The part of store.interface that finds records by what they read, made or came out of; see there for the rest."""

from typing import Protocol

from ingest_grpc.model import File, Method
from ingest_grpc.store.claims import RecordRow


class RecordSearchTx(Protocol):
    """Records looked for inside one transaction, part of Tx."""

    async def reusable_records(self, file: File, method: Method, limit: int) -> list[RecordRow]:
        """Completed conversions of the same bytes, declared alike, whose output still exists; newest first."""
        ...

    async def unresolved_with_name(self, job_row: int, filename: str) -> list[tuple[int, str]]:
        """(row, record id) of at most two unresolved records with this name."""
        ...

    async def removed_record_of_file(self, job_row: int, file_row: int, file_id: str) -> bool: ...
    async def live_members(self, record_id: str) -> list[RecordRow]:
        """Live records that were unpacked from the archive of this record, not from archives inside it."""
        ...

    async def unpacked_from(self, record_id: str) -> tuple[int, int]:
        """(records, bytes of their files) that ever came out of an outermost archive, at every depth."""
        ...

    async def live_records_reading(self, file_row: int) -> list[RecordRow]:
        """Live records of any job that read this file."""
        ...
