"""One effect per request id, for every mutation alike."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import JobType, RecordStatus
from ingest_grpc.model import Caller, Mutation, NewFile, NewJob, Request
from tests.factories import ALICE, BOB, Core, chunks_of, request, to_add

Mutate: TypeAlias = Callable[["World", Request | None], Awaitable[Mutation[Any]]]


class World:
    """A job with a queued, a running and a completed record, and files to add and to delete."""

    def __init__(self, core: Core, caller: Caller = ALICE) -> None:
        self.core = core
        self.caller = caller

    async def build(self) -> "World":
        core = self.core
        created = await core.create(*await core.uploads(3, self.caller), caller=self.caller)
        self.job_id = created.job.job.job_id
        self.record_ids = [result.record_id for result in created.results if result.record_id]
        self.new = await core.upload("new.pdf", caller=self.caller)
        self.lonely = await core.upload("lonely.pdf", caller=self.caller)
        done, _ = await core.claim(2)
        await core.succeed(done)
        return self

    async def facts(self) -> list[tuple[object, ...]]:
        """All rows that a second effect would change; not the blobs' keys, which are drawn anew."""
        tables = {
            "jobs": "job_id, status, queued, running, completed, cancelled, last_sequence, updated_at",
            "files": "file_id, deleted_at",
            "file_records": "record_id, status, deleted_at, last_sequence",
            "events": "job, sequence",
            "requests": "request_id, result",
            "blobs": "sha256, deleted_at",
        }

        async def unit(rows: Any) -> list[tuple[object, ...]]:
            return [
                tuple(row)
                for table, columns in tables.items()
                for row in rows._connection.execute(f"SELECT {columns} FROM {table} ORDER BY id")
            ]

        return await self.core.store.read(unit)


def create(world: World, request: Request | None) -> Awaitable[Mutation[Any]]:
    new = NewJob(name="n", job_type=JobType.CONTEXT_GROUNDED_FILES, files=to_add(world.new))
    return world.core.jobs.create(world.caller, new, request)


def add_files(world: World, request: Request | None) -> Awaitable[Mutation[Any]]:
    return world.core.jobs.add_files(
        world.caller, world.job_id, to_add(world.new), method=None, allow_partial=False, request=request
    )


def remove_files(world: World, request: Request | None) -> Awaitable[Mutation[Any]]:
    return world.core.jobs.remove_files(
        world.caller, world.job_id, record_ids=world.record_ids[:2], file_ids=(), request=request
    )


def cancel(world: World, request: Request | None) -> Awaitable[Mutation[Any]]:
    return world.core.jobs.cancel(world.caller, world.job_id, request)


def upload(world: World, request: Request | None) -> Awaitable[Mutation[Any]]:
    new = NewFile(filename="up.pdf", content_type="x/y")
    return world.core.files.upload(world.caller, new, chunks_of(b"the same bytes"), request)


def delete_file(world: World, request: Request | None) -> Awaitable[Mutation[Any]]:
    return world.core.files.delete(world.caller, world.lonely.file_id, force=False, request=request)


MUTATIONS = pytest.mark.parametrize("mutate", [create, add_files, remove_files, cancel, upload, delete_file])


def answer(done: Mutation[Any]) -> object:
    """What a caller keeps of an answer; the resource beside it is the current one."""
    value = done.value
    for name in ("results", "records_cancelled", "job_ids", "file_id"):
        if hasattr(value, name):
            return getattr(value, name)
    raise AssertionError(value)


@MUTATIONS
async def test_replay__changes_nothing_and_answers_the_same(core: Core, mutate: Mutate) -> None:
    world = await World(core).build()
    first = await mutate(world, request("r"))
    after_first = await world.facts()
    core.clock.advance(3600)
    second = await mutate(world, request("r"))

    assert (first.replayed, second.replayed) == (False, True)
    assert answer(second) == answer(first)
    assert await world.facts() == after_first
    await core.check()


@MUTATIONS
async def test_replay__after_a_restart(core: Core, mutate: Mutate) -> None:
    world = await World(core).build()
    first = await mutate(world, request("r"))
    await core.reopen()
    facts = await world.facts()
    second = await mutate(world, request("r"))

    assert (second.replayed, answer(second)) == (True, answer(first))
    assert await world.facts() == facts


@MUTATIONS
async def test_replay__of_a_concurrent_twin(core: Core, mutate: Mutate) -> None:
    world = await World(core).build()
    twins = await asyncio.gather(*(mutate(world, request("r")) for _ in range(5)))

    assert sorted(twin.replayed for twin in twins) == [False] + [True] * 4
    assert all(answer(twin) == answer(twins[0]) for twin in twins)
    await core.check()


@MUTATIONS
async def test_reuse__with_another_payload_is_refused(core: Core, mutate: Mutate) -> None:
    world = await World(core).build()
    await mutate(world, request("r", b"one payload"))
    facts = await world.facts()
    with pytest.raises(IngestError) as caught:
        await mutate(world, request("r", b"another payload"))

    assert caught.value.reason is Reason.REQUEST_ID_REUSED
    assert caught.value.metadata == {"request_id": "r"}
    assert caught.value.violations[0].field == "request_id"
    assert await world.facts() == facts
    await core.check()


async def test_reuse__of_an_upload_with_other_bytes_is_refused(core: Core) -> None:
    """The bytes are part of the payload although they come after the header."""
    new = NewFile(filename="up.pdf", content_type="x/y")
    await core.files.upload(ALICE, new, chunks_of(b"one"), request("r"))
    with pytest.raises(IngestError) as caught:
        await core.files.upload(ALICE, new, chunks_of(b"two"), request("r"))
    assert caught.value.reason is Reason.REQUEST_ID_REUSED
    await core.check()


@MUTATIONS
async def test_request_id__belongs_to_a_team_and_a_method(core: Core, mutate: Mutate) -> None:
    alices, bobs = await World(core).build(), await World(core, BOB).build()
    await mutate(alices, request("r"))
    assert not (await mutate(bobs, request("r"))).replayed
    other_method = await core.jobs.create(
        ALICE, NewJob(name="n", job_type=JobType.CONTEXT_GROUNDED_FILES), request("r", method="/another")
    )
    assert not other_method.replayed


async def test_failure__is_not_remembered(core: Core) -> None:
    world = await World(core).build()
    missing = world.lonely
    await core.files.delete(ALICE, missing.file_id, force=False, request=None)
    facts = await world.facts()
    with pytest.raises(IngestError):
        await core.jobs.add_files(
            ALICE, world.job_id, to_add(missing), method=None, allow_partial=False, request=request("r")
        )
    assert await world.facts() == facts

    assert not (await add_files(world, request("r"))).replayed


async def test_replay__shows_the_resource_as_it_is_now(core: Core) -> None:
    created = await core.create(await core.upload(), request=request("r"))
    await core.succeed(await core.claim_one())
    again = await core.jobs.create(ALICE, NewJob(name="job", job_type=JobType.CONTEXT_GROUNDED_FILES), request("r"))

    assert again.value.job.job.job_id == created.job.job.job_id
    assert again.value.job.job.last_sequence > created.job.job.last_sequence
    assert [file.status for file in again.value.job.files] == [RecordStatus.COMPLETED]


async def test_replay__of_a_file_that_was_deleted_since(core: Core) -> None:
    world = await World(core).build()
    first = await upload(world, request("r"))
    await core.files.delete(ALICE, first.value.file_id, force=False, request=None)
    second = await upload(world, request("r"))

    assert (second.replayed, second.value.file_id) == (True, first.value.file_id)
    assert second.value.deleted_at is not None
    await core.check()


async def test_request_id__is_forgotten_by_the_janitor_after_its_days(core: Core) -> None:
    world = await World(core).build()
    await cancel(world, request("r"))
    day = 86_400.0
    core.clock.advance(core.settings.request_id_days * day - 1)
    assert await core.janitor.step() == 0
    assert (await cancel(world, request("r"))).replayed
    core.clock.advance(2)
    assert await core.janitor.step() == 1
    assert not (await cancel(world, request("r"))).replayed
