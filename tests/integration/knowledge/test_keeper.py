"""What the keeper does while the index or a part of its own work fails: everything else, and that later."""

from typing import Any

import pytest

from ingest_grpc.model import Document
from ingest_grpc.pipeline.index.interface import IndexUnavailable
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from tests.integration.knowledge.library import Library
from tests.integration.knowledge.test_metadata import add, change, found_since


async def test_suspects__are_looked_at_again_when_the_index_was_not_there(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One failure once made the keeper forget all of them, and chunks of dead attempts stayed until a restart."""
    library.fill()
    await library.add_source()
    app, asked, down = library.server.app, set[str](), True
    await app.keeper.step()
    look = app.knowledge.index.document

    async def document(key: str, document_id: str) -> Any:
        if down:
            raise IndexUnavailable("down")
        asked.add(document_id)
        return await look(key, document_id)

    monkeypatch.setattr(app.knowledge.index, "document", document)
    suspects = await all_documents(library)
    for suspect in suspects:
        app.knowledge.keeper.suspect(suspect.row_id)

    await app.keeper.step()
    down = False
    await app.keeper.step()
    assert asked == {suspect.document_id for suspect in suspects}
    asked.clear()
    await app.keeper.step()
    assert not asked, "they are settled"


async def test_suspects__one_that_cannot_be_looked_at_keeps_no_other_waiting(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fill()
    await library.add_source()
    app, asked = library.server.app, set[str]()
    await app.keeper.step()
    look = app.knowledge.index.document
    broken, *others = await all_documents(library)

    async def document(key: str, document_id: str) -> Any:
        if document_id == broken.document_id:
            raise IndexUnavailable("broken")
        asked.add(document_id)
        return await look(key, document_id)

    monkeypatch.setattr(app.knowledge.index, "document", document)
    for suspect in (broken, *others):
        app.knowledge.keeper.suspect(suspect.row_id)
    await app.keeper.step()
    assert asked == {each.document_id for each in others}


async def test_step__tells_metadata_though_nothing_can_be_cleared(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(*_arguments: object) -> bool:
        raise IndexUnavailable("down")

    kept = await add(library, "kept.md", "Bread of rye.")
    gone = await add(library, "gone.md", "Bread of wheat.")
    monkeypatch.setattr(library.server.app.knowledge.index, "remove", unavailable)
    removal = pb.RemoveKnowledgeBaseFilesRequest(knowledge_base_id=library.id, file_ids=[gone])
    await library.server.knowledge.RemoveKnowledgeBaseFiles(removal)

    await change(library, kept, year=1843)

    assert await found_since(library, 1800) == [kept]


async def all_documents(library: Library) -> list[Document]:
    return await library.server.app.store.read(lambda rows: rows.documents_of_knowledge_base(1, 0, 100))
