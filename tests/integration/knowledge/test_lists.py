"""Lists of the files of a knowledge base: by data source, and by a status that few of them have."""

from typing import Any

import pytest

from ingest_grpc.store.sqlite import bounded
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.ingestion_pb2 import RecordStatus
from tests.integration.knowledge.library import TEXTS, Library


async def test_files__of_a_rare_status_come_on_pages_that_end_early(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.write("broken.pdf", b"%PDF-1.4 nothing else")
    await library.add_source()
    library.fill()
    await library.sync()
    monkeypatch.setattr(bounded, "BATCH", 2)
    monkeypatch.setattr(bounded, "MAX_SCANNED", 4)

    async def page(**more: Any) -> pb.ListKnowledgeBaseFilesResponse:
        request = pb.ListKnowledgeBaseFilesRequest(knowledge_base_id=library.id, include_total=True, **more)
        return await library.server.knowledge.ListKnowledgeBaseFiles(request)

    assert library.source is not None
    for source in ({}, {"data_source_id": library.source.data_source_id}):
        failed = {"statuses": [RecordStatus.RECORD_STATUS_FAILED], **source}
        first = await page(**failed)
        assert ([file.key for file in first.files], first.total, bool(first.next_page_token)) == ([], 1, True)
        last = await page(page_token=first.next_page_token, **failed)
        assert ([file.key for file in last.files], last.next_page_token) == (["broken.pdf"], "")
        everything = await page(**source)
        assert ([file.key for file in everything.files][-1], everything.total) == ("broken.pdf", len(TEXTS) + 1)


async def test_files__of_one_data_source_are_its_own(library: Library) -> None:
    library.fill()
    await library.add_source()
    by_hand = await library.add_files("one.md", "two.md")
    request = pb.ListKnowledgeBaseFilesRequest(
        knowledge_base_id=library.id, data_source_id=by_hand.data_source_id, page_size=1, include_total=True
    )
    names = []
    while True:
        page = await library.server.knowledge.ListKnowledgeBaseFiles(request)
        names += [file.filename for file in page.files]
        assert page.total == 2
        if not (token := page.next_page_token):
            break
        request.page_token = token
    assert names == ["two.md", "one.md"]
