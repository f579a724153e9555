"""Records found by what they read, made or came out of, see store.record_interface."""

from ingest_grpc.model import File, Method
from ingest_grpc.store.claims import RecordRow
from ingest_grpc.store.sqlite import values
from ingest_grpc.store.sqlite.statements import Statements


class SqliteRecordSearch(Statements):
    """Statements that find records for a transaction."""

    async def reusable_records(self, file: File, method: Method, limit: int) -> list[RecordRow]:
        return self._all(
            "reusable_records",
            values.record_row_of,
            team=file.team_id,
            sha256=file.sha256,
            content_type=file.content_type,
            method=method,
            limit=limit,
        )

    async def unresolved_with_name(self, job_row: int, filename: str) -> list[tuple[int, str]]:
        return self._all(
            "unresolved_with_name", lambda row: (row["id"], row["record_id"]), job=job_row, filename=filename
        )

    async def removed_record_of_file(self, job_row: int, file_row: int, file_id: str) -> bool:
        return bool(self._value("removed_record_of_file", job=job_row, file=file_row, file_id=file_id))

    async def live_members(self, record_id: str) -> list[RecordRow]:
        return self._all("live_members", values.record_row_of, record_id=record_id)

    async def unpacked_from(self, record_id: str) -> tuple[int, int]:
        return self._the("unpacked_from", lambda row: (row["records"], row["bytes"]), record_id=record_id)

    async def live_records_reading(self, file_row: int) -> list[RecordRow]:
        return self._all("live_records_of_file_anywhere", values.record_row_of, file=file_row)
