"""A knowledge base in step with a folder: created, synced, searched, one after the other."""

from ingest_grpc.v1.job_pb2 import JobStatus, JobType
from ingest_grpc.v1.knowledge_base_pb2 import SearchMode
from tests.integration.knowledge.library import TEXTS, Library

TEXT = SearchMode.SEARCH_MODE_TEXT


async def test_first_sync__makes_every_document_searchable(library: Library) -> None:
    library.fill()

    job = await library.add_source()

    assert (job.job_type, job.status) == (JobType.JOB_TYPE_KNOWLEDGE_BASE, JobStatus.JOB_STATUS_COMPLETED)
    assert job.chunks_created == 4
    assert set(await library.files()) == set(TEXTS)
    assert await library.counts() == {"QUEUED": 0, "RUNNING": 0, "COMPLETED": 4, "FAILED": 0, "CANCELLED": 0}
    assert await library.found("tide harbour ships", TEXT) == ["harbour.md"]
    assert (await library.found("sourdough"))[0] == "bakery/bread.md"
    now = await library.now()
    assert (now.files_searchable, now.chunks_total, now.data_sources_total) == (4, 4, 1)


async def test_second_sync__does_no_work_and_says_so(library: Library) -> None:
    library.fill()
    await library.add_source()

    reply = await library.sync()

    assert not reply.HasField("job")
    last = reply.data_source.last_sync
    assert (last.new, last.modified, last.deleted, last.unchanged) == (0, 0, 0, 4)
    assert not last.HasField("job_id")


async def test_changed_file__is_ingested_alone(library: Library) -> None:
    library.fill()
    await library.add_source()
    before = await library.files()
    library.write("harbour.md", "# Harbour\n\nA lighthouse warns of the rocks.\n")

    reply = await library.sync()

    assert [record.filename for run in reply.job.ingestion_jobs for record in run.records] == ["harbour.md"]
    assert reply.data_source.last_sync.modified == 1
    assert await library.found("lighthouse", TEXT) == ["harbour.md"]
    assert await library.found("tide", TEXT) == []
    after = await library.files()
    assert after["harbour.md"].file_id != before["harbour.md"].file_id
    assert after["mountain.html"] == before["mountain.html"]


async def test_touched_file__is_read_and_found_unchanged(library: Library) -> None:
    library.fill()
    await library.add_source()
    library.delete("harbour.md")
    library.write("harbour.md", TEXTS["harbour.md"])  # another inode and time, the same bytes

    reply = await library.sync()

    assert not reply.HasField("job")
    assert reply.data_source.last_sync.unchanged == 4


async def test_deleted_file__disappears_from_search(library: Library) -> None:
    library.fill()
    await library.add_source()
    library.delete("harbour.md")

    reply = await library.sync()

    assert reply.data_source.last_sync.deleted == 1
    assert reply.job.status == JobStatus.JOB_STATUS_COMPLETED
    assert await library.found("tide", TEXT) == []
    assert "harbour.md" not in await library.files()
