"""Archives in the real sandbox and through the whole server: the server itself never parses one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest_grpc.client.dialects import render
from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.v1.file_service_pb2 import ReadFileRequest
from ingest_grpc.v1.ingestion_pb2 import FileRecord, RecordStatus
from ingest_grpc.v1.job_service_pb2 import RemoveFilesRequest
from ingest_grpc.worker.executors.interface import ArchiveFound, ArchiveUnpacked, ConversionFailed, ConversionRequest
from ingest_grpc.worker.executors.local import LocalExecutor
from tests import documents
from tests.integration.test_record_errors import converting, outcome
from tests.reaching import A_RECORD, reaches
from tests.wild_documents import open_document, zipped

LIAR = (sys.executable, "-I", str(Path(__file__).with_name("unpacking_child.py")))


@dataclass
class Sink:
    """Keeps the members; holds or fails where a test says so."""

    members: dict[str, bytes] = field(default_factory=dict)
    aborted: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    refuse: Exception | None = None
    hold: asyncio.Event | None = None
    _path: str = ""

    async def begin(self, path: str) -> None:
        self._path = path
        self.members[path] = b""
        self.begun.set()
        if self.hold is not None:
            await self.hold.wait()

    async def write(self, data: bytes) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.members[self._path] += data

    async def end(self) -> None:
        """Kept already."""

    async def abort(self) -> None:
        self.aborted += 1
        del self.members[self._path]


@asynccontextmanager
async def executor(command: tuple[str, ...] | None = None, **settings: object) -> AsyncIterator[LocalExecutor]:
    chosen = Settings.model_validate({"workers": 1, **settings})
    started = LocalExecutor(chosen) if command is None else LocalExecutor(chosen, command)
    await started.start()
    try:
        yield started
    finally:
        await started.stop()


async def unpack(running: LocalExecutor, folder: Path, data: bytes, sink: Sink) -> ArchiveUnpacked | ConversionFailed:
    (folder / "source").write_bytes(data)
    source = os.open(folder / "source", os.O_RDONLY)
    output = os.open(folder / "output", os.O_RDWR | os.O_CREAT)
    try:
        found = await running.convert(source, output, ConversionRequest("a.zip", "", "SPEED_OPTIMIZED"), lambda _: None)
        assert isinstance(found, ArchiveFound), found
        assert os.fstat(output).st_size == 0
        return await running.unpack(source, sink, lambda _: None)
    finally:
        os.close(source)
        os.close(output)


async def test_unpack__members_arrive_whole_and_the_child_goes_on(tmp_path: Path) -> None:
    large = os.urandom(3_000_000)
    async with executor() as running:
        for _ in range(2):
            sink = Sink()
            data = documents.damaged(zipped({"a.txt": b"first", "large": large, "torn": os.urandom(500)}), "torn")
            done = await unpack(running, tmp_path, data, sink)
            assert isinstance(done, ArchiveUnpacked)
            assert sink.members == {"a.txt": b"first", "large": large}
            assert (sink.aborted, len(done.losses)) == (1, 1)
        assert len(running._pool._children) <= 2, "no child was used up"


async def test_unpack__a_bomb_is_refused_without_a_byte(tmp_path: Path) -> None:
    async with executor(max_archive_bytes=2_000_000) as running:
        sink = Sink()
        done = await unpack(running, tmp_path, zipped({"s": b"", "zeros": bytes(50_000_000)}), sink)
        assert isinstance(done, ConversionFailed)
        assert (done.reason, sink.members) == (Reason.DECOMPRESSION_BOMB, {})


async def test_unpack__what_the_sink_raises_ends_it_and_the_next_one_works(tmp_path: Path) -> None:
    async with executor() as running:
        data = zipped({"a": os.urandom(5_000_000)})
        with pytest.raises(LookupError):
            await unpack(running, tmp_path, data, Sink(refuse=LookupError("no room")))
        assert isinstance(await unpack(running, tmp_path, data, Sink()), ArchiveUnpacked)


async def test_unpack__cancelling_it_kills_the_child_and_leaks_nothing(tmp_path: Path) -> None:
    async with executor() as running:
        before = len(os.listdir("/proc/self/fd"))
        sink = Sink(hold=asyncio.Event())
        task = asyncio.create_task(unpack(running, tmp_path, zipped({"a": os.urandom(5_000_000)}), sink))
        await sink.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await unpack(running, tmp_path, zipped({"a": b"a"}), Sink()), ArchiveUnpacked)
        # The killed child's own descriptors go with it; a spare one has three: its channel, its words, its use.
        assert len(os.listdir("/proc/self/fd")) <= before + 3


@pytest.mark.parametrize("lie", ["half a member", "endless frame", "no json", "dies", "result at once", "other result"])
async def test_unpack__a_child_that_lies_is_a_crash(tmp_path: Path, lie: str) -> None:
    done = await unpack_by_liar(tmp_path, lie, Sink())
    assert isinstance(done, ConversionFailed)
    assert done.reason is Reason.CONVERTER_CRASHED


async def test_unpack__ends_with_the_answer_whoever_holds_on_to_the_pipe(tmp_path: Path) -> None:
    sink = Sink()
    async with asyncio.timeout(10):
        done = await unpack_by_liar(tmp_path, "keeps the pipe", sink)
    assert isinstance(done, ArchiveUnpacked)
    assert sink.members == {"a": b"x" * 50_000}


async def unpack_by_liar(folder: Path, lie: str, sink: Sink) -> ArchiveUnpacked | ConversionFailed:
    (folder / "source").write_text(lie)
    source = os.open(folder / "source", os.O_RDONLY)
    try:
        async with executor(LIAR) as running:
            return await running.unpack(source, sink, lambda _: None)
    finally:
        os.close(source)


def by_name(records: list[FileRecord]) -> dict[str, FileRecord]:
    return {record.filename: record for record in records}


@reaches(Reason.ARCHIVE_TOO_DEEP, A_RECORD, "an archive inside more archives than are unpacked")
async def test_archive__through_the_whole_server(tmp_path: Path) -> None:
    nest = zipped({"deepest.txt": b"never read"})
    for level in (3, 2, 1):
        nest = zipped({f"{level}.zip": nest, f"words-{level}.txt": b"words"})
    data = zipped({"letters/a.odt": open_document(), "b.pdf": documents.pdf()[:300], "nest.zip": nest})
    async with converting(tmp_path) as server:
        file = await server.upload("wild.zip", data)
        job, records = await outcome(server, file.file_id)
        found = by_name(records)
        completed = {name for name, one in found.items() if one.status == RecordStatus.RECORD_STATUS_COMPLETED}
        assert completed == {"wild.zip", "a.odt", "nest.zip", "1.zip", "words-1.txt", "words-2.txt"}
        assert found["wild.zip"].member_count == 3
        assert found["a.odt"].parent_record_id == found["wild.zip"].record_id
        assert not found["wild.zip"].HasField("parent_record_id")
        assert found["2.zip"].error.message == "The archive lies inside too many other archives."
        listing = (await server.files.ReadFile(ReadFileRequest(file_id=found["wild.zip"].output_file_id))).text
        assert f"| letters/a.odt | {len(open_document())} | {found['a.odt'].record_id} |" in listing
        text = (await server.files.ReadFile(ReadFileRequest(file_id=found["a.odt"].output_file_id))).text
        assert text.startswith("# Open heading")
        for dialect in ("seekr", "llamacloud"):
            assert render(job, dialect)
        removed = await server.jobs.RemoveFiles(
            RemoveFilesRequest(job_id=job.job_id, record_ids=[found["wild.zip"].record_id])
        )
        assert len(removed.results[0].record_ids) == len(records)
        assert list(removed.job.files) == []
