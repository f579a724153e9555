"""Mends what a check found, as the ledger's owner: counts and statuses, stuck records, bytes that nobody needs."""

import sqlite3
from functools import partial

from ingest_grpc.admin.examine import Findings
from ingest_grpc.admin.report import Lines
from ingest_grpc.blobs.factory import local_folder
from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.clock import Clock
from ingest_grpc.config import Settings
from ingest_grpc.service.recount import recount
from ingest_grpc.service.sweep import sweep_blobs
from ingest_grpc.store.interface import Rows, Store, Tx

ACTOR = "admin check"
"""Who the events of a repair name."""


async def mend(
    settings: Settings, store: Store, blobs: Blobs, clock: Clock, found: Findings
) -> tuple[list[str], list[str]]:
    """Returns (what was done, what could not be done)."""
    recounted, refused = await _recount(store, clock, found)
    stuck = Lines("records")
    for row_id in sorted(found.stuck):
        record_id = await store.write(partial(_requeue, row_id=row_id))
        stuck.add(f"record {record_id} may be claimed again")
    for row_id in sorted(found.stuck_alignments):
        alignment_job_id = await store.write(partial(_requeue_alignment, row_id=row_id))
        stuck.add(f"alignment {alignment_job_id} may be claimed again")
    for row_id in sorted(found.knowledge_bases):
        recounted.append(await store.write(partial(_recount_documents, row_id=row_id)))
    removed, spared = await _clear_blobs(settings, store, blobs, clock, found)
    return recounted + stuck.told() + removed, refused + spared


async def _recount(store: Store, clock: Clock, found: Findings) -> tuple[list[str], list[str]]:
    done, refused = Lines("jobs"), Lines("jobs")
    for row_id in sorted(found.jobs):
        try:
            job_id = await store.write(partial(recount, job_row=row_id, now=clock.now(), actor=ACTOR))
        except (sqlite3.Error, LookupError) as error:  # its rows contradict each other in other ways as well
            refused.add(f"the job in row {row_id} could not be recounted: {error}")
        else:
            done.add(f"job {job_id} was recounted")
    return done.told(), refused.told()


async def _recount_documents(tx: Tx, row_id: int) -> str:
    await tx.recount_documents(row_id)
    return f"the documents of {(await tx.knowledge_base_by_row(row_id)).knowledge_base_id} were counted anew"


async def _requeue(tx: Tx, row_id: int) -> str:
    await tx.make_claimable(row_id)
    return (await tx.record_by_row(row_id)).record.record_id


async def _requeue_alignment(tx: Tx, row_id: int) -> str:
    await tx.make_alignment_claimable(row_id)
    return (await tx.alignment_by_row(row_id)).alignment.alignment_job_id


async def _clear_blobs(
    settings: Settings, store: Store, blobs: Blobs, clock: Clock, found: Findings
) -> tuple[list[str], list[str]]:
    """Removes bytes whose blob is deleted, and local ones that no row names."""
    lingering = await store.read(_count_deleted)
    await sweep_blobs(store, blobs)
    left = await store.read(_count_deleted)
    done = [f"the bytes of {lingering - left:,} deleted blobs were removed"] if lingering > left else []
    refused = [f"the bytes of {left:,} deleted blobs could not be removed"] if left else []
    if found.orphans and local_folder(settings) is None:
        # Another ledger's server may share the bucket by design or by mistake; its blobs look like orphans here.
        refused.append("orphans in an object store are not removed: make sure that no other server uses it")
        return done, refused
    removed = Lines("orphans")
    for key in sorted(found.orphans):
        await blobs.delete(key)
        removed.add(f"blob {key}, which no row named, was removed")
    return done + removed.told(), refused


async def _count_deleted(rows: Rows) -> int:
    return len(await rows.deleted_blobs(2**31))
