"""Documents outlive the job that made them searchable; nothing that comes after its purge is taken for it."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from ingest_grpc.lifecycle import JobType
from ingest_grpc.model import Caller, Document, FileToAdd, NewFile, NewJob, Scope
from ingest_grpc.pipeline.index.interface import Fence
from ingest_grpc.store.interface import Tx
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.file_service_pb2 import UpdateFileRequest
from ingest_grpc.v1.job_pb2 import Job, JobStatus
from ingest_grpc.v1.job_service_pb2 import DeleteJobRequest
from ingest_grpc.v1.knowledge_base_pb2 import SearchResult
from tests.integration.knowledge.library import Library
from tests.integration.knowledge.test_metadata import struct

MALLORY = Caller("another-team", "mallory", frozenset(Scope), "key-m")
SECRET = "salary-of-another-team"


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    """Deleted jobs are purged in the janitor's next round. Both documents were indexed by such a job."""
    async with Library.open(tmp_path, purge_after_days=0.0) as library:
        library.write("apple.md", "# Apple\n\nAn orchard needs bees.\n")
        library.write("bread.md", "# Bread\n\nSourdough needs a warm place.\n")
        await purge(library, await library.add_source())
        yield library


async def purge(library: Library, job: Job) -> None:
    await library.server.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id))
    await library.server.app.janitor.step()


async def document(library: Library) -> Document:
    """That of bread.md, which came last: its record had the greatest id."""
    documents = await library.server.app.store.read(lambda rows: rows.documents_of_knowledge_base(1, 0, 10))
    return documents[-1]


async def other_teams_record(library: Library) -> int:
    """A new record of a file that is nobody else's business; its row."""
    app = library.server.app
    new = NewFile(filename="secret.html", content_type="text/html")
    file = (await app.files.create(MALLORY, new, b"<p>secret</p>", None)).value
    adding = FileToAdd(file_id=file.file_id, metadata={SECRET: 1})
    job = NewJob(name="job", job_type=JobType.CONTEXT_GROUNDED_FILES, files=(adding,))
    record_id = (await app.jobs.create(MALLORY, job, None)).value.results[0].record_id
    assert record_id is not None
    row = await app.store.read(lambda rows: rows.record_of_team(MALLORY.team_id, record_id))
    assert row is not None
    return row.record.row_id


async def found(library: Library, query: str) -> SearchResult:
    request = pb.SearchRequest(knowledge_base_id=library.id, query=query)
    return (await library.server.knowledge.Search(request)).results[0]


async def test_purged_job__a_changed_file_gets_searchable(library: Library) -> None:
    """Its record once got an id that the index had seen: the new version was refused as an older one, for good."""
    library.write("bread.md", "# Bread\n\nRye wants a hot oven.\n")
    reply = await library.sync()
    assert reply.job.status == JobStatus.JOB_STATUS_COMPLETED
    assert "Rye" in (await found(library, "oven")).chunk.text


async def test_purged_job__its_document_never_gets_what_another_team_said(library: Library) -> None:
    before = await found(library, "sourdough")
    await other_teams_record(library)

    await tell(library, before.chunk.file_id)

    assert await found(library, "sourdough") == before, "what the file's new metadata are to be added to is gone"


async def test_document__that_names_a_record_of_another_team_shows_nothing_of_it(library: Library) -> None:
    """As documents did whose record's id was given away before ids were kept."""
    before, app = await found(library, "sourdough"), library.server.app
    changed = (await document(library)).model_copy(update={"indexed_record_row": await other_teams_record(library)})
    await app.store.write(partial(_update, document=changed))

    await tell(library, before.chunk.file_id)

    assert await found(library, "sourdough") == before
    row = changed.knowledge_base_row
    assert await app.store.read(lambda rows: rows.grounding_outputs(row, 0, 10)) == []


async def test_index__with_a_version_of_a_purged_record_is_brought_in_step(library: Library) -> None:
    """The last server died before it took back a version whose record then was purged: nobody knows what it was."""
    app, before = library.server.app, await document(library)
    fence: Fence = (before.indexed_record_row or 0, 2 * (before.indexed_attempt or 0) + 2)
    state = await app.knowledge.index.document(f"{library.id}/1", before.document_id)
    assert state is not None
    assert await app.knowledge.index.swap(f"{library.id}/1", state.document, fence, [])

    await app.knowledge.keeper.recover()
    while "bread.md" not in await library.found("sourdough"):
        continue  # a job makes it searchable again


async def tell(library: Library, file_id: str) -> None:
    await library.server.files.UpdateFile(UpdateFileRequest(file_id=file_id, metadata=struct({"year": 1843})))
    await library.server.app.keeper.step()


async def _update(tx: Tx, *, document: Document) -> None:
    await tx.update_document(document)
