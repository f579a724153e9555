"""The index and the ledger brought back in step: after a cancelled attempt, a removal, a lost index."""

from ingest_grpc.admin.check import check
from ingest_grpc.admin.index_check import examine_index
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.ingestion_pb2 import RecordStatus
from tests.integration.knowledge.library import Library


async def restarted(library: Library, *, without_index: bool = False) -> None:
    server = library.server
    await server._stack.aclose()
    await server.app.stop()
    if without_index:
        for path in server.settings.data_dir.glob("index.sqlite3*"):
            path.unlink()
    server.app = server._new_app()
    await server.app.start()
    server._connect()


async def problems(library: Library) -> list[str]:
    return examine_index(library.server.settings)[1]


async def test_lost_index__is_rebuilt_by_a_job(library: Library) -> None:
    library.fill()
    await library.add_source()
    before = {key: await library.chunks(key) for key in await library.files()}

    await restarted(library, without_index=True)
    listing = await library.server.knowledge.ListKnowledgeBaseFiles(
        pb.ListKnowledgeBaseFilesRequest(knowledge_base_id=library.id)
    )
    for file in listing.files:
        while (await library.files())[file.key].status != RecordStatus.RECORD_STATUS_COMPLETED:
            continue

    assert {key: await library.chunks(key) for key in await library.files()} == before
    assert await problems(library) == []


async def test_lost_index__is_one_problem_that_the_next_start_mends(library: Library) -> None:
    library.fill()
    await library.add_source()
    searchable = len(await library.files())
    await library.server.app.stop()
    for path in library.server.settings.data_dir.glob("index.sqlite3*"):
        path.unlink()

    report = await check(library.server.settings)

    (problem,) = report.problems
    assert problem.startswith(f"documents that are searchable by the ledger: {searchable}, but there is no index")
    assert "next start of the server mends it" in problem


async def test_removed_file__leaves_no_chunk(library: Library) -> None:
    library.fill()
    await library.add_source()
    file_id = (await library.files())["harbour.md"].file_id
    request = pb.RemoveKnowledgeBaseFilesRequest(knowledge_base_id=library.id, file_ids=[file_id])
    await library.server.knowledge.RemoveKnowledgeBaseFiles(request)
    assert "harbour.md" not in await library.found("tide")

    await library.server.app.keeper.step()

    assert (await library.server.app.knowledge.index.counts(f"{library.id}/1")).documents == 3
    assert await problems(library) == []
    assert (await library.sync()).data_source.last_sync.new == 1  # it is still in the folder
