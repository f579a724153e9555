"""What callers say of files is what searches compare with: said when a file is added, and changed later."""

from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.file_service_pb2 import UpdateFileRequest
from ingest_grpc.v1.job_service_pb2 import FileToAdd
from ingest_grpc.v1.knowledge_base_pb2 import MetadataCondition, MetadataOp
from tests.integration.knowledge.library import Library


def struct(values: dict[str, Any]) -> Struct:
    message = Struct()
    message.update(values)
    return message


async def add(library: Library, filename: str, text: str, **said: Any) -> str:
    """Adds a file by hand, to the end of its job; returns the file's id."""
    file = await library.server.upload(filename, text.encode())
    naming = FileToAdd(file_id=file.file_id, metadata=struct(said))
    request = pb.AddKnowledgeBaseFilesRequest(knowledge_base_id=library.id, files=[naming])
    await library.settled((await library.server.knowledge.AddKnowledgeBaseFiles(request)).job)
    return file.file_id


async def found_since(library: Library, year: int) -> list[str]:
    """Ids of the files that a search finds whose year is not less."""
    condition = MetadataCondition(key="year", op=MetadataOp.METADATA_OP_GTE, values=[Value(number_value=year)])
    request = pb.SearchRequest(knowledge_base_id=library.id, query="bread", conditions=[condition])
    return [each.chunk.file_id for each in (await library.server.knowledge.Search(request)).results]


async def change(library: Library, file_id: str, **metadata: Any) -> None:
    """Changes a file's metadata, and lets the keeper do what it was woken for."""
    await library.server.files.UpdateFile(UpdateFileRequest(file_id=file_id, metadata=struct(metadata)))
    await library.server.app.keeper.step()


async def test_metadata__said_with_the_file_are_compared(library: Library) -> None:
    old = await add(library, "old.md", "Bread of rye.", year=1843)
    new = await add(library, "new.md", "Bread of wheat.", year=2026)

    assert set(await found_since(library, 1800)) == {old, new}
    assert await found_since(library, 2000) == [new]


async def test_metadata__of_the_file_are_told_to_the_index_when_they_change(library: Library) -> None:
    file_id = await add(library, "bread.md", "Bread of rye.")
    before = await library.files()
    assert await found_since(library, 1800) == []

    await change(library, file_id, year=1843)
    assert await found_since(library, 1800) == [file_id]
    await change(library, file_id, year=1799)
    assert await found_since(library, 1800) == []
    assert await library.files() == before, "nothing was indexed anew"


async def test_metadata__said_with_the_file_count_before_those_of_the_file(library: Library) -> None:
    file_id = await add(library, "bread.md", "Bread of rye.", year=1843)
    await change(library, file_id, year=1066, author="Ada")
    assert await found_since(library, 1800) == [file_id]


async def test_metadata__changed_beside_a_dead_keeper_are_told_after_the_next_start(library: Library) -> None:
    file_id = await add(library, "bread.md", "Bread of rye.")
    await library.server.app.keeper.stop()  # as if the server died between ledger and index
    await library.server.files.UpdateFile(UpdateFileRequest(file_id=file_id, metadata=struct({"year": 1843})))
    assert await found_since(library, 1800) == []

    await library.server.app.keeper.step()
    assert await found_since(library, 1800) == [file_id]
