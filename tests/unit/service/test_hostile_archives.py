"""An archive whose child was taken over costs no more than any other, and its list is its own."""

import os
from collections.abc import Callable

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.worker.executors.interface import (
    ArchiveFound,
    ArchiveUnpacked,
    ConversionRequest,
    MemberSink,
    Progress,
)
from tests.executors import Outcome
from tests.factories import Core, StartCore
from tests.unit.service.test_archives import archive


async def test_listing__is_written_over_what_the_child_left_and_where_it_belongs(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The position of the output is shared: written there, the list could become a file as large as the disk."""
    await archive(core)
    convert = core.executor.convert

    async def leaves_something(
        source: int, output: int, request: ConversionRequest, on_progress: Callable[[Progress], None]
    ) -> Outcome | ArchiveFound:
        os.write(output, b"\xff" * 10_000)
        os.lseek(output, 1_000_000, os.SEEK_SET)
        return await convert(source, output, request, on_progress)

    monkeypatch.setattr(core.executor, "convert", leaves_something)
    claim = await core.claim_one()
    await core.runner.run(claim)
    listing = (await core.read((await core.record(claim)).record.output_file_id)).decode()
    assert listing.startswith("# files.zip\n")
    assert len(listing) < 1_000


async def test_members__that_come_to_nothing_count_too(start_core: StartCore) -> None:
    """Each costs a file on the disk for a moment: without a limit a child could go on until its time is over."""
    core = await start_core("void", max_archive_files=3)
    await archive(core)
    aborted: list[str] = []

    async def begin_and_abort(sink: MemberSink) -> ArchiveUnpacked:
        for name in ("c.txt", "d.txt", "e.txt"):
            await sink.begin(name)
            await sink.abort()
            aborted.append(name)
        return ArchiveUnpacked("fake", "1")

    core.executor.after_unpacking = begin_and_abort
    claim = await core.claim_one()
    await core.runner.run(claim)
    record = (await core.record(claim)).record
    assert (record.status, aborted) == (RecordStatus.FAILED, ["c.txt"])
    assert record.error is not None
    assert record.error.reason is Reason.TOO_MANY_ENTRIES
    await core.check()
