"""A knowledge base in step with a folder: created, synced, searched, one after the other."""

from typing import Any

from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.ingestion_pb2 import RecordStatus
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


async def test_totals__are_counted_where_they_are_asked_for(library: Library) -> None:
    library.fill()
    library.write("broken.pdf", b"%PDF-1.4 nothing else")
    library.write("long.md", "\n\n".join(f"# Part {part}\n\n{'Many words about it. ' * 300}" for part in range(3)))
    await library.add_source()
    assert library.source is not None
    service = library.server.knowledge
    page: dict[str, Any] = {"page_size": 1, "include_total": True}
    await service.CreateKnowledgeBase(pb.CreateKnowledgeBaseRequest(name="Another", external_id="Another"))
    deleted = await service.CreateKnowledgeBase(pb.CreateKnowledgeBaseRequest(name="Deleted", external_id="Deleted"))
    await service.DeleteKnowledgeBase(
        pb.DeleteKnowledgeBaseRequest(knowledge_base_id=deleted.knowledge_base.knowledge_base_id)
    )
    await library.add_files("by-hand.md")
    removed = await library.add_files("removed.md")
    await service.RemoveDataSource(pb.RemoveDataSourceRequest(data_source_id=removed.data_source_id))

    async def bases(**more: Any) -> tuple[int, int]:
        found = await service.ListKnowledgeBases(pb.ListKnowledgeBasesRequest(**page, **more))
        return len(found.knowledge_bases), found.total

    assert await bases() == (1, 2)
    assert await bases(show_deleted=True) == (1, 3)
    assert await bases(external_id="Another") == (1, 1)
    assert await bases(external_id="Deleted") == (0, 0)

    sources = pb.ListDataSourcesRequest(knowledge_base_id=library.id, **page)
    first = await service.ListDataSources(sources)
    sources.page_token = first.next_page_token
    second = await service.ListDataSources(sources)
    assert [len(first.data_sources), first.total, len(second.data_sources), second.total] == [1, 2, 1, 2]

    async def files(**more: Any) -> int:
        request = pb.ListKnowledgeBaseFilesRequest(knowledge_base_id=library.id, **page, **more)
        return (await service.ListKnowledgeBaseFiles(request)).total

    assert await files() == len(TEXTS) + 3
    assert await files(data_source_id=library.source.data_source_id) == len(TEXTS) + 2
    assert await files(statuses=[RecordStatus.RECORD_STATUS_FAILED]) == 1
    assert await files(statuses=[RecordStatus.RECORD_STATUS_QUEUED]) == 0

    file_id = (await library.files())["long.md"].file_id
    chunks = pb.ListChunksRequest(knowledge_base_id=library.id, file_id=file_id, **page)
    assert (await service.ListChunks(chunks)).total == len(await library.chunks("long.md")) > 2
    chunks.include_total = False
    assert not (await service.ListChunks(chunks)).HasField("total")
