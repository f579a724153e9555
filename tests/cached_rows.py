"""The writer's row cache says what the ledger says."""

from collections.abc import Mapping
from typing import Any

from ingest_grpc.store.interface import Rows
from ingest_grpc.store.sqlite.store import SqliteStore


async def check_cached_rows(store: SqliteStore) -> None:
    """To be called while no write runs. Whatever was cached is read again and must be equal, in every column."""
    cache = store._writer._cache

    async def unit(rows: Rows) -> None:
        for row_id, job in cache.jobs.items():
            _equal(job.__dict__, (await rows.job_by_row(row_id)).__dict__)
        for row_id, ingestion_job in cache.ingestion_jobs.items():
            _equal(ingestion_job.__dict__, (await rows.ingestion_job_by_row(row_id)).__dict__)
        for row_id, cached in cache.records.items():
            row = await rows.record_by_row(row_id)
            _equal(cached.record.__dict__, row.record.__dict__)
            assert cached == row

    await store.read(unit)


def _equal(cached: Mapping[str, Any], there: Mapping[str, Any]) -> None:
    different = {name: (cached[name], there[name]) for name in there if cached[name] != there[name]}
    assert not different, f"cached and there: {different}"
