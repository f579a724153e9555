"""A caller who goes away, at every await of every method: nothing half-done, nobody asleep, nothing dead.

Each call runs again and again, cancelled at its first, second, third … suspension, until it has none left.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import FileFilter, FileUpdate, JobFilter, NewFile, NewImport, NewJob, RecordError, Scope
from ingest_grpc.service.sweep import sweep_blobs
from ingest_grpc.service.work import Failed, Retry
from ingest_grpc.store.interface import StoredRequest
from tests.factories import ALICE, Core, chunks_of, request, to_add
from tests.faults import cancelled_at

Call: TypeAlias = Callable[["World"], Coroutine[Any, Any, object]]


class World:
    """A job with something in every status, and fresh material for the next call."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.number = 0
        self.job_id = ""
        self.file_id = ""
        self.claims: list[Any] = []
        self.key_id = ""
        self.upload_id = ""
        self.import_id = ""
        self.new_import = NewImport(url="", filename="", content_type="")

    async def renew(self) -> None:
        """Work is left in every state, so that each call has something to do."""
        core = self.core
        self.number += 1
        files = await core.uploads(5, prefix=f"{self.number}-")
        notes = await core.markdown(f"{self.number}.md", f"# {self.number}".encode())
        created = await core.jobs.create(
            ALICE,
            NewJob(name="job", job_type=JobType.CONTEXT_GROUNDED_FILES, files=to_add(*files, notes)),
            request(f"create-{self.number}"),
        )
        self.job_id = created.value.job.job.job_id
        self.file_id = files[4].file_id
        self.run_id = created.value.ingestion_job_id
        self.claims = await core.claim_records(3)
        await core.work.finish(self.claims[2], Retry(RecordError(reason=Reason.INTERNAL), 0.0))
        uploads, imports = core.file_services.uploads, core.file_services.imports
        self.upload_id = (await uploads.create(ALICE, NewFile(filename="up", content_type="x/y"), None)).value.upload_id
        await uploads.write(ALICE, self.upload_id, 0, f"{self.number:4}".encode()[-2:] + b"cd")
        source = core.settings.import_roots[0] / f"{self.number}.bin"
        source.write_bytes(bytes([self.number]) * 10_000)
        self.new_import = NewImport(url=f"file://{source}", filename="a.bin", content_type="x/y")
        self.import_id = (await imports.import_file(ALICE, self.new_import, None)).value.file_id
        self.key_id = (await core.keys.create("team-a", "alice", [Scope.READ]))[0].key_id


async def add_files(world: World) -> object:
    files = [await world.core.upload(f"late-{world.number}-{number}.pdf") for number in range(2)]
    return await world.core.jobs.add_files(
        ALICE, world.job_id, to_add(*files), method=None, allow_partial=False, request=request(f"add-{world.number}")
    )


async def remove_files(world: World) -> object:
    return await world.core.jobs.remove_files(
        ALICE,
        world.job_id,
        record_ids=[world.claims[0].record.record_id],
        file_ids=[world.file_id],
        request=request(f"remove-{world.number}"),
    )


async def upload(world: World) -> object:
    content = chunks_of(f"new {world.number}".encode(), b"x" * 100_000)
    return await world.core.files.upload(
        ALICE, NewFile(filename="new.pdf", content_type="x/y"), content, request(f"upload-{world.number}")
    )


async def upload_of_known_bytes(world: World) -> object:
    return await world.core.files.upload(
        ALICE, NewFile(filename="same.pdf", content_type="x/y"), chunks_of(b"the same every time"), None
    )


async def download(world: World) -> object:
    out = await world.core.files.download(ALICE, world.file_id, 0, None)
    return [chunk async for chunk in out.chunks]


CALLS: dict[str, Call] = {
    "create": lambda world: world.core.jobs.create(
        ALICE, NewJob(name="empty", job_type=JobType.PRINCIPLE_FILES), request(f"empty-{world.number}")
    ),
    "get": lambda world: world.core.jobs.get(ALICE, world.job_id),
    "get_detail": lambda world: world.core.jobs.get_detail(ALICE, world.job_id),
    "list": lambda world: world.core.jobs.list(ALICE, JobFilter(), page_size=10, page_token=""),
    "add_files": add_files,
    "remove_files": remove_files,
    "cancel": lambda world: world.core.jobs.cancel(ALICE, world.job_id, request(f"cancel-{world.number}")),
    "list_events": lambda world: world.core.jobs.list_events(
        ALICE, world.job_id, after_sequence=0, types=(), page_size=10, page_token=""
    ),
    "upload": upload,
    "upload_of_known_bytes": upload_of_known_bytes,
    "get_file": lambda world: world.core.files.get(ALICE, world.file_id),
    "read_file": lambda world: world.core.files.read(ALICE, world.file_id, 0, 10),
    "download": download,
    "list_files": lambda world: world.core.files.list(ALICE, FileFilter(), page_size=10, page_token=""),
    "create_upload": lambda world: world.core.file_services.uploads.create(
        ALICE, NewFile(filename="a.bin", content_type="x/y"), request(f"begin-{world.number}")
    ),
    "write_upload": lambda world: world.core.file_services.uploads.write(ALICE, world.upload_id, 2, b"cdef"),
    "complete_upload": lambda world: world.core.file_services.uploads.complete(
        ALICE, world.upload_id, None, request(f"complete-{world.number}")
    ),
    "import_file": lambda world: world.core.file_services.imports.import_file(
        ALICE, world.new_import, request(f"import-{world.number}")
    ),
    "fetch_import": lambda world: world.core.file_services.imports.fetch("team-a", world.import_id),
    "update_file": lambda world: world.core.file_services.updates.update(
        ALICE, world.file_id, FileUpdate(filename="other.pdf"), "", request(f"update-{world.number}")
    ),
    "delete_file": lambda world: world.core.files.delete(
        ALICE, world.file_id, force=True, request=request(f"delete-{world.number}")
    ),
    "sweep_blobs": lambda world: sweep_blobs(world.core.store, world.core.blobs),
    "list_ingestion_jobs": lambda world: world.core.ingestion.list(
        ALICE, job_id=None, statuses=(), oldest_first=True, after=None, page_size=10, page_token=""
    ),
    "list_records": lambda world: world.core.ingestion.list_records(
        ALICE,
        job_id=world.job_id,
        ingestion_job_id=None,
        statuses=(),
        show_deleted=True,
        page_size=10,
        page_token="",
    ),
    "claim": lambda world: world.core.claim_records(2),
    "finish": lambda world: world.core.work.finish(world.claims[1], Failed(RecordError(reason=Reason.NO_TEXT))),
    "orphan": lambda world: world.core.work.orphan(world.claims),
    "admit_due": lambda world: world.core.work.admit_due(),
    "create_key": lambda world: world.core.keys.create("team-a", "alice", [Scope.READ]),
    "revoke_key": lambda world: world.core.keys.revoke(world.key_id),
    "run_record": lambda world: world.core.runner.run(world.claims[0]),
    "pool_step": lambda world: world.core.pool.step(),
    "reaper_step": lambda world: world.core.reaper.step(),
    "stager_step": lambda world: world.core.stager.step(),
    "janitor_step": lambda world: world.core.janitor.step(),
}


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """A core that may import."""
    (tmp_path / "incoming").mkdir()
    core = Core(tmp_path / "data", import_roots=[tmp_path / "incoming"])
    await core.start()
    yield core
    await core.stop()


@pytest.mark.parametrize("name", CALLS)
async def test_cancelled_at_every_await(core: Core, name: str) -> None:
    world = World(core)
    for suspension in range(1, 200):
        await world.renew()
        head = (await core.job(world.job_id)).last_sequence
        watching = core.hub.subscribe((await core.job(world.job_id)).row_id)

        [result] = await asyncio.gather(cancelled_at(CALLS[name](world), suspension), return_exceptions=True)

        await settle(core)
        await core.check()
        job = await core.job(world.job_id)
        assert watching._set == (job.last_sequence > head), "who sleeps has nothing to miss"
        core.hub.unsubscribe(watching)
        if not isinstance(result, asyncio.CancelledError):
            assert not isinstance(result, BaseException), repr(result)
            return
    raise AssertionError("it never came to an end")


async def settle(core: Core) -> None:
    """All that callers left behind has ended; then writer and readers must be as good as new."""
    await core.pool.stop(10)
    await core.runner.drain()
    for service in (core.files, core.file_services.uploads, core.file_services.imports):
        await service.stop()
    await sweep_blobs(core.store, core.blobs)
    name = f"barrier-{len(core.commits)}"
    await core.store.write(lambda tx: tx.insert_request("t", "m", name, StoredRequest(b"", ""), 0))
    seen = await asyncio.gather(*(core.store.read(_newest_request) for _ in range(core.settings.readers)))
    assert seen == [name] * core.settings.readers, "no reader is stale"


async def _newest_request(rows: Any) -> str:
    found = rows._connection.execute("SELECT request_id FROM requests ORDER BY id DESC LIMIT 1").fetchone()
    return str(found[0])
